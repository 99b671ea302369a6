"""From a seed to a report: activities in batches, each looked at when all of it has had its effect."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from federation.tables import inbox_messages, objects
from tests.fuzz.arena import Arena, arena
from tests.fuzz.cases import Case, case, resigned
from tests.fuzz.invariants import Broken, Watch
from tests.fuzz.shrink import fewest, smallest

BATCH = 250
OF_ONE_NODE = 5_000
SEEN = 40
"""Of what came with one batch, so many things are looked at on pages of their own."""
TRIES = 150
MAX_PRINTED = 8


@dataclass(frozen=True)
class Finding:
    """What is wrong, and the fewest activities that bring it about."""

    seed: int
    what: str
    cases: tuple[Case, ...]

    def __str__(self) -> str:
        if len(self.cases) > MAX_PRINTED:
            first, last = self.cases[0].index, self.cases[-1].index
            return f"seed {self.seed}: {self.what}\n  after {len(self.cases)} activities, from {first} to {last}"
        said = "\n".join(
            f"  {one.index}: {one.kind}, by {one.signer.id}, at {one.path}\n    {_short(one.body)}"
            + "".join(f"\n    {address} serves {_short(body)}" for address, body in one.served)
            for one in self.cases
        )
        return f"seed {self.seed}: {self.what}\n{said}"


@dataclass
class Report:
    """What a run has come to."""

    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    finding: Finding | None = None

    @property
    def count(self) -> int:
        """How many activities were posted."""
        return self.statuses.total()


async def run(
    seed: int,
    count: int,
    *,
    start: int = 0,
    batch: int = BATCH,
    of_one_node: int = OF_ONE_NODE,
    told: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Post activities to fresh nodes until something is wrong, or until it is enough.

    told: after each batch, and when something was found, before it is made small.
    """
    report = Report()
    for first in range(start, start + count, of_one_node):
        async with _fresh() as node:
            last = min(first + of_one_node, start + count)
            finding = await attack(node, seed, range(first, last), report, batch=batch, told=told)
        if finding is not None:
            report.finding = finding
            told(report)
            report.finding = await _least(finding)
            break
    return report


async def attack(
    node: Arena,
    seed: int,
    indices: range,
    report: Report,
    *,
    batch: int = BATCH,
    told: Callable[[Report], None] = lambda report: None,
) -> Finding | None:
    """The activities of these numbers, against one node. Stops at the first batch after which something is wrong."""
    watch = Watch(node)
    await watch.begin()
    done: list[Case] = []
    for first in range(indices.start, indices.stop, batch):
        cases = [case(seed, index, node.ours) for index in range(first, min(first + batch, indices.stop))]
        done += cases
        try:
            await _one_batch(watch, cases, report)
        except Broken as broken:
            known = [one for one in cases if one.index == broken.index]
            return Finding(seed, str(broken), tuple(known or done))
        finally:
            told(report)
    report.outcomes += await _outcomes(node)
    return None


async def _one_batch(watch: Watch, cases: Sequence[Case], report: Report) -> None:
    node = watch.arena
    await node.make_up()
    before = {row.id for row in await node.rows(_THINGS)}
    for one in cases:
        status = await node.post(one)
        report.statuses[status] += 1
        watch.answered(one, status)
    await node.settle()
    came = [row.id for row in await node.rows(_THINGS) if row.id not in before]
    pages = await node.look(came[:: len(came) // SEEN + 1])
    report.pages += len(pages)
    await watch.check(cases, pages)


_THINGS = sa.select(objects.c.id).where(~objects.c.local, objects.c.deleted_at.is_(None)).order_by(objects.c.id)


async def _outcomes(node: Arena) -> Counter[str]:
    grouped = sa.select(inbox_messages.c.state, sa.func.count().label("many")).group_by(inbox_messages.c.state)
    return Counter({row.state: row.many for row in await node.rows(grouped)})


@asynccontextmanager
async def _fresh() -> AsyncIterator[Arena]:
    with tempfile.TemporaryDirectory(prefix="freehold-fuzz-") as folder:
        async with arena(Path(folder) / "data") as node:
            yield node


# ---- the least that fails


async def _least(finding: Finding) -> Finding:
    """Fewer activities, then smaller ones, as long as the same is wrong."""
    kind = _kind(finding.what)

    async def fails(cases: Sequence[Case]) -> bool:
        return kind == _kind(await _wrong(cases))

    if not await fails(finding.cases):
        return finding  # it needs what came before
    cases = await fewest(finding.cases, fails, TRIES)
    for place, one in enumerate(cases if len(cases) <= 3 else ()):
        document = _document(one)
        if document is not None:
            rest = (cases[:place], cases[place + 1 :])

            async def fails_with(smaller: Any, one: Case = one, rest: Any = rest) -> bool:
                return await fails([*rest[0], resigned(one, smaller), *rest[1]])

            cases[place] = resigned(one, await smallest(document, fails_with, TRIES))
    return Finding(finding.seed, finding.what, tuple(cases))


async def _wrong(cases: Sequence[Case]) -> str:
    """What is wrong with a fresh node after these; empty when nothing is."""
    async with _fresh() as node:
        watch = Watch(node)
        await watch.begin()
        try:
            for first in range(0, len(cases), BATCH):
                await _one_batch(watch, cases[first : first + BATCH], Report())
        except Broken as broken:
            return str(broken)
    return ""


def _kind(what: str) -> str:
    """Without addresses and numbers, which change with what is left out."""
    return re.sub(r"\S*(?:://|\d)\S*", "", what)[:60]


def _document(case: Case) -> Any:
    try:
        return json.loads(case.body)
    except ValueError:
        return None


def _short(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text if len(text) <= 2_000 else f"{text[:1_900]} … {len(text)} characters"
