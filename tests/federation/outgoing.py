"""A node that sends, and hosts that answer as a test tells them, on loopback."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from federation import outbox
from federation.authors import (
    Author,
    Authors,
    InstanceActor,
    NewKeys,
    create_local_actor,
    ensure_instance_actor,
)
from federation.client import Client, ClientSettings
from federation.clock import Clock, iso
from federation.delivery import DEFAULT_LIMITS, DeliveryLimits, DeliveryWorker
from federation.ids import Ids
from federation.known_actors import store_actor
from federation.storage import Database, Tx
from federation.tables import deliveries, follows, peers
from keys import requests
from keys.vault import Vault, new_master_key
from schemas.actors import ActorDraft, parse_actor, write_actor
from schemas.base import Audience
from schemas.notes import NoteDraft, write_note
from schemas.terms import JRD_JSON, PUBLIC
from tests.federation.world import PEER_ADDRESSES, Peer, RemoteActor, ed25519, listening, origin_of, rsa, serving


@dataclass
class Post:
    """What a host was sent."""

    path: str
    body: bytes
    headers: dict[str, str]
    at: datetime

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def scheme(self) -> str:
        return "rfc9421" if "signature-input" in self.headers else "cavage"


Answer = int | tuple[int, dict[str, str]] | None
"""A status, perhaps with headers; None closes the connection."""


@dataclass
class Host(Peer):
    """A peer whose inboxes answer what a test says: each of `answers` once, then `answer` for ever."""

    posts: list[Post] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    answer: Answer | Callable[[Post], Answer] = 202
    holding: asyncio.Event | None = None
    arrival: asyncio.Event = field(default_factory=asyncio.Event)
    jrds: dict[str, Any] = field(default_factory=dict)
    """What WebFinger says of a resource."""
    redirects: dict[str, str] = field(default_factory=dict)
    wants_signature: bool = False
    """Whether a GET must be signed, as with authorised fetch."""
    asked_with: list[dict[str, str]] = field(default_factory=list)
    """The headers of every GET."""

    async def got(self, count: int, seconds: float = 5.0) -> None:
        """Wait until it was sent so much."""
        async with asyncio.timeout(seconds):
            while len(self.posts) < count:
                self.arrival.clear()
                await self.arrival.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method != "POST":
            return await self._get(request, headers)
        post = Post(request.raw_path, await request.read(), headers, self.clock.now())
        self.posts.append(post)
        self.arrival.set()
        if self.holding is not None:
            await self.holding.wait()
        answer = self.answers.popleft() if self.answers else self.answer
        if callable(answer):
            answer = answer(post)
        if answer is None:
            request.transport.abort()
            return web.Response()
        status, more = answer if isinstance(answer, tuple) else (answer, {})
        return web.Response(status=status, headers=more)

    async def _get(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        self.asked_with.append(headers)
        if request.path == "/.well-known/webfinger":
            jrd = self.jrds.get(request.query["resource"])
            return web.Response(status=404) if jrd is None else web.json_response(jrd, content_type=JRD_JSON)
        if request.path in self.redirects:
            self.asked.append(f"GET {request.path}")
            return web.Response(status=302, headers={"Location": self.redirects[request.path]})
        if self.wants_signature and "signature" not in headers:
            return web.Response(status=401)
        return await super().handle(request)

    @property
    def verbs(self) -> list[str]:
        """What it was sent, in the order in which it came."""
        return [post.document["type"] for post in self.posts]

    def check_signed(self, author: Author) -> None:
        """The last post carries a signature that holds."""
        post = self.posts[-1]
        request = requests.Request("POST", self.origin + post.path, tuple(post.headers.items()), post.body)
        claim = requests.read(request, post.at)
        assert claim is not None
        assert claim.key_id == author.rsa_key_id
        claim.verify(author.rsa.public)


@asynccontextmanager
async def host_at(address: str, clock: Clock) -> AsyncIterator[Host]:
    listener = listening(address)
    host = Host(origin_of(listener), clock)
    app = web.Application(client_max_size=4_000_000)
    app.router.add_route("*", "/{rest:.*}", host.handle)
    async with serving(app, listener):
        yield host


HOME = Ids("http://127.0.0.1:1", "127.0.0.1:1")


@dataclass
class Home:
    """Our node: alice, a client, and a worker that moves only when told."""

    db: Database
    clock: Clock
    authors: Authors
    alice: Author
    instance: Author
    client: Client
    worker: DeliveryWorker
    ids: Ids = HOME

    async def meet(self, actor: RemoteActor, **changes: Any) -> RemoteActor:
        """Know an actor elsewhere."""
        await self.db.write(store_actor, parse_actor(actor.document(**changes)), "delivered")
        return actor

    async def followed_by(self, *actors: RemoteActor, shared: bool = False) -> None:
        """They follow alice. shared: their server has a shared inbox."""
        for actor in actors:
            endpoints = {"endpoints": {"sharedInbox": f"{actor.peer.origin}/inbox"}} if shared else {}
            await self.meet(actor, **endpoints)
        await self.db.write(self._follow, actors)

    def _follow(self, tx: Tx, actors: Sequence[RemoteActor]) -> None:
        for actor in actors:
            row = {"follower": actor.id, "followee": self.alice.actor_id, "activity_id": f"{actor.id}/follow"}
            tx.execute(tx.insert(follows).values(row | {"state": "accepted", "created_at": tx.now}))

    def note(self, text: str = "hello", *, to: Sequence[str] = (PUBLIC,), cc: Sequence[str] = ()) -> dict[str, Any]:
        object_id = self.ids.object(self.alice.actor_id, "posts", self.clock.now())
        audience = Audience(tuple(to), tuple(cc) or (self.alice.followers,) if PUBLIC in to else tuple(cc))
        page = self.ids.object_page(object_id)
        return write_note(NoteDraft(object_id, self.alice.actor_id, text, iso(self.clock.now()), audience, page))

    async def post(self, text: str = "hello") -> dict[str, Any]:
        """Create a public note for alice's followers; returns it."""
        note = self.note(text)
        await self.db.write(self._create, note)
        return note

    def _create(self, tx: Tx, note: dict[str, Any]) -> int:
        audience = Audience(tuple(note["to"]), tuple(note["cc"]))
        return outbox.create(tx, self.alice, note, kind="post", audience=audience, published=tx.now)

    async def rows(self, *columns: Any) -> list[Any]:
        """All deliveries, oldest first."""
        statement = sa.select(*(columns or (deliveries,))).order_by(deliveries.c.id)
        return list(await self.db.read(lambda tx: tx.rows(statement)))

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows(deliveries.c.state)]

    async def peer(self, host: Peer) -> Any:
        """A host's row of `peers`."""
        name = host.origin.removeprefix("http://")
        return await self.db.read(lambda tx: tx.row(sa.select(peers).where(peers.c.host == name)))

    async def later(self, **delta: float) -> int:
        """Let time pass, and the worker work."""
        self.clock.offset += timedelta(**delta)
        return await self.worker.drain()


def new_keys(name: str) -> NewKeys:
    return NewKeys(rsa(f"local {name}"), ed25519(f"local {name}"))


def profile(author: Author) -> dict[str, Any]:
    return write_actor(
        ActorDraft(
            id=author.actor_id,
            type="Person",
            username=author.username,
            name=author.username.title(),
            summary="",
            url=author.ids.page(author.username),
            inbox=author.inbox,
            shared_inbox=author.ids.shared_inbox,
            published="2026-11-01T00:00:00Z",
            acct=author.ids.acct(author.username),
            keys=author.keys,
        )
    )


@asynccontextmanager
async def running(worker: DeliveryWorker) -> AsyncIterator[None]:
    """The worker's loop, until the block ends."""
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


SETTINGS = ClientSettings(allow_http=True, allow_networks=PEER_ADDRESSES, post_seconds=5.0)


@asynccontextmanager
async def home_on(
    db: Database, clock: Clock, *, settings: ClientSettings = SETTINGS, limits: DeliveryLimits = DEFAULT_LIMITS
) -> AsyncIterator[Home]:
    authors = Authors(Vault(new_master_key()), HOME)
    alice = await db.write(create_local_actor, authors, "alice", new_keys("alice"), profile)
    instance = await db.write(ensure_instance_actor, authors, new_keys("instance"))
    client = Client(settings, HOME, InstanceActor(db, authors), clock=clock)
    worker = DeliveryWorker(db, client, authors, HOME, clock, limits=limits)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(client.close)
        yield Home(db, clock, authors, alice, instance, client, worker)
