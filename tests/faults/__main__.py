"""`make faults`, or `python -m tests.faults`: kill a working node again and again, and see that it loses nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests import postgres
from tests.databases import postgres_script
from tests.faults.locks import held
from tests.faults.rounds import Report, arena
from tests.faults.upgrades import Upgrades
from tests.processes import place

OF_ONE_NODE = 40
UPGRADES = 10
"""One kill in the middle of an upgrade to so many rounds."""
LOCK_SECONDS = 20.0
"""So long another process holds the first node's database in the end (SECURITY 168)."""


def main(arguments: list[str] | None = None) -> int:
    """Run; returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="the same seed, the same load")
    parser.add_argument("--rounds", type=int, default=200, help="how many kills under load, default 200")
    options = parser.parse_args(arguments)
    say(f"seed {options.seed}\n")
    with tempfile.TemporaryDirectory(prefix="freehold-faults-") as folder:
        os.chmod(folder, 0o755)
        server = postgres.session_server(Path(folder), os.getpid(), postgres_script)
        wrong = asyncio.run(_all(options.seed, options.rounds, Path(folder), server))
    for line in wrong:
        say(f"{line}\n")
    say("something is wrong\n" if wrong else "nothing is lost\n")
    return 1 if wrong else 0


async def _all(seed: int, rounds: int, folder: Path, server: postgres.Server) -> list[str]:
    """Fresh nodes, every fourth of them on PostgreSQL; then upgrades on both."""
    began, total = time.monotonic(), Report()
    for number, first in enumerate(range(0, rounds, OF_ONE_NODE)):
        environ = {"FREEHOLD_DATABASE_URL": server.url(server.lend())} if number % 4 == 1 else {}
        here = place(folder / f"node-{number}", "127.0.0.7", **environ)

        def told(report: Report, so_far: Report = total) -> None:
            say(f"\r{so_far + report}; {time.monotonic() - began:.0f} s   ")

        async with arena(here, seed + number) as made:
            total += await made.rounds(min(OF_ONE_NODE, rounds - first), told)
            if number == 0 and not total.wrong:
                async with made.place.serving(**made.environ()):
                    total.wrong += await held(made, seconds=LOCK_SECONDS)
        if total.wrong:
            say(f"\nseed {seed}: on {'PostgreSQL' if environ else 'SQLite'}, node {number}, {here.data}\n")
            return total.wrong
    say(f"\n{dict(total.answers)} were the answers\n")
    for kind in ("SQLite", "PostgreSQL"):
        upgrades = await Upgrades.ready(folder / f"upgrades-{kind}", seed, server if kind == "PostgreSQL" else None)
        for number in range(max(1, rounds // UPGRADES)):
            wrong = await upgrades.one()
            say(f"\r{kind}: {number + 1} upgrades killed, {upgrades.before} before they were done   ")
            if wrong:
                return wrong
        say("\n")
    return []


def say(text: str) -> None:
    """At once."""
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
