"""What `make soak` calls growth (SECURITY 179)."""

from __future__ import annotations

from random import Random

import pytest

from tests.faults.trends import trend

SECONDS = range(600)


def test_a_level_is_flat_whatever_stands_out_of_it() -> None:
    random = Random(1)
    samples = [(at, 100 + random.gauss(0, 1) + (400 if at % 97 == 0 else 0)) for at in SECONDS]
    assert abs(trend(samples).rise) < 1
    assert trend(samples).middle == pytest.approx(100, abs=1)


def test_a_saw_is_flat() -> None:
    assert abs(trend([(at, 100 + at % 50) for at in SECONDS]).rise) < 3


def test_a_leak_is_seen_beneath_the_noise() -> None:
    random = Random(2)
    assert trend([(at, 100 + 0.02 * at + random.gauss(0, 3)) for at in SECONDS]).rise == pytest.approx(12, abs=2)
