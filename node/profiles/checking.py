"""The worker that looks whether the pages that a profile links to link back."""

from __future__ import annotations

import asyncio

import structlog

from federation.errors import FederationError, Unreachable
from federation.storage import Tx
from node.context import Node
from node.errors import NodeError
from node.profiles import links
from node.profiles.backlinks import links_back
from node.profiles.links import Due
from node.profiles.queries import person
from schemas.errors import SchemaError
from schemas.urls import host_of

MAX_BYTES = 1_048_576
POLL_SECONDS = 600.0
AT_ONCE = 20  # of a round

_log = structlog.get_logger()


class LinkChecker:
    """See the module's docstring. Every page is asked for by the guarded client, as anything else is."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wake = asyncio.Event()
        node.db.subscribe(links.TOPIC, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except FederationError as error:  # a locked or full database: the next round will do
                _log.warning("links.failed", error=str(error)[:500])
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Look at what is due, a few at most; returns how many pages that were."""
        for count in range(AT_ONCE):
            due = await self._node.db.write(links.claim)
            if due is None:
                return count
            await self._look(due)
        return AT_ONCE

    async def _look(self, due: Due) -> None:
        wanted = await self._node.db.read(addresses_of, due.actor_id)
        try:
            found = await self._node.client.get_page(due.url, max_bytes=MAX_BYTES)
            html = found.body.decode("utf-8", "replace")
            holds = _same_host(due.url, found.url) and await asyncio.to_thread(links_back, html, found.url, wanted)
        except Unreachable:
            await self._node.db.write(links.cannot_be_had, due)
        except (FederationError, SchemaError) as error:
            _log.info("links.refused", url=due.url[:200], reason=str(error)[:200])
            await self._node.db.write(links.does_not, due)
        else:
            await self._node.db.write(links.links_back if holds else links.does_not, due)


def addresses_of(tx: Tx, actor_id: str) -> frozenset[str]:
    """What a page may link to so that it means this person; nothing where they are gone."""
    try:
        somebody = person(tx, actor_id)
    except NodeError:
        return frozenset()
    return frozenset({somebody.id, somebody.url})


def _same_host(asked: str, found: str) -> bool:
    """A page is the one that was asked for: a host that leads anybody on anywhere says nothing of itself."""
    one, other = (host_of(url).removeprefix("www.") for url in (asked, found))
    return one == other
