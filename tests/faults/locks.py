"""Another process holds the database while everybody wants something of the node (SECURITY 168)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter

from schemas.terms import ACTIVITY_JSON
from tests.faults.rounds import Arena


async def held(made: Arena, *, seconds: float) -> list[str]:
    """Of a node that runs, for so long: who acts then waits, reading goes on, and all of it is kept afterwards."""
    token = await made.visitor_token()
    holder = sqlite3.connect(made.place.data / "freehold.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    promises: list[float] = []
    before = Counter(made.crowd.ledger.statuses)
    acting = asyncio.create_task(made.act(token, lambda: promises.append(time.monotonic())))
    try:
        ends = time.monotonic() + seconds
        reading = 0
        while time.monotonic() < ends:
            await asyncio.sleep(0.2)
            url = f"{made.place.origin}/users/alice"
            async with made.crowd.http.get(url, headers={"Accept": ACTIVITY_JSON}) as response:
                reading += response.status != 200
    finally:
        released = time.monotonic()
        holder.execute("ROLLBACK")
        holder.close()
    await acting
    statuses = made.crowd.ledger.statuses - before
    wrong = [f"{reading} reads failed"] if reading else []
    wrong += ["something was acknowledged before it was durable"] if any(at < released for at in promises) else []
    wrong += [f"{dict(statuses)} were the answers, and all could wait"] if set(statuses) != {"202"} else []
    await made.look()
    return wrong + made.report.wrong
