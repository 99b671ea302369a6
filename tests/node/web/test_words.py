"""Dates and money as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from node.web import words

NOW = datetime(2026, 11, 23, 13, 58, 7, tzinfo=UTC)


def test_a_day_in_words():
    assert words.day(date(2026, 12, 7)) == "7 December 2026"


def test_an_instant_where_it_is_evidence():
    assert words.instant(NOW) == "23 November 2026, 13:58 UTC"


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1, minutes=30), "1 hour"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=40), "14 October 2026"),
        (timedelta(hours=-2), "just now"),
    ],
)
def test_how_long_ago(before, says):
    assert words.ago(NOW - before, NOW) == says


def test_time_is_marked_for_machines():
    assert words.time_tag(NOW) == '<time datetime="2026-11-23T13:58:07Z">23 November 2026, 13:58 UTC</time>'
    assert words.time_tag(date(2026, 12, 7)) == '<time datetime="2026-12-07">7 December 2026</time>'


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [("4080", "EUR", "EUR 4,080.00"), ("48000", "JPY", "JPY 48,000"), ("0.1", "USD", "USD 0.10")],
)
def test_money_is_code_space_figure(amount, currency, says):
    assert words.money(Decimal(amount), currency) == says


@pytest.mark.parametrize(
    ("amount", "unit", "says"), [("68.00", "hour", "EUR 68 <small>an hour"), ("68.50", "day", "EUR 68.50 <small>a day")]
)
def test_a_rate_shows_cents_only_where_there_are_some(amount, unit, says):
    assert says in words.rate(Decimal(amount), "EUR", unit)


def test_what_people_write_is_escaped():
    assert words.name("<b>") == "<bdi>&lt;b&gt;</bdi>"
    assert words.time_tag(NOW, "<b>") == '<time datetime="2026-11-23T13:58:07Z">&lt;b&gt;</time>'
