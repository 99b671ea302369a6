"""Real processes, real sockets, and the kernel's own accounting of CPU and memory.

CPU seconds per 1,000 operations is the figure to trust: rates on shared machines move. Each row is quoted with a
floor that was measured in the same run, on the same machine, and with their ratio.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import aiohttp

PASSWORD = "a password for benchmarks"
STARTUP_SECONDS = 60.0
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Row:
    """One line of the table: what it costs, its floor, and what it may cost at most (design: PERFORMANCE)."""

    name: str
    unit: str
    ours: float
    floor: float | None
    at_most: float | None
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None


@dataclass(frozen=True)
class Size:
    """How much is measured; small numbers only show that the programs run."""

    hosts: int = 50
    people: int = 6
    young: int = 1_000
    messages: int = 3_000
    gets: int = 10_000
    inboxes: int = 1_000
    posts: int = 4
    starts: int = 5
    stored: int = 100_000
    found: int = 200_000
    badges: int = 500


@dataclass(frozen=True)
class Place:
    """A node's data folder and where it answers."""

    data: Path
    address: str

    @property
    def origin(self) -> str:
        return f"http://{self.address}"

    @property
    def alice(self) -> str:
        return f"{self.origin}/users/alice"

    @property
    def database(self) -> Path:
        return self.data / "freehold.db"

    def set_up(self, more: Mapping[str, str] = NOTHING_MORE) -> None:
        """With alice on it. more: settings."""
        names = ("--origin", self.origin, "--handle", "alice", "--name", "Alice")
        self.run("setup", *names, "--password-stdin", stdin=f"{PASSWORD}\n", more=more)

    def run(self, *arguments: str, stdin: str | None = None, more: Mapping[str, str] = NOTHING_MORE) -> str:
        """Run one command of the node and return what it printed."""
        command = [sys.executable, "-m", "node", *arguments]
        done = subprocess.run(
            command, env=environment(self.data) | more, input=stdin, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"freehold {' '.join(arguments)}: {done.stderr}")
        return done.stdout


def new_place(data: Path) -> Place:
    """A node that is set up, with alice on it, on a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = Place(data, f"127.0.0.1:{listening.getsockname()[1]}")
    place.set_up()
    return place


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"FREEHOLD_ALLOW_NETWORKS": "127.0.0.0/8", "FREEHOLD_DATA": str(data), "FREEHOLD_LOG": "error"}


@contextmanager
def process(
    *command: str,
    data: Path | None = None,
    sockets: Sequence[socket.socket] = (),
    more: Mapping[str, str] = NOTHING_MORE,
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process of this Python, ended with the block; it inherits `sockets`. more: settings."""
    child = subprocess.Popen(
        [sys.executable, *command],
        env=environment(data or Path("/nonexistent")) | more,
        stdout=subprocess.DEVNULL,
        pass_fds=[one.fileno() for one in sockets],
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@asynccontextmanager
async def node(place: Place) -> AsyncIterator[int]:
    """`freehold serve`, open for requests; yields its process id."""
    with process("-m", "node", "serve", "--bind", place.address, data=place.data) as child:
        await answers(f"{place.origin}/users/alice", child)
        yield child.pid


@asynccontextmanager
async def floor_server(kind: str, data: Path) -> AsyncIterator[tuple[str, int]]:
    """`floor_server.py`, open for requests; yields its origin and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = "{}:{}".format(*listening.getsockname())
        arguments = (kind, str(listening.fileno()), str(data / "floor.db"))
        with process("-m", "tests.bench.floor_server", *arguments, sockets=[listening]) as child:
            await answers(f"http://{address}/", child)
            yield f"http://{address}", child.pid


async def answers(url: str, child: subprocess.Popen[bytes]) -> float:
    """Ask until there is a 200; returns the seconds that this took."""
    start = time.perf_counter()
    async with aiohttp.ClientSession(headers={"Accept": "application/activity+json"}) as session:
        while time.perf_counter() < start + STARTUP_SECONDS:
            if child.poll() is not None:
                raise RuntimeError(f"the process ended with {child.returncode}")
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return time.perf_counter() - start
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.002)
    raise RuntimeError(f"{url} does not answer")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children: its clock, as by clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmRSS")


@dataclass
class Cost:
    """What a process took while `measured` was open."""

    cpu: float = 0.0
    seconds: float = 0.0

    def per_thousand(self, operations: int) -> float:
        return self.cpu * 1000 / operations

    def rate(self, operations: int) -> float:
        return operations / self.seconds


@contextmanager
def measured(pid: int) -> Iterator[Cost]:
    """Measure a process from here to the end of the block."""
    cost = Cost()
    cpu, start = cpu_seconds(pid), time.perf_counter()
    yield cost
    cost.cpu, cost.seconds = cpu_seconds(pid) - cpu, time.perf_counter() - start


@dataclass(frozen=True)
class Load:
    """What a run of requests took: seconds on the wall and the latencies, in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def p99_ms(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] * 1000

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


Send = Callable[[aiohttp.ClientSession], Awaitable[None]]


async def drive(requests: Iterable[Send], concurrency: int = 16) -> Load:
    """Send requests, `concurrency` at a time."""
    waiting = iter(list(requests))
    latencies: list[float] = []

    async def lane(session: aiohttp.ClientSession) -> None:
        for request in waiting:
            start = time.perf_counter()
            await request(session)
            latencies.append(time.perf_counter() - start)

    start = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        await asyncio.gather(*(lane(session) for _ in range(concurrency)))
    return Load(time.perf_counter() - start, latencies)


def get(url: str, headers: dict[str, str]) -> Send:
    """A GET that must be answered with 200."""

    async def send(session: aiohttp.ClientSession) -> None:
        async with session.get(url, headers=headers) as response:
            await response.read()
            expect(response, 200)

    return send


def post(url: str, headers: dict[str, str], body: bytes) -> Send:
    """A POST that must be answered with 202."""

    async def send(session: aiohttp.ClientSession) -> None:
        async with session.post(url, headers=headers, data=body) as response:
            text = await response.text()
            expect(response, 202, text)

    return send


def expect(response: aiohttp.ClientResponse, status: int, text: str = "") -> None:
    if response.status != status:
        raise RuntimeError(f"{response.method} {response.url} was answered with {response.status}: {text[:300]}")


def say(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{text}\n")


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| what | unit | ours | floor | ratio | at most | notes |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        floor = f"{row.floor:.3g}" if row.floor else ""
        ratio = f"{row.ratio:.1f}" if row.ratio else ""
        at_most = f"{row.at_most:g}" if row.at_most else ""
        notes = ", ".join(f"{name} {value:.4g}" for name, value in row.notes.items())
        lines.append(f"| {row.name} | {row.unit} | {row.ours:.3g} | {floor} | {ratio} | {at_most} | {notes} |")
    return "\n".join(lines)


def save(rows: list[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([vars(row) | {"ratio": row.ratio} for row in rows], indent=1))
