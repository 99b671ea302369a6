"""A disk that takes no more, and a database that somebody else holds, under load (SECURITY 156, 168, 173)."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.faults.locks import held
from tests.faults.rounds import Arena, arena
from tests.processes import Server, place


async def health(made: Arena) -> int:
    return (await made.crowd.visitor.get("/healthz")).status


def let_it_write(server: Server, size: int) -> None:
    """Beyond this size of a file, each write is an error: what the kernel says of a quota, or of a dying disk."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def test_168_173_a_lock_and_then_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """Nothing is acknowledged that is not kept; the node says that it is ill, and goes on by itself afterwards.

    `make faults` holds the lock for 20 seconds.
    """
    async with arena(place(tmp_path / "a", "127.0.0.7"), 173) as made, made.place.serving() as server:
        assert await held(made, seconds=2.0) == []
        token = await made.visitor_token()
        assert await health(made) == 200
        wal = made.place.data / "freehold.db-wal"
        let_it_write(server, wal.stat().st_size + 60_000)
        await made.act(token)
        let_it_write(server, 1)
        await made.act(token)
        assert made.crowd.ledger.statuses["503"] > 5
        assert set(made.crowd.ledger.statuses) <= {"202", "503"}
        assert await health(made) == 503
        assert (await made.crowd.visitor.get("/@alice")).status == 200, "reading goes on"
        let_it_write(server, resource.RLIM_INFINITY)
        assert await health(made) == 200
        await made.look()
        assert made.report.wrong == []
