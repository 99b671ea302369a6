"""Two whole nodes follow each other; a profile, a gig, a module and a post arrive, each with its right state."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from aiohttp import web

from federation.tables import actors
from node.market import queries as gigs
from node.profiles import queries as profiles
from tests.nodes import Databases, Home, Somebody, cluster, settled

AP = "application/activity+json"


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_what_one_publishes_arrives_at_the_other(databases: Databases, tls: bool):
    async with cluster("a.example", "b.example", tls=tls, databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob", kind="collective")
        await both_follow(alice, bob)
        await profile_changes(alice, b)
        await gig_lives(alice, bob)
        await module_and_its_note(alice, bob)
        await post_comes_and_goes(alice, bob)
        await followers_only_is_not_proven(alice, bob)
        assert {row.state for row in await b.messages()} == {"done"}
        assert await a.queue() == [] == await b.queue()


async def both_follow(alice: Somebody, bob: Somebody) -> None:
    assert await alice.follow(bob) == "requested"
    assert await bob.follow(alice) == "requested"
    await settled(alice.home, bob.home)
    for home in (alice.home, bob.home):
        assert await home.follow_state(alice.id, bob.id) == "accepted"
        assert await home.follow_state(bob.id, alice.id) == "accepted"
    known = await alice.home.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert [(row.type, row.verification, row.acct) for row in known] == [("Organization", "signed", bob.handle[1:])]


async def profile_changes(alice: Somebody, b: Home) -> None:
    await alice.save_profile(
        headline="Designs what people understand",
        skills="interface design, usability testing",
        rate="85",
        currency="EUR",
        unit="hour",
        availability="open",
        hours_per_week="24",
        languages="en, de",
    )
    await settled(alice.home, b)
    seen = await b.node.db.read(profiles.person, alice.id)
    assert (seen.headline, seen.verification, seen.local) == ("Designs what people understand", "signed", False)
    assert [skill.name for skill in seen.skills] == ["interface design", "usability testing"]
    assert (str(seen.rate.amount), seen.rate.currency, seen.rate.unit) == ("85.00", "EUR", "hour")
    assert seen.availability.status == "open"
    assert seen.availability.hours_per_week == 24


async def gig_lives(alice: Somebody, bob: Somebody) -> None:
    a, b = alice.home, bob.home
    gig_id = await alice.publish_gig(price="85.00")
    await settled(a, b)
    [entry] = [entry for entry in await bob.timeline() if entry["kind"] == "gig"]
    assert (entry["object_id"], entry["verification"]) == (gig_id, "signed")
    assert entry["title"] == "Interfaces that people understand"
    seen = await b.node.db.read(gigs.gig, gig_id)
    assert (str(seen.price), seen.currency, seen.unit, seen.purpose) == ("85.00", "EUR", "hour", "offer")

    a.later(minutes=1)
    b.later(minutes=1)
    await alice.edit_gig(gig_id, price="90.50", title="Interfaces that everybody understands")
    await settled(a, b)
    changed = await b.node.db.read(gigs.gig, gig_id)
    assert (str(changed.price), changed.title) == ("90.50", "Interfaces that everybody understands")
    assert changed.updated > seen.updated
    assert changed.end_time is None

    a.later(minutes=1)
    b.later(minutes=1)
    await alice.close_gig(gig_id)
    await settled(a, b)
    closed = await b.node.db.read(gigs.gig, gig_id)
    assert closed.end_time is not None
    assert closed.end_time <= b.clock.now()
    assert len([entry for entry in await bob.timeline() if entry["object_id"] == gig_id]) == 1


async def module_and_its_note(alice: Somebody, bob: Somebody) -> None:
    module_id = await alice.publish_module()
    await settled(alice.home, bob.home)
    [entry] = [entry for entry in await bob.timeline() if entry["kind"] == "module"]
    assert (entry["object_id"], entry["verification"]) == (module_id, "signed")
    assert entry["title"] == "Reading a contract in twenty minutes"
    kinds = [row.type for row in await bob.home.rows(sa.text("SELECT type FROM objects WHERE kind = 'post'"))]
    assert kinds == ["Note"], "the announcing Note comes too"


async def post_comes_and_goes(alice: Somebody, bob: Somebody) -> None:
    a, b = alice.home, bob.home
    post_id = await alice.post("The first thing that I say here.")
    await settled(a, b)
    [entry] = [entry for entry in await bob.timeline() if entry["object_id"] == post_id]
    assert (entry["kind"], entry["verification"]) == ("post", "signed")

    await alice.delete(post_id)
    await settled(a, b)
    assert post_id not in [entry["object_id"] for entry in await bob.timeline()]
    buried = await b.object(post_id)
    assert (buried.deleted_at is not None, buried.body) == (True, None)
    assert await answer(a, post_id) == 410


async def followers_only_is_not_proven(alice: Somebody, bob: Somebody) -> None:
    post_id = await alice.post("For those who follow me.", audience="followers")
    await settled(alice.home, bob.home)
    [entry] = [entry for entry in await bob.timeline() if entry["object_id"] == post_id]
    assert entry["verification"] == "delivered"
    assert b'"proof"' not in (await bob.home.object(post_id)).body
    assert await answer(alice.home, post_id) == 404, "a stranger is told nothing"


async def answer(home: Home, object_id: str) -> int:
    """The status for a stranger who asks for a document."""
    async with home.visitor() as visitor:
        return (await visitor.get(object_id.removeprefix(home.origin), Accept=AP)).status


async def test_nobody_is_followed_who_is_not_there():
    async with cluster("a.example", "b.example") as (a, b):
        alice, _ = await a.set_up("alice"), await b.set_up("bob")
        before = await a.state()
        host = f"{b.address}:{b.port}"
        for nobody in (f"@nobody@{host}", f"{b.origin}/users/nobody", f"{b.origin}/style.css", f"{b.origin}/healthz"):
            with pytest.raises(Exception, match=r"\w"):
                await alice.follow(nobody)
        assert await a.state() == before


async def test_a_burst_arrives_whole():
    """What is known of the author already is enough to check it: nothing is put off, nobody is asked."""
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        posts = [await alice.post(f"Number {number}.") for number in range(40)]
        asked: list[str] = []

        async def note(request: web.Request) -> None:
            asked.append(request.path)

        a.hold = note
        await settled(a, b)
        assert sorted(entry["object_id"] for entry in await bob.timeline()) == sorted(posts)
        assert asked == []
