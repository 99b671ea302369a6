from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from federation import operate
from federation.clock import Clock
from federation.storage import Database, Tx
from federation.tables import deliveries, host_rules, peers
from tests.federation.world import World


def waiting(tx: Tx, host: str, number: int, **more: Any) -> None:
    values = {"activity_id": f"https://a.example/{number}", "sender": "https://a.example/u",
              "inbox": f"https://{host}/inbox", "host": host, "object_id": "x", "state": "pending",
              "created_at": tx.now, "due_at": tx.now}  # fmt: skip
    tx.execute(tx.insert(deliveries).values(values | more))


async def test_the_state_of_every_table(db: Database) -> None:
    before = {state.table: state for state in await db.read(operate.state)}
    assert set(before) >= {"actors", "objects", "inbox_messages", "deliveries", "host_rules"}
    assert before["host_rules"].rows == 0

    def put(tx: Tx) -> None:
        tx.execute(tx.insert(host_rules).values(host="a", rule="block", created_at=tx.now))

    await db.write(put)
    after = {state.table: state for state in await db.read(operate.state)}
    assert after["host_rules"].rows == 1
    assert {name for name in after if after[name] != before[name]} == {"host_rules"}
    await db.write(lambda tx: tx.execute(sa.update(host_rules).values(reason="x")))
    again = {state.table: state for state in await db.read(operate.state)}
    assert again["host_rules"].rows == 1
    assert again["host_rules"].digest != after["host_rules"].digest


async def test_the_queue_by_host(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> None:
        for number in range(3):
            waiting(tx, "slow.example", number)
        waiting(tx, "slow.example", 3, state="given_up")
        waiting(tx, "quick.example", 4, state="done")
        waiting(tx, "other.example", 5)
        broken = {"host": "slow.example", "failures": 3, "failing_since": tx.now, "last_error": "timeout"}
        tx.execute(tx.insert(peers).values(broken))

    await db.write(fill)
    rows = await db.read(operate.queue)
    assert [(row.host, row.pending, row.given_up, row.paused) for row in rows] == [
        ("slow.example", 3, 1, False),
        ("other.example", 1, 0, False),
    ]
    assert rows[0].last_error == "timeout"
    assert abs(rows[0].waiting_since - clock.now()) < timedelta(seconds=30)


async def test_pause_resume_and_retry(db: Database) -> None:
    def fill(tx: Tx) -> None:
        waiting(tx, "a.example", 1, due_at=tx.now + timedelta(hours=9))
        waiting(tx, "a.example", 2, state="given_up", finished_at=tx.now)
        waiting(tx, "b.example", 3, state="given_up")
        waiting(tx, "a.example", 4, state="done")
        tx.execute(tx.insert(peers).values(host="a.example", failures=9, failing_since=tx.now, retry_at=tx.now))

    await db.write(fill)
    await db.write(operate.pause, "a.example")
    await db.write(operate.pause, "never.seen.example")
    assert (await db.read(operate.queue))[0].paused
    await db.write(operate.resume, "a.example")
    assert not (await db.read(operate.queue))[0].paused
    assert await db.write(operate.retry, "a.example") == 2
    rows = await db.read(lambda tx: tx.rows(sa.select(deliveries).order_by(deliveries.c.activity_id)))
    assert [row.state for row in rows] == ["pending", "pending", "given_up", "done"]
    assert all(row.due_at <= db.clock.now() for row in rows[:2])
    row = await db.read(lambda tx: tx.row(sa.select(peers).where(peers.c.host == "a.example")))
    assert row is not None
    assert (row.failures, row.failing_since, row.retry_at) == (0, None, None)
    assert await db.write(operate.retry, None) == 3


async def test_local_keys_without_their_secrets(world: World) -> None:
    rows = await world.db.read(operate.local_keys)
    assert {row.state for row in rows} == {"signs"}
    assert {row.id.rpartition("/")[2] for row in rows} == {
        "alice#main-key", "alice#ed25519-key", "instance.actor#main-key", "instance.actor#ed25519-key"
    }  # fmt: skip
    assert not any("sealed" in row._fields for row in rows)


async def test_the_figures_that_an_operator_watches(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> None:
        waiting(tx, "slow.example", 0)
        waiting(tx, "slow.example", 1, state="given_up")
        waiting(tx, "slow.example", 2, state="done")
        tx.execute(tx.insert(peers).values(host="slow.example", failing_since=tx.now))

    await db.write(fill)
    clock.offset += timedelta(hours=1)
    figures = await db.read(operate.figures)
    assert figures.deliveries == {"pending": 1, "given_up": 1}
    assert figures.inbox == {"pending": 0, "parked": 0}
    assert 3600 <= figures.oldest_delivery < 3660
    assert (figures.oldest_message, figures.failing_hosts, figures.followers, figures.following) == (0.0, 1, 0, 0)
