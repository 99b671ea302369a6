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
    """A Fedify server with two people, @bob and @bobby; what arrives there and verifies is an event."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self.origin = origin
        self.events: list[Event] = []
        self._session = session

    @property
    def actor(self) -> str:
        """The id of @bob."""
        return self.person("bob")

    def person(self, name: str) -> str:
        """The id of somebody there."""
        return f"{self.origin}/users/{name}"

    async def tell(self, what: str, **how: Any) -> Any:
        """Make it do something: see the head of `fedify/server.mjs`; its error is the test's error."""
        async with self._session.post(f"{self.origin}/control/{what}", json=how) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def said(self, what: str, **how: Any) -> str:
        """Make somebody there say something; returns the id of what they said."""
        return str((await self.tell(what, **how))["id"])

    async def reads(self, object_id: str) -> bool:
        """Whether bob can read something at its own address now."""
        async with self._session.post(f"{self.origin}/control/lookup", json={"id": object_id}) as response:
            found = await response.text()
            assert response.status == 200 or "cannot be read" in found, found
            return response.status == 200

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

    async def heard(self, kind: str) -> list[Event]:
        """The activities of a type that have arrived by now; `activity` waits for one."""
        await self._more(now="yes")
        return [event for event in self.events if event["event"] == "activity" and _matches(event, kind, None)]

    async def errors(self) -> list[Event]:
        """What could not be verified or understood by now."""
        await self._more(now="yes")
        return [event for event in self.events if event["event"] == "error"]

    async def _more(self, **how: str) -> None:
        query = {"after": str(len(self.events))} | how
        async with self._session.get(f"{self.origin}/control/events", params=query) as response:
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
