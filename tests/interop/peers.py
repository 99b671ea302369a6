"""Servers that we did not write, as processes on loopback: see `fedify/server.mjs`."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

FEDIFY = Path(__file__).with_name("fedify")
WAIT_SECONDS = 30.0

Event = dict[str, Any]


class Peer:
    """A Fedify server with one person, @bob; what arrives there and verifies is an event."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self.origin = origin
        self.events: list[Event] = []
        self._session = session

    @property
    def actor(self) -> str:
        """The id of @bob."""
        return f"{self.origin}/users/bob"

    async def tell(self, what: str, **how: Any) -> Any:
        """Make it do something (follow, undo, note, update, delete, lookup); its error is the test's error."""
        async with self._session.post(f"{self.origin}/control/{what}", json=how) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def event(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is wanted, now or as soon as it happens."""
        seen = 0
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for event in self.events[seen:]:
                    seen += 1
                    if wanted(event):
                        return event
                await self._more()

    async def activity(self, kind: str, about: str | None = None) -> Event:
        """The first activity of a type (about an object's id) that arrived, verified and understood."""
        return await self.event(lambda event: event["event"] == "activity" and _matches(event, kind, about))

    async def _more(self) -> None:
        url = f"{self.origin}/control/events?after={len(self.events)}"
        async with self._session.get(url) as response:
            self.events += await response.json()


def _matches(event: Event, kind: str, about: str | None) -> bool:
    object_id = (event["object"] or {}).get("id")
    return event["activity"]["type"] == kind and about in (None, object_id)


@asynccontextmanager
async def fedify(generation: str, address: str, *flags: str) -> AsyncIterator[Peer]:
    """Fedify 1.5.9 (`fedify-1`) or 2.3.6 (`fedify-2`) on a loopback address; `--secure`: only signed requests read."""
    if not (FEDIFY / "node_modules" / generation).is_dir():
        pytest.fail("the Fedify servers are not installed: run `make peers`")
    process = await asyncio.create_subprocess_exec(
        _node(), str(FEDIFY / "server.mjs"), generation, address, *flags, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            origin = json.loads(await process.stdout.readline())["origin"]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT_SECONDS)) as session:
            yield Peer(origin, session)
    finally:
        process.kill()
        await process.wait()


def _node() -> str:
    """Fedify 2 needs Node 22, which npm brings; elsewhere the system's own must be new enough."""
    architecture = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
    brought = FEDIFY / "node_modules" / f"node-linux-{architecture}" / "bin" / "node"
    return str(brought) if brought.exists() else shutil.which("node") or "node"
