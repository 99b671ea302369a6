from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import messages
from federation.clock import Clock
from federation.inbox import AT_ONCE_OF_HOST
from federation.intake import Message, store
from federation.storage import Database, Tx
from federation.tables import deliveries, inbox_messages, peers
from federation.types import Signer
from tests.federation.world import Peer, World


def message(
    number: int, verb: str = "Like", subject: str | None = None, actor: str = "u", body: bytes = b"{}"
) -> Message:
    actor_id = f"https://a.example/{actor}"
    return Message(f"https://a.example/{number}", verb, actor_id, subject, Signer(actor_id, "k", "cavage"), body)


def numbers(rows: Any) -> list[int]:
    return [int(row.activity_id.rpartition("/")[2]) for row in rows]


async def test_what_is_due_comes_oldest_first(db: Database, clock: Clock) -> None:
    await db.write(store, [message(number) for number in range(5)])
    later = sa.update(inbox_messages).where(inbox_messages.c.activity_id == message(0).key)
    await db.write(lambda tx: tx.execute(later.values(due_at=tx.now + timedelta(minutes=1))))
    assert numbers(await db.read(messages.due, 3, [])) == [1, 2, 3]
    first = (await db.read(messages.due, 1, []))[0]
    assert numbers(await db.read(messages.due, 3, [first.id])) == [2, 3, 4]
    clock.offset += timedelta(minutes=2)
    assert numbers(await db.read(messages.due, 9, [])) == [0, 1, 2, 3, 4]


async def test_a_lease_keeps_others_away_until_it_ends(db: Database, clock: Clock) -> None:
    await db.write(store, [message(number) for number in range(5)])
    assert numbers(await db.write(messages.lease, 3)) == [0, 1, 2]
    taken = await db.write(messages.lease, 3)
    assert numbers(taken) == [3, 4]
    assert await db.write(messages.lease, 3) == []
    await db.write(messages.release, [row.id for row in taken])
    assert numbers(await db.write(messages.lease, 9)) == [3, 4]
    clock.offset += messages.LEASE
    assert numbers(await db.write(messages.lease, 9)) == [0, 1, 2, 3, 4]


async def test_two_workers_never_take_the_same(db: Database) -> None:
    await db.write(store, [message(number) for number in range(64)])
    taken = await asyncio.gather(*(db.write(messages.lease, 10) for _ in range(8)))
    together = [number for rows in taken for number in numbers(rows)]
    assert len(together) == len(set(together))


@pytest.mark.parametrize("take", [lambda db: db.read(messages.due, 9, []), lambda db: db.write(messages.lease, 9)])
async def test_bodies_are_taken_as_far_as_they_fit(db: Database, take: Any) -> None:
    large = b"x" * (messages.MAX_BATCH_BYTES // 2 - 10)
    await db.write(store, [message(number, body=large) for number in range(5)])
    assert numbers(await take(db)) == [0, 1]


async def test_who_must_wait(db: Database) -> None:
    await db.write(
        store,
        [
            message(0, "Follow", "alice"),
            message(1, "Undo", "alice"),  # waits for 0
            message(2, "Follow", "carol"),
            message(3, "Follow", "alice", actor="other"),
            message(4, "Undo", message(2).key),  # names 2 by its id
            message(5, "Delete", "alice"),  # never waits
            message(6, "Follow", "alice"),  # waits for 5
            message(7, "Like", None),
        ],
    )
    rows = await db.read(messages.due, 9, [])
    ids = {row.id: number for row, number in zip(rows, numbers(rows), strict=True)}
    behind = await db.read(messages.behind, rows)
    assert {ids[row]: ids[before] for row, before in behind.items()} == {1: 0, 4: 2, 6: 5}
    finished = sa.update(inbox_messages).where(inbox_messages.c.id == rows[0].id).values(state="done")
    await db.write(lambda tx: tx.execute(finished))
    assert rows[1].id not in await db.read(messages.behind, rows)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the plan of PostgreSQL depends on its statistics
async def test_the_order_is_found_in_an_index(db: Database) -> None:
    """However many messages there are: measured once without, a batch took a fifth of a second."""
    await db.write(store, [message(number) for number in range(3)])

    def plan(tx: Tx) -> list[str]:
        seen: list[tuple[str, Any]] = []

        def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
            seen.append((statement, parameters))

        sa.event.listen(tx.connection, "before_cursor_execute", listen)
        messages.behind(tx, messages.due(tx, 9, [1]))
        sa.event.remove(tx.connection, "before_cursor_execute", listen)
        return [
            str(row[3])
            for statement, parameters in seen
            for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    steps = await db.read(plan)
    assert not [step for step in steps if "SCAN" in step or step.endswith("(rowid<?)")], steps


async def test_a_wake_up_by_another_process(world: World, peer: Peer, database_url: str, clock: Clock) -> None:
    """A command, or another web process, stores a message: the worker of this process hears of it."""
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    working = asyncio.create_task(world.worker.run())
    elsewhere = await Database.open(database_url, clock)
    activity = bob.activity("Create", bob.note())
    signer, body = Signer(bob.id, bob.key_id, "cavage"), json.dumps(activity).encode()
    await elsewhere.write(store, [Message(activity["id"], "Create", bob.id, None, signer, body)])

    async def done() -> bool:
        return await world.fate(activity["id"]) == "done"

    async with asyncio.timeout(4):  # less than the worker's own polling
        await world.eventually(done)
    working.cancel()
    await elsewhere.close()


async def test_whoever_sends_is_there(world: World, peer: Peer) -> None:
    """A host whose circuit is open sends us something: what waits for it is due at once (FEDERATION §4)."""
    bob = peer.actor()
    host = peer.origin.removeprefix("http://")

    def fail(tx: Tx) -> None:
        broken = {"host": host, "failures": 9, "failing_since": tx.now, "retry_at": tx.now + timedelta(hours=12)}
        tx.execute(tx.insert(peers).values(broken))
        waiting = {"activity_id": "x", "sender": world.alice, "inbox": f"{bob.id}/inbox", "host": host,
                   "object_id": "x", "state": "pending", "created_at": tx.now,
                   "due_at": tx.now + timedelta(hours=12)}  # fmt: skip
        tx.execute(tx.insert(deliveries).values(waiting))

    await world.db.write(fail)
    await world.deliver(bob, bob.activity("Like", world.alice))
    (row,) = await world.rows(sa.select(peers))
    assert row.retry_at is None
    (row,) = await world.rows(sa.select(deliveries))
    assert row.due_at <= world.clock.now()


async def test_a_host_has_only_a_few_waiting_at_once(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    peer.hold = asyncio.Event()
    peer.asked.clear()
    notes = [bob.note(str(number)) for number in range(20)]
    for note in notes:
        peer.serve(note)
        assert await world.post(bob, bob.activity("Announce", note["id"])) == 202
    for _ in range(5):
        await world.worker.step()
    assert len(peer.asked) <= AT_ONCE_OF_HOST
    peer.hold.set()
    await world.settle()
    assert len(world.handled) == 20


async def test_the_worker_ends_when_it_is_told(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    peer.hold = asyncio.Event()
    activity = bob.activity("Announce", f"{bob.id}/notes/1")
    peer.serve(bob.note(id=f"{bob.id}/notes/1"))
    working = asyncio.create_task(world.worker.run())
    peer.was_asked.clear()
    assert await world.post(bob, activity) == 202
    await asyncio.wait_for(peer.was_asked.wait(), 5)
    working.cancel()
    await asyncio.wait_for(asyncio.wait([working]), 5)
    assert await world.fate(activity["id"]) == "pending"
    peer.hold.set()
    world.worker._asking.clear()
    await world.settle()
    assert await world.fate(activity["id"]) == "done"
