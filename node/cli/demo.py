"""`freehold demo`: three nodes on this machine, sharing nothing but sockets, that follow each other with real content.

Each is a `freehold serve` of its own, with its own data folder below a temporary one. What their owners do is done
here, by the commands that the pages use, in their databases: the running servers notice, and deliver.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from pathlib import Path

import click

from node.cli.common import REFUSED, run
from node.demo.owners import Owner, Stopped, owners_below, servers, set_up_node
from node.demo.play import Nodes, follow_each_other, publish, until
from node.demo.report import WORDS, Arrival, Thing, arrivals_at, as_json, as_table, complete, short

INTERRUPTED = 130
PORT = 8420


@click.command(help="Three nodes on this machine that follow each other, with real content.")
@click.option("--once", is_flag=True, help="See that everything arrived and was verified, report, and leave.")
@click.option("--json", "in_json", is_flag=True, help="Print the report as JSON.")
def demo(once: bool, in_json: bool) -> None:
    """Runs until Ctrl-C. Everything is thrown away at the end."""
    sys.exit(run(_demo, once=once, in_json=in_json))


async def _demo(*, once: bool, in_json: bool) -> int:
    """The exit code; Ctrl-C is the usual end of a demo, and an interruption of `--once`."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="freehold-demo-") as folder:
        playing = asyncio.create_task(_play(Path(folder), once=once, in_json=in_json))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([playing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            return playing.result()
        playing.cancel()
        await asyncio.wait([playing])
        return INTERRUPTED if once else 0


async def _play(folder: Path, *, once: bool, in_json: bool) -> int:
    owners = owners_below(folder, 0 if once else PORT)  # several checks may run side by side
    async with AsyncExitStack() as stack:
        _say("Three nodes are being set up, each with keys of its own.")
        nodes = dict(zip(owners, await asyncio.gather(*[set_up_node(owner) for owner in owners]), strict=True))
        for node in nodes.values():
            stack.push_async_callback(node.close)
        processes = await stack.enter_async_context(servers(owners))
        for owner in owners:
            _say(f"{owner.origin} is open: {owner.script['name']}.")
        if await follow_each_other(nodes):
            _say("Each follows the two others.")
        things = [thing for owner, node in nodes.items() for thing in await publish(owner, node)]
        arrivals = await _watch(nodes, things)
        report = as_json(owners, arrivals)
        click.echo(json.dumps(report, ensure_ascii=False, indent=1) if in_json else as_table(owners, things, arrivals))
        if not once:
            await _stay(processes)
    return 0 if complete(arrivals) else REFUSED


def _say(words: str) -> None:
    """Progress; it is no part of the report."""
    click.echo(words, err=True)


async def _watch(nodes: Nodes, things: list[Thing]) -> list[Arrival]:
    """Tell what arrives where, until everything has or patience ends."""
    told: set[tuple[str, str]] = set()
    arrivals: list[Arrival] = []

    async def look() -> bool:
        arrivals[:] = [arrival for owner, node in nodes.items() for arrival in await arrivals_at(owner, node, things)]
        for arrival in arrivals:
            thing = arrival.thing
            if arrival.state and (arrival.reader, thing.id) not in told:
                told.add((arrival.reader, thing.id))
                _say(
                    f"{arrival.reader} has {thing.owner}'s {thing.kind} “{short(thing.what)}”: {WORDS[arrival.state]}."
                )
        return all(arrival.state for arrival in arrivals)

    await until(nodes, look)
    return arrivals


async def _stay(processes: dict[Owner, Process]) -> None:
    """Until Ctrl-C cancels it; Stopped when one of the servers ends by itself."""
    click.echo("\nSign in and look around. Ctrl-C ends all three, and throws everything away.\n")
    for owner in processes:
        name, address = owner.script["name"], f"{owner.origin}/sign-in"
        click.echo(f"  {name:<22} {address:<30}  handle: {owner.handle:<10}  password: {owner.password}")
    ended = {asyncio.create_task(process.wait()): owner for owner, process in processes.items()}
    done, _ = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
    raise Stopped(ended[done.pop()])
