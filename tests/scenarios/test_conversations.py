"""Whole nodes talk: answers, likes, boosts, changes, pins; and what a new follower finds of what was said before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from federation import featured, outbox
from federation.authenticate import Authenticator
from federation.clock import iso
from federation.gathering import Budget, Gatherer
from federation.prepare import Preparer
from federation.tables import deliveries, reactions
from node.inboxes import on_object
from node.notifications.tables import notifications
from node.search.commands import follow_tag
from node.social import commands as social
from node.social import lookups, queries, seeking, threads
from node.social import reactions as given
from node.social.mentions import find_named
from node.social.rules import parse_post
from schemas.base import Audience
from schemas.notes import NoteDraft, write_note
from schemas.terms import PUBLIC
from tests.node.neighbours import actor
from tests.nodes import Databases, Home, Somebody, cluster, free_port, settled


async def says(who: Somebody, body: str, **form: str) -> str:
    """A post, with the people whom its text names; returns its id."""
    draft = parse_post({"body": body} | form)
    named = await find_named(who.home.node, body)
    return str(await who.do(social.post, draft, None, named.people))


async def told(who: Somebody) -> set[tuple[str, str, str]]:
    """What was news for somebody: kind, actor, object."""
    mine = sa.select(notifications).where(notifications.c.reader == who.id)
    return {(row.kind, row.actor, row.object_id) for row in await who.home.rows(mine)}


async def thread_at(home: Home, post_id: str, reader: Somebody | None = None) -> tuple[list[str], list[str]]:
    """The ids above and below a post, as somebody sees it there."""

    def read(tx: Any) -> threads.Thread:
        who = reader.id if reader else None
        return threads.thread(tx, queries.post(tx, post_id, who), who)

    found = await home.node.db.read(read)
    return [post.id for post in found.above], [answer.post.id for answer in found.below]


async def test_an_answer_a_like_and_a_boost_arrive_and_are_taken_back(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        post_id = await says(alice, "Who knows #Typography?")
        await settled(a, b)
        assert b'"#Typography"' in (await b.object(post_id)).body

        answer = await says(bob, "I do.", in_reply_to=post_id)
        assert await bob.do(social.like, post_id)
        assert await bob.do(social.boost_out, post_id)
        assert not await bob.do(social.like, post_id), "once only"
        await settled(a, b)
        assert await thread_at(a, post_id) == ([], [answer])
        assert await thread_at(b, answer) == ([post_id], [])
        news = {("reply", bob.id, answer), ("like", bob.id, post_id), ("boost", bob.id, post_id)}
        assert {one for one in await told(alice) if one[0] != "follow"} == news
        tally = (await a.node.db.read(given.tallies, [post_id], alice.id))[post_id]
        assert (tally.replies, tally.likes, tally.boosts) == (1, 1, 1)

        assert await bob.do(social.unlike, post_id)
        assert await bob.do(social.unboost_out, post_id)
        await bob.delete(answer)
        await settled(a, b)
        assert await a.rows(sa.select(reactions)) == [] == await b.rows(sa.select(reactions))
        assert await thread_at(a, post_id) == ([], [])
        assert {row.state for row in await a.messages()} == {"done"}


async def test_names_lead_to_people_and_edits_to_all_who_have_it(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        post_id = await says(alice, f"Ask {bob.handle} or @nobody@{b.name}", warning="Names")
        await settled(a, b)
        assert ("mention", alice.id, post_id) in await told(bob)
        seen = await b.node.db.read(queries.post, post_id, bob.id)
        assert (seen.warning, seen.html.count("<a ")) == ("Names", 1)
        a.later(minutes=1)
        b.later(minutes=1)
        await alice.do(social.edit_post, post_id, parse_post({"body": "Ask nobody."}), {})
        await settled(a, b)
        seen = await b.node.db.read(queries.post, post_id, bob.id)
        assert (seen.html, seen.warning, seen.is_changed) == ("<p>Ask nobody.</p>", "", True)


async def test_a_new_follower_finds_what_was_said_before_and_nobody_is_told(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        posts = []
        for number in range(3):
            a.later(minutes=1)
            posts.append(await says(alice, f"Number {number}, for {bob.handle}" if number == 1 else f"Number {number}"))
        gig_id, module_id = await alice.publish_gig(), await alice.publish_module()
        private = await says(alice, "For those who follow me.", audience="followers")
        await alice.do(social.pin, posts[0])
        before = {one for one in await told(bob) if one[0] == "mention"}
        a.later(hours=1)
        b.later(hours=2)
        await bob.follow(alice)
        await settled(a, b)
        entries = await bob.timeline()
        assert {entry["object_id"] for entry in entries} == {*posts, gig_id, module_id}
        assert [entry["at"] for entry in entries] == sorted((entry["published"] for entry in entries), reverse=True)
        assert await b.object(private) is None
        assert (await b.object(posts[2])).verification == "signed"
        assert await b.node.db.read(featured.pinned, alice.id) == [posts[0]]
        assert {one for one in await told(bob) if one[0] == "mention"} == before | {("mention", alice.id, posts[1])}


async def test_what_is_missing_of_a_conversation_is_fetched_when_somebody_looks(databases: Databases):
    async with cluster("a.example", "b.example", "c.example", databases=databases) as (a, b, c):
        alice, bob, carol = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("carol")
        await carol.follow(bob)
        await settled(a, b, c)
        first = await says(alice, "The beginning.")
        await bob.follow(alice)
        await settled(a, b, c)
        second = await says(alice, "More of it.", in_reply_to=first)
        await settled(a, b, c)
        third = await says(bob, "And then?", in_reply_to=second)
        aside = await says(alice, "An aside.", in_reply_to=first)
        await settled(a, b, c)
        assert await thread_at(c, third) == ([], [])
        async with c.visitor() as browser:
            await carol.sign_in(browser)
            assert "is being looked for" in (await browser.get(f"/seen?id={third}")).text
            await settled(a, b, c)
            assert "The beginning." in (await browser.get(f"/seen?id={third}")).text
        above, _ = await thread_at(c, third)
        assert above == [first, second]
        _, below = await thread_at(c, first)
        assert set(below) == {second, third, aside}
        assert {entry["object_id"] for entry in await carol.timeline()} == {third}, "what was looked for is no news"


async def test_what_was_looked_for_before_it_came_is_news_when_it_comes(databases: Databases):
    """Somebody answers so fast that the other server looks for the post before its author has sent it there."""
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        carol, dave = await b.add("carol"), await b.add("dave")
        await bob.follow(alice)
        await b.node.db.write(follow_tag, dave.id, "gardens")
        await settled(a, b)
        post_id = await says(alice, f"For {carol.handle}, of #Gardens.")
        gig_id = await alice.publish_gig()
        for sought in (post_id, gig_id):
            found = await gathered(b).found(sought, Budget(5, 5, asyncio.get_running_loop().time() + 20))
            assert found is not None
            await b.node.db.write(on_object, found, b.node.authors)
        assert await bob.timeline() == [] == await dave.timeline()
        await settled(a, b)
        assert {row.state for row in await b.messages()} == {"done"}
        assert {entry["object_id"] for entry in await bob.timeline()} == {post_id, gig_id}
        assert {entry["object_id"] for entry in await dave.timeline()} >= {post_id}
        assert ("mention", alice.id, post_id) in await told(carol)


async def test_pins_travel_to_followers(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        post_id = await says(alice, "Read this first.")
        await alice.do(social.pin, post_id)
        await settled(a, b)
        assert await b.node.db.read(featured.pinned, alice.id) == [post_id]
        async with a.visitor() as visitor:
            page = await visitor.get("/users/alice/featured", Accept="application/activity+json")
        assert post_id in page.text
        await alice.do(social.unpin, post_id)
        await settled(a, b)
        assert await b.node.db.read(featured.pinned, alice.id) == []
        await alice.do(social.pin, post_id)
        await settled(a, b)
        await alice.delete(post_id)
        await settled(a, b)
        assert await b.node.db.read(featured.pinned, alice.id) == [] == await a.node.db.read(featured.pinned, alice.id)


async def test_85_an_answer_is_passed_on_to_followers_once(databases: Databases):
    async with cluster("a.example", "b.example", "c.example", databases=databases) as (a, b, c):
        alice, bob, carol = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("carol")
        await bob.follow(alice)
        await carol.follow(alice)
        await carol.follow(bob)  # so that what bob says is of interest there
        await settled(a, b, c)
        post_id = await says(alice, "A question.")
        await settled(a, b, c)
        heard: list[str] = []

        async def note(request: web.Request) -> None:
            if request.method == "POST" and request.path == "/inbox":
                heard.append(request.headers.get("Signature-Input", "") + request.headers.get("Signature", ""))

        c.hold = note
        answer = await answers_to_followers_of(bob, alice, post_id)
        await settled(a, b, c)
        assert (await c.object(answer)).verification == "signed"
        assert len([one for one in heard if alice.id in one]) == 1, "by alice's server, once"
        rows = await a.rows(sa.select(deliveries.c.host, deliveries.c.sender).where(deliveries.c.object_id == answer))
        assert [(row.host, row.sender) for row in rows] == [(c.node.ids.host, alice.id)], "not back to bob's"

        await bob.delete(answer)
        await settled(a, b, c)
        assert (await c.object(answer)).deleted_at is not None
        rows = await a.rows(sa.select(deliveries.c.host).where(deliveries.c.object_id == answer))
        assert [row.host for row in rows] == [c.node.ids.host] * 2
        assert await a.queue() == []


async def answers_to_followers_of(bob: Somebody, alice: Somebody, post_id: str) -> str:
    """As software does that addresses whom the author addressed (ActivityPub §7.1.2)."""
    author = await bob.author()

    def write(tx: Any) -> str:
        note_id = author.ids.object(author.actor_id, "posts", tx.now)
        audience = Audience((PUBLIC,), (alice.id, f"{alice.id}/followers"))
        draft = NoteDraft(note_id, bob.id, "<p>An answer.</p>", iso(tx.now), audience, note_id, in_reply_to=post_id)
        outbox.create(tx, author, write_note(draft), kind="post", audience=audience, published=tx.now)
        return note_id

    return str(await bob.home.node.db.write(write))


async def test_72_a_conversation_without_end_costs_no_more_than_its_budget():
    """Each note answers another that is higher up, and lists answers that list others: somebody's trap."""
    async with cluster("a.example") as (a,), trap() as (origin, asked):
        alice = await a.set_up("alice")
        bait = f"{origin}/notes/1"
        found = await gathered(a).found(bait, Budget(5, 5, asyncio.get_running_loop().time() + 20))
        assert found is not None
        await a.node.db.write(on_object, found, a.node.authors)
        asked.clear()
        await a.node.db.write(lookups.ask, "context", bait, alice.id)
        await settled(a)
        assert 10 < len(asked) <= seeking.OF_HOST
        assert await a.node.db.read(lookups.is_due) is False, "what is left is not kept for later"
        before = len(asked)
        await a.node.db.write(lookups.ask, "context", bait, alice.id)
        await settled(a)
        assert len(asked) == before, "nor asked for again at once"
        assert await alice.timeline() == []


def gathered(home: Home) -> Gatherer:
    node = home.node
    authenticator = Authenticator(node.ids, node.resolver, node.policy, node.clock)
    return Gatherer(node.resolver, Preparer(node.db, node.ids, node.resolver, authenticator))


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[str, list[str]]]:
    """A server with a note at every number; yields its origin, and what it is asked for."""
    asked: list[str] = []
    port = free_port("127.0.0.30")
    origin = f"http://127.0.0.30:{port}"
    eve = f"{origin}/users/eve"

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        kind, _, number = request.path.strip("/").partition("/")
        document = actor(eve) if kind == "users" else note_at(int(number)) if kind == "notes" else page_of(int(number))
        return web.json_response(document, content_type="application/activity+json")

    def note_at(number: int) -> dict[str, Any]:
        return {
            "id": f"{origin}/notes/{number}",
            "type": "Note",
            "attributedTo": eve,
            "content": f"<p>{number}</p>",
            "published": "2026-11-01T00:00:00Z",
            "to": [PUBLIC],
            "inReplyTo": f"{origin}/notes/{number + 1}",
            "replies": f"{origin}/replies/{number}",
        }

    def page_of(number: int) -> dict[str, Any]:
        items = [f"{origin}/notes/{number * 1000 + more}" for more in range(1, 200)]
        following = f"{origin}/replies/{number + 1}"
        return {"id": f"{origin}/replies/{number}", "type": "CollectionPage", "items": items, "next": following}

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.30", port).start()
    yield origin, asked
    await runner.cleanup()
