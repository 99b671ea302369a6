"""Requests that other servers once really sent, and the documents that they served at that time."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

CAPTURES = Path(__file__).parent.parent / "vectors" / "captures"
TAKEN = datetime(2026, 11, 23, 14, 17, tzinfo=UTC)
"""When the last of them was taken; the first is a quarter of an hour older."""


@dataclass(frozen=True)
class Capture:
    """One request. activity: its body, if it has one."""

    name: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    at: float

    @property
    def activity(self) -> dict[str, Any]:
        assert self.body is not None
        return json.loads(self.body)


def captured(peer: str) -> list[Capture]:
    """What a peer sent, in the order in which it did."""
    found = [_read(path) for path in CAPTURES.glob(f"{peer}-*.json")]
    assert found, f"no captures of {peer}"
    return sorted(found, key=lambda capture: capture.at)


def _read(path: Path) -> Capture:
    document = json.loads(path.read_text())
    request = document["request"]
    body = request.get("body")
    return Capture(
        path.stem.partition("-")[2],
        request["method"],
        request["target"],
        [(name, value) for name, value in request["headers"] if name.lower() != "content-length"],
        body.encode() if body else None,
        document["received_unix"],
    )


async def replay(http: aiohttp.ClientSession, place: str, capture: Capture) -> tuple[int, bytes]:
    """Send exactly that request to a node, wherever it listens: the Host header says where it was meant to go."""
    url = aiohttp.client.URL(place + capture.target, encoded=True)
    skipped = ("accept-encoding", "connection", "user-agent", "accept")
    async with http.request(
        capture.method,
        url,
        headers=capture.headers,
        data=capture.body,
        allow_redirects=False,
        skip_auto_headers=skipped,
        ssl=False,
    ) as response:
        return response.status, await response.read()


@dataclass
class Origin:
    """The server of a captured peer: its documents at their addresses, and an inbox."""

    documents: dict[str, tuple[str, bytes]]
    taken: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.taken.append(await request.json())
            return web.Response(status=202)
        content_type, body = self.documents.get(request.path_qs, ("", b""))
        if not content_type:
            return web.Response(status=404)
        return web.Response(body=body, headers={"Content-Type": content_type})


@asynccontextmanager
async def origin_of(peer: str, address: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """Serve what was captured of a peer's documents."""
    origin = Origin(dict(_document(path) for path in CAPTURES.glob(f"doc-{peer}-*.json")))
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", origin.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, port, ssl_context=tls, reuse_address=True).start()
    try:
        yield origin
    finally:
        await runner.cleanup()


def _document(path: Path) -> tuple[str, tuple[str, bytes]]:
    document = json.loads(path.read_text())
    url = urlsplit(document["url"])
    target = url.path + (f"?{url.query}" if url.query else "")
    types = [value for name, value in document.get("headers", []) if name.lower() == "content-type"]
    return target, (types[0] if types else "application/activity+json", document["body"].encode())
