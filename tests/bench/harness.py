"""Real processes, real sockets, and the kernel's own accounting of CPU and memory.

CPU seconds per 1,000 operations is the figure to trust: rates on shared machines move. Each row is quoted with a
floor that was measured in the same run, on the same machine, and with their ratio.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

TICKS = os.sysconf("SC_CLK_TCK")
NODE = "127.0.0.1:8499"
ORIGIN = f"http://{NODE}"
PEER_ADDRESSES = [f"127.0.0.2:{9000 + number}" for number in range(50)]


@dataclass
class Row:
    """One line of the table: what it costs, its floor, and what it may cost at most."""

    name: str
    unit: str
    ours: float
    floor: float | None
    at_most: float
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmRSS")


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"FREEHOLD_ALLOW_NETWORKS": "127.0.0.0/8", "FREEHOLD_DATA": str(data), "FREEHOLD_LOG": "error"}


def freehold(data: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run one command of the node and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "node", *arguments],
        env=environment(data), input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"freehold {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def set_up(data: Path) -> None:
    freehold(
        data, "setup", "--origin", ORIGIN, "--handle", "alice", "--name", "Alice", "--password-stdin",
        stdin="a password for benchmarks\n",
    )  # fmt: skip


@asynccontextmanager
async def process(*command: str, ready: str, data: Path | None = None) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A child process, ready when `ready` (address:port) accepts."""
    child = subprocess.Popen(command, env=environment(data or Path("/nonexistent")), stdout=subprocess.DEVNULL)
    try:
        await accepts(ready, child)
        yield child
    finally:
        child.terminate()
        child.wait(20)


@asynccontextmanager
async def node(data: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """`freehold serve` on a data folder that is set up."""
    async with process(sys.executable, "-m", "node", "serve", "--bind", NODE, ready=NODE, data=data) as child:
        yield child


async def accepts(address: str, child: subprocess.Popen[bytes]) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"the process ended with {child.returncode}")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
    raise RuntimeError(f"{address} does not answer")


@dataclass(frozen=True)
class Load:
    """What a run of requests took: seconds on the wall and the latencies, in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def p99_ms(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] * 1000


async def drive(requests: Iterable[Callable[[aiohttp.ClientSession], Awaitable[None]]], concurrency: int = 16) -> Load:
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


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    lines = [
        "| what | unit | ours | floor | ratio | at most | notes |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        floor = f"{row.floor:.3g}" if row.floor else ""
        ratio = f"{row.ratio:.1f}" if row.ratio else ""
        notes = ", ".join(f"{name} {value:.4g}" for name, value in row.notes.items())
        lines.append(f"| {row.name} | {row.unit} | {row.ours:.3g} | {floor} | {ratio} | {row.at_most:g} | {notes} |")
    return "\n".join(lines)


def save(rows: list[Row], path: Path) -> None:
    path.write_text(json.dumps([vars(row) | {"ratio": row.ratio} for row in rows], indent=1))
