"""Every captured request of GoToSocial, Fedify and Takahe is accepted and understood by a whole node.

The node has the origin that they were sent to, and its clock stands at the time of the captures: the signatures are
verified as they were made.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from federation.tables import blocks
from node.messages import queries as messages
from tests.interop.captures import TAKEN, Capture, Origin, captured, origin_of, replay
from tests.nodes import Home, Somebody, authority, cluster, free_port, settled

NODE = "http://127.0.0.1:9601"
GERT = "http://127.0.0.1:8301/users/gert"
TAK = "https://tak.test/@tak@tak.test/"
NOT_OURS = {"get-3", "get-9", "get-e-noname", "get-n-prop", "get-upd3"}
"""What the server that was captured had at these addresses, this node has not."""
REFUSED = {"like"}
"""What they like is at one of those addresses: there is nothing here that could be liked."""


class Replay:
    """A node, one captured peer, and what became of each of its requests."""

    def __init__(self, home: Home, ana: Somebody, origin: Origin, http: aiohttp.ClientSession) -> None:
        self.home = home
        self.ana = ana
        self.origin = origin
        self.http = http

    async def send(self, capture: Capture) -> Any:
        """Replay it, let it have its effect; returns the stored message, or the body of the answer to a GET."""
        scheme = "https" if self.home.tls else "http"
        status, body = await replay(self.http, f"{scheme}://{self.home.address}:{self.home.port}", capture)
        if capture.method == "GET":
            assert status == (404 if capture.name in NOT_OURS else 200), f"{capture.name}: {body!r}"
            return body
        assert status == 202, f"{capture.name}: {body!r}"
        await settled(self.home)
        [message] = await self.home.messages(capture.activity["id"])
        return message

    async def follows(self, follower: str, followee: str) -> str | None:
        return await self.home.follow_state(follower, followee)


@asynccontextmanager
async def replaying(
    peer: str, port: int, *, origin: str = NODE, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Replay]:
    address = "127.0.0.1"
    name = origin.partition("://")[2]
    also = (f"tak.test={address}:{port}",) if tls else ()
    async with (
        cluster(name if tls else "a.example", tls=tls is not None, origins=(origin,), also=also) as (home,),
        aiohttp.ClientSession() as http,
        origin_of(peer, address, port, tls) as served,
    ):
        home.clock.offset = TAKEN - datetime.now(UTC)
        ana = await home.set_up("ana")
        yield Replay(home, ana, served, http)


async def test_gotosocial():
    async with replaying("gotosocial", 8301) as here:
        plain = await here.home.add("plain")
        await here.home.add("lit")
        assert await here.ana.follow(GERT) == "requested"
        done = []
        for capture in captured("gotosocial"):
            message = await here.send(capture)
            check = GOTOSOCIAL.get(capture.name)
            if check is not None:
                await check(here, plain.id, capture.activity)
            if capture.method == "POST":
                done.append((capture.name, message.state))
        assert done == [(name, "refused" if name in REFUSED else "done") for name, _ in done]
        assert "Accept" in [activity["type"] for activity in here.origin.taken]


async def gts_follow(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    assert await here.follows(GERT, plain) == "accepted"
    accept = here.origin.taken[-1]
    assert (accept["type"], accept["actor"], accept["object"]["id"]) == ("Accept", plain, activity["id"])


async def gts_unfollow(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    assert await here.follows(GERT, plain) is None


async def gts_accepted(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    assert await here.follows(here.ana.id, GERT) == "accepted"


async def gts_block(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    assert await _blocked(here) == [(GERT, plain)]


async def gts_unblock(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    assert await _blocked(here) == []


async def gts_delete(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    buried = await here.home.object(activity["object"])
    assert (buried.type, buried.kind, buried.body) == ("Tombstone", "post", None)
    assert activity["object"] not in [entry["object_id"] for entry in await here.ana.timeline()]


async def gts_update(here: Replay, plain: str, activity: dict[str, Any]) -> None:
    kept = await here.home.object(activity["object"]["id"])
    assert activity["object"]["content"].encode() in kept.body.replace(b'\\"', b'"')
    assert kept.updated > kept.published


def gts_note(visibility: str) -> Any:
    async def check(here: Replay, plain: str, activity: dict[str, Any]) -> None:
        note = activity["object"]
        kept = await here.home.object(note["id"])
        assert (kept.kind, kept.visibility, kept.verification, kept.owner) == ("post", visibility, "delivered", GERT)
        assert kept.in_reply_to == note.get("inReplyTo")
        at_home = note["id"] in [entry["object_id"] for entry in await here.ana.timeline()]
        talk = await here.home.node.db.read(messages.of_post, here.ana.id, note["id"])
        assert (at_home, talk is not None) == (visibility != "direct", visibility == "direct"), "ana is addressed"

    return check


GOTOSOCIAL = {
    "follow": gts_follow,
    "undo-follow": gts_unfollow,
    "accept-follow": gts_accepted,
    "block": gts_block,
    "undo-block": gts_unblock,
    "delete": gts_delete,
    "update-note": gts_update,
    "create-note-direct": gts_note("direct"),
    "create-note-direct-reply": gts_note("direct"),
    "create-note-followers-reply": gts_note("followers"),
    "create-note-public-reply": gts_note("public"),
    "create-note-unlisted-reply": gts_note("unlisted"),
    "create-question": gts_note("unlisted"),
}


@pytest.mark.parametrize(
    ("peer", "actor"),
    [
        ("fedify159", "http://127.0.0.1:14101/users/alice"),
        ("fedify236", "http://127.0.0.1:14102/users/bob"),
    ],
)
async def test_fedify(peer: str, actor: str):
    async with replaying(peer, int(actor.split(":")[2].partition("/")[0])) as here:
        done = {}
        for capture in captured(peer):
            message = await here.send(capture)
            if capture.method == "POST":
                done[capture.name] = message
            if capture.name == "follow":
                assert await here.follows(actor, here.ana.id) == "accepted"
                assert here.origin.taken[-1]["type"] == "Accept"
        states = {name: message.state for name, message in done.items()}
        assert states == {name: "refused" if name in REFUSED else "done" for name in done}
        assert await here.follows(actor, here.ana.id) is None, "the Undo came last"
        for name, visibility in (("create-note-public-reply", "public"), ("create-note-direct-reply", "direct")):
            note = next(capture.activity["object"] for capture in captured(peer) if capture.name == name)
            kept = await here.home.object(note["id"])
            assert (kept.kind, kept.visibility, kept.owner) == ("post", visibility, actor)
        deleted = next(
            capture.activity["object"]["id"] for capture in captured(peer) if capture.name.startswith("delete")
        )
        assert (await here.home.object(deleted)).type == "Tombstone"


async def test_takahe():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("tak.test").configure_cert(context)
    async with replaying("takahe", free_port("127.0.0.1"), origin="https://node.test", tls=context) as here:
        for capture in captured("takahe"):
            if capture.name == "get-host-meta":
                assert b"webfinger" in await here.send(capture)
            else:
                await here.send(capture)
        assert await here.follows(TAK, here.ana.id) == "accepted"
        [accept] = here.origin.taken
        assert (accept["type"], accept["object"]["actor"]) == ("Accept", TAK)


async def _blocked(here: Replay) -> list[tuple[str, str]]:
    return [(row.actor, row.target) for row in await here.home.rows(sa.select(blocks))]
