from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation.readers import document_for, may_read
from federation.storage import Database, Tx
from federation.tables import activities, actors, blocks, follows, object_recipients, objects

ALICE = "https://a.example/users/alice"
BOB = "https://b.example/users/bob"
NOTE = f"{ALICE}/posts/1"
LIKE = f"{ALICE}/activities/1"


@pytest.fixture
async def stored(db: Database) -> Database:
    """alice's note for her followers and for carol, and an activity for bob."""

    def fill(tx: Tx) -> None:
        times = {"published": tx.now, "updated": tx.now, "received_at": tx.now}
        note = {"id": NOTE, "type": "Note", "kind": "post", "owner": ALICE, "local": True, "visibility": "followers"}
        tx.execute(tx.insert(objects).values(**note, body=b"{}", verification="signed", **times))
        actor = {"id": ALICE, "type": "Person", "local": True, "username": "alice", "host": "a.example", "inbox": "x",
                 "followers": f"{ALICE}/followers", "document": b"{}", "verification": "signed"}  # fmt: skip
        tx.execute(tx.insert(actors).values(**actor, first_seen=tx.now, fetched_at=tx.now, updated_at=tx.now))
        for recipient in (f"{ALICE}/followers", "https://c.example/carol"):
            tx.execute(tx.insert(object_recipients).values(object_id=NOTE, recipient=recipient))
        like = {"id": LIKE, "actor_id": ALICE, "type": "Like", "object_id": "x", "public": False}
        body = msgspec.json.encode({"id": LIKE, "to": [BOB], "cc": []})
        tx.execute(tx.insert(activities).values(**like, body=body, published=tx.now))

    await db.write(fill)
    return db


async def follow(db: Database, state: str) -> None:
    def put(tx: Tx) -> None:
        values = {"follower": BOB, "followee": ALICE, "activity_id": "x", "state": state, "created_at": tx.now}
        again = tx.insert(follows).values(values)
        tx.execute(again.on_conflict_do_update(index_elements=["follower", "followee"], set_={"state": state}))

    await db.write(put)


async def may(db: Database, object_id: str, reader: str | None) -> bool:
    """Both ways to ask, which must agree for what is ours."""
    readable = await db.read(may_read, object_id, reader)
    if reader is not None:
        assert (await db.read(document_for, object_id, reader) is not None) is readable
    return readable


async def test_followers_read_what_is_for_followers(stored: Database) -> None:
    assert not await may(stored, NOTE, None)
    assert not await may(stored, NOTE, BOB)
    for state, readable in (("requested", False), ("accepted", True), ("rejected", False)):
        await follow(stored, state)
        assert await may(stored, NOTE, BOB) is readable


async def test_whom_it_names_and_whose_it_is(stored: Database) -> None:
    assert await may(stored, NOTE, "https://c.example/carol")
    assert await may(stored, NOTE, ALICE)
    assert not await may(stored, NOTE, "https://c.example/carol/")


async def test_a_block_goes_before_everything(stored: Database) -> None:
    await follow(stored, "accepted")
    await stored.write(lambda tx: tx.execute(tx.insert(blocks).values(actor=ALICE, target=BOB, created_at=tx.now)))
    assert not await may(stored, NOTE, BOB)


async def test_what_is_public(stored: Database) -> None:
    await stored.write(lambda tx: tx.execute(sa.update(objects).values(visibility="unlisted")))
    assert await stored.read(may_read, NOTE, None)
    assert await stored.read(may_read, NOTE, BOB)


async def test_what_is_not_there(stored: Database) -> None:
    assert not await may(stored, f"{NOTE}0", ALICE)
    await stored.write(lambda tx: tx.execute(sa.update(objects).values(deleted_at=tx.now, body=None)))
    assert not await stored.read(may_read, NOTE, ALICE)


@pytest.mark.parametrize(("reader", "readable"), [(BOB, True), (ALICE, True), ("https://c.example/carol", False)])
async def test_a_private_activity(stored: Database, reader: str, *, readable: bool) -> None:
    found: Any = await stored.read(document_for, LIKE, reader)
    assert (found is not None) is readable
    assert found is None or not found.public
