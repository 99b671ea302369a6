"""A node as people run it, behind real HTTP, and the servers of the others: what they are asked is written down."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web
from structlog.testing import capture_logs

from federation.authors import NewKeys, create_local_actor
from federation.bodies import DoorLimits
from federation.known_actors import store_actor
from federation.rates import Rate
from federation.storage import Tx
from federation.tables import actors, blocks, follows, inbox_messages
from keys import requests
from node.accounts import commands as accounts
from node.accounts.rules import parse_setup
from node.accounts.setup import set_up
from node.accounts.tables import accounts as account_rows
from node.app import lay_ground, settle, web_application
from node.context import Node
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from node.market.commands import publish_gig
from node.market.rules import parse_gig
from node.packs.commands import publish_pack
from node.profiles.commands import first_profile
from node.settings import load
from node.social.commands import post
from node.social.rules import parse_post
from node.worker import workers
from schemas.actors import parse_actor
from schemas.packs import Member
from schemas.terms import ACTIVITY_JSON, PUBLIC
from tests.fuzz import valid
from tests.fuzz.cases import Case
from tests.fuzz.cast import (
    ALICE,
    BOB,
    CANARY,
    CAROL,
    EVERYBODY,
    HOSTS,
    NODE,
    NOW,
    SENDERS,
    STRANGERS,
    VERA,
    Actor,
    key_of,
)
from tests.fuzz.valid import Document
from tests.people import GIG, MODULE, PASSWORD

WORLD, FORBIDDEN = "127.0.0.30", "127.0.0.45"
WITHOUT_LIMITS = Rate(per_second=1e9, burst=10**9)
LIMITS = DoorLimits(host=WITHOUT_LIMITS, failures=WITHOUT_LIMITS)
MAX_ROUNDS = 100
PAGES_OF_ALICE = (
    "/home", "/home?show=gig", "/home?show=module", "/home?show=post", "/notifications", "/messages", "/people",
    "/people/requests", "/gigs", "/learn", "/search?q=zq", "/search?q=report", "/tags/work", "/packs",
    "/settings/blocks", "/admin", "/admin/reports", "/admin/servers", "/profile/edit", "/@alice", "/",
    "/settings/lists/follows.csv",
)  # fmt: skip
PAGES_OF_ANYBODY = (
    "/", "/@alice", "/@carol", "/gigs", "/learn", "/tags/work", "/@alice/feed.atom", "/@alice/feed.json",
    "/@carol/feed.atom", "/gigs/feed.atom", "/gigs/feed.json", "/learn/feed.atom", "/learn/feed.json",
    "/tags/work/feed.atom", "/tags/work/feed.json", "/@alice/resume.json", "/@alice/availability.ics",
)  # fmt: skip
FOR_SERVERS = (
    "/users/alice", "/users/alice/outbox", "/users/alice/outbox?page=1", "/users/alice/followers",
    "/users/alice/following", "/users/alice/featured", "/users/carol/outbox", "/users/carol/followers",
    "/.well-known/webfinger?resource=acct:alice@localhost:8420", "/nodeinfo/2.1",
)  # fmt: skip


@dataclass
class Page:
    """What somebody saw. viewer: alice, carol or nobody."""

    viewer: str
    path: str
    status: int
    text: str


@dataclass
class World:
    """All other servers at one address: their documents, and what they were asked."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    knocks: list[str] = field(default_factory=list)
    """At the forbidden address."""

    async def answer(self, request: web.Request) -> web.Response:
        address = f"http://{request.host}{request.path_qs}"
        if request.method == "POST":
            return web.Response(status=202)
        self.asked.add(address)
        found = self.documents.get(address)
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found, headers={"Content-Type": ACTIVITY_JSON})

    async def canary(self, request: web.Request) -> web.Response:
        self.knocks.append(f"{request.method} {request.host}{request.path_qs}")
        return web.Response(status=204)


@dataclass
class Arena:
    """The node and all around it. ours: what of the people here others may speak of, by kind."""

    node: Node
    place: str
    http: aiohttp.ClientSession
    world: World
    stepped: Sequence[Any]
    sessions: dict[str, str]
    ours: dict[str, str]
    errors: list[Any]

    async def post(self, case: Case) -> int:
        """Through the door, truly signed; returns the status."""
        for address, body in case.served:
            self.world.documents[address] = body
        return await self.send(case.signer, case.body, path=case.path, scheme=case.scheme)

    async def send(
        self, signer: Actor, body: bytes, *, path: str = "/inbox", scheme: requests.Scheme = "rfc9421"
    ) -> int:
        """Post exactly this, signed by somebody."""
        own = (("content-type", ACTIVITY_JSON), ("host", NODE.partition("://")[2]))
        request = requests.Request("POST", NODE + path, own, body)
        added = requests.sign(request, signer.key_id, signer.key, scheme, self.node.clock.now())
        async with self.http.post(self.place + path, data=body, headers=dict(own) | added) as response:
            await response.read()
            return response.status

    async def settle(self) -> None:
        """Let every worker do what there is to do, also what was put off for a moment."""
        waiting = sa.select(sa.func.count()).where(inbox_messages.c.state == "pending", inbox_messages.c.attempts == 0)
        for _ in range(MAX_ROUNDS):
            while sum([await worker.drain() for worker in self.stepped]):
                pass
            if not await self.node.db.read(lambda tx: tx.scalar(waiting)):
                return
            self.node.clock.offset += timedelta(seconds=3)

    async def rows(self, statement: sa.Executable) -> list[Any]:
        return list(await self.node.db.read(lambda tx: tx.rows(statement)))

    async def look(self, things: Sequence[str]) -> list[Page]:
        """Every page that shows what came, as alice, as carol and as nobody; things: that came."""
        people = tuple(f"/@{actor.name}@{actor.host}" for actor in EVERYBODY)
        seen = tuple(f"/seen?id={quote(thing, safe='')}" for thing in things)
        own = tuple(_page(thing) for thing in self.ours.values())
        pages = [await self.get("alice", path) for path in (*PAGES_OF_ALICE, *people, *seen, *own)]
        pages += [await self.get("alice", path) for path in _conversations(pages)]
        pages += [await self.get("alice", path) for path in _earlier(pages)]
        pages += [await self.get("carol", path) for path in ("/home", "/notifications", "/messages", *people, *seen)]
        pages += [await self.get("carol", path) for path in _conversations(pages[-len(seen) - 10 :])]
        pages += [await self.get("nobody", path) for path in (*PAGES_OF_ANYBODY, *people, *seen, *own)]
        about = [f"{thing.removeprefix(NODE)}{end}" for thing in self.ours.values() for end in ("", *COLLECTIONS)]
        pages += [await self.get("nobody", path, ACTIVITY_JSON) for path in (*FOR_SERVERS, *about)]
        return pages

    async def get(self, viewer: str, path: str, accept: str = "text/html") -> Page:
        cookies = {"freehold": self.sessions[viewer]} if viewer in self.sessions else {}
        headers = {"Accept": accept, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        async with self.http.get(self.place + path, headers=headers, allow_redirects=False) as response:
            return Page(viewer, path, response.status, await response.text())

    async def make_up(self) -> None:
        """Bring back what quarrels have ended, so that the next ones are heard: follows, and who was gone."""
        await self.node.db.write(_befriend, SENDERS)


COLLECTIONS = ("/replies", "/likes", "/shares")


def _page(thing: str) -> str:
    owner, kind, name = thing.rsplit("/", 2)
    return f"/@{owner.rpartition('/')[2]}/{kind}/{name}"


def _conversations(pages: Sequence[Page]) -> list[str]:
    found = [
        re.findall(r'href="(/messages/[0-9a-z]{10,}[^"]*)"', page.text) for page in pages if page.path == "/messages"
    ]
    return [path for paths in found for path in dict.fromkeys(paths)][:30]


def _earlier(pages: Sequence[Page]) -> list[str]:
    """The second page of each list that has one."""
    found = [re.search(r'href="([^"]*[?&;]before=[^"]*)"', page.text) for page in pages]
    return list(dict.fromkeys(match[1].replace("&amp;", "&") for match in found if match is not None))


def _befriend(tx: Tx, people: Sequence[Actor] = EVERYBODY) -> None:
    names = [actor.id for actor in people]
    tx.execute(sa.delete(blocks).where(blocks.c.actor.in_(names)))
    tx.execute(sa.update(actors).where(actors.c.id.in_(names)).values(gone_at=None))
    wanted = [(actor.id, ALICE) for actor in people if actor.follows]
    wanted += [(ALICE, actor.id) for actor in people if actor.followed]
    state = {"state": "accepted", "created_at": tx.now, "decided_at": tx.now}
    for follower, followee in wanted:
        row = {"follower": follower, "followee": followee} | state
        row["activity_id"] = f"{follower}/follows/{followee.rpartition('/')[2]}"
        insert = tx.insert(follows).values(row)
        tx.execute(insert.on_conflict_do_update(index_elements=["follower", "followee"], set_=row))


# ---- how it comes to be


@asynccontextmanager
async def arena(data: Path, database_url: str = "") -> AsyncIterator[Arena]:
    """A fresh one. data: an empty folder; database_url: of an empty database, else SQLite in the folder."""
    world = World({actor.id: json.dumps(actor.document()).encode() for actor in EVERYBODY})
    async with _listening(WORLD, world.answer) as port, _listening(FORBIDDEN, world.canary) as forbidden:
        hosts = [f"{host}={WORLD}:{port}" for host in (*HOSTS, *STRANGERS)] + [f"{CANARY}={FORBIDDEN}:{forbidden}"]
        environ = {"FREEHOLD_HOSTS": ",".join(hosts), "FREEHOLD_ALLOW_NETWORKS": f"{WORLD}/32"}
        ground = await lay_ground(load(data, environ | {"FREEHOLD_DATABASE_URL": database_url}))
        ground.clock.offset = NOW - datetime.now(UTC)
        form = {"origin": NODE, "handle": "alice", "name": "Alice", "kind": "person", "handle_domain": ""}
        await set_up(ground.db, ground.vault, parse_setup(form | {"password": PASSWORD, "sure": "yes"}))
        node = await settle(ground)
        try:
            with capture_logs() as logs:
                async with _serving(node) as place, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
                    sessions = await node.db.write(_move_in, node)
                    ours = await _publish(node)
                    made = Arena(node, place, http, world, workers(node), sessions, ours, logs)
                    await _meet(made)
                    yield made
        finally:
            await node.client.close()
            await ground.db.close()


@asynccontextmanager
async def _listening(address: str, handler: Any) -> AsyncIterator[int]:
    listener = socket.create_server((address, 0))
    app = web.Application(client_max_size=4_000_000)
    app.router.add_route("*", "/{rest:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield int(listener.getsockname()[1])
    await runner.cleanup()


@asynccontextmanager
async def _serving(node: Node) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(web_application(node, limits=LIMITS), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await runner.cleanup()


def _move_in(tx: Tx, node: Node) -> dict[str, str]:
    """Carol comes to live here too, and both sign in; returns the secrets of their sessions."""
    keys = NewKeys(node.authors.load(tx, ALICE).rsa, key_of(CAROL))
    author = create_local_actor(tx, node.authors, "carol", keys, first_profile(tx, "carol", "person"))
    values = {"username": "carol", "actor_id": author.actor_id, "password": "", "created_at": tx.now}
    tx.execute(sa.insert(account_rows).values(values))
    rows = tx.rows(sa.select(account_rows.c.id, account_rows.c.username))
    return {row.username: accounts.open_session(tx, row.id) for row in rows}


async def _publish(node: Node) -> dict[str, str]:
    """What the people here have said before, under ids that are always the same."""
    numbers = count(1)
    vera = parse_actor(VERA.document())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("federation.ids.new_id", lambda now: f"{next(numbers):026d}")

        def write(tx: Tx) -> dict[str, str]:
            store_actor(tx, vera, "delivered")
            alice, carol = node.authors.load(tx, ALICE), node.authors.load(tx, CAROL)
            today = node.clock.now().date()
            made = {
                audience: post(tx, alice, parse_post({"body": f"ours {audience}", "audience": audience}))
                for audience in ("public", "unlisted", "followers")
            }
            draft = parse_post({"body": "ours direct", "audience": "direct", "to": "@vera@three.example"})
            made["direct"] = post(tx, alice, draft, vera)
            made["gig"] = publish_gig(tx, alice, parse_gig(GIG, today))
            made["module"] = publish_module(tx, alice, parse_module(MODULE))
            made["pack"] = publish_pack(tx, alice, "People", "", [Member(BOB.id, "bob@one.example")])
            made["carol"] = post(tx, carol, parse_post({"body": "ours carol", "audience": "public"}))
            return made

        return await node.db.write(write)


async def _meet(arena: Arena) -> None:
    """Everybody is known, follows and is followed; and vera has said what nobody else may touch."""

    def know(tx: Tx) -> None:
        for actor in EVERYBODY:
            store_actor(tx, parse_actor(actor.document()), "delivered")
        _befriend(tx)

    await arena.node.db.write(know)
    for body in _of_vera(arena.ours):
        assert await arena.send(VERA, json.dumps(body).encode()) == 202
    await arena.settle()


def _of_vera(ours: dict[str, str]) -> list[Document]:
    """Things of every kind, open and secret; two likes and a boost."""
    secret = (VERA.followers,)
    brought = (
        (valid.note, "notes/0", (PUBLIC, VERA.followers)),
        (valid.note, "notes/1", secret),
        (valid.note, "notes/2", (ALICE,)),
        (valid.gig, "gigs/0", (PUBLIC,)),
        (valid.module, "learn/0", (PUBLIC,)),
        (valid.question, "notes/3", (PUBLIC,)),
        (valid.card, "cards/0", secret),
    )
    said = []
    for number, (write, name, to) in enumerate(brought):
        pen = valid.Pen(Random(number), number, VERA, {"nothing": f"{ALICE}/posts/0"})
        thing = write(pen) | {"id": f"{VERA.id}/{name}", "to": list(to), "cc": []}
        words = "vera" if PUBLIC in to else "vera's secret"
        said.append(json.loads(json.dumps(pen.brought("Create", thing)).replace(pen.mark, words)))
    for number, (verb, what) in enumerate((("Like", "public"), ("Announce", "public"), ("Like", "gig")), len(brought)):
        said.append(valid.Pen(Random(number), number, VERA, ours).said(verb, ours[what], PUBLIC))
    return said
