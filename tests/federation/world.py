"""A node's federation behind real HTTP, and other servers that talk to it, all on loopback.

The node is at 127.0.0.1, peers are at 127.0.0.2 and up, each with its own port: real sockets, real signatures, real
databases. A peer remembers every request that it gets, so a test can say that nothing left the node.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from federation import operate
from federation.authors import (
    Author,
    Authors,
    InstanceActor,
    NewKeys,
    create_local_actor,
    ensure_instance_actor,
)
from federation.bodies import DEFAULT_LIMITS, DoorLimits
from federation.client import Client, ClientSettings
from federation.clock import Clock, iso
from federation.effects import Effects
from federation.fetches import DEFAULT_LIMITS as DEFAULT_FETCH_LIMITS
from federation.fetches import FetchLimits
from federation.handlers import Table
from federation.ids import Ids
from federation.inbox import InboxWorker
from federation.objects import store_object
from federation.policy import Policy
from federation.resolve import Resolver
from federation.routes import doors, federation_routes
from federation.storage import Database, Tx
from federation.tables import follows, host_rules, inbox_messages
from federation.types import Received
from keys import requests
from keys.material import PrivateKey, generate_ed25519, generate_rsa
from keys.proofs import add_proof
from keys.vault import Vault, new_master_key
from schemas.actors import ActorDraft, write_actor
from schemas.terms import ACTIVITY_JSON, ACTOR_CONTEXT, AS_CONTEXT, DATA_INTEGRITY_V1, PUBLIC

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is decided before a database is asked, and tried with many values: one kind of database is enough."""


@cache
def rsa(name: str) -> PrivateKey:
    """One RSA key a name for the whole session: making one takes long."""
    return generate_rsa()


@cache
def ed25519(name: str) -> PrivateKey:
    return generate_ed25519()


@dataclass
class RemoteActor:
    """Somebody on a peer, who signs."""

    peer: Peer
    name: str
    rsa: PrivateKey
    ed25519: PrivateKey
    counter: int = 0

    @property
    def id(self) -> str:
        return f"{self.peer.origin}/users/{self.name}"

    @property
    def key_id(self) -> str:
        return f"{self.id}#main-key"

    @property
    def proof_key_id(self) -> str:
        return f"{self.id}#ed25519-key"

    @property
    def followers(self) -> str:
        return f"{self.id}/followers"

    def document(self, **changes: Any) -> dict[str, Any]:
        return {
            "@context": ACTOR_CONTEXT,
            "id": self.id,
            "type": "Person",
            "preferredUsername": self.name,
            "name": self.name.title(),
            "inbox": f"{self.id}/inbox",
            "outbox": f"{self.id}/outbox",
            "followers": self.followers,
            "publicKey": {"id": self.key_id, "owner": self.id, "publicKeyPem": self.rsa.public.pem},
            "assertionMethod": [
                {
                    "id": self.proof_key_id,
                    "type": "Multikey",
                    "controller": self.id,
                    "publicKeyMultibase": self.ed25519.public.multibase,
                }
            ],
        } | changes

    def publish(self, **changes: Any) -> None:
        """Serve (again) the actor document."""
        self.peer.documents[f"/users/{self.name}"] = self.document(**changes)

    def new_id(self, kind: str) -> str:
        self.counter += 1
        return f"{self.id}/{kind}/{self.counter}"

    def note(self, text: str = "hello", *, to: Any = (PUBLIC,), **more: Any) -> dict[str, Any]:
        return {
            "@context": [AS_CONTEXT, DATA_INTEGRITY_V1],
            "id": self.new_id("notes"),
            "type": "Note",
            "attributedTo": self.id,
            "content": f"<p>{text}</p>",
            "published": iso(self.peer.clock.now()),
            "to": list(to) if isinstance(to, list | tuple) else to,
            "cc": [],
        } | more

    def activity(self, verb: str, obj: Any, **more: Any) -> dict[str, Any]:
        to = obj.get("to", [PUBLIC]) if isinstance(obj, dict) else [PUBLIC]
        return {
            "@context": [AS_CONTEXT, DATA_INTEGRITY_V1],
            "id": self.new_id("activities"),
            "type": verb,
            "actor": self.id,
            "object": obj,
            "to": to,
        } | more

    def prove(self, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
        now = self.peer.clock.now()
        return add_proof(document, self.ed25519, changes.get("method", self.proof_key_id), now)

    def signed_headers(
        self,
        url: str,
        body: bytes | None,
        *,
        scheme: requests.Scheme = "rfc9421",
        at: datetime | None = None,
        method: str = "POST",
        key_id: str | None = None,
        key: PrivateKey | None = None,
    ) -> dict[str, str]:
        headers = () if body is None else (("content-type", ACTIVITY_JSON),)
        request = requests.Request(method, url, headers, body)
        now = at or self.peer.clock.now()
        added = requests.sign(request, key_id or self.key_id, key or self.rsa, scheme, now)
        return dict(headers) | {name.lower(): value for name, value in added.items()}


@dataclass
class Peer:
    """Another server: serves documents, takes what is posted, remembers what it was asked."""

    origin: str
    clock: Clock
    documents: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    content_type: str = ACTIVITY_JSON
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None
    """While it is set up and not set, every GET waits for it."""

    def actor(self, name: str = "bob") -> RemoteActor:
        actor = RemoteActor(self, name, rsa(name), ed25519(name))
        actor.publish()
        return actor

    def serve(self, document: dict[str, Any]) -> None:
        """Serve a document at its id."""
        self.documents[document["id"].removeprefix(self.origin)] = document

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.was_asked.set()
        if request.method == "POST":
            self.taken.append(await request.json())
            return web.Response(status=202)
        if self.hold is not None:
            await self.hold.wait()
        found = self.documents.get(request.path_qs)
        if found is None:
            return web.Response(status=404)
        if isinstance(found, int):
            return web.Response(status=found)
        body = json.dumps(found).encode()
        return web.Response(body=body, headers={"Content-Type": self.content_type})


def listening(address: str) -> socket.socket:
    """A socket on a free port, so that an origin is known before what is served there."""
    return socket.create_server((address, 0))


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    try:
        yield
    finally:
        await runner.cleanup()


def origin_of(listener: socket.socket) -> str:
    address, port = listener.getsockname()
    return f"http://{address}:{port}"


@asynccontextmanager
async def peer_at(address: str, clock: Clock) -> AsyncIterator[Peer]:
    listener = listening(address)
    peer = Peer(origin_of(listener), clock)
    app = web.Application(client_max_size=4_000_000)
    app.router.add_route("*", "/{rest:.*}", peer.handle)
    async with serving(app, listener):
        yield peer


@dataclass
class World:
    """Our node, open to requests, with a local alice."""

    db: Database
    clock: Clock
    ids: Ids
    authors: Authors
    policy: Policy
    resolver: Resolver
    worker: InboxWorker
    http: aiohttp.ClientSession
    handled: list[Received]
    deleted: list[str]
    peers: list[Peer]

    @property
    def alice(self) -> str:
        return self.ids.actor("alice")

    async def post(
        self,
        actor: RemoteActor,
        activity: dict[str, Any] | bytes,
        *,
        path: str = "/inbox",
        headers: dict[str, str] | None = None,
        **signing: Any,
    ) -> int:
        """Post as the actor, signed; returns the status."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        signed = actor.signed_headers(self.ids.origin + path, body, **signing)
        return await self.send(body, signed | (headers or {}), path=path)

    async def send(self, body: bytes, headers: dict[str, str], *, path: str = "/inbox") -> int:
        """Post exactly this."""
        async with self.http.post(self.ids.origin + path, data=body, headers=headers) as response:
            await response.read()
            return response.status

    async def deliver(self, actor: RemoteActor, activity: dict[str, Any], **how: Any) -> str:
        """Post, expect 202, let the worker take it; returns what became of the message."""
        assert await self.post(actor, activity, **how) == 202
        await self.worker.drain()
        return await self.fate(activity["id"])

    async def eventually(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait, at most ten seconds, for what loops in the background bring about."""
        for _ in range(500):
            if await holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not come about")

    async def settle(self) -> None:
        """Let the worker take everything, also what it has put off for a moment."""
        put_off = sa.select(inbox_messages.c.id).where(
            inbox_messages.c.state == "pending", inbox_messages.c.attempts == 0
        )
        await self.worker.drain()
        while await self.rows(put_off):
            self.clock.offset += timedelta(seconds=3)
            await self.worker.drain()

    async def fate(self, activity_id: str) -> str:
        """`state: reason` of a message."""
        wanted = inbox_messages.c.activity_id.in_((activity_id, f"forwarded:{activity_id}"))
        row = await self.db.read(lambda tx: tx.row(sa.select(inbox_messages).where(wanted)))
        assert row is not None, f"{activity_id} was not stored"
        return row.state if row.reason is None else f"{row.state}: {row.reason}"

    async def rows(self, statement: sa.Executable) -> list[Any]:
        return list(await self.db.read(lambda tx: tx.rows(statement)))

    async def quiet(self, topic: str) -> None:
        """Return once all that was notified on a topic has been heard."""
        heard = asyncio.Event()
        marker = f"quiet-{id(heard)}"
        self.db.subscribe(topic, lambda payload: heard.set() if payload == marker else None)
        await self.db.write(lambda tx: tx.notify(topic, marker))
        await asyncio.wait_for(heard.wait(), 5)

    async def local_actor(self, name: str) -> Author:
        """Somebody more on our node."""
        keys = NewKeys(rsa(f"local {name}"), ed25519(f"local {name}"))
        return await self.db.write(create_local_actor, self.authors, name, keys, self._profile)

    def _profile(self, author: Author) -> dict[str, Any]:
        return write_actor(
            ActorDraft(
                id=author.actor_id,
                type="Person",
                username=author.username,
                name=author.username.title(),
                summary="",
                url=self.ids.page(author.username),
                inbox=author.inbox,
                shared_inbox=self.ids.shared_inbox,
                published=iso(self.clock.now()),
                acct=self.ids.acct(author.username),
                keys=author.keys,
            )
        )

    async def follow(self, actor: RemoteActor, follower: str | None = None) -> str:
        """alice (or another) follows a remote actor, and was accepted; returns the id of the Follow."""
        follow_id = f"{follower or self.alice}/follows/{actor.name}"

        def accepted(tx: Tx) -> None:
            values = {"follower": follower or self.alice, "followee": actor.id, "activity_id": follow_id}
            tx.execute(tx.insert(follows).values(values | {"state": "accepted", "created_at": tx.now}))

        await self.db.write(accepted)
        return follow_id

    async def block(self, host: str) -> None:
        """The operator blocks a host."""

        def rule(tx: Tx) -> None:
            tx.execute(tx.insert(host_rules).values(host=host, rule="block", created_at=tx.now))

        await self.db.write(rule)
        await self.db.read(self.policy.load)

    async def know(self, *remote: RemoteActor) -> None:
        """Meet actors beforehand, so that their keys are cached and nothing has to be fetched."""
        for actor in remote:
            await self.resolver.key(actor.key_id)

    async def state(self, *, but: Iterable[str] = ()) -> dict[str, str]:
        """A digest of every table."""
        tables = await self.db.read(operate.state)
        return {state.table: state.digest for state in tables if state.table not in but}

    @asynccontextmanager
    async def nothing_happens(self, *, key_of: RemoteActor | None = None) -> AsyncIterator[None]:
        """No row changes and no request leaves the node, but, where said, the one for a signer's key."""
        await self.worker.drain()
        but = ("actors", "actor_keys") if key_of else ()
        before, asked = await self.state(but=but), self._asked(key_of)
        yield
        await self.worker.drain()
        assert await self.state(but=but) == before
        assert self._asked(key_of) == asked

    def _asked(self, key_of: RemoteActor | None) -> list[str]:
        own = f"GET /users/{key_of.name}" if key_of else None
        return [
            f"{peer.origin} {line}"
            for peer in self.peers
            for line in peer.asked
            if not (key_of and peer is key_of.peer and line == own)
        ]


PEER_ADDRESSES = tuple(ip_network(f"127.0.0.{number}") for number in range(2, 41))


def remembering(handled: list[Received]) -> Table:
    """Handlers of a product that keeps every note and remembers what it was given."""

    def keep(tx: Tx, received: Received, authors: Authors) -> None:
        handled.append(received)
        if received.object is not None and received.object.get("type") == "Note":
            store_object(tx, received, "post")

    return {("Create", "*"): keep, ("Update", "Note"): keep, ("Announce", "*"): keep}


@asynccontextmanager
async def world_on(
    db: Database,
    clock: Clock,
    peers: list[Peer],
    *,
    limits: DoorLimits = DEFAULT_LIMITS,
    fetch_limits: FetchLimits = DEFAULT_FETCH_LIMITS,
    handlers: Table | None = None,
    authorised: bool = False,
    at_the_door: bool = False,
) -> AsyncIterator[World]:
    """Our node on 127.0.0.1 with alice on it. at_the_door: what can have its effect there has it."""
    handled: list[Received] = []
    deleted: list[str] = []

    def on_deleted(tx: Tx, object_ids: Sequence[str]) -> None:
        deleted.extend(object_ids)

    listener = listening("127.0.0.1")
    origin = origin_of(listener)
    ids = Ids(origin, origin.removeprefix("http://"))
    authors, policy = Authors(Vault(new_master_key()), ids), Policy()
    await db.write(ensure_instance_actor, authors, NewKeys(rsa("instance"), ed25519("instance")))
    client = Client(ClientSettings(allow_networks=PEER_ADDRESSES, allow_http=True), ids, InstanceActor(db, authors))
    resolver = Resolver(db, client, ids, clock, policy, limits=fetch_limits)
    table = remembering(handled) if handlers is None else handlers
    effects = Effects(ids, authors, table, policy, deleted=on_deleted)
    worker = InboxWorker(db, resolver, ids, policy, effects)
    app = web.Application()
    doorway = doors(
        db,
        ids,
        resolver,
        policy,
        version="0",
        limits=limits,
        effects=effects if at_the_door else None,
        deleted=on_deleted,
        authorised=authorised,
    )
    app.add_routes(federation_routes(doorway))
    async with serving(app, listener), aiohttp.ClientSession() as http:
        world = World(db, clock, ids, authors, policy, resolver, worker, http, handled, deleted, peers)
        await world.local_actor("alice")
        yield world
    await client.close()
