"""Somebody takes everything along, comes in elsewhere, and leaves: SECURITY 136 and 138."""

from __future__ import annotations

import io
import json
import re
import zipfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from PIL import Image

from federation import endings
from federation.blocks import add_block
from federation.tables import activities, actor_keys, actors, deliveries, mutes, objects
from node.accounts import queries as accounts
from node.accounts.tables import sessions
from node.errors import AlreadySetUp
from node.media import attachments
from node.media.pictures import Pictures
from node.media.tables import media
from node.portability.leaving import leave
from node.portability.working import read_archive, write_archive
from node.profiles import commands as profiles
from node.profiles.cv_commands import add_entry
from node.profiles.entries import parse_entry
from node.profiles.sources import draft_of, own_person
from node.search.commands import follow_tag
from node.social import commands as social
from node.social.rules import parse_post
from node.text import clean
from tests.nodes import cluster, settled
from tests.people import GIG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from federation.storage import Tx
    from tests.nodes import Home
    from tests.people import Somebody

AP = {"Accept": "application/activity+json"}


@asynccontextmanager
async def alice_and_two_others() -> AsyncIterator[tuple[Home, Home, Home, Somebody, Somebody]]:
    """Alice with a life: Bo follows her and she follows him. The third node is Carol's, who knows nobody."""
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, bo = await a.set_up("alice"), await b.set_up("bo")
        await c.set_up("carol")
        await bo.follow(alice)
        await alice.follow(bo)
        await settled(a, b)
        await alice.save_profile(headline="Maps of harbours", availability="open", skills="cartography, typesetting")
        open_gig = await alice.publish_gig(title="Harbour maps")
        closed = await alice.publish_gig(title="River maps")
        for home in (a, b, c):
            home.later(hours=1)
        await alice.close_gig(closed)
        await alice.publish_module()
        line = {"title": "Mapmaker", "organisation": "Tidewater", "start": "2021-03", "audience": "followers"}
        await alice.do(add_entry, "experience", parse_entry("experience", line))
        await with_pictures(a, alice)
        await a.node.db.write(life_of, alice.id)
        await alice.post("Seen by **all**, about #maps")
        pinned = await alice.post("Pinned")
        await alice.do(social.pin, pinned)
        await alice.post("For those who follow", audience="followers")
        bos = await a.node.resolver.locate(bo.handle)
        await alice.do(social.post, parse_post({"body": "For Bo alone", "to": bo.handle}), bos)
        aliced = await b.node.resolver.locate(alice.handle)
        await bo.do(social.post, parse_post({"body": "For Alice alone", "to": alice.handle}), aliced)
        await settled(a, b)
        assert open_gig != closed
        yield a, b, c, alice, bo


async def with_pictures(home: Home, alice: Somebody) -> None:
    """A portrait, and a post with a picture."""
    body = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(body, "PNG")
    pictures, db = Pictures(home.node.settings.media), home.node.db
    made = await pictures.prepare(body.getvalue())
    await pictures.keep(made.files)
    picture = await db.write(attachments.add, alice.id, made, "A teal field")
    await alice.do(social.post, parse_post({"body": "With a picture", "media": picture.id}))
    draft = draft_of(await db.read(own_person, alice.id))
    await alice.do(profiles.save_profile, draft, picture=await pictures.take_in(body.getvalue()))


def life_of(tx: Tx, actor_id: str) -> None:
    """Whom and what she wants to see, and does not."""
    add_block(tx, actor_id, "https://spam.example/users/spam")
    tx.execute(sa.insert(mutes).values(actor=actor_id, target="https://loud.example/users/loud", created_at=tx.now))
    follow_tag(tx, actor_id, "cartography")


def lines(path: Path, name: str) -> list[dict[str, Any]]:
    """A file of an archive."""
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]


def documents(path: Path, name: str) -> list[dict[str, Any]]:
    """The signed originals beside it."""
    with zipfile.ZipFile(path) as archive:
        return [json.loads(archive.read(line["document"])) for line in lines(path, name)]


def typed(path: Path, name: str) -> list[str]:
    """What was typed, in one order."""
    return sorted(str(line.get("source")) for line in lines(path, name))


def said(path: Path, name: str) -> list[Any]:
    """What the originals say, in one order, without what an address changes and as the sanitiser writes it."""
    kept = ("type", "published", "updated", "summary", "name", "endTime", "purpose", "sensitive")
    found = []
    for document in documents(path, name):
        content = re.sub(r"http://127\.0\.0\.[0-9:]+|/@[a-z]+|/[0-9a-z]{26}", "", clean(document["content"]))
        found.append([content, "proof" in document, *(str(document.get(key)) for key in kept)])
    return sorted(found)


async def shown(home: Home, path: Path) -> tuple[int, bool]:
    """How many of the pictures that documents name their own node serves; and whether one is the portrait."""
    text = json.dumps([*documents(path, "posts"), *documents(path, "profile")])
    names = set(re.findall(rf"{re.escape(home.origin)}(/media/[0-9a-f]{{40}}\.\w+)", text))
    async with home.visitor() as visitor:
        answers = [await visitor.http.get(home.origin + name) for name in sorted(names)]
        served = [answer for answer in answers if answer.status == 200]
    return len(served), bool(lines(path, "profile")[0].get("picture"))


async def test_138_what_is_exported_comes_in_on_a_fresh_node_and_is_exported_the_same(tmp_path):
    async with alice_and_two_others() as (a, b, c, alice, bo):
        first, second = tmp_path / "first.zip", tmp_path / "second.zip"
        counts = await write_archive(a.node, alice.id, first)
        assert (counts["posts"], counts["gigs"], counts["modules"], counts["messages"]) == (6, 2, 1, 1)
        carol = c.node.ids.actor("carol")
        before = len(await c.rows(sa.select(deliveries)))
        report = {part["section"]: part for part in await read_archive(c.node, carol, first)}
        sent = sa.select(activities.c.type).join(deliveries, activities.c.id == deliveries.c.activity_id)
        told = await c.rows(sent)
        assert before == 0
        assert {row.type for row in told} == {"Follow"}  # her own history is told to nobody
        again = await write_archive(c.node, carol, second)
        for name in ("posts", "gigs", "modules"):
            assert report[name] == {"section": name, "restored": counts[name], "skipped": {}}
            assert said(second, name) == said(first, name)
            assert typed(second, name) == typed(first, name)
            assert not any(a.origin in line["id"] for line in lines(second, name))
        for name in ("featured", "cv", "media", "blocks", "mutes", "tags"):
            assert again[name] == counts[name] == 1, name
            assert report[name] == {"section": name, "restored": 1, "skipped": {}}
        assert lines(second, "cv")[0]["form"] == lines(first, "cv")[0]["form"]
        assert lines(second, "media")[0]["alt"] == "A teal field"
        assert await shown(c, second) == await shown(a, first) == (2, True)
        assert report["messages"]["skipped"] == {"not ours to say": 1}
        assert lines(second, "profile")[0]["form"] == lines(first, "profile")[0]["form"]
        assert [line["actor"] for line in lines(second, "following")] == [bo.id]
        states = await c.rows(sa.text("select title, end_time <= updated as closed from gigs order by title"))
        assert [(row.title, bool(row.closed)) for row in states] == [("Harbour maps", False), ("River maps", True)]
        await settled(b, c)
        assert await c.follow_state(carol, bo.id) == "accepted"


async def test_138_an_archive_that_comes_in_twice_changes_nothing_the_second_time(tmp_path):
    async with alice_and_two_others() as (a, _b, c, alice, _bo):
        await write_archive(a.node, alice.id, tmp_path / "first.zip")
        carol = c.node.ids.actor("carol")
        await read_archive(c.node, carol, tmp_path / "first.zip")
        before = await c.state()
        report = {part["section"]: part for part in await read_archive(c.node, carol, tmp_path / "first.zip")}
        assert await c.state() == before
        assert report["posts"]["skipped"] == {"here already": 6}


async def test_136_whoever_leaves_is_gone_here_and_wherever_anything_ever_went(tmp_path):
    async with alice_and_two_others() as (a, b, c, alice, _bo):
        carol = await c.node.resolver.locate(alice.handle)
        bo_known = await a.node.resolver.locate(f"@carol@{c.handle_domain or c.origin.split('//')[1]}")
        await alice.do(social.post, parse_post({"body": "Carol once got this", "audience": "direct"}), bo_known)
        await settled(a, b, c)
        public = (objects.c.owner == alice.id, objects.c.visibility == "public")
        posts = [row.id for row in await a.rows(sa.select(objects.c.id).where(*public))]
        await a.node.db.write(endings.note_reached)
        await a.node.db.write(lambda tx: tx.execute(sa.delete(deliveries)))  # tidied away
        told = await a.node.db.write(leave, await alice.author())
        assert told == 2
        assert {row.host for row in await a.queue()} == {b.origin.split("//")[1], c.origin.split("//")[1]}
        await c.go_dark()
        await settled(a, b)
        async with a.visitor() as visitor:
            for page in (f"{a.origin}/users/alice", posts[0]):
                assert (await visitor.get(page, **AP)).status == 410
            assert (await visitor.get("/@alice")).status == 410
            assert "The account was deleted" in (await visitor.get("/")).text
            assert (await visitor.get("/.well-known/webfinger?resource=acct:alice@a.example")).status in (404, 410)
        assert (await b.rows(sa.select(actors.c.gone_at).where(actors.c.id == alice.id)))[0].gone_at is not None
        assert not await b.rows(sa.select(objects).where(objects.c.owner == alice.id, objects.c.body.is_not(None)))
        held = await a.rows(sa.select(actors.c.name, actors.c.document).where(actors.c.id == alice.id))
        assert (held[0].name, b"harbours" in held[0].document.lower()) == ("", False)
        bodies = await a.rows(sa.select(objects.c.body).where(objects.c.body.is_not(None)))
        assert not [row for row in bodies if b"Alice alone" in row.body]
        sealed = sa.select(actor_keys.c.id).where(actor_keys.c.actor_id == alice.id, actor_keys.c.sealed.is_not(None))
        await a.node.db.write(endings.forget_keys)
        assert len(await a.rows(sealed)) == 2  # Carol's server has not heard of it yet
        a.later(days=30)
        await c.listen()
        await settled(a, c)
        ledger = await a.rows(sa.select(deliveries.c.host, deliveries.c.state))
        assert {row.state for row in ledger} == {"done"}
        assert (await c.rows(sa.select(actors.c.gone_at).where(actors.c.id == carol.id)))[0].gone_at is not None
        await a.node.db.write(endings.forget_keys)
        assert await a.rows(sealed) == []


async def test_59_the_handle_of_whoever_left_is_never_had_again():
    async with cluster("a.example") as (a,):
        alice = await a.set_up("alice")
        await a.node.db.write(leave, await alice.author())
        with pytest.raises(Exception, match="taken before"):
            await a.add("alice")
        with pytest.raises(AlreadySetUp):
            await a.set_up("alice")
        assert await a.node.db.read(accounts.accounts) == []
        assert await a.rows(sa.select(sessions)) == []
        assert await a.rows(sa.select(media).where(media.c.dropped_at.is_(None))) == []
        assert GIG["title"] not in str(await a.rows(sa.select(activities.c.body)))
