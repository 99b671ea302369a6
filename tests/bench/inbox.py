"""The inbox: a signed Create is verified, made durable, answered, and has its effect in a timeline.

Accepted is not enough: the clock of a run stops when every message has had its effect.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from keys.requests import Scheme
from tests.bench import documents, seed
from tests.bench.harness import (
    Cost,
    Load,
    Place,
    Row,
    Send,
    Size,
    drive,
    floor_server,
    measured,
    new_place,
    node,
    post,
    resident_mb,
    say,
)
from tests.bench.hosts import Hosts, Remote, hosts

AT_MOST = 0.6
AT_MOST_GROWN = 1.2
AT_MOST_LOADED_MB = 140.0
UNIT = "CPU s per 1,000"
WAIT_SECONDS = 300.0
SEED = 2026


@dataclass(frozen=True)
class Run:
    """So many messages, from the first request to the last effect."""

    messages: int
    cost: Cost
    load: Load

    @property
    def per_thousand(self) -> float:
        return self.cost.per_thousand(self.messages)

    @property
    def notes(self) -> dict[str, float]:
        return {
            "accepted/s": self.load.rate,
            "stored/s": self.cost.rate(self.messages),
            "p99 ms": self.load.p99_ms,
        }


async def rows(size: Size, folder: Path) -> list[Row]:
    """Senders met for the first time and known ones, both generations of signatures and proofs, a long history, memory.

    Few of the senders say most, as anywhere.
    """
    say("inbox: the floor")
    floor = await _floor(size, folder)
    async with hosts(size.hosts, folder, people=size.people) as remote_hosts:
        place = new_place(folder / "inbox")
        seed.follow(place, remote_hosts.remotes)
        bench = _Bench(place, remote_hosts)
        async with node(place) as pid:
            cold = await bench.run(pid, "cavage", senders=remote_hosts.remotes)
            await bench.run(pid, "cavage", senders=bench.some(size.young), name=seed.YOUNG)
            young = await bench.run(pid, "cavage", senders=bench.some(size.messages))
            modern = await bench.run(pid, "rfc9421", senders=bench.some(size.messages))
            proven = await bench.run(pid, "cavage", senders=bench.some(size.messages), proven=True)
            loaded = resident_mb(pid)
        say(f"inbox: growing to {size.stored:,}")
        stored = seed.grow(place, size.stored)
        async with node(place) as pid:
            await bench.run(pid, "cavage", senders=bench.some(min(size.messages, 500)))
            old = await bench.run(pid, "cavage", senders=bench.some(size.messages))
    return [
        Row("inbox Create, cavage", UNIT, young.per_thousand, floor, AT_MOST, young.notes),
        Row("inbox Create, RFC 9421", UNIT, modern.per_thousand, floor, AT_MOST, modern.notes),
        Row("inbox Create, with an object proof", UNIT, proven.per_thousand, floor, None, proven.notes),
        Row("inbox Create, of a sender never met", UNIT, cold.per_thousand, floor, None, cold.notes),
        Row(
            f"inbox Create, cavage, at {stored:,} stored", f"times the cost at {size.young:,}",
            old.per_thousand / young.per_thousand, None, AT_MOST_GROWN, {UNIT: old.per_thousand} | old.notes,
        ),
        Row("memory, loaded", "MB", loaded, None, AT_MOST_LOADED_MB),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Bench:
    place: Place
    hosts: Hosts
    numbers: Iterator[int] = field(default_factory=count)
    chance: Random = field(default_factory=lambda: Random(SEED))

    def some(self, messages: int) -> list[Remote]:
        """Who says so many messages: the tenth of the senders who say most, more than half of them."""
        weights = [1 / rank for rank in range(1, len(self.hosts.remotes) + 1)]
        return self.chance.choices(self.hosts.remotes, weights, k=messages)

    async def run(
        self, pid: int, scheme: Scheme, *, senders: list[Remote], name: str = "bench-", proven: bool = False
    ) -> Run:
        messages = len(senders)
        say(f"inbox: {messages:,} messages, {scheme}{', proven' if proven else ''}")
        requests = [self._request(sender, scheme, name, proven) for sender in senders]
        before = _effects(self.place)
        with measured(pid) as cost:
            load = await drive(requests)
            await self._wait(before + messages)
        return Run(messages, cost, load)

    def _request(self, sender: Remote, scheme: Scheme, name: str, proven: bool) -> Send:
        body = documents.create(sender.id, f"{name}{next(self.numbers):06}")
        body = sender.proven(body) if proven else body
        return sender.signed_post(f"{self.place.origin}/inbox", body, scheme)

    async def _wait(self, effects: int) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while _effects(self.place) < effects:
                _check_pending(self.place)
                await asyncio.sleep(0.01)


def _effects(place: Place) -> int:
    """Entries in timelines."""
    with closing(sqlite3.connect(place.database)) as db:
        (entries,) = db.execute("SELECT count(*) FROM timeline").fetchone()
    return int(entries)


def _check_pending(place: Place) -> None:
    """Wait no longer when a message has been refused."""
    with closing(sqlite3.connect(place.database)) as db:
        refused = db.execute(
            "SELECT activity_id, state, reason FROM inbox_messages WHERE reason IS NOT NULL"
        ).fetchone()
    if refused is not None:
        raise RuntimeError(f"a message had no effect: {refused}")


async def _floor(size: Size, folder: Path) -> float:
    """CPU seconds per 1,000: one RSA verification and two rows, by the same server and database."""
    body = documents.create("http://127.0.0.2:9000/users/ann", "floor-000000")
    async with floor_server("inbox", folder) as (origin, pid):
        request = post(f"{origin}/inbox", {"Content-Type": "application/activity+json"}, body)
        await drive([request] * min(500, size.messages))
        with measured(pid) as cost:
            await drive([request] * size.messages)
    return cost.per_thousand(size.messages)
