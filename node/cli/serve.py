"""`freehold serve`."""

from __future__ import annotations

import asyncio
import gc
import re
import signal
import socket
from contextlib import AsyncExitStack, suppress
from typing import Self

import click
import structlog
from aiohttp import web

from node.accounts import queries
from node.accounts.commands import TOPIC
from node.accounts.setup_pages import SETTING
from node.app import lay_ground, settle, setup_application, web_application
from node.backup import placing
from node.backup.making import clear_leftovers
from node.backup.reading import Unpacked
from node.cli.common import COULD_NOT, Options, common_options, fail, run
from node.context import Ground, Node
from node.errors import NotSetUp
from node.lock import only_server
from node.logs import set_up_logs
from node.web.protocol import Runner
from node.worker import work

log = structlog.get_logger()

SHUTDOWN_SECONDS = 5.0  # aiohttp waits twice this long for a request that does not end
WORKERS_SECONDS = 4.0


@click.command(help="Run the node; not yet set up, print one link that sets it up.")
@click.option("--bind", default="127.0.0.1:8420", show_default=True, metavar="ADDRESS:PORT")
@click.option("--role", type=click.Choice(["all", "web", "worker"]), default="all", show_default=True)
@common_options
def serve(options: Options, bind: str, role: str) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    run(_serve, options, bind, role)


async def _serve(options: Options, bind: str, role: str) -> None:
    settings = options.settings
    set_up_logs(settings.log.level, for_good=True)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if not settings.storage.database_url:
            stack.enter_context(only_server(settings.data))
        clear_leftovers(settings.data)
        listening = None if role == "worker" else stack.enter_context(_listen(bind))
        ground = await lay_ground(settings)
        stack.push_async_callback(ground.db.close)
        node = await _when_set_up(ground, options, listening, bind, stop, stack)
        if node is not None:
            await _run(node, listening, role, stop)


def _listen(bind: str) -> socket.socket:
    address, colon, port = bind.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        fail(f"--bind takes ADDRESS:PORT, such as 127.0.0.1:8420, and not {bind!r}.", COULD_NOT)
    try:
        return socket.create_server((address.strip("[]"), int(port)), backlog=1024, family=_family(address))
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        fail(f"cannot listen on {bind}: {why}. Choose another with --bind.", COULD_NOT)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


async def _when_set_up(
    ground: Ground,
    options: Options,
    listening: socket.socket | None,
    bind: str,
    stop: asyncio.Event,
    stack: AsyncExitStack,
) -> Node | None:
    """The node; if it has no address yet, serve the set-up page until it has one (None: stopped before).

    That page's connections stay until they end by themselves, or `stack` does: a browser that holds one is led on.
    """
    try:
        return await settle(ground)
    except NotSetUp:
        if listening is None:
            raise
    done = asyncio.Event()
    elsewhere = _notice_set_up(ground, done)
    application, token = setup_application(ground, done.set)
    site = await stack.enter_async_context(_Site(application, listening))
    try:
        address = _reachable(bind, ground.settings.node.origin)
        click.echo(f"Set up your node here:\n\n  {address}/setup?token={token}\n")
        await _first(done, stop)
    finally:
        elsewhere.cancel()
    setting = application[SETTING]
    setting.over = True
    await site.stop_listening()
    if setting.restore and setting.unpacked is not None:
        ground = await _restored(ground, options, setting.unpacked)
        stack.push_async_callback(ground.db.close)
    clear_leftovers(ground.settings.data)
    return await settle(ground) if done.is_set() else None


async def _restored(ground: Ground, options: Options, unpacked: Unpacked) -> Ground:
    """Put a backup in the place of the database that was never set up, and begin again from there."""
    await ground.db.close()
    for note in await placing.place(ground.settings, unpacked):
        click.echo(note)
    await asyncio.to_thread(placing.clear, unpacked.folder.parent)
    log.info("backup.restored", origin=unpacked.manifest.origin, made_at=unpacked.manifest.made_at)
    return await lay_ground(options.settings)


def _notice_set_up(ground: Ground, done: asyncio.Event) -> asyncio.Task[None]:
    """`freehold setup` in another process also ends the waiting."""
    changed = asyncio.Event()
    ground.db.subscribe(TOPIC, lambda payload: changed.set())

    async def watch() -> None:
        while await changed.wait():
            changed.clear()
            if await ground.db.read(queries.address) is not None:
                done.set()

    return asyncio.create_task(watch())


async def _run(node: Node, listening: socket.socket | None, role: str, stop: asyncio.Event) -> None:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(node.client.close)
        workers = asyncio.create_task(work(node)) if role != "web" else None
        stack.push_async_callback(_end, workers)
        if listening is not None:
            await stack.enter_async_context(_Site(web_application(node), listening))
        _spare_the_collector()
        click.echo(f"{node.ids.origin} is open.")
        if node.ids.origin.startswith("http://"):
            click.echo("It is for trying things out: only this machine can reach it.")
        log.info("serve.started", origin=node.ids.origin, role=role)
        await _first(stop, workers)
        log.info("serve.stopping")


def _spare_the_collector() -> None:
    """Modules are never garbage, so no collection need look at them again; nor at every 700 new objects of a burst."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _end(workers: asyncio.Task[None] | None) -> None:
    """Stop the loops; what they leave undone is a row."""
    if workers is not None and workers.cancel():
        await asyncio.wait([workers], timeout=WORKERS_SECONDS)


async def _first(*what: asyncio.Event | asyncio.Task[None] | None) -> None:
    """Wait for whichever comes first; a task that failed raises here."""
    waits = [asyncio.create_task(one.wait()) for one in what if isinstance(one, asyncio.Event)]
    tasks = [one for one in what if isinstance(one, asyncio.Task)]
    try:
        done, _ = await asyncio.wait([*waits, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    for task in done:
        with suppress(asyncio.CancelledError):
            task.result()


class _Site:
    """An application on a copy of the listening socket: callers wait in its backlog while one follows another."""

    def __init__(self, application: web.Application, listening: socket.socket) -> None:
        self._runner = Runner(application, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False)
        self._listening = listening.dup()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        self._site = web.SockSite(self._runner, self._listening, backlog=1024)
        await self._site.start()
        return self

    async def stop_listening(self) -> None:
        """Take no new connections; those that are there go on.

        asyncio drops a connection that it has accepted if the server is closed before it gets its transport, in the
        next turn of the loop: so nothing more is accepted first, and whoever was gets that turn.
        """
        asyncio.get_running_loop().remove_reader(self._listening.fileno())
        await asyncio.sleep(0)
        await self._site.stop()

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


def _reachable(bind: str, origin: str) -> str:
    """Where a browser can open it: at the origin that is set, where a proxy stands, else on this machine."""
    if origin:
        return origin
    address, _, port = bind.rpartition(":")
    here = address in ("127.0.0.1", "0.0.0.0", "[::]", "[::1]", "")  # noqa: S104
    return f"http://localhost:{port}" if here else f"http://{bind}"
