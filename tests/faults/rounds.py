"""Rounds of load, SIGKILL and restart on one node: `test_rounds.py` does a few, `make faults` hundreds.

A round begins with a start, in which the last one's kill is looked at: those elsewhere send again what got no answer,
the node comes to rest, and everything in `checks` must hold. Then everybody acts at once, and the process is killed:
while it starts, between two promises, or when it has promised everything and has yet to do most of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import aiohttp
import sqlalchemy as sa

from federation.clock import Clock
from federation.queue import LEASE
from tests.faults import checks
from tests.faults.crowd import Neighbour, befriend, neighbours
from tests.faults.load import Crowd, Ledger, Mouths
from tests.faults.waiting import until
from tests.people import PASSWORD
from tests.processes import COLD, Place, Server
from tests.visitors import Visitor

SENDING, FOLLOWING = 4, 4
INCOMING, POSTS = 24, 5
OF_COMMANDS = 0.15  # rounds in which somebody also posts by command
OF_STARTS = 0.15  # kills while it starts
OF_JUMPS = 0.2  # starts by a clock that is wrong, or right again (SECURITY 175)
HOURS = (-72.0, -2.0, 0.0, 2.0, 72.0)
START_SECONDS = 1.5 if COLD else 0.6  # about how long that takes
AFTER_SECONDS = 0.06  # a kill comes at most so long after a promise


@dataclass
class Report:
    """What some rounds have come to."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    said: int = 0
    published: int = 0
    arrived: int = 0
    again: int = 0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: Report) -> Report:
        return Report(
            self.rounds + other.rounds,
            self.kills + other.kills,
            self.answers + other.answers,
            self.said + other.said,
            self.published + other.published,
            self.arrived + other.arrived,
            self.again + other.again,
            self.wrong + other.wrong,
        )

    def __str__(self) -> str:
        kills = ", ".join(f"{when} {many}" for when, many in sorted(self.kills.items()))
        return (
            f"{self.rounds} rounds ({kills}); {self.said:,} activities and {self.published:,} posts acknowledged; "
            f"{self.arrived:,} deliveries arrived, {self.again:,} of them once more"
        )


@dataclass
class Arena:
    """A node's place, and everybody around it."""

    place: Place
    clock: Clock
    senders: list[Neighbour]
    base: list[Neighbour]
    crowd: Crowd
    mouths: Mouths
    random: Random
    report: Report = field(default_factory=Report)
    loads: int = 0

    @property
    def local(self) -> str:
        return f"{self.place.origin}/users/alice"

    def environ(self) -> dict[str, str]:
        """The node's clock is that of everybody."""
        return {"FREEHOLD_CLOCK_OFFSET": str(int(self.clock.offset.total_seconds()))}

    async def rounds(self, count: int, told: Callable[[Report], None] = lambda report: None) -> Report:
        """So many, and a last look. Ends at the first thing that is wrong. told: after each."""
        for _ in range(count):
            await self.one()
            told(self.report)
            if self.report.wrong:
                return self.report
        async with self.place.serving(**self.environ()) as server:
            await self.look()
            if not self.report.wrong and await server.stop() != 0:
                self.report.wrong.append("it did not stop when asked")
        return self.report

    async def one(self) -> None:
        """A round; see the module's docstring."""
        async with self.place.serving(**self.environ()) as server:
            await self.look()
            token = await self.visitor_token()
            if self.report.wrong:
                return
            await self.load_and_kill(server, token)
        self.report.rounds += 1
        if self.random.random() < OF_STARTS:
            await self.kill_a_start()
        self.move_clock()

    def move_clock(self) -> None:
        """Now and then it jumps; on PostgreSQL it goes on until what the dead process had in hand is anybody's."""
        before = self.clock.offset
        if self.random.random() < OF_JUMPS:
            self.clock.offset = timedelta(hours=self.random.choice(HOURS))
            self.crowd.ledger.clock_jumps()
        if self.place.database_url and self.clock.offset == before:  # it can jump to where it is
            self.clock.offset += LEASE + timedelta(seconds=1)

    def wrong(self, now: checks.Kept) -> list[str]:
        """What must not be as it is, of what stands in the database and of what came to others."""
        return list(checks.wrong(now, self.crowd.ledger, self.base, self.base + self.senders))

    async def look(self) -> None:
        """Let the node come to rest, and look at everything."""
        ledger = self.crowd.ledger
        await self.crowd.again()
        try:
            await until(lambda: self.place.rows(sa.select(checks.RESTLESS.subquery())), [])
        except AssertionError as error:
            self.report.wrong.append(f"it does not come to rest: {error}")
        now = await checks.kept(self.place, self.local)
        self.report.wrong += self.wrong(now)[:20]
        ledger.posts = sorted(now.sources)
        everybody = self.base + self.senders
        self.report.said, self.report.published = len(ledger.taken), len(ledger.published)
        self.report.answers = ledger.statuses
        self.report.arrived = sum(len(neighbour.bodies) for neighbour in everybody)
        self.report.again = sum(sum(neighbour.times.values()) for neighbour in everybody) - self.report.arrived
        if not self.place.database_url:
            broken = await self.place.rows(sa.text("PRAGMA integrity_check"))
            self.report.wrong += [str(row) for row in broken if tuple(row) != ("ok",)]

    async def visitor_token(self) -> str:
        return await self.crowd.visitor.token("/posts/new")

    def acts(self, token: str, heard: Callable[[], None] = lambda: None) -> list[Coroutine[Any, Any, None]]:
        """What everybody does in a round, to be done at once. heard: called with each promise."""
        said = [self.mouths.say(self.crowd.ledger) for _ in range(INCOMING)]
        acts: list[Coroutine[Any, Any, None]] = [self.crowd.send(one, heard) for one in said]
        self.loads += 1
        acts += [self.crowd.publish(token, f"Load {self.loads}, {number}.", heard) for number in range(POSTS)]
        if self.random.random() < OF_COMMANDS:
            acts.append(self.crowd.command(f"By command, load {self.loads}.", heard))
        self.random.shuffle(acts)
        return acts

    async def act(self, token: str, heard: Callable[[], None] = lambda: None) -> None:
        """Everybody at once, and nobody is killed."""
        await asyncio.gather(*self.acts(token, heard))

    async def load_and_kill(self, server: Server, token: str) -> None:
        """Everybody at once; a kill after a number of promises, and a moment."""
        promises, enough = 0, asyncio.Event()
        wanted = self.random.randint(1, INCOMING + POSTS)

        def heard() -> None:
            nonlocal promises
            promises += 1
            if promises >= wanted:
                enough.set()

        acting = asyncio.gather(*self.acts(token, heard))
        waiting = asyncio.create_task(enough.wait())
        await asyncio.wait([acting, waiting], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(self.random.random() * AFTER_SECONDS)  # the moment is the test
        self.report.kills["when all was said" if acting.done() else "under load"] += 1
        await server.kill()
        waiting.cancel()
        await acting

    async def kill_a_start(self) -> None:
        """It has hardly begun when it is killed again."""
        server = await self.place.start(**self.environ())
        await asyncio.sleep(self.random.random() * START_SECONDS)
        await server.kill()
        self.report.kills["while it starts"] += 1


@asynccontextmanager
async def arena(place: Place, seed: int) -> AsyncIterator[Arena]:
    """A fresh node, set up, with followers and with people whom alice follows."""
    random, clock = Random(seed), Clock()
    async with neighbours(SENDING + FOLLOWING, clock) as around:
        senders, base = around[:SENDING], around[SENDING:]
        local = await place.set_up("alice")
        known = [neighbour.person("ann") for neighbour in senders]
        fans = [neighbour.person(name) for neighbour in base for name in ("bea", "ben")]
        await befriend(place, local, follows_them=known, followed_by=fans)
        strangers = [neighbour.person("sam") for neighbour in senders]
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession() as http, aiohttp.ClientSession(cookie_jar=jar) as browser:
            visitor = Visitor(place.origin, browser)
            async with place.serving():
                await visitor.submit("/sign-in", name="alice", password=PASSWORD)
            mouths = Mouths(local, known, strangers, random)
            yield Arena(place, clock, senders, base, Crowd(place, http, visitor, Ledger()), mouths, random)
