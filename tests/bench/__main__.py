"""`make bench`, or `python -m tests.bench [ROW ...]`: measure, print a Markdown table, write it as JSON."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path

from tests.bench import credentials, fanout, inbox, scaling, search, serving, startup
from tests.bench.harness import Row, Size, save, say, table

OUTPUT = Path(__file__).parents[1] / "output" / "bench.json"
GROUPS: dict[str, Callable[[Size, Path], Awaitable[list[Row]]]] = {
    "startup": startup.rows,
    "serving": serving.rows,
    "inbox": inbox.rows,
    "fanout": fanout.rows,
    "search": search.rows,
    "credentials": credentials.rows,
    "scaling": scaling.rows,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure the groups that are named, or all."""
    options = _parse(arguments)
    size = Size(**{field.name: getattr(options, field.name) for field in fields(Size)})
    rows = asyncio.run(measure(options.groups or list(GROUPS), size))
    sys.stdout.write(f"{table(rows)}\n")
    save(rows, options.json)
    say(f"written to {options.json}")


async def measure(groups: list[str], size: Size) -> list[Row]:
    """The rows of these groups, one after the other, on fresh nodes."""
    rows: list[Row] = []
    for group in groups:
        with tempfile.TemporaryDirectory(prefix="freehold-bench-") as folder:
            rows += await GROUPS[group](size, Path(folder))
    return rows


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], metavar="ROW", help=f"of {', '.join(GROUPS)}; all")
    for field in fields(Size):
        parser.add_argument(f"--{field.name}", type=int, default=field.default, help=f"default {field.default}")
    parser.add_argument("--json", type=Path, default=OUTPUT, metavar="FILE", help=f"default {OUTPUT}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
