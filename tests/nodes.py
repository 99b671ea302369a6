"""Whole nodes on loopback, in this process: `node.app`'s own applications, databases, workers and clocks.

    async with cluster("a.example", "b.example", tls=True) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)

Over http a node's origin is its address on loopback; over https it is its name, found by the hosts map, with a
certificate that a test authority has issued. The workers are those of `node.worker`, stepped by `settled` until nobody
has anything left to do, so that a test waits for no clock. `Home.clock` moves the time of one node.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
import trustme
from aiohttp import web

from federation import operate
from federation.authors import create_local_actor, make_keys
from federation.storage import Tx
from federation.tables import activities, deliveries, follows, inbox_messages, objects
from node.accounts.rules import parse_setup
from node.accounts.setup import set_up
from node.accounts.tables import accounts
from node.app import lay_ground, settle, web_application
from node.context import Ground, Node
from node.profiles.commands import first_profile
from node.settings import Settings, load
from node.worker import workers
from tests.databases import place_sqlite
from tests.people import PASSWORD, Somebody
from tests.visitors import Hosts, Visitor

FIRST_ADDRESS = 2
"""Of 127.0.0.x: one for each node of a cluster."""

Watch = Callable[[web.Request], Awaitable[None]]
Databases = Callable[[], str]
"""A fresh database for a node, as its URL; empty for SQLite in the node's data folder."""


def sqlite() -> str:
    """SQLite in the data folder."""
    return ""


@cache
def authority() -> trustme.CA:
    """The test authority of this session."""
    return trustme.CA()


@dataclass
class Home:
    """A node, its place on loopback and its workers."""

    name: str
    address: str
    port: int
    tls: bool
    origin: str
    handle_domain: str
    settings: Settings
    ground: Ground
    up: bool = False
    hold: Watch | None = None
    """Awaited with every request before anything is done about it: a test may look, wait or raise."""
    answered: Watch | None = None
    """The same when everything is done and the answer would go out."""
    _node: Node | None = None
    _workers: tuple[Any, ...] = ()
    _runner: web.AppRunner | None = field(default=None, repr=False)
    _asked: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set whenever a request was answered."""

    @property
    def node(self) -> Node:
        """Once it is set up."""
        assert self._node is not None, f"{self.name} is not set up"
        return self._node

    @property
    def clock(self) -> Any:
        """Move it by setting `offset`, or with `later`."""
        return self.ground.clock

    def later(self, **much: float) -> None:
        """Move this node's clock on."""
        self.clock.offset += timedelta(**much)

    async def set_up(self, username: str, *, name: str = "", kind: str = "person") -> Somebody:
        """What `freehold setup` does; the node is then open."""
        form = {
            "origin": self.origin,
            "handle": username,
            "name": name or username.title(),
            "kind": kind,
            "handle_domain": self.handle_domain,
            "password": PASSWORD,
        }
        account = await set_up(self.ground.db, self.ground.vault, parse_setup(form))
        await self.open()
        return Somebody(self, account.actor_id, account.username)

    async def add(self, username: str) -> Somebody:
        """One more person, without a way to sign in."""
        keys = await asyncio.to_thread(make_keys)

        def write(tx: Tx) -> None:
            author = create_local_actor(tx, self.node.authors, username, keys, first_profile(tx, username, "person"))
            values = {"username": username, "actor_id": author.actor_id, "password": "", "created_at": tx.now}
            tx.execute(sa.insert(accounts).values(values))

        await self.node.db.write(write)
        return Somebody(self, self.node.ids.actor(username), username)

    async def open(self) -> None:
        """Build the node, as the server does after set-up, and listen."""
        self._node = await settle(self.ground)
        self._workers = workers(self._node)
        await self.listen()

    async def listen(self) -> None:
        """Answer (again)."""
        app = web_application(self.node)
        app.middlewares.append(self._held)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=5, shutdown_timeout=1)
        await self._runner.setup()
        context = self._certificate() if self.tls else None
        await web.TCPSite(self._runner, self.address, self.port, ssl_context=context, reuse_address=True).start()
        self.up = True

    async def go_dark(self) -> None:
        """Stop listening: whoever calls is refused. The node itself stays as it is."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner, self.up = None, False

    async def restart(self) -> None:
        """Close everything and start anew from what is stored."""
        await self.close()
        self.ground = await lay_ground(self.settings)
        await self.open()

    async def close(self) -> None:
        """Let go of everything."""
        await self.go_dark()
        if self._node is not None:
            await self._node.client.close()
            await self._node.canonicaliser.close()
        await self.ground.db.close()
        self._node, self._workers = None, ()

    async def step(self) -> int:
        """Send and take in what is due now; returns how much was done."""
        return sum([await worker.drain() for worker in self._workers])

    async def works_until(self, ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
        """Step whenever something came in from somebody whom the test does not step, until the answer is as wanted."""
        async with asyncio.timeout(30):
            while True:
                self._asked.clear()
                await settled(self)
                if await ask() == wanted:
                    return
                await self._asked.wait()

    async def takes(self, activity_id: str) -> Any:
        """Wait for an activity from outside, and for its effect; returns its row."""

        async def states() -> list[str]:
            return [row.state for row in await self.messages(activity_id)]

        await self.works_until(states, ["done"])
        return (await self.messages(activity_id))[0]

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        """Somebody with a browser."""
        context = ssl.create_default_context(cafile=self.settings.network.ca_file) if self.tls else False
        connector = aiohttp.TCPConnector(ssl=context, resolver=Hosts(self.settings.network.hosts))
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
            yield Visitor(self.place, http)

    @property
    def place(self) -> str:
        """Where it is reached from outside of the cluster: its origin may be a name that only the hosts map knows."""
        return f"https://{self.name}:{self.port}" if self.tls else f"http://{self.address}:{self.port}"

    # ---- what a test compares --------------------------------------------------------------------------------------

    async def rows(self, statement: sa.Executable) -> list[Any]:
        """Ask the database."""
        return list(await self.node.db.read(lambda tx: tx.rows(statement)))

    async def state(self, *, but: tuple[str, ...] = ()) -> dict[str, str]:
        """A digest of every table: two equal states are the same state."""
        tables = await self.node.db.read(operate.state)
        return {table.table: table.digest for table in tables if table.table not in but}

    async def object(self, object_id: str) -> Any:
        """What is stored at an id, or None."""
        found = await self.rows(sa.select(objects).where(objects.c.id == object_id))
        return found[0] if found else None

    async def follow_state(self, follower: str, followee: str) -> str | None:
        """requested | accepted | rejected, as this node sees it."""
        wanted = sa.and_(follows.c.follower == follower, follows.c.followee == followee)
        found = await self.rows(sa.select(follows.c.state).where(wanted))
        return found[0].state if found else None

    async def messages(self, activity_id: str | None = None) -> list[Any]:
        """What came in, oldest first: all of it, or the rows of one activity."""
        statement = sa.select(inbox_messages).order_by(inbox_messages.c.id)
        if activity_id is not None:
            statement = statement.where(inbox_messages.c.activity_id == activity_id)
        return await self.rows(statement)

    async def sent(self, kind: str | None = None) -> list[Any]:
        """What went out, oldest first."""
        statement = sa.select(activities).order_by(activities.c.published, activities.c.id)
        return await self.rows(statement if kind is None else statement.where(activities.c.type == kind))

    async def queue(self) -> list[Any]:
        """Deliveries that are not done."""
        return await self.rows(sa.select(deliveries).where(deliveries.c.state != "done").order_by(deliveries.c.id))

    @web.middleware
    async def _held(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.hold is not None:
            await self.hold(request)
        response = await handler(request)
        if self.answered is not None:
            await self.answered(request)
        self._asked.set()
        return response

    def _certificate(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(self.name, self.handle_domain or self.name).configure_cert(context)
        return context


async def settled(*homes: Home) -> None:
    """Let every node send and take in until none has anything left to do now."""
    async with asyncio.timeout(60):
        while sum([await home.step() for home in homes if home.up]):
            pass


@asynccontextmanager
async def cluster(
    *names: str,
    tls: bool = False,
    databases: Databases = sqlite,
    handle_domains: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> AsyncIterator[tuple[Home, ...]]:
    """Nodes of these names, not set up yet.

    handle_domains: where the handles of the first nodes live, if not at the node's own name. origins: what the first
    nodes believe to be their origin, wherever they listen. also: more entries of the hosts map, `name=address:port`.
    """
    data = Path(tempfile.mkdtemp(prefix="freehold-cluster-"))
    places = [(f"127.0.0.{FIRST_ADDRESS + number}", name) for number, name in enumerate(names)]
    ports = [free_port(address) for address, _ in places]
    hosts = ",".join(
        [f"{name}={address}:{port}" for (address, name), port in zip(places, ports, strict=True)] + [*also]
    )
    authority().cert_pem.write_to_path(data / "ca.pem")
    environ = {
        "FREEHOLD_HOSTS": hosts,
        "FREEHOLD_ALLOW_NETWORKS": "127.0.0.0/8",
        "FREEHOLD_CA_FILE": str(data / "ca.pem") if tls else "",
    }
    try:
        async with AsyncExitStack() as stack:
            homes = []
            for number, ((address, name), port) in enumerate(zip(places, ports, strict=True)):
                url = databases()
                if not url:
                    place_sqlite(data / name)
                settings = load(data / name, environ | {"FREEHOLD_DATABASE_URL": url})
                place = f"https://{name}" if tls else f"http://{address}:{port}"
                origin = origins[number] if number < len(origins) else place
                domain = handle_domains[number] if number < len(handle_domains) else ""
                home = Home(name, address, port, tls, origin, domain, settings, await lay_ground(settings))
                stack.push_async_callback(home.close)
                homes.append(home)
            yield tuple(homes)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def free_port(address: str) -> int:
    """A port that was free a moment ago: an origin must be known before anybody listens at it."""
    with socket.create_server((address, 0)) as probe:
        return int(probe.getsockname()[1])
