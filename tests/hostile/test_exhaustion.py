"""SECURITY D: what the network can make us spend is bounded, and bad input is never a 5xx."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from federation.bodies import DoorLimits
from federation.clock import Clock
from federation.fetches import FetchLimits
from federation.rates import Rate
from federation.storage import Database
from federation.tables import deliveries, inbox_messages, objects
from node.logs import set_up_logs
from schemas.terms import ACTIVITY_JSON
from tests.federation.world import SQLITE, Peer, RemoteActor, World, ed25519, rsa, world_on

MEGABYTE = 1_000_000


@asynccontextmanager
async def limited(db: Database, clock: Clock, *peers: Peer, **limits: Any) -> AsyncIterator[World]:
    fetches = limits.pop("fetch_limits", FetchLimits())
    async with world_on(db, clock, list(peers), limits=DoorLimits(**limits), fetch_limits=fetches) as world:
        yield world


async def chunked(world: World, chunks: list[bytes], headers: dict[str, str]) -> int:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async with world.http.post(f"{world.ids.origin}/inbox", data=body(), headers=headers) as response:
        return response.status


async def test_077_five_megabytes_by_content_length(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        assert await world.post(bob, b" " * 5 * MEGABYTE) == 413


async def test_077_five_megabytes_by_chunks(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    headers = bob.signed_headers(world.ids.shared_inbox, b"")
    async with world.nothing_happens():
        try:
            assert await chunked(world, [b" " * 100_000] * 50, headers) == 413
        except OSError:  # the door may close while we still send
            pass


@SQLITE
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_077_five_hundred_megabytes_by_compression(world: World, peer: Peer, encoding: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    packed = b"".join([packer.compress(b" " * MEGABYTE) for _ in range(500)] + [packer.flush()])
    assert len(packed) < MEGABYTE
    headers = bob.signed_headers(world.ids.shared_inbox, packed) | {"content-encoding": encoding}
    tracemalloc.start()
    async with world.nothing_happens():
        assert await world.send(packed, headers) == 413
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * MEGABYTE


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b"{}" * 1_000)[:-20]], ids=["none", "cut"])
async def test_077_a_broken_encoding(world: World, peer: Peer, body: bytes) -> None:
    bob = peer.actor()
    await world.know(bob)
    headers = bob.signed_headers(world.ids.shared_inbox, body) | {"content-encoding": "gzip"}
    async with world.nothing_happens():
        assert await world.send(body, headers) == 400


async def test_077_one_mebibyte_is_taken(world: World, peer: Peer) -> None:
    bob = peer.actor()
    activity = bob.activity("Create", bob.note())
    room = 1_048_576 - len(json.dumps(activity | {"x": ""}))
    assert await world.post(bob, activity | {"x": "x" * room}) == 202
    assert await world.post(bob, bob.activity("Create", bob.note(), x="x" * (room + 1))) == 413


async def test_077_a_body_that_never_ends(db: Database, clock: Clock, peer: Peer) -> None:
    async with limited(db, clock, peer, seconds=0.3) as world:
        bob = peer.actor()
        await world.know(bob)
        host, _, port = world.ids.host.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /inbox HTTP/1.1\r\nHost: {world.ids.host}\r\nContent-Type: {ACTIVITY_JSON}\r\n"
            "Content-Length: 1000\r\n\r\n{".encode()
        )
        status = await asyncio.wait_for(reader.readline(), 5)
        assert b" 408 " in status
        writer.close()
        assert await world.post(bob, bob.activity("Create", bob.note())) == 202


@pytest.mark.parametrize("limit", ["together", "address"])
async def test_077_all_bodies_together(db: Database, clock: Clock, peer: Peer, limit: str) -> None:
    """Bodies that each are allowed, and that wait: together, or from one address, they may not fill the memory."""
    async with limited(db, clock, peer, **{limit: 3 * MEGABYTE}, seconds=5) as world:
        bob = peer.actor()
        await world.know(bob)
        host, _, port = world.ids.host.partition(":")
        head = f"POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Type: {ACTIVITY_JSON}\r\nContent-Length: 1000001\r\n\r\n"
        writers, readers = [], []
        for _ in range(6):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(head.encode() + b" " * MEGABYTE)
            await writer.drain()
            writers.append(writer)
            readers.append(asyncio.create_task(reader.readline()))
        done, waiting = await asyncio.wait(readers, timeout=2, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().split()[1] for task in done} == {b"503"}
        assert len(waiting) >= 2
        for writer in writers:
            writer.close()
        await asyncio.gather(*readers, return_exceptions=True)
        for _ in range(100):  # until the server has noticed that they are gone
            if await world.post(bob, bob.activity("Create", bob.note())) == 202:
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("what was let go of still counts")


async def test_082_one_host_too_many_another_none(db: Database, clock: Clock, peer: Peer, other: Peer) -> None:
    async with limited(db, clock, peer, other, host=Rate(per_second=0.001, burst=20)) as world:
        loud, loud_too, calm = peer.actor("loud"), peer.actor("louder"), other.actor("calm")
        await world.know(loud, loud_too, calm)
        statuses = [await world.post(loud, loud.activity("Create", loud.note())) for _ in range(25)]
        assert statuses == [202] * 20 + [429] * 5
        async with world.nothing_happens():
            body = json.dumps(loud_too.activity("Create", loud_too.note())).encode()
            headers = loud_too.signed_headers(world.ids.shared_inbox, body)
            async with world.http.post(world.ids.shared_inbox, data=body, headers=headers) as response:
                assert response.status == 429  # another actor, the same host
                assert int(response.headers["Retry-After"]) > 1
        assert await world.post(calm, calm.activity("Create", calm.note())) == 202


async def test_082_a_stranger_cannot_use_up_the_rate_of_somebody_else(
    db: Database, clock: Clock, peer: Peer, other: Peer
) -> None:
    async with limited(db, clock, peer, other, host=Rate(per_second=0.001, burst=5)) as world:
        victim, mallory = peer.actor("victim"), other.actor("mallory")
        await world.know(victim, mallory)
        for _ in range(10):
            body = json.dumps(victim.activity("Create", victim.note())).encode()
            assert await world.send(body, mallory.signed_headers(world.ids.shared_inbox, body)) == 401
        assert await world.post(victim, victim.activity("Create", victim.note())) == 202


async def test_refusals_of_one_address_end_its_hearing_for_a_while(db: Database, clock: Clock, peer: Peer) -> None:
    async with limited(db, clock, peer, failures=Rate(per_second=0.001, burst=10)) as world:
        unsigned = {"content-type": ACTIVITY_JSON}
        statuses = [await world.send(b"{}", unsigned) for _ in range(12)]
        assert statuses == [400] * 10 + [429] * 2


async def test_083_two_thousand_strangers(db: Database, clock: Clock, peer: Peer, other: Peer) -> None:
    """Each names a key that nobody has seen; what leaves the node is capped, the rest come again later."""
    caps = FetchLimits(all_keys=Rate(per_second=0.001, burst=10), keys_of_host=Rate(per_second=0.001, burst=8))
    async with limited(db, clock, peer, other, fetch_limits=caps) as world:
        known = other.actor("known")
        await world.know(known)
        peer.asked.clear()
        strangers = [RemoteActor(peer, f"stranger{number}", rsa("bob"), ed25519("bob")) for number in range(40)]
        for stranger in strangers:
            stranger.publish()
        posts = [world.post(one, one.activity("Create", one.note())) for one in strangers]
        statuses = await asyncio.gather(*posts)
        assert set(statuses) == {202, 503}
        assert len(peer.asked) <= 8
        assert await world.post(known, known.activity("Create", known.note())) == 202


async def test_035_a_key_that_cannot_be_had_for_now(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = json.dumps(bob.activity("Create", bob.note())).encode()
    for trouble in (500, 502, 503, 429):
        peer.documents["/users/bob"] = trouble
        world.clock.offset += world.clock.offset.resolution * 60_000_000  # past the memory of the failure before
        async with world.nothing_happens(key_of=bob):
            headers = bob.signed_headers(world.ids.shared_inbox, body)
            async with world.http.post(world.ids.shared_inbox, data=body, headers=headers) as response:
                assert response.status == 503
                assert "Retry-After" in response.headers


@pytest.mark.parametrize("answer", [404, 410])
async def test_035_a_key_that_is_gone(world: World, peer: Peer, answer: int) -> None:
    bob = peer.actor()
    peer.documents["/users/bob"] = answer
    async with world.nothing_happens(key_of=bob):
        assert await world.post(bob, bob.activity("Create", bob.note())) == 401


async def test_035_a_key_at_a_closed_port(world: World, peer: Peer) -> None:
    nobody = Peer("http://127.0.0.4:1", world.clock)
    bob = nobody.actor()
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Create", bob.note())) == 503


async def test_045_two_servers_that_need_each_other_s_key(world: World, peer: Peer) -> None:
    """While we ask for bob's key, bob's server asks for the key that signs our question: it gets it, unsigned."""
    bob = peer.actor()
    answered = asyncio.Event()
    peer.hold = asyncio.Event()

    async def ask_back() -> None:
        await asyncio.wait_for(peer.was_asked.wait(), 5)
        async with world.http.get(world.ids.instance_actor, headers={"Accept": ACTIVITY_JSON}) as response:
            assert response.status == 200
        answered.set()
        assert peer.hold is not None
        peer.hold.set()

    status, _ = await asyncio.gather(world.post(bob, bob.activity("Create", bob.note())), ask_back())
    assert status == 202
    assert answered.is_set()
    assert peer.asked == ["GET /users/bob"]


async def test_085_what_comes_in_is_not_sent_on(world: World, peer: Peer, other: Peer) -> None:
    """Two nodes that announce each other's announcements: nothing that arrives makes us send anything."""
    bob, carol = peer.actor("bob"), other.actor("carol")
    await world.follow(bob)
    await world.follow(carol)
    note = bob.note()
    peer.serve(note)
    announce = carol.activity("Announce", note["id"])
    other.serve(announce)
    for actor, verb, obj in (
        (bob, "Create", note),
        (carol, "Announce", note["id"]),
        (bob, "Announce", announce["id"]),
        (carol, "Announce", f"{world.alice}/posts/1"),
        (bob, "Like", note["id"]),
    ):
        await world.deliver(actor, actor.activity(verb, obj))
    assert await world.rows(sa.select(deliveries)) == []
    assert peer.taken == other.taken == []


async def test_085_nothing_is_fetched_for_whom_nobody_follows(world: World, peer: Peer, other: Peer) -> None:
    stranger, victim = peer.actor("stranger"), other.actor("victim")
    note = victim.note()
    other.serve(note)
    for _ in range(5):
        assert (await world.deliver(stranger, stranger.activity("Announce", note["id"]))).startswith(
            "done: it concerns"
        )
        assert (await world.deliver(stranger, stranger.activity("Create", f"{stranger.id}/x"))).startswith("done: it")
    assert other.asked == []
    assert peer.asked == ["GET /users/stranger"]
    assert await world.rows(sa.select(objects)) == []


async def test_an_update_of_what_nobody_wants_is_not_stored(world: World, peer: Peer) -> None:
    stranger = peer.actor("stranger")
    assert (
        await world.deliver(stranger, stranger.activity("Update", stranger.note())) == "done: it concerns nobody here"
    )
    assert await world.rows(sa.select(objects)) == []


async def test_one_slow_server_holds_up_nobody(world: World, peer: Peer, other: Peer) -> None:
    """A hundred messages wait for a server that does not answer; somebody else's message has its effect meanwhile."""
    slow, friend = peer.actor("slow"), other.actor("friend")
    await world.know(slow, friend)
    await world.follow(slow)
    await world.follow(friend)
    peer.hold = asyncio.Event()
    for number in range(100):
        assert await world.post(slow, slow.activity("Announce", f"{slow.id}/notes/{number}")) == 202
    peer.asked.clear()
    note = friend.activity("Create", friend.note())
    assert await world.post(friend, note) == 202
    async with asyncio.timeout(5):
        while await world.fate(note["id"]) != "done":
            await world.worker.step()
    assert 0 < len(peer.asked) <= 8
    peer.hold.set()


@SQLITE
@pytest.mark.parametrize(
    "evil", ["a\nlevel=error event=forged", "\x1b[31mred", "x" * 5_000, '" msg="', "\r\nSet-Cookie: x", "\u2028"]
)
async def test_092_one_line_a_request(world: World, peer: Peer, evil: str, capsys: pytest.CaptureFixture[str]) -> None:
    bob = peer.actor()
    await world.know(bob)
    lines: list[str] = []
    set_up_logs("debug")
    capsys.readouterr()
    try:
        for activity in (
            bob.activity(evil, bob.note()),
            bob.activity("Create", bob.note(), id=evil),
            bob.activity("Create", bob.note(), actor=f"{bob.id}{evil}"),
        ):
            await world.post(bob, activity)
            said = capsys.readouterr().err.splitlines()
            assert len(said) <= 1
            lines += said
        body = json.dumps(bob.activity("Create", bob.note())).encode()
        sendable = "".join(char for char in evil if 32 <= ord(char) < 127)
        await world.send(body, bob.signed_headers(world.ids.shared_inbox, body, key_id=f"{bob.id}{sendable}"))
        await world.worker.drain()
    finally:
        structlog.reset_defaults()
    for line in [*lines, *capsys.readouterr().err.split("\n")]:
        assert len(line) < 2_000
        assert not any(ord(char) < 32 for char in line), line


RAW = [
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /inbox HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}",
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}",
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST http://elsewhere.example/inbox HTTP/1.1\r\nHost: a\r\nContent-Type: application/activity+json\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    b"POST /inbox HTTP/1.1\r\nHost: a\r\nX\x00Y: 1\r\n\r\n",
]


@SQLITE
@pytest.mark.parametrize("request_bytes", RAW)
async def test_095_requests_that_two_servers_would_read_differently(world: World, request_bytes: bytes) -> None:
    before = await world.state()
    host, _, port = world.ids.host.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_bytes)
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert answer.split()[1:2] == [b"400"], answer
    assert await world.state() == before


async def test_memory_stays_flat_under_large_messages(world: World, peer: Peer) -> None:
    """The worker takes no more bodies at once than fit."""
    bob = peer.actor()
    await world.follow(bob)
    for _ in range(20):
        assert await world.post(bob, bob.activity("Create", bob.note(), x="x" * 1_000_000)) == 202
    steps = 0
    while await world.worker.step():
        steps += 1
    assert steps >= 5
    rows = await world.rows(sa.select(inbox_messages.c.state))
    assert {row.state for row in rows} == {"done"}
