"""Documents and collections of other servers, asked for within one budget (SECURITY 72).

Whoever looks around a post, or at what somebody published, follows links that strangers wrote. A `Budget` says how
many requests that may cost in all, of one host, and until when; when it is used up, what is left is not asked for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from federation.authority import same_origin
from federation.errors import Busy, FederationError
from federation.prepare import Preparer
from federation.resolve import Resolver
from federation.types import Received
from schemas.base import id_of
from schemas.collections import items_of
from schemas.errors import SchemaError
from schemas.urls import host_of

T = TypeVar("T")

MAX_PAGES = 3


@dataclass
class Budget:
    """What may still be asked. requests: in all; of_host: of each host; until: on the loop's clock."""

    requests: int
    of_host: int
    until: float
    spent: Counter[str] = field(default_factory=Counter)

    def spend(self, url: str) -> None:
        """Take one request; Busy when there is none left, or no time."""
        host = host_of(url)
        if self.requests <= 0 or self.spent[host] >= self.of_host or asyncio.get_running_loop().time() >= self.until:
            raise Busy(f"nothing more is asked of {host} for this")
        self.requests -= 1
        self.spent[host] += 1


class Gatherer:
    """Asks; what cannot be had is not an error but nothing."""

    def __init__(self, resolver: Resolver, preparer: Preparer) -> None:
        self._resolver = resolver
        self._preparer = preparer

    async def found(self, object_id: str, budget: Budget) -> Received | None:
        """An object as its origin serves it, with who it is from; see `Preparer.found`."""
        try:
            budget.spend(object_id)
            return await self._in_time(self._preparer.found(object_id), budget)
        except (FederationError, SchemaError, TimeoutError):
            return None

    async def members(self, collection: Any, owner: str, budget: Budget) -> AsyncIterator[Any]:
        """The items of a collection, as they stand in it, from its first pages. collection: its id, or itself.

        Only pages of the owner's own origin are read (SECURITY 44).
        """
        page: Any = collection
        for _ in range(MAX_PAGES + 1):
            document = await self._page(page, owner, budget)
            if document is None:
                return
            for item in items_of(document):
                yield item
            page = document.get("first") if "first" in document else document.get("next")

    async def _page(self, page: Any, owner: str, budget: Budget) -> dict[str, Any] | None:
        """A page that came along inside, or the one behind a link."""
        if isinstance(page, dict) and any(name in page for name in ("first", "next", "orderedItems", "items")):
            return page
        url = id_of(page)
        if url is None or not same_origin(url, owner):
            return None
        try:
            budget.spend(url)
            return (await self._in_time(self._resolver.object(url), budget)).document
        except (FederationError, SchemaError, TimeoutError):
            return None

    async def _in_time(self, asking: Awaitable[T], budget: Budget) -> T:
        async with asyncio.timeout_at(budget.until):
            return await asking
