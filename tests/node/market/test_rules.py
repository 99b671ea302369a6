"""What a gig form must say, and when a gig is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from node.errors import Invalid
from node.market.rules import end_of, parse_gig, state_of

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
FORM = {
    "purpose": "request",
    "title": "Charts for the visitor survey",
    "body": "Six charts.",
    "skills": "data visualisation, Python",
    "price": "52",
    "currency": "GBP",
    "unit": "hour",
    "available": "40",
    "minimum": "2.5",
    "until": "2026-12-04",
}


def test_a_form_becomes_a_draft():
    draft = parse_gig(FORM, TODAY)
    assert (draft.purpose, draft.unit, draft.until) == ("request", "hour", date(2026, 12, 4))
    assert (str(draft.price), draft.currency) == ("52.00", "GBP")
    assert (draft.available, draft.minimum) == (Decimal(40), Decimal("2.5"))
    assert [skill.name for skill in draft.skills] == ["data visualisation", "Python"]


def test_purpose_and_title_are_enough():
    draft = parse_gig({"purpose": "offer", "title": "Anything"}, TODAY)
    assert (draft.price, draft.currency, draft.unit, draft.until) == (None, None, "hour", None)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("purpose", "", "Say whether you offer"),
        ("purpose", "barter", "Say whether you offer"),
        ("title", "", "Write a title"),
        ("title", "\u200b \u202e", "Write a title"),
        ("title", "x" * 121, "at most 120"),
        ("body", "x" * 20_001, "at most 20,000"),
        ("price", "lots", "Write digits only"),
        ("price", "0", "above 0"),
        ("available", "100001", "at most 100,000"),
        ("price", "52.001", "2 decimals"),
        ("currency", "GBR", "three letters"),
        ("unit", "week", "for an hour, for a day, or for all of it"),
        ("available", "-1", "Write digits only"),
        ("available", "1.234", "Write digits only"),
        ("minimum", "41", "more than there is in all"),
        ("until", "2026-11-24", "That day has passed"),
        ("until", "tomorrow", "year-month-day"),
        ("skills", "UX=nowhere", "is not an address"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(field: str, value: str, says: str):
    with pytest.raises(Invalid) as wrong:
        parse_gig(FORM | {field: value}, TODAY)
    assert list(wrong.value.errors) == [field]
    assert says in wrong.value.errors[field]


def test_a_price_for_all_of_it_counts_nothing():
    with pytest.raises(Invalid) as wrong:
        parse_gig(FORM | {"unit": "one"}, TODAY)
    assert list(wrong.value.errors) == ["available"]
    assert parse_gig(FORM | {"unit": "one", "available": "", "minimum": ""}, TODAY).unit == "one"


def test_a_gig_ends_with_its_last_day_everywhere():
    end = end_of(date(2026, 12, 4))
    assert end == datetime(2026, 12, 4, 23, 59, 59, tzinfo=UTC)
    assert end_of(None) is None
    assert state_of(end, NOW, end - timedelta(seconds=1)) == "open"
    assert state_of(end, NOW, end) == "ended"


def test_a_closed_gig_says_so_by_its_times():
    assert state_of(None, NOW, NOW) == "open"
    assert state_of(NOW, NOW, NOW) == "closed"
    assert state_of(NOW, NOW + timedelta(hours=1), NOW + timedelta(days=300)) == "closed"
