"""How much one sender may ask of us, and how much at once we ask of others.

Token buckets, bounded in number, keyed on what a stranger cannot choose.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from federation.errors import Busy


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `per_second`."""

    per_second: float
    burst: float


class Limiter:
    """One bucket a key. Of more than `capacity` keys, those that were idle longest are forgotten."""

    def __init__(self, rate: Rate, capacity: int = 10_000) -> None:
        self._rate = rate
        self._capacity = capacity
        self._buckets: dict[str, tuple[float, float]] = {}  # key -> tokens, at; the least recently used first

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, at: float, tokens: float = 1.0) -> float:
        """Take tokens at the monotonic time `at`; returns 0, or the seconds to wait when there are none."""
        left, since = self._buckets.pop(key, (self._rate.burst, at))
        left = min(self._rate.burst, left + max(0.0, at - since) * self._rate.per_second)
        wait = 0.0 if left >= tokens else (tokens - left) / self._rate.per_second
        self._buckets[key] = (left if wait else left - tokens, at)
        if len(self._buckets) > self._capacity:
            del self._buckets[next(iter(self._buckets))]
        return wait

    def wait(self, key: str, at: float) -> float:
        """The seconds until one token is there, taking none."""
        if key not in self._buckets:
            return 0.0
        left, since = self._buckets[key]
        left += max(0.0, at - since) * self._rate.per_second
        return max(0.0, (1.0 - left) / self._rate.per_second)


@lru_cache(4096)
def address_key(address: str | None) -> str:
    """The network that stands for a peer's address: an IPv6 peer commands a whole /64."""
    try:
        parsed = plain_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """An address as it is meant; ValueError for what is none.

    A proxy that listens for IPv4 and IPv6 at once writes `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2): all of IPv4 would be
    one /64.
    """
    parsed = ip_address(text)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


class Room:
    """How much may be asked at once; one host, however slow, holds only part of it."""

    def __init__(self, together: int, per_host: int) -> None:
        self._together = asyncio.Semaphore(together)
        self._per_host = per_host
        self._of: Counter[str] = Counter()

    @asynccontextmanager
    async def taken(self, host: str, seconds: float) -> AsyncIterator[None]:
        """Busy when the host has its part already; the deadline includes the wait for the others."""
        if self._of[host] >= self._per_host:
            raise Busy(f"{host} is being asked {self._per_host} things already")
        self._of[host] += 1
        try:
            async with asyncio.timeout(seconds), self._together:
                yield
        finally:
            self._of[host] -= 1
            if not self._of[host]:
                del self._of[host]
