"""The form, the order of entries, and what may be said of an old check."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from node.credentials.rules import (
    ENTRIES,
    MAX_NAME,
    SAID_FOR,
    Found,
    entry,
    next_check,
    overall_now,
    parse_give,
)
from node.errors import Invalid

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FORM = {"to": "@bo@b.example", "name": "Kind", "description": "Is kind.", "criteria": "I saw it."}


def test_the_form_is_read() -> None:
    draft = parse_give(FORM | {"until": "2029-07-14"}, TODAY)
    assert (draft.name, draft.to, draft.until) == ("Kind", "@bo@b.example", date(2029, 7, 14))
    assert parse_give(FORM, TODAY).until is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", ""),
        ("name", " "),
        ("name", "x" * (MAX_NAME + 1)),
        ("description", ""),
        ("criteria", "x" * 2_001),
        ("until", "2026-11-25"),
        ("until", "3000-01-01"),
        ("until", "soon"),
    ],
)
def test_a_field_that_is_wrong_is_named(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_give(FORM | {field: value}, TODAY)
    assert list(refused.value.errors) == [field]


def test_every_entry_is_given_away_once_in_an_order_that_says_nothing() -> None:
    seed = bytes(range(32))
    order = [entry(seed, number) for number in range(4_096)]
    assert len(set(order)) == len(order)
    assert all(0 <= index < ENTRIES for index in order)
    steps = {(after - before) % ENTRIES for before, after in itertools.pairwise(order)}
    assert len(steps) > 3_900
    assert [entry(bytes(32), number) for number in range(8)] != order[:8]


def test_a_check_that_is_old_is_not_shown_as_valid() -> None:
    valid = Found("holds")
    assert overall_now(valid, NOW, None, NOW + SAID_FOR) == "holds"
    assert overall_now(valid, NOW, None, NOW + SAID_FOR + timedelta(seconds=1)) == "unknown"
    assert overall_now(valid, NOW, NOW, NOW) == "fails"
    assert overall_now(None, None, None, NOW) == "unknown"
    assert overall_now(Found("fails"), NOW, None, NOW + 2 * SAID_FOR) == "fails"


def test_who_could_not_be_asked_is_asked_less_and_less() -> None:
    waits = [next_check(NOW, "unknown", failures) - NOW for failures in range(10)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(hours=1)
    assert waits[-1] == timedelta(days=7)
    assert next_check(NOW, "holds", 0) - NOW == timedelta(hours=12)
