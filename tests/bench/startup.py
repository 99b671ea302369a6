"""A cold start, and the memory of a node that has nothing to do."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

from tests.bench.harness import Place, Row, Size, answers, new_place, node, process, resident_mb, say

AT_MOST_SECONDS = 0.9
AT_MOST_MB = 95.0
IDLE_SECONDS = 1.0
IMPORTS = """
import time
import aiohttp.web, click, jinja2, markdown_it, msgspec, nh3, sqlalchemy.ext.asyncio, structlog
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import aead
"""


async def rows(size: Size, folder: Path) -> list[Row]:
    """Beside a process that only imports the libraries."""
    place = new_place(folder / "startup")
    say(f"start: {size.starts} times")
    floors = [_imports() for _ in range(size.starts)]
    starts = [await _start(place) for _ in range(size.starts)]
    return [
        Row("cold start to the first 200", "s", _middle(starts), _middle(floors), AT_MOST_SECONDS),
        Row("memory, idle", "MB", await _idle(place), await _imported(), AT_MOST_MB),
    ]


def _middle(seconds: list[float]) -> float:
    return statistics.median(seconds)


def _imports() -> float:
    start = time.perf_counter()
    with process("-c", IMPORTS) as child:
        child.wait()
        return time.perf_counter() - start


async def _start(place: Place) -> float:
    start = time.perf_counter()
    with process("-m", "node", "serve", "--bind", place.address, data=place.data) as child:
        await answers(f"{place.origin}/users/alice", child)
        return time.perf_counter() - start


async def _idle(place: Place) -> float:
    async with node(place) as pid:
        await asyncio.sleep(IDLE_SECONDS)
        return resident_mb(pid)


async def _imported() -> float:
    with process("-c", f"{IMPORTS}time.sleep(60)") as child:
        await asyncio.sleep(IDLE_SECONDS + 1)
        return resident_mb(child.pid)
