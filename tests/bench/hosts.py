"""Other servers, all in one process: each on a port of its own, with an actor to be asked for and inboxes to post to.

`python -m tests.bench.hosts FILE DESCRIPTOR...` serves documents (JSON of URL -> document) on listening sockets that
it inherits.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from keys.material import PrivateKey, generate_ed25519, generate_rsa
from keys.proofs import add_proof
from keys.requests import Request, Scheme, sign
from schemas.terms import ACTIVITY_JSON
from tests.bench import documents, harness

WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class Keys:
    """With which all actors of one host sign: it is not their making that is measured."""

    rsa: PrivateKey
    ed25519: PrivateKey


@dataclass(frozen=True)
class Remote:
    """An actor elsewhere, who can sign."""

    origin: str
    name: str
    keys: Keys

    @property
    def id(self) -> str:
        return f"{self.origin}/users/{self.name}"

    def document(self) -> dict[str, Any]:
        """What its server says of it."""
        return documents.actor(self.origin, self.name, self.keys.rsa, self.keys.ed25519)

    def proven(self, body: bytes) -> bytes:
        """The same activity with an object proof."""
        document = add_proof(json.loads(body), self.keys.ed25519, f"{self.id}#ed25519-key", datetime.now(UTC))
        return json.dumps(document).encode()

    def signed_post(self, url: str, body: bytes, scheme: Scheme, *, to: str | None = None) -> harness.Send:
        """A POST that is signed now and sent later. to: where it really goes, past a proxy that is not there."""
        headers = {"content-type": ACTIVITY_JSON}
        request = Request("POST", url, tuple(headers.items()), body)
        added = sign(request, f"{self.id}#main-key", self.keys.rsa, scheme, datetime.now(UTC))
        return harness.post(to or url, headers | added, body)


@dataclass(frozen=True)
class Hosts:
    """The running process, from outside."""

    remotes: list[Remote]

    async def taken(self, at_least: int = 0) -> int:
        """How many POSTs have arrived, at all hosts together; waits until there are so many."""
        url = f"{self.remotes[0].origin}/taken?at_least={at_least}"
        timeout = aiohttp.ClientTimeout(WAIT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return int(await response.text())


@asynccontextmanager
async def hosts(count: int, folder: Path, *, people: int = 1) -> AsyncIterator[Hosts]:
    """That many servers on loopback, each with so many actors; the first of each host come first."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=512)) for _ in range(count)]
        origins = ["http://{}:{}".format(*one.getsockname()) for one in sockets]
        keys = [Keys(generate_rsa(), generate_ed25519()) for _ in origins]
        remotes = [
            Remote(origin, f"ann{number or ''}", keys[place])
            for number in range(people)
            for place, origin in enumerate(origins)
        ]
        served = {remote.id: remote.document() for remote in remotes}
        file = folder / "hosts.json"
        file.write_text(json.dumps(served))
        descriptors = [str(one.fileno()) for one in sockets]
        with harness.process("-m", "tests.bench.hosts", str(file), *descriptors, sockets=sockets) as child:
            await harness.answers(remotes[-1].id, child)
            yield Hosts(remotes)


class Server:
    """Serves documents, and counts what is posted."""

    def __init__(self, served: dict[str, bytes]) -> None:
        self._served = served
        self._taken = 0
        self._changed = asyncio.Event()

    async def get(self, request: web.Request) -> web.Response:
        body = self._served.get(f"http://{request.host}{request.path}")
        return web.Response(status=404) if body is None else web.Response(body=body, content_type=ACTIVITY_JSON)

    async def post(self, request: web.Request) -> web.Response:
        await request.read()
        self._taken += 1
        self._changed.set()
        return web.Response(status=202)

    async def count(self, request: web.Request) -> web.Response:
        while self._taken < int(request.query["at_least"]):
            self._changed.clear()
            await self._changed.wait()
        return web.Response(text=str(self._taken))


async def serve(served: dict[str, bytes], sockets: list[socket.socket]) -> None:
    server = Server(served)
    app = web.Application()
    app.add_routes(
        [web.get("/taken", server.count), web.get("/{rest:.*}", server.get), web.post("/{rest:.*}", server.post)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for one in sockets:
        await web.SockSite(runner, one).start()
    await asyncio.Event().wait()


def main() -> None:
    path, *descriptors = sys.argv[1:]
    served = {url: json.dumps(document).encode() for url, document in json.loads(Path(path).read_text()).items()}
    asyncio.run(serve(served, [socket.socket(fileno=int(one)) for one in descriptors]))


if __name__ == "__main__":
    main()
