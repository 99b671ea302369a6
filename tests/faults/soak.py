"""`make soak`, or `python -m tests.faults.soak`: steady work for a while, after which nothing may have grown.

One node, as people run it. Fifty people elsewhere send to it, with object proofs and without; pages are looked at; and
somebody posts to followers on servers of which some answer, one is slow, one takes connections and never says a word,
and some are not there. Memory, file descriptors, threads and asyncio tasks of the node are sampled every second.

How it decides: after a warm-up (two fifths of the time, at most five minutes; four times the load, so that the
database's page caches are full), the Theil-Sen line through the medians
of 24 windows must not rise over the rest by more than `ALLOWED`. Besides, whoever works has every post within
`SERVED_SECONDS`, whatever the others do, and nobody gets a 5xx.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp

from federation.clock import Clock
from schemas.terms import ACTIVITY_JSON
from tests.faults.crowd import Neighbour, befriend, neighbours, post
from tests.faults.trends import Sample, trend
from tests.federation.world import RemoteActor, ed25519, rsa
from tests.nodes import free_port
from tests.people import PASSWORD
from tests.processes import Place, place
from tests.visitors import Visitor

SENDERS, SENDING_HOSTS = 50, 10
GOOD, DEAD = 5, 5
CREATES, PAGES, POSTS = 8.0, 4.0, 0.4
"""A second."""
LOOKED_AT = (
    ("/home", "text/html"),
    ("/@alice", "text/html"),
    ("/users/alice", ACTIVITY_JSON),
    ("/nodeinfo/2.1", "*/*"),
)
SLOW_SECONDS = 4.0
SERVED_SECONDS = 5.0
WARM_UP, LONGEST_WARM_UP, WARMER = 0.4, 300.0, 4.0
ALLOWED = {
    "memory, MB": lambda middle: max(4.0, 0.04 * middle),
    "descriptors": lambda middle: max(4.0, 0.05 * middle),
    "threads": lambda middle: 1.0,
    "tasks": lambda middle: max(4.0, 0.05 * middle),
}
"""By how much a figure may rise, from what it is in the middle."""


@dataclass
class Soak:
    """What happens, and what was seen. samples: of each figure. lags: seconds from a post to each server that works."""

    place: Place
    pid: int
    http: aiohttp.ClientSession
    visitor: Visitor
    senders: list[RemoteActor]
    random: Random
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name: [] for name in ALLOWED})
    answers: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    posted: list[float] = field(default_factory=list)

    # ---- what they do

    async def create(self) -> None:
        sender = self.random.choice(self.senders)
        note = sender.note(f"number {sender.counter}")
        activity = sender.activity("Create", note)
        if self.random.random() < 0.5:
            activity = sender.prove(sender.activity("Create", sender.prove(note)))
        status = await post(self.http, f"{self.place.origin}/inbox", sender, json.dumps(activity).encode())
        self.answers[f"create {status}"] += 1

    async def look(self) -> None:
        path, accept = self.random.choice(
            (
                ("/home", "text/html"),
                ("/@alice", "text/html"),
                ("/users/alice", ACTIVITY_JSON),
                ("/nodeinfo/2.1", "*/*"),
            )
        )
        headers = {"Accept": accept}
        async with self.visitor.http.get(f"{self.place.origin}{path}", headers=headers) as response:
            await response.read()
            self.answers[f"page {response.status}"] += 1

    async def publish(self) -> None:
        self.posted.append(time.monotonic())
        page = await self.visitor.submit("/posts/new", body=f"Post {len(self.posted)}.", audience="public")
        self.answers[f"post {page.status}"] += 1

    # ---- what is seen

    async def sample(self, began: float) -> None:
        """Every figure as it is now."""
        at = time.monotonic() - began
        now = _of_process(self.pid)
        shown = (await self.visitor.get("/metrics")).text
        tasks = re.search(r"^freehold_tasks (\S+)", shown, re.MULTILINE)
        assert tasks, shown
        now["tasks"] = float(tasks[1])
        for name, value in now.items():
            self.samples[name].append((at, value))

    def arrived(self, body: bytes) -> None:
        """A post has come to a server that works."""
        content = re.search(rb"Post (\d+)\.", body)
        if content:
            self.lags.append(time.monotonic() - self.posted[int(content[1]) - 1])

    def wrong(self, seconds: float) -> list[str]:
        """What grows, and what else must not be."""
        warm = _warm_up(seconds)
        found = []
        for name, samples in self.samples.items():
            later = trend([sample for sample in samples if sample[0] >= warm])
            allowed = ALLOWED[name](later.middle)
            say(f"{name}: {later.middle:.1f} in the middle, rises by {later.rise:+.2f}, allowed {allowed:.1f}\n")
            if later.rise > allowed:
                found.append(f"{name} grow: by {later.rise:.1f} in {seconds - warm:.0f} seconds")
        say(f"{dict(self.answers)}; {len(self.posted)} posts, {len(self.lags)} deliveries to those who work\n")
        lags = sorted(self.lags)
        if len(lags) < GOOD * (len(self.posted) - SERVED_SECONDS * POSTS - 1):
            found.append(f"only {len(lags)} deliveries of {len(self.posted)} posts came to {GOOD} servers that work")
        else:
            say(f"to those: half within {lags[len(lags) // 2]:.2f} s, the last after {lags[-1]:.2f} s\n")
            if lags[int(len(lags) * 0.99)] > SERVED_SECONDS:
                found.append(f"those who work wait for {lags[int(len(lags) * 0.99)]:.1f} s")
        return found + [answer for answer in self.answers if answer.split()[1] not in ("200", "202")]


async def soak(seconds: float, seed: int, folder: Path) -> list[str]:
    """Work for so long; returns what is wrong."""
    clock, here = Clock(), place(folder / "data", "127.0.0.7")
    async with AsyncExitStack() as stack:
        sending = await stack.enter_async_context(neighbours(SENDING_HOSTS, clock))
        good = await stack.enter_async_context(neighbours(GOOD, clock))
        [slow, hole] = await stack.enter_async_context(neighbours(2, clock))
        slow.before = lambda: asyncio.sleep(SLOW_SECONDS)
        speaks = asyncio.Event()
        hole.before = speaks.wait
        dead = [Neighbour(f"http://127.0.0.9:{free_port('127.0.0.9')}", clock) for _ in range(DEAD)]
        local = await here.set_up("alice")
        senders = [_sender(sending[number % SENDING_HOSTS], number) for number in range(SENDERS)]
        fans = [neighbour.person("bea") for neighbour in (*good, slow, hole, *dead)]
        await befriend(here, local, follows_them=senders, followed_by=fans)
        server = await stack.enter_async_context(here.serving())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        jar = aiohttp.CookieJar(unsafe=True)
        browser = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        visitor = Visitor(here.origin, browser)
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        made = Soak(here, server.process.pid, http, visitor, senders, Random(seed))
        for neighbour in good:
            neighbour.heard = made.arrived
        await _work(made, seconds)
        wrong = made.wrong(seconds)
        if await server.stop() != 0:
            wrong.append("it did not stop when asked")
        speaks.set()
        return wrong


def _of_process(pid: int) -> dict[str, float]:
    """What the kernel says of it."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident, threads = re.search(r"VmRSS:\s+(\d+)", status), re.search(r"Threads:\s+(\d+)", status)
    assert resident, status
    assert threads, status
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return {"memory, MB": int(resident[1]) * 1024 / 1e6, "descriptors": descriptors, "threads": int(threads[1])}


def _sender(neighbour: Neighbour, number: int) -> RemoteActor:
    actor = RemoteActor(neighbour, f"ann{number}", rsa(f"soak {number}"), ed25519(f"soak {number}"))
    actor.publish()
    return actor


async def _work(made: Soak, seconds: float) -> None:
    """All at once, at a steady rate; a line of the table for each minute."""
    began = time.monotonic()
    say(f"{'minute':>6} " + " ".join(f"{name:>12}" for name in ALLOWED) + f" {'requests':>10}\n")
    async with asyncio.TaskGroup() as group:
        for act, rate in ((made.create, CREATES), (made.look, PAGES), (made.publish, POSTS)):
            group.create_task(_steadily(act, rate, began + _warm_up(seconds), began + seconds, group))
        lines = 1
        async for at in _ticks(1.0, began + seconds):
            await made.sample(began)
            if at - began >= 60 * lines:
                _line(made, lines)
                lines += 1
    _line(made, seconds / 60)


def _line(made: Soak, minute: float) -> None:
    """What the last minute was like."""
    values = []
    for samples in made.samples.values():
        last = [value for at, value in samples if at >= samples[-1][0] - 60]
        values.append(f"{sum(last) / len(last):>12.1f}")
    say(f"{minute:>6.1f} {' '.join(values)} {made.answers.total():>10,}\n")


def _warm_up(seconds: float) -> float:
    return min(WARM_UP * seconds, LONGEST_WARM_UP)


async def _steadily(
    act: Callable[[], Awaitable[None]], rate: float, warm: float, ends: float, group: asyncio.TaskGroup
) -> None:
    """Whether the last one is done or not: a node that grows slow gets no less to do."""
    async for _ in _ticks(1 / rate / WARMER, warm):
        group.create_task(act())
    async for _ in _ticks(1 / rate, ends):
        group.create_task(act())


async def _ticks(every: float, ends: float) -> AsyncIterator[float]:
    """The times at which something is due, as they come."""
    due = time.monotonic()
    while due < ends:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        yield due
        due += every


def main(arguments: list[str] | None = None) -> int:
    """Run; returns 1 when something grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1_200, help="how long, default 1,200")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="the same seed, the same order")
    options = parser.parse_args(arguments)
    say(f"seed {options.seed}\n")
    with tempfile.TemporaryDirectory(prefix="freehold-soak-") as folder:
        wrong = asyncio.run(soak(options.seconds, options.seed, Path(folder)))
    for line in wrong:
        say(f"{line}\n")
    say("something is wrong\n" if wrong else "nothing grows\n")
    return 1 if wrong else 0


def say(text: str) -> None:
    """At once."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
