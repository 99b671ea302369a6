"""What one process has answered since it started; `node.web.metrics` shows it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


@dataclass(slots=True)
class Measures:
    """Requests by the first digit of their status; within: how many took at most so long; seconds: all together."""

    answered: dict[str, int] = field(default_factory=dict)
    within: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def count(self, status: int, seconds: float) -> None:
        """One more."""
        kind = f"{status // 100}xx"
        self.answered[kind] = self.answered.get(kind, 0) + 1
        self.within[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
