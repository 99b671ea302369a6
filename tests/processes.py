"""Real `freehold` processes, for what only a process can show: a kill, a lock, a restart, the words on the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from node.migrate import on_postgres
from tests import warm
from tests.nodes import free_port
from tests.people import PASSWORD
from tests.warm import Warm

PROGRAM = (sys.executable, "-m", "node")
WAIT_SECONDS = 30.0
COLD = "PYTEST_VERSION" not in os.environ
"""Whether each process imports everything anew, as on a server. In the suite they are forks (`tests.warm`)."""


async def begin(*arguments: str, env: dict[str, str], **streams: int) -> asyncio.subprocess.Process | Warm:
    """`freehold ...`, with streams as `asyncio.create_subprocess_exec` has them."""
    if COLD:
        return await asyncio.create_subprocess_exec(*PROGRAM, *arguments, env=env, **streams)
    return await warm.start(*arguments, env=env, **streams)


@dataclass
class Done:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed with --json."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Place:
    """A data folder with an address: what a `freehold` of its own needs."""

    data: Path
    address: str
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def database_url(self) -> str:
        """Of its PostgreSQL database; empty for SQLite in its folder."""
        return self.environ.get("FREEHOLD_DATABASE_URL", "")

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment: nothing of Freehold's own but what is said here."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        network = {"FREEHOLD_ALLOW_NETWORKS": "127.0.0.0/8", "FREEHOLD_LOG": "warning"}
        return kept | network | {"FREEHOLD_DATA": str(self.data)} | dict(self.environ) | dict(more)

    async def run(self, *arguments: str, text: str = "", **environ: str) -> Done:
        """`freehold ...` to its end."""
        streams = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}
        process = await begin(*arguments, env=self.variables(environ), **streams)
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await process.communicate(text.encode())
        assert "Traceback" not in err.decode(), err.decode()
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def json(self, *arguments: str, **environ: str) -> Any:
        """`freehold ... --json`: what it printed; its failure is the test's."""
        return (await self.run(*arguments, "--json", **environ)).json

    async def set_up(self, handle: str, *, kind: str = "person", origin: str = "") -> str:
        """`freehold setup`; returns the actor's id."""
        options = ("--origin", origin or self.origin, "--handle", handle, "--kind", kind, "--password-stdin")
        done = await self.run("setup", *options, "--json", text=f"{PASSWORD}\n")
        return str(done.json["actor"])

    @asynccontextmanager
    async def serving(self, *options: str, **environ: str) -> AsyncIterator[Server]:
        """`freehold serve`, ready; ended, however the test ends."""
        server = await self.serve(*options, **environ)
        try:
            yield server
        finally:
            await server.kill()

    async def serve(self, *options: str, **environ: str) -> Server:
        """`freehold serve`; returns once it says that it is open, or where it can be set up."""
        server = await self.start(*options, **environ)
        await server.says("is open.", "/setup?token=")
        return server

    async def start(self, *options: str, **environ: str) -> Server:
        """`freehold serve`, which has only just begun."""
        command = ("serve", "--bind", f"{self.address}:{self.port}", *options)
        return Server(await begin(*command, env=self.variables(environ), stdin=DEVNULL, stdout=PIPE))

    async def rows(self, statement: sa.Executable) -> list[Any]:
        """Ask its database, whether a server runs on it or not; nothing stays open."""
        if self.database_url:
            return await on_postgres(self.database_url, lambda connection: list(connection.execute(statement).all()))
        return await asyncio.to_thread(self._rows, statement)

    def _rows(self, statement: sa.Executable) -> list[Any]:
        engine = sa.create_engine(f"sqlite:///{self.data / 'freehold.db'}")
        try:
            with engine.connect() as connection:
                return list(connection.execute(statement).all())
        finally:
            engine.dispose()


@dataclass
class Server:
    """A running `freehold serve`."""

    process: asyncio.subprocess.Process | Warm
    lines: list[str] = field(default_factory=list)

    async def says(self, *wanted: str) -> str:
        """The first line, from now on, that holds one of the texts."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if any(text in line for text in wanted):
                    return line.strip()
        raise AssertionError(f"it ended without saying {wanted}: {self.lines}")

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.process.wait()


def place(data: Path, address: str, **environ: str) -> Place:
    """A new one, at a free port of a loopback address."""
    return Place(data, address, free_port(address), environ)
