"""A CV of which a part is for everybody, a part for followers and a part for nobody: who finds what, and what is left
when its owner takes it back. SECURITY 111, 126, 132, 140.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import sqlalchemy as sa

from federation.authors import Author
from federation.tables import activities, actors, objects
from keys import requests
from node.app import web_application
from node.profiles import cv_commands, sources
from node.profiles.entries import parse_entry
from node.profiles.tables import cv_entries
from node.relations.commands import accept_follower
from schemas.cv import SECTIONS
from tests.nodes import Databases, Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_words import filled, signed_in_as
from tests.visitors import Visitor

OPEN, CLOSE, SECRET = "marklarch", "markbirch", "markyew"
FOR = {"public": OPEN, "followers": CLOSE, "nobody": SECRET}
LONG = "A sentence about work that somebody did somewhere. " * 29


async def add_lines(who: Somebody, *, text: str = "", sections: Iterable[str] = SECTIONS, times: int = 1) -> None:
    """A line of each section for each audience, and its marker in every field."""
    for section in sections:
        for audience, mark in FOR.items():
            for _ in range(times):
                form = {
                    "title": mark,
                    "organisation": mark,
                    "place": mark,
                    "text": f"{mark} {text}",
                    "audience": audience,
                }
                await who.do(cv_commands.add_entry, section, parse_entry(section, form))


async def give(who: Somebody, audience: str) -> None:
    """All lines of a CV to these."""
    home = who.home
    for line in await home.node.db.read(sources.own_entries, who.id):
        form = {"title": line.entry.title, "audience": audience}
        await who.do(cv_commands.edit_entry, line, parse_entry(line.section, form))


def addresses(home: Home, ids: Iterable[str], lines: Iterable[str]) -> Iterator[str]:
    """Every address of a node that can be read, with whatever leads to a profile and its parts filled in."""
    for pattern in sorted({resource.canonical for resource in web_application(home.node).router.resources()}):
        for name in ("alice", *lines):
            known = {"handle": "alice", "username": "alice", "name": name, "section": "experience", "kind": "cv"}
            yield f"{filled(pattern, known)}?page=true&q=mark&id={quote(next(iter(ids), ''), safe='')}"
            if "{name" not in pattern:
                break
    for one in ids:
        yield one.removeprefix(home.origin)


async def published(home: Home) -> list[str]:
    """The ids of everything that somebody here says."""
    rows = await home.rows(sa.union(sa.select(objects.c.id), sa.select(activities.c.id), sa.select(actors.c.id)))
    return [row.id for row in rows if row.id.startswith(home.origin)]


async def read_by(home: Home, author: Author, path: str) -> str:
    """What a server that signs as this actor is told."""
    url, headers = home.origin + path, (("accept", "application/activity+json"),)
    signed = requests.sign(
        requests.Request("GET", url, headers, None), author.rsa_key_id, author.rsa, "rfc9421", home.clock.now()
    )
    async with home.visitor() as browser, browser.http.get(url, headers=dict(headers) | signed) as response:
        return await response.text() if response.content_type != "image/webp" else ""


async def walk(home: Home, browser: Visitor) -> tuple[int, str]:
    """Everything that a browser, and a server that does not sign, are shown."""
    private = sa.select(cv_entries.c.id).where(cv_entries.c.audience != "public", cv_entries.c.section == "experience")
    lines = [row.id for row in await home.rows(private)]
    shown = []
    for address in addresses(home, await published(home), lines):
        for accept in ("text/html", "application/activity+json"):
            page = await browser.get(address, Accept=accept)
            assert page.status < 500, address
            shown.append(page.text)
    return len(shown), "\n".join(shown)


async def told(home: Home, somebody: Somebody) -> str:
    """Everything that a server is told that signs as somebody."""
    author = await somebody.author()
    return "\n".join([await read_by(home, author, one.removeprefix(home.origin)) for one in await published(home)])


async def cards(home: Home, owner: str) -> list[Any]:
    wanted = sa.select(objects).where(objects.c.kind == "card", objects.c.owner == owner)
    return await home.rows(wanted.order_by(objects.c.published))


async def test_126_each_finds_what_is_for_them_and_nothing_else(databases: Databases) -> None:
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        dave, carol = await a.add("dave"), await b.add("carol")
        await bob.follow(alice)
        await settled(a, b)
        await alice.save_profile(
            headline=OPEN, skills=CLOSE, skills_for="followers", summary=SECRET, summary_for="nobody",
            links=f"https://{SECRET}.example/", links_for="nobody", rate="77", rate_for="followers",
        )  # fmt: skip
        await add_lines(alice)
        await settled(a, b)
        async with a.visitor() as nobody, a.visitor() as hers:
            await signed_in_as(dave, hers)
            for browser in (nobody, hers):
                count, shown = await walk(a, browser)
                assert count > 200
                assert OPEN in shown
                assert not {CLOSE, SECRET, "EUR 77"} & set(re.findall(rf"{CLOSE}|{SECRET}|EUR 77", shown))
        assert CLOSE not in await told(a, carol)
        shown = await told(a, bob)
        assert CLOSE in shown
        assert SECRET not in shown
        (card,) = await cards(a, alice.id)
        assert "proof" not in msgspec.json.decode(card.body), "what is for some must not be provable (SECURITY 140)"
        async with b.visitor() as his, b.visitor() as another:
            page = await (await signed_in_as(bob, his)).get(f"/{alice.handle}")
            assert all(mark in page.text for mark in (OPEN, CLOSE, "EUR 77"))
            assert SECRET not in page.text
            page = await (await signed_in_as(carol, another)).get(f"/{alice.handle}")
            assert OPEN in page.text
            assert CLOSE not in page.text, "a neighbour who does not follow"


async def test_what_is_taken_back_is_gone_everywhere() -> None:
    """From everybody and from followers, also where a server was away while it was still said."""
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await add_lines(alice)
        await settled(a, b)
        (before,) = await cards(b, alice.id)
        assert CLOSE in before.body.decode()
        await b.go_dark()
        await alice.save_profile(headline=OPEN, skills=CLOSE, skills_for="followers")
        await alice.save_profile(headline="x", skills="x", skills_for="nobody")
        await give(alice, "nobody")
        await b.listen()
        await settled(a, b)
        (after,) = await cards(b, alice.id)
        assert (after.type, after.body) == ("Tombstone", None)
        async with a.visitor() as nobody, b.visitor() as his:
            for shown in (
                (await walk(a, nobody))[1],
                await told(a, bob),
                (await (await signed_in_as(bob, his)).get(f"/{alice.handle}")).text,
            ):
                assert not re.search("|".join(FOR.values()), shown)
        kept = await b.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        assert OPEN not in kept[0].document.decode()


async def test_who_follows_later_gets_it_and_who_follows_no_more_loses_it() -> None:
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, bob, carol = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("carol")
        await add_lines(alice, sections=["experience"])
        await bob.follow(alice)
        await settled(a, b)
        await alice.save_profile(approves="yes")
        await carol.follow(alice)
        await settled(a, b, c)
        assert (len(await cards(b, alice.id)), len(await cards(c, alice.id))) == (1, 0)
        await alice.do(accept_follower, carol.id)
        await settled(a, b, c)
        assert CLOSE in (await cards(c, alice.id))[0].body.decode()
        await bob.unfollow(alice)
        await settled(a, b, c)
        async with b.visitor() as his:
            assert CLOSE not in (await (await signed_in_as(bob, his)).get(f"/{alice.handle}")).text
        form = {"title": "markbirchanew", "audience": "followers"}
        await alice.do(cv_commands.add_entry, "education", parse_entry("education", form))
        await settled(a, b, c)
        assert [row.type for row in await cards(b, alice.id)] == ["Tombstone"], "it is taken back from him"
        assert "markbirchanew" in (await cards(c, alice.id))[-1].body.decode()


async def test_a_long_cv_stands_beside_its_actor_and_is_fetched_by_who_looks() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await add_lines(alice, text=LONG[:1400], sections=["experience", "education"], times=6)
        await settled(a, b)
        (row,) = await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        document = msgspec.json.decode(row.document)
        assert len(row.document) < 20_000
        assert "schema:worksFor" not in document
        assert OPEN in await read_by(a, await bob.author(), document["cv"].removeprefix(a.origin))
        async with b.visitor() as his:
            page = await (await signed_in_as(bob, his)).get(f"/{alice.handle}")
            assert "is on its way here" in page.text
            await settled(a, b)
            page = await his.get(f"/{alice.handle}")
            assert page.text.count(OPEN) > 9
            assert "is on its way here" not in page.text
        await give(alice, "nobody")
        await settled(a, b)
        async with b.visitor() as his:
            page = await (await signed_in_as(bob, his)).get(f"/{alice.handle}")
            assert not re.search("|".join(FOR.values()), page.text)
