"""What a profile form may say, and what an availability answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from node.errors import Invalid
from node.profiles.answers import answer
from node.profiles.rules import audience_sentence, confirmed_at, parse_profile
from schemas.money import Rate, Skill
from schemas.profiles import Availability

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SOON = date(2026, 12, 7)
FORM = {
    "name": "Amara Okafor",
    "headline": "I turn research into pages",
    "summary": "For **eleven** years.",
    "skills": "Python, UX=https://skills.example/ux",
    "rate": "68",
    "currency": "EUR",
    "unit": "hour",
    "availability": "open",
    "free_from": "2026-12-07",
    "hours_per_week": "24",
    "languages": "English, Igbo, português, pt-BR",
    "links": "https://okafor.example/work\nhttps://code.example/amara",
    "discoverable": "yes",
    "indexable": "yes",
}


def errors(**changes: str) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        parse_profile(FORM | changes, TODAY)
    return wrong.value.errors


def test_a_form_becomes_a_draft():
    draft = parse_profile(FORM, TODAY)
    assert draft.rate == Rate(Decimal("68.00"), "EUR", "hour")
    assert str(draft.rate.amount) == "68.00", "written out to the last digit"
    assert draft.availability == Availability("open", SOON, 24)
    assert draft.languages == ("en", "ig", "pt", "pt-BR")
    assert draft.links == ("https://okafor.example/work", "https://code.example/amara")
    python, ux = draft.skills
    assert python.name == "Python"
    assert python.uri.startswith("http://data.europa.eu/esco/skill/")
    assert ux == Skill("UX", "https://skills.example/ux")


def test_only_a_name_is_needed():
    draft = parse_profile({"name": "Amara"}, TODAY)
    assert (draft.rate, draft.availability, draft.skills, draft.links) == (None, None, (), ())
    assert not draft.discoverable


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "Write the name"),
        ("name", "x" * 101, "at most 100 characters"),
        ("headline", "x" * 301, "at most 300 characters"),
        ("summary", "x" * 10_001, "at most 10,000 characters"),
        ("rate", "lots", "Write digits only"),
        ("rate", "68,- €", "Write digits only"),
        ("rate", "-5", "Write digits only"),
        ("rate", "1e9", "Write digits only"),
        ("rate", "NaN", "Write digits only"),
        ("rate", "٦٨", "Write digits only"),
        ("rate", "0", "above 0"),
        ("rate", "68.005", "EUR has 2 decimals"),
        ("rate", "999999999999", "below 1,000,000,000"),
        ("currency", "EURO", "three letters"),
        ("currency", "XXX", "three letters"),
        ("unit", "week", "for an hour or for a day"),
        ("availability", "maybe", "free, a little, or busy"),
        ("availability", "", "Say whether you are free"),
        ("free_from", "2026-11-24", "That day has passed"),
        ("free_from", "soon", "year-month-day"),
        ("free_from", "2026-02-30", "year-month-day"),
        ("free_from", "9999-12-31", "year-month-day"),
        ("hours_per_week", "0", "from 1 to 80"),
        ("hours_per_week", "81", "from 1 to 80"),
        ("hours_per_week", "2.5", "whole number"),
        ("hours_per_week", "9" * 500, "from 1 to 80"),
        ("languages", "Klingon", "“Klingon” is not a language"),
        ("languages", ", ".join(f"en-{n:03}" for n in range(21)), "at most 20"),
        ("links", "okafor.example/work", "Begin with https://"),
        ("links", "javascript:alert(1)", "Begin with https://"),
        ("links", "https://good@evil.example/", "is not an address"),
        ("links", "\n".join(f"https://a.example/{n}" for n in range(9)), "at most 8 links"),
        ("skills", "=https://a.example/", "Write a name before"),
        ("skills", "UX=javascript:alert(1)", "is not an address"),
        ("skills", "x" * 101, "too long for a skill"),
        ("skills", ",".join(f"skill {n}" for n in range(51)), "at most 50"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(field: str, value: str, says: str):
    wrong = errors(**{field: value})
    assert list(wrong) == [field]
    assert says in wrong[field]


def test_everything_that_is_wrong_is_said_at_once():
    assert set(errors(rate="lots", free_from="2020-01-01", links="no")) == {"rate", "free_from", "links"}


def test_a_currency_without_decimals_has_none():
    assert str(parse_profile(FORM | {"currency": "JPY", "rate": "4800"}, TODAY).rate.amount) == "4800"
    assert "JPY has no decimals" in errors(currency="JPY", rate="4800.50")["rate"]


def test_what_turns_the_text_around_it_is_taken_out():  # SECURITY 55
    draft = parse_profile(FORM | {"name": "Amara \u202e\u200bOkafor\n", "skills": "web\u2066 design"}, TODAY)
    assert draft.name == "Amara Okafor"
    assert [skill.name for skill in draft.skills] == ["web design"]


SAID = {
    ("open", SOON, 24): "Yes, from 7 December 2026, 24 hours a week.",
    ("open", SOON, None): "Yes, from 7 December 2026.",
    ("open", None, 24): "Yes, 24 hours a week.",
    ("open", TODAY, 1): "Yes, 1 hour a week.",
    ("open", TODAY - timedelta(days=90), 0): "Yes.",
    ("limited", SOON, 8): "A little, from 7 December 2026, 8 hours a week.",
    ("limited", None, None): "A little.",
    ("busy", SOON, 24): "No. Ask again from 7 December 2026.",
    ("busy", None, 24): "No. Ask again later.",
}


@pytest.mark.parametrize(("case", "says"), SAID.items(), ids=map(str, SAID))
def test_are_you_free_yet(case: tuple[str, date | None, int | None], says: str):
    said = answer(Availability(*case), TODAY)
    assert (said.status, said.sentence) == (case[0], says)
    plain = str(said.markup).replace("\u00a0", " ").replace("</time>", "")
    assert plain.replace('<time datetime="2026-12-07">', "") == says


def test_nobody_has_said_anything():
    said = answer(None, TODAY)
    assert (said.status, said.sentence, said.is_stale(NOW)) == (None, "They have not said yet.", False)


def test_an_answer_grows_old():
    fresh, old = (answer(Availability("open", updated=NOW - timedelta(days=days)), TODAY) for days in (29, 31))
    assert (fresh.is_stale(NOW), old.is_stale(NOW)) == (False, True)
    assert answer(Availability("open"), TODAY).is_stale(NOW), "who never said when has not confirmed it"
    spoken = [
        answer(Availability("open", updated=NOW - timedelta(days=d)), TODAY).freshness(NOW) for d in (0, 1, 5, 40)
    ]
    assert spoken == ["Said today", "Said yesterday", "Said 5 days ago", "Said on 16 October 2026"]


def test_the_same_answer_keeps_its_time_until_it_has_to_be_confirmed():
    held = Availability("open", SOON, 24, NOW - timedelta(days=10))
    assert confirmed_at(held, Availability("open", SOON, 24), NOW) == held.updated
    assert confirmed_at(held, Availability("open", SOON, 20), NOW) == NOW
    assert confirmed_at(None, Availability("open"), NOW) == NOW
    assert confirmed_at(held, None, NOW) is None
    old = Availability("open", SOON, 24, NOW - timedelta(days=31))
    assert confirmed_at(old, Availability("open", SOON, 24), NOW) == NOW


def test_who_hears_of_it_is_a_whole_sentence():
    assert "Nobody follows you yet" in audience_sentence(0, 0)
    assert audience_sentence(1, 1).endswith("to your one follower.")
    assert audience_sentence(2, 1).endswith("to 2 followers on one server.")
    assert audience_sentence(1212, 58).endswith("to 1,212 followers on 58 servers.")
