"""The operator's rules about hosts, applied before anything is received, fetched or delivered.

A rule for a host holds for its subdomains too, unless they have a rule of their own: `allow` takes one out of a
block. Ports do not matter: who may not speak at :443 may not at :8443.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from federation.errors import FederationError
from federation.tables import host_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from federation.storage import Database, Tx

TOPIC = "policy"
RETRY_SECONDS = 1.0

_log = structlog.get_logger()


class Policy:
    """Knows the rules by heart; `load` reads them again."""

    def __init__(self, rules: Mapping[str, str] = MappingProxyType({})) -> None:
        self._rules = dict(rules)
        self._watching = False
        self._stale = False
        self._reloading: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no host has a rule."""
        return not self._rules

    def load(self, tx: Tx) -> None:
        """Replace the rules by those in `host_rules`."""
        rows = tx.rows(sa.select(host_rules.c.host, host_rules.c.rule))
        self._rules = {row.host.lower().rstrip("."): row.rule for row in rows}

    def watch(self, db: Database) -> None:
        """Read the rules again whenever a scope has notified `policy`; to ask for it twice changes nothing."""
        if self._watching:
            return
        self._watching = True

        def changed(payload: str | None) -> None:
            self._stale = True
            if self._reloading is None or self._reloading.done():
                self._reloading = asyncio.get_running_loop().create_task(self._reload(db))

        db.subscribe(TOPIC, changed)

    async def _reload(self, db: Database) -> None:
        """Until no change has been announced since the reading began."""
        while self._stale:
            self._stale = False
            try:
                await db.read(self.load)
            except FederationError as error:
                _log.warning("policy.not_read", error=str(error)[:500])
                self._stale = True
                await asyncio.sleep(RETRY_SECONDS)

    async def settled(self) -> None:
        """Return once every change that was announced so far is in force."""
        if self._reloading is not None:
            await self._reloading

    def rule(self, host: str) -> str | None:
        """The nearest rule for `host[:port]`: its own, else its parent domain's."""
        if not self._rules:
            return None
        name = _name(host)
        while name:
            if name in self._rules:
                return self._rules[name]
            name = name.partition(".")[2]
        return None

    def blocked(self, host: str) -> bool:
        """Whether nothing is taken from this host, and nothing asked of it or sent to it."""
        return self.rule(host) == "block"

    def limited(self, host: str) -> bool:
        """Whether what comes from this host is only for those who follow its author."""
        return self.rule(host) == "limit"


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower().rstrip(".")
