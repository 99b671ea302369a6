"""SECURITY G, as far as federation keeps it: who may see what has arrived, and what a blocked host may still do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from federation.readers import may_read
from federation.tables import blocks, follows, host_rules, object_recipients, objects
from schemas.terms import PUBLIC
from tests.federation.world import Peer, RemoteActor, World

AP = {"Accept": "application/activity+json"}


async def readers(world: World, object_id: str, *others: str) -> set[str]:
    """Who of alice, carol and others may read, by the last part of their ids; "anybody" for the public."""
    asked: list[str | None] = [world.alice, world.ids.actor("carol"), *others, None]
    may = [reader for reader in asked if await world.db.read(may_read, object_id, reader)]
    return {"anybody" if reader is None else reader.rpartition("/")[2] for reader in may}


async def note_to(world: World, bob: RemoteActor, *to: str, **more: Any) -> str:
    note = bob.note(to=list(to), **more)
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    return str(note["id"])


async def test_128_followers_only_is_for_the_followers_of_its_author(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.local_actor("carol")
    await world.know(bob)
    await world.follow(bob)
    object_id = await note_to(world, bob, bob.followers)
    assert await readers(world, object_id) == {"alice"}
    await world.follow(bob, world.ids.actor("carol"))
    assert await readers(world, object_id) == {"alice", "carol"}
    await world.db.write(lambda tx: tx.execute(sa.delete(follows).where(follows.c.follower == world.alice)))
    assert await readers(world, object_id) == {"carol"}


async def test_128_a_foreign_followers_collection_opens_nothing(world: World, peer: Peer, other: Peer) -> None:
    """Addressed to the followers of somebody else, it is a direct message to nobody."""
    bob, mallory = peer.actor(), other.actor("mallory")
    await world.know(bob, mallory)
    await world.follow(bob)
    await world.follow(mallory)
    object_id = await note_to(world, mallory, bob.followers)
    assert await readers(world, object_id) == set()


async def test_131_a_direct_message_at_the_shared_inbox(world: World, peer: Peer) -> None:
    bob = peer.actor()
    carol = await world.local_actor("carol")
    await world.follow(bob)
    object_id = await note_to(world, bob, carol.actor_id)
    assert await readers(world, object_id, bob.id) == {"carol", "bob"}
    rows = await world.rows(sa.select(objects.c.visibility))
    assert [row.visibility for row in rows] == ["direct"]


async def test_131_the_inbox_that_it_came_to_says_nothing(world: World, peer: Peer) -> None:
    """Posted to alice's own inbox, and addressed to carol."""
    bob = peer.actor()
    carol = await world.local_actor("carol")
    note = bob.note(to=[carol.actor_id])
    assert await world.deliver(bob, bob.activity("Create", note), path="/users/alice/inbox") == "done"
    assert await readers(world, note["id"]) == {"carol"}


async def test_what_is_public_is_for_anybody(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    for address in (PUBLIC, "as:Public", "Public"):
        assert "anybody" in await readers(world, await note_to(world, bob, address))
    unlisted = bob.note(to=[world.alice], cc=[PUBLIC])
    assert await world.deliver(bob, bob.activity("Create", unlisted)) == "done"
    assert "anybody" in await readers(world, unlisted["id"])


async def test_an_audience_on_the_activity_alone_counts(world: World, peer: Peer) -> None:
    bob = peer.actor()
    note = {name: value for name, value in bob.note().items() if name not in ("to", "cc")}
    assert await world.deliver(bob, bob.activity("Create", note, to=[world.alice])) == "done"
    assert await readers(world, note["id"]) == {"alice"}


async def test_one_whom_its_author_blocks_reads_nothing_more(world: World, peer: Peer) -> None:
    bob = peer.actor()
    object_id = await note_to(world, bob, world.alice)
    assert await readers(world, object_id) == {"alice"}

    def block(tx: Any) -> None:
        tx.execute(tx.insert(blocks).values(actor=bob.id, target=world.alice, created_at=tx.now))

    await world.db.write(block)
    assert await readers(world, object_id) == set()


async def test_a_deleted_object_is_read_by_nobody(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    object_id = await note_to(world, bob, PUBLIC)
    assert await world.deliver(bob, bob.activity("Delete", object_id)) == "done"
    assert await readers(world, object_id) == set()
    assert [row.body for row in await world.rows(sa.select(objects.c.body))] == [None]


async def test_130_recipients_are_kept_only_for_what_is_not_public(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    await note_to(world, bob, PUBLIC, world.alice)
    assert await world.rows(sa.select(object_recipients)) == []


async def test_134_a_blocked_host_is_not_heard_and_nothing_is_asked_of_it(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.block("127.0.0.2")
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Create", bob.note())) == 403
        assert await world.post(bob, bob.activity("Follow", world.alice)) == 403


async def test_134_a_blocked_host_that_signs_in_the_name_of_another(world: World, peer: Peer, other: Peer) -> None:
    bob, blocked = peer.actor("bob"), other.actor("blocked")
    await world.block("127.0.0.3")
    body = json.dumps(bob.activity("Create", bob.note()) | {"signature": {}}).encode()
    async with world.nothing_happens():
        assert await world.send(body, blocked.signed_headers(world.ids.shared_inbox, body)) == 403


async def test_134_what_a_blocked_host_says_is_not_brought_in_by_others(world: World, peer: Peer, other: Peer) -> None:
    blocked, friend = peer.actor("blocked"), other.actor("friend")
    await world.follow(friend)
    await world.follow(blocked)
    note = blocked.note()
    peer.serve(note)
    known = blocked.note()
    assert await world.deliver(blocked, blocked.activity("Create", known)) == "done"
    await world.block("127.0.0.2")
    peer.asked.clear()
    for object_id in (note["id"], known["id"]):
        assert (await world.deliver(friend, friend.activity("Announce", object_id))).startswith("refused")
    assert peer.asked == []
    assert len(await world.rows(sa.select(objects))) == 1


async def test_134_what_was_taken_before_the_block_has_no_effect_after_it(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    activity = bob.activity("Create", bob.note())
    assert await world.post(bob, activity) == 202
    await world.block("127.0.0.2")
    await world.worker.drain()
    assert await world.fate(activity["id"]) == "refused: its host is blocked"
    assert await world.rows(sa.select(objects)) == []


async def test_a_limited_host_is_heard_by_those_who_follow(world: World, peer: Peer) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    await world.follow(bob)

    def limit(tx: Any) -> None:
        tx.execute(tx.insert(host_rules).values(host="127.0.0.2", rule="limit", created_at=tx.now))
        tx.notify("policy")

    await world.db.write(limit)
    await world.quiet("policy")
    await world.policy.settled()
    wanted, unwanted = bob.note(to=[world.alice]), carol.note(to=[world.alice])
    assert await world.deliver(bob, bob.activity("Create", wanted)) == "done"
    assert await world.deliver(carol, carol.activity("Create", unwanted)) == "done: it concerns nobody here"
    assert await world.deliver(carol, carol.activity("Follow", world.alice)) == "done"
    assert [row.id for row in await world.rows(sa.select(objects.c.id))] == [wanted["id"]]


async def test_134_a_blocked_host_reads_nothing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.block("127.0.0.2")
    for url in (world.alice, f"{world.alice}/outbox", f"{world.alice}/followers"):
        signed = AP | bob.signed_headers(url, None, method="GET")
        async with world.http.get(url, headers=signed) as blocked, world.http.get(f"{url}x", headers=signed) as absent:
            assert blocked.status == 404
            if absent.headers["Content-Type"].startswith("application/json"):
                assert await blocked.read() == await absent.read()
    assert peer.asked == []


@pytest.mark.parametrize("kind", ["posts", "gigs", "activities"])
async def test_126_absent_and_private_are_the_same_bytes(world: World, peer: Peer, kind: str) -> None:
    bob = peer.actor()
    private = f"{world.alice}/posts/private"

    def store(tx: Any) -> None:
        values = {
            "id": private, "type": "Note", "kind": "post", "owner": world.alice, "local": True,
            "visibility": "direct", "body": b"{}", "verification": "signed",
            "published": tx.now, "updated": tx.now, "received_at": tx.now,
        }  # fmt: skip
        tx.execute(tx.insert(objects).values(values))

    await world.db.write(store)
    seen = []
    for url in (private, f"{world.alice}/{kind}/absent"):
        for headers in (AP, AP | bob.signed_headers(url, None, method="GET")):
            async with world.http.get(url, headers=headers) as response:
                names = {name: value for name, value in response.headers.items() if name != "Date"}
                seen.append((response.status, names, await response.read()))
    assert all(answer == seen[0] for answer in seen)
    assert seen[0][0] == 404
