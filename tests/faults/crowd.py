"""Servers around one node: some send to it, some follow who lives on it; all count what reaches them, by its id.

All of them live in the test's process, each on a socket of its own. They are what the node is held against: they know
what it has acknowledged, and what it has sent, whatever becomes of it meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from federation.clock import Clock
from federation.known_actors import store_actor
from federation.storage import Database, Tx
from federation.tables import follows
from schemas.actors import parse_actor
from tests.federation.world import Peer, RemoteActor, ed25519, listening, origin_of, rsa, serving
from tests.processes import Place

ADDRESSES = tuple(f"127.0.0.{number}" for number in range(10, 40))


@dataclass
class Neighbour(Peer):
    """A server with a shared inbox. What comes has its effect once for each id: `bodies` is all that it ever believed.

    times: how often each id came. odd: what must never happen, in words. before: awaited with each POST.
    """

    bodies: dict[str, bytes] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    heard: Callable[[bytes], None] = lambda body: None
    before: Callable[[], Any] | None = None

    def person(self, name: str) -> RemoteActor:
        """Somebody there. All share their keys: to make one takes longer than a kill."""
        actor = RemoteActor(self, name, rsa("crowd"), ed25519("crowd"))
        actor.publish(endpoints={"sharedInbox": f"{self.origin}/inbox"})
        return actor

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return await super().handle(request)
        body = await request.read()
        if self.before is not None:
            await self.before()
        activity_id = json.loads(body)["id"]
        if self.bodies.setdefault(activity_id, body) != body:
            self.odd.append(f"{activity_id} came with another body")
        self.times[activity_id] = self.times.get(activity_id, 0) + 1
        self.heard(body)
        self.came.set()
        return web.Response(status=202)


@asynccontextmanager
async def neighbours(count: int, clock: Clock) -> AsyncIterator[list[Neighbour]]:
    """That many of them, listening."""
    async with AsyncExitStack() as stack:
        made = []
        for number in range(count):
            listener = listening(ADDRESSES[number % len(ADDRESSES)])
            neighbour = Neighbour(origin_of(listener), clock)
            app = web.Application(client_max_size=4_000_000)
            app.router.add_route("*", "/{rest:.*}", neighbour.handle)
            await stack.enter_async_context(serving(app, listener))
            made.append(neighbour)
        yield made


async def post(http: aiohttp.ClientSession, inbox: str, sender: RemoteActor, body: bytes) -> int | None:
    """Sign now and post; the status, or None when no answer came."""
    headers = sender.signed_headers(inbox, body)
    try:
        async with http.post(inbox, data=body, headers=headers) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def befriend(
    place: Place, local: str, *, follows_them: Sequence[RemoteActor] = (), followed_by: Sequence[RemoteActor] = ()
) -> None:
    """Who follows whom before it begins: written into a database that no server uses."""
    url = place.database_url or f"sqlite:///{place.data / 'freehold.db'}"
    db = await Database.open(url, Clock())

    def write(tx: Tx) -> None:
        for actor in (*follows_them, *followed_by):
            document = actor.document(endpoints={"sharedInbox": f"{actor.peer.origin}/inbox"})
            store_actor(tx, parse_actor(document), "delivered")
        pairs = [(local, actor.id) for actor in follows_them] + [(actor.id, local) for actor in followed_by]
        for follower, followee in pairs:
            row = {"follower": follower, "followee": followee, "activity_id": f"{follower}/follows/at-first"}
            tx.execute(sa.insert(follows).values(row | {"state": "accepted", "created_at": tx.now}))

    try:
        await db.write(write)
    finally:
        await db.close()
