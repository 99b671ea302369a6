"""On PostgreSQL, two web and two worker processes beside one of each: what a shared server grows by.

The database server takes its part of the same cores, so that what two more processes bring depends on how many cores
there are.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from federation.tables import follows
from tests import postgres
from tests.bench import documents, seed
from tests.bench.harness import Place, Row, Send, Size, answers, drive, process, say
from tests.bench.hosts import Remote, hosts
from tests.databases import postgres_script
from tests.postgres import Server

WAIT_SECONDS = 300.0
CONCURRENCY = 32


@dataclass(frozen=True)
class Cluster:
    """Some processes on one database. addresses: where the web processes answer."""

    place: Place
    database: str
    addresses: list[str]
    numbers: count[int]

    def request(self, sender: Remote) -> Send:
        """A message to whichever process is next."""
        number = next(self.numbers)
        body = documents.create(sender.id, f"scaling-{number:06}")
        address = self.addresses[number % len(self.addresses)]
        return sender.signed_post(f"{self.place.origin}/inbox", body, "cavage", to=f"http://{address}/inbox")


async def rows(size: Size, folder: Path) -> list[Row]:
    """Stored messages a second by both, and their quotient."""
    server = postgres.session_server(folder, os.getpid(), postgres_script)
    async with hosts(size.hosts, folder) as remote_hosts:
        one = await _measure(server, folder / "one", remote_hosts.remotes, size, processes=1)
        two = await _measure(server, folder / "two", remote_hosts.remotes, size, processes=2)
    unit = "stored/s, PostgreSQL"
    return [
        Row("one web and one worker process", unit, one, None, None),
        Row("two of each", unit, two, None, None, {"times": two / one, "cores": float(os.cpu_count() or 1)}),
    ]


async def _measure(server: Server, folder: Path, remotes: list[Remote], size: Size, *, processes: int) -> float:
    say(f"scaling: {processes} web and {processes} worker processes")
    async with _running(server, folder, remotes, processes) as cluster:
        await _run(cluster, remotes, min(500, size.messages))
        return await _run(cluster, remotes, size.messages)


async def _run(cluster: Cluster, remotes: list[Remote], messages: int) -> float:
    senders = [remotes[number % len(remotes)] for number in range(messages)]
    requests = [cluster.request(sender) for sender in senders]
    connection = await asyncpg.connect(cluster.database)
    try:
        before = await connection.fetchval("SELECT count(*) FROM timeline")
        start = asyncio.get_running_loop().time()
        await drive(requests, CONCURRENCY)
        async with asyncio.timeout(WAIT_SECONDS):
            while await connection.fetchval("SELECT count(*) FROM timeline") < before + messages:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return messages / (asyncio.get_running_loop().time() - start)
    finally:
        await connection.close()


@asynccontextmanager
async def _running(server: Server, folder: Path, remotes: list[Remote], processes: int) -> AsyncIterator[Cluster]:
    url = server.url(server.lend())
    with ExitStack() as ports, ExitStack() as children:
        sockets = [ports.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(processes)]
        addresses = ["{}:{}".format(*one.getsockname()) for one in sockets]
        ports.close()
        more = {"FREEHOLD_DATABASE_URL": url}
        place = Place(folder / "data", addresses[0])
        place.set_up(more)
        more["FREEHOLD_MASTER_KEY"] = (place.data / "master.key").read_text().strip()
        await _follow(url, place, remotes)
        for number, address in enumerate(addresses):
            for role in ("web", "worker"):
                data = folder / f"{role}-{number}"
                child = children.enter_context(
                    process("-m", "node", "serve", "--role", role, "--bind", address, data=data, more=more)
                )
                if role == "web":
                    await answers(f"http://{address}/users/alice", child)
        yield Cluster(place, url.replace("+asyncpg", ""), addresses, count())


async def _follow(url: str, place: Place, remotes: list[Remote]) -> None:
    engine = create_async_engine(url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        connection = await stack.enter_async_context(engine.begin())
        await connection.execute(sa.insert(follows), [seed.follow_row(place.alice, one.id) for one in remotes])
