"""SIGTERM in the middle of work, and a database that somebody else holds: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from federation.tables import activities, inbox_messages
from tests.faults.test_kills import follower_of, follows_by_command, states_of
from tests.faults.waiting import until
from tests.nodes import cluster, settled
from tests.processes import place
from tests.scenarios.test_duplicates import posted


async def test_sigterm_under_load(tmp_path: Path):
    """SECURITY 165: it ends in time, and every 202 that it gave is kept."""
    async with cluster("a.example") as (a,), aiohttp.ClientSession() as http:
        alice = await a.set_up("alice")
        b = place(tmp_path / "b", "127.0.0.8")
        await b.set_up("bob")
        acknowledged: list[str] = []
        async with b.serving() as server:
            await follows_by_command(b, alice)
            await a.go_dark()
            for number in range(60):
                await alice.post(f"Number {number}")
            creates = await a.sent("Create")
            await a.listen()
            some = asyncio.Event()

            async def one(row: sa.Row) -> None:
                try:
                    if await posted(http, alice, f"{b.origin}/inbox", row.body) == 202:
                        acknowledged.append(row.id)
                        some.set()
                except aiohttp.ClientError:
                    return

            sending = asyncio.gather(*[one(row) for row in creates])
            await some.wait()
            started = time.monotonic()
            assert await server.stop() == 0
            assert time.monotonic() - started < 15
            await sending
        async with b.serving():
            await until(lambda: states_of(b, acknowledged), dict.fromkeys(acknowledged, "done"))
        kept = [row.activity_id for row in await b.rows(sa.select(inbox_messages.c.activity_id))]
        assert len(kept) == len(set(kept))


async def test_sigterm_while_delivering(tmp_path: Path):
    """What was published is delivered after the restart, each once."""
    async with cluster("b.example") as (b,):
        a = place(tmp_path / "a", "127.0.0.7")
        alice = await a.set_up("alice")
        async with a.serving() as server:
            bob = await follower_of(alice, b)
            for number in range(5):
                await a.json("post", f"Number {number}")
            assert await server.stop() == 0
        creates = [row.id for row in await a.rows(sa.select(activities).where(activities.c.type == "Create"))]
        async with a.serving():
            for activity_id in creates:
                await b.takes(activity_id)
        await settled(b)
        assert len(await bob.timeline()) == 5


async def test_somebody_else_holds_the_database(tmp_path: Path):
    """SECURITY 168: requests wait; what is acknowledged is kept; the server goes on afterwards."""
    async with cluster("a.example") as (a,), aiohttp.ClientSession() as http:
        alice = await a.set_up("alice")
        b = place(tmp_path / "b", "127.0.0.8")
        await b.set_up("bob")
        async with b.serving():
            await follows_by_command(b, alice)
            await a.go_dark()
            await alice.post("While the door is locked.")
            [create] = await a.sent("Create")
            await a.listen()
            holder = sqlite3.connect(b.data / "freehold.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(posted(http, alice, f"{b.origin}/inbox", create.body))
            done, _ = await asyncio.wait([waiting], timeout=1.0)
            assert not done, "it is not acknowledged before it is durable"
            async with http.get(f"{b.origin}/users/bob", headers={"Accept": "application/activity+json"}) as reading:
                assert reading.status == 200, "reading goes on"
            holder.execute("ROLLBACK")
            holder.close()
            assert await waiting == 202
            await until(lambda: states_of(b, [create.id]), {create.id: "done"})
