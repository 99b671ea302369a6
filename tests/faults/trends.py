"""Whether a figure that was sampled for a while grows: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WINDOWS = 24
Sample = tuple[float, float]
"""Seconds, value."""


@dataclass(frozen=True)
class Trend:
    """middle: the median of all values. rise: by how much the line through them rises from its first to its last."""

    middle: float
    rise: float


def trend(samples: Sequence[Sample]) -> Trend:
    """The Theil-Sen line through the medians of some windows: no peak, and no tooth of a saw, counts for a slope."""
    windows = _windows(samples)
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(windows)
        for later in windows[number + 1 :]
    ]
    seconds = windows[-1][0] - windows[0][0]
    return Trend(median(value for _, value in samples), median(slopes) * seconds)


def _windows(samples: Sequence[Sample]) -> list[Sample]:
    assert len(samples) >= 4, "too few samples to speak of a slope"
    size = max(1, len(samples) // WINDOWS)
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    return [(median(at for at, _ in part), median(value for _, value in part)) for part in parts]
