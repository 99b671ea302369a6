"""The retry policy, as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import retry
from federation.retry import Verdict

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CHANCE = st.floats(0, 1, exclude_max=True)
FAILURES = st.integers(0, 10**9)
LENGTH = st.timedeltas()


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((200, 201, 202, 204), Verdict.DELIVERED),
        ((400, 402, 405, 406, 413, 415, 422, 451), Verdict.REFUSED),
        ((401, 403, 301, 302, 307, 308, 304), Verdict.DENIED),
        ((404, 410), Verdict.MISSING),
        ((408, 425), Verdict.LATER),
        ((429,), Verdict.SLOW_DOWN),
        ((500, 501, 502, 503, 504, 599), Verdict.CHOKED),
    ],
)
def test_163_every_status_has_one_meaning(statuses: tuple[int, ...], verdict: Verdict) -> None:
    assert {retry.judge(status, asks_for_time=False) for status in statuses} == {verdict}


REFUSED = {*range(400, 500)} - {401, 403, 404, 408, 410, 425, 429}


@pytest.mark.parametrize("asks_for_time", [False, True])
def test_163_the_table_has_no_holes(asks_for_time: bool) -> None:
    """Of every status it is said whether it is tried again, and a 4xx that names no mend is final."""
    found = {status: retry.judge(status, asks_for_time=asks_for_time) for status in range(100, 600)}
    assert {status for status, verdict in found.items() if verdict is Verdict.DELIVERED} == set(range(200, 300))
    assert {status for status, verdict in found.items() if verdict is Verdict.REFUSED} == REFUSED
    slow = {429, 503} if asks_for_time else {429}
    assert {status for status, verdict in found.items() if verdict is Verdict.SLOW_DOWN} == slow
    choked = {status for status, verdict in found.items() if verdict is Verdict.CHOKED}
    assert choked == set(range(500, 600)) - slow
    denied = {status for status, verdict in found.items() if verdict is Verdict.DENIED}
    assert denied == {*range(100, 200), *range(300, 400), 401, 403}
    left = {Verdict.UNREACHABLE, Verdict.UNTRIED}
    assert set(found.values()) == set(Verdict) - left


def test_163_a_503_that_asks_for_time_gets_it() -> None:
    assert retry.judge(503, asks_for_time=True) is Verdict.SLOW_DOWN
    assert retry.judge(500, asks_for_time=True) is Verdict.CHOKED


def test_delays_double_from_thirty_seconds_to_twelve_hours() -> None:
    delays = [retry.delay(failures, 0.0) for failures in range(1, 30)]
    assert delays[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(hours=12)


@pytest.mark.parametrize("failures", [0, 1, 5, 11, 1000])
def test_chance_spreads_and_never_exceeds_the_longest(failures: int) -> None:
    shortest, longest = retry.delay(failures, 0.0), retry.delay(failures, 0.999)
    assert shortest <= longest <= timedelta(hours=12)
    assert longest <= shortest * 1.2
    assert shortest >= timedelta(seconds=30)


def test_fourteen_days_of_failure_are_few_tries() -> None:
    waited, tries = timedelta(), 0
    while waited < timedelta(days=14):
        tries += 1
        waited += retry.delay(tries, 0.5)
    assert 25 <= tries <= 45


def test_waiting_by_age_grows_with_the_age() -> None:
    assert retry.delay_by_age(timedelta()) == timedelta(seconds=30)
    assert retry.delay_by_age(timedelta(hours=4)) == timedelta(hours=1)
    assert retry.delay_by_age(timedelta(days=13)) == timedelta(hours=12)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(None, timedelta(seconds=30)), (timedelta(), timedelta(seconds=30)), (timedelta(hours=-5), timedelta(seconds=30)),
     (timedelta(minutes=10), timedelta(minutes=10)), (timedelta(days=3650), timedelta(hours=24))],
)  # fmt: skip
def test_163_what_a_host_asks_for_is_capped(asked: timedelta | None, kept: timedelta) -> None:
    assert retry.respected(asked) == kept


def test_160_an_item_is_tried_for_fourteen_days() -> None:
    assert not retry.is_over(NOW - timedelta(days=13, hours=23), NOW)
    assert retry.is_over(NOW - timedelta(days=14), NOW)


def test_175_a_circuit_beyond_every_wait_is_not_believed() -> None:
    assert retry.is_open(NOW + timedelta(hours=1), NOW)
    assert not retry.is_open(NOW, NOW)
    assert not retry.is_open(None, NOW)
    assert not retry.is_open(NOW + timedelta(days=300), NOW)


@given(FAILURES, CHANCE)
def test_delays_are_bounded_whatever_happened(failures: int, chance: float) -> None:
    assert retry.FIRST_DELAY <= retry.delay(failures, chance) <= retry.LONGEST_DELAY


@given(FAILURES, FAILURES, CHANCE, CHANCE)
def test_more_failures_never_mean_a_shorter_wait(one: int, two: int, chance: float, other: float) -> None:
    fewer, more = sorted((one, two))
    assert retry.delay(fewer, chance) <= retry.delay(more, chance)
    low, high = sorted((chance, other))
    assert retry.delay(fewer, low) <= retry.delay(fewer, high)


@given(LENGTH, LENGTH)
def test_waiting_by_age_is_monotone_and_bounded(one: timedelta, two: timedelta) -> None:
    younger, older = sorted((one, two))
    assert retry.FIRST_DELAY <= retry.delay_by_age(younger) <= retry.delay_by_age(older) <= retry.LONGEST_DELAY


@given(st.none() | LENGTH)
def test_163_a_host_gets_the_time_that_it_asks_for_within_bounds(asked: timedelta | None) -> None:
    kept = retry.respected(asked)
    assert retry.FIRST_DELAY <= kept <= retry.LONGEST_RETRY_AFTER
    if asked is not None and retry.FIRST_DELAY <= asked <= retry.LONGEST_RETRY_AFTER:
        assert kept == asked


@given(st.none() | LENGTH, CHANCE, FAILURES)
def test_175_every_wait_of_ours_is_believed_and_ends(asked: timedelta | None, chance: float, failures: int) -> None:
    """What `is_open` takes for a wrong clock is never a wait that was set by ourselves."""
    for wait in (retry.respected(asked), retry.delay(failures, chance)):
        assert retry.is_open(NOW + wait, NOW)
        assert not retry.is_open(NOW + wait, NOW + wait)
