"""The loops behind the pages."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from federation.errors import Busy
from federation.moves import KEEP
from federation.storage import Database
from federation.tables import moves
from node import worker
from node.accounts import commands
from node.accounts.tables import sessions
from tests.node.house import settle_in
from tests.node.neighbours import BO

EVE = "https://eve.example/users/eve"


async def test_tidying_forgets_sessions_that_are_over(ground):
    node, account = await settle_in(ground)
    await node.db.write(commands.open_session, account.id)
    await node.db.write(worker.tidy)
    count = sa.select(sa.func.count()).select_from(sessions)
    assert await node.db.read(lambda tx: tx.scalar(count)) == 1
    node.clock.offset = commands.SESSION + timedelta(seconds=1)
    await node.db.write(worker.tidy)
    assert await node.db.read(lambda tx: tx.scalar(count)) == 0
    await node.client.close()


async def test_moves_of_actors_elsewhere_are_forgotten_in_time(ground):
    node, account = await settle_in(ground)
    long_ago = node.clock.now() - KEEP - timedelta(hours=1)

    def fill(tx):
        for actor, at in ((BO, long_ago), (EVE, node.clock.now()), (account.actor_id, long_ago)):
            tx.execute(sa.insert(moves).values(actor=actor, target=f"{actor}-new", at=at))

    await node.db.write(fill)
    await node.db.write(worker.tidy)
    kept = await node.db.read(lambda tx: tx.rows(sa.select(moves.c.actor)))
    assert {row.actor for row in kept} == {EVE, account.actor_id}
    await node.client.close()


async def test_a_database_that_is_busy_does_not_end_the_loops(ground, monkeypatch):
    node, _ = await settle_in(ground)
    tidied = asyncio.Event()
    times = []

    async def write(self, fn, *args, **kwargs):
        if fn is worker.tidy:
            times.append(1)
            if len(times) == 1:
                raise Busy("locked")
            tidied.set()

    monkeypatch.setattr(Database, "write", write)
    task = asyncio.create_task(worker._again(node, worker.tidy, every=0.01))
    async with asyncio.timeout(20):
        await tidied.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await node.client.close()


async def test_the_loops_end_when_they_are_cancelled(ground):
    node, _ = await settle_in(ground)
    task = asyncio.create_task(worker.work(node))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait([task])
    assert task.cancelled()
    await node.client.close()


async def test_a_fault_of_one_loop_is_logged_and_the_loop_begins_again(monkeypatch):
    monkeypatch.setattr(worker, "RESTART_SECONDS", 0.0)
    runs, again = [], asyncio.Event()

    async def run() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise KeyError("a fault of ours")
        again.set()
        await asyncio.Event().wait()

    kept = asyncio.create_task(worker._kept_up("some loop", run))
    async with asyncio.timeout(10):
        await again.wait()
    kept.cancel()
    await asyncio.wait([kept])
    assert runs == [0, 1]
