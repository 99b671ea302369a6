"""How much one sender may ask of us: token buckets, bounded in number, keyed on what a stranger cannot choose."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network


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


def address_key(address: str | None) -> str:
    """The network that stands for a peer's address: an IPv6 peer commands a whole /64."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)
