"""The worker of relations: reads lists row by row, and compares followers with other servers (FEP-8fcf)."""

from __future__ import annotations

import asyncio

import structlog

from federation import synchronise
from federation.errors import FederationError
from federation.synchronise import Synchroniser
from node.context import Node
from node.errors import Invalid
from node.relations import lists, queries
from node.relations.queries import Due
from node.social import timelines
from node.social.finding import find

POLL_SECONDS = 60.0
BETWEEN_SECONDS = 0.2
"""Between two rows: a long list is no flood for those who are asked."""

_log = structlog.get_logger()


class RelationsWorker:
    """See the module's docstring."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wake = asyncio.Event()
        self._synchroniser = Synchroniser(node.db, node.resolver, node.authors, timelines.withdraw)
        for topic in (lists.TOPIC, synchronise.TOPIC):
            node.db.subscribe(topic, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                done = await self.step()
            except FederationError as error:  # a locked or full database: the next round will do
                _log.warning("relations.step_failed", error=str(error)[:500])
                done = 0
            if done:
                await asyncio.sleep(BETWEEN_SECONDS)
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Steps until nothing is left to do; returns how many things were done."""
        total = 0
        while done := await self.step():
            total += done
        return total

    async def step(self) -> int:
        """One row of a list and one comparison; returns how many of the two there were."""
        row = await self._node.db.read(queries.due)
        if row is not None:
            await self._take(row)
        return (row is not None) + await self._synchroniser.step()

    async def _take(self, row: Due) -> None:
        try:
            author = await self._node.author(row.owner)
            address = row.address if "://" in row.address else f"@{row.address}"  # a pack may know only an id
            found = await find(self._node, address, "who")
        except Invalid as error:
            await self._node.db.write(lists.settle, row, next(iter(error.errors.values())))
        except FederationError as error:  # whoever brought the list has left meanwhile
            await self._node.db.write(lists.settle, row, error.safe)
        else:
            await self._node.db.write(lists.apply_row, author, row, found)
