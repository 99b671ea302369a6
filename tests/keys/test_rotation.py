"""Which key signs, which is listed, and what an old one is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keys.rotation import OVERLAP, KeyPeriod, counts, published_keys, signing_key, standing
from tests.keys.made import NOW

DAY = timedelta(days=1)
OLD = KeyPeriod("old", since=NOW - 100 * DAY, retired=NOW)
NEW = KeyPeriod("new", since=NOW)
STOLEN = KeyPeriod("stolen", since=NOW - 50 * DAY, revoked=NOW - DAY)


def names(periods):
    return [period.key_id for period in periods]


def test_183_before_the_change_the_old_key_signs_after_it_the_new_one():
    assert signing_key([OLD, NEW], NOW - timedelta(seconds=1)) == OLD
    assert signing_key([OLD, NEW], NOW) == NEW


def test_183_a_replaced_key_stays_listed_for_a_while():
    assert names(published_keys([OLD, NEW], NOW - DAY)) == ["old"]
    assert names(published_keys([OLD, NEW], NOW)) == ["new", "old"]
    assert names(published_keys([OLD, NEW], NOW + OVERLAP - timedelta(seconds=1))) == ["new", "old"]
    assert names(published_keys([OLD, NEW], NOW + OVERLAP)) == ["new"]


def test_183_what_a_replaced_key_signed_still_counts():
    assert counts(OLD, NOW - DAY)
    assert counts(OLD, NOW + DAY)  # a delivery that was signed before the change, under way


def test_184_a_revoked_key_counts_for_what_it_signed_before():
    assert counts(STOLEN, NOW - 2 * DAY)
    assert not counts(STOLEN, NOW - DAY)
    assert not counts(STOLEN, NOW)


def test_184_a_revoked_key_neither_signs_nor_is_listed():
    assert signing_key([STOLEN], NOW) is None
    assert published_keys([STOLEN], NOW) == ()
    assert names(published_keys([STOLEN], NOW - 2 * DAY)) == ["stolen"]


def test_a_key_does_not_count_before_it_was_made():
    assert not counts(NEW, NOW - DAY)
    assert signing_key([], NOW) is None


@pytest.mark.parametrize(
    ("period", "at", "expected"),
    [
        (NEW, NOW - DAY, "not yet"),
        (NEW, NOW, "in force"),
        (OLD, NOW, "retired"),
        (STOLEN, NOW, "revoked"),
        (KeyPeriod("both", NOW - DAY, retired=NOW, revoked=NOW), NOW, "revoked"),
        (KeyPeriod("never", NOW, revoked=NOW - DAY), NOW - DAY, "revoked"),
    ],
)
def test_standing(period, at, expected):
    assert standing(period, at) == expected
