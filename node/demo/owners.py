"""Who takes part, where their nodes live, and the processes that serve them."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import tomllib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from node.accounts.rules import parse_setup
from node.accounts.setup import set_up
from node.app import lay_ground, settle
from node.context import Node
from node.errors import NodeError
from node.settings import Settings, load, without_settings

START_SECONDS = 30.0
STOP_SECONDS = 10.0
SETTINGS = '[network]\nallow_networks = "127.0.0.0/8"\n\n[log]\nlevel = "warning"\n'


class Stopped(NodeError):
    """One of the servers did not start, or has ended by itself."""

    def __init__(self, owner: Owner) -> None:
        log = (owner.data / "server.log").read_text("utf-8", "replace").strip().splitlines()
        super().__init__(f"the server of {owner.handle} has ended: {log[-1] if log else 'it did not say why'}")


@dataclass(frozen=True)
class Owner:
    """Somebody in the demo. script: their table in `demo.toml`; data: their node's folder."""

    handle: str
    origin: str
    data: Path
    script: dict[str, Any] = field(compare=False, repr=False)
    password: str = field(compare=False, repr=False)

    @property
    def actor_id(self) -> str:
        """The id of their actor."""
        return f"{self.origin}/users/{self.handle}"

    @property
    def place(self) -> str:
        """`address:port`."""
        return self.origin.removeprefix("http://")

    @property
    def settings(self) -> Settings:
        """From their own folder alone: no setting of the environment belongs to the demo."""
        return load(self.data, {})


def owners_below(folder: Path, port: int) -> list[Owner]:
    """Everybody in `demo.toml`, each with a data folder. port: the wanted one, 0 for any."""
    scripts = tomllib.loads(files("node").joinpath("data", "demo.toml").read_text("utf-8"))["node"]
    owners = []
    for number, script in enumerate(scripts):
        handle, origin = script["handle"], f"http://{free_place(number, port)}"
        data = folder / handle
        data.mkdir(mode=0o700)
        (data / "freehold.toml").write_text(SETTINGS)
        owners.append(Owner(handle, origin, data, script, secrets.token_urlsafe(9)))
    return owners


def free_place(number: int, wanted: int) -> str:
    """`address:port` to listen on, with the wanted port if it is free.

    Each node has an address of its own, where the system has more than one on loopback: a browser keeps one set of
    cookies an address, whatever the port.
    """
    for port in (wanted, 0):
        try:
            return _probe(f"127.0.0.{number + 2}", port)
        except OSError:
            continue  # in use, or no such address here
    return _probe("127.0.0.1", 0)


def _probe(address: str, port: int) -> str:
    with socket.create_server((address, port)) as listening:
        return f"{address}:{listening.getsockname()[1]}"


async def set_up_node(owner: Owner) -> Node:
    """What `freehold setup` does; the node is then open here, without a server."""
    form = {name: owner.script[name] for name in ("handle", "name", "kind")}
    ground = await lay_ground(owner.settings)
    await set_up(ground.db, ground.vault, parse_setup(form | {"origin": owner.origin, "password": owner.password}))
    return await settle(ground)


@asynccontextmanager
async def servers(owners: Sequence[Owner]) -> AsyncIterator[dict[Owner, Process]]:
    """`freehold serve` in a process of its own for each, once all answer; raises Stopped."""
    async with AsyncExitStack() as stack:
        processes = {}
        for owner in owners:  # they start together, and are waited for one after the other
            processes[owner] = await _launch(owner)
            stack.push_async_callback(_end, processes[owner])
        for owner, process in processes.items():
            await _opened(owner, process)
        yield processes


async def _launch(owner: Owner) -> Process:
    with (owner.data / "server.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "node", "serve", "--data", str(owner.data), "--bind", owner.place),
            env=without_settings(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )


async def _opened(owner: Owner, process: Process) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(START_SECONDS):
        while line := await process.stdout.readline():
            if b"is open" in line:
                return
    raise Stopped(owner)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
