"""CVs and cards: written by us and read again; of others only what can be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Audience
from schemas.cv import Cv, Entry, cv_of, month_of, write_cv
from schemas.errors import Malformed
from schemas.jsonld import normalise
from schemas.money import Rate, Skill
from schemas.profiles import (
    LEVELS,
    Availability,
    Card,
    FreelanceProfile,
    parse_card,
    profile_of,
    write_card,
    write_profile,
)
from schemas.strict_json import dumps, loads_object
from tests.schemas.shapes import WRONG

OWNER = "https://a.example/users/alice"
WORK = Entry("Designer", "Museum", "Bergen", "2021-03", "", "Signs.\nMaps.", "https://museum.example/")
CV = Cv(
    experience=(WORK, Entry("Member", start="2015", end="2019-12")),
    education=(Entry("MA", "Porto", "", "2013", "2015", "Thesis."),),
    portfolio=(Entry("A map", text="Of a town.", picture="https://a.example/media/1.webp", alt="A map"), Entry("B")),
)
PROFILE = FreelanceProfile(
    skills=(Skill("Tea", None),),
    languages=("en", "ig", "de-AT"),
    levels={"ig": "native", "de-AT": "B2"},
    rate=Rate(Decimal("68.00"), "EUR", "hour"),
    availability=Availability(
        "open", date(2026, 12, 7), 24, datetime(2026, 11, 23, tzinfo=UTC), (0, 24, 40), date(2026, 11, 23)
    ),
    cv=CV,
)
CARD = Card(f"{OWNER}/cv/1", OWNER, PROFILE, "<p>Hello</p>", ("https://alice.example/",))


def written(card: Card = CARD) -> dict:
    audience = Audience((f"{OWNER}/followers",))
    return write_card(
        card, content="<p>x</p>", url="https://a.example/@alice", audience=audience, published="2026-12-07T10:00:00Z"
    )


def test_a_profile_is_the_same_after_a_journey():
    assert profile_of(loads_object(dumps(write_profile(PROFILE)))) == PROFILE


def test_a_card_is_the_same_after_a_journey_and_is_read_as_it_stands():
    document = loads_object(dumps(written()))
    assert normalise(document) is document, "our own context says nothing unusual"
    found = parse_card(document)
    assert (found.profile, found.summary, found.links) == (PROFILE, CARD.summary, CARD.links)
    assert "proof" not in document


def test_every_term_of_a_card_stands_in_its_context():
    document = written()
    terms = document["@context"][-1]
    for name in ("availability", "portfolio", "weeks", "weeksFrom", "level", "status", "hoursPerWeek", "from"):
        assert terms[name].startswith("fh:"), name
    assert (
        "availability"
        not in written(Card("https://a.example/users/alice/cv/2", OWNER, FreelanceProfile()))["@context"][-1]
    )


@pytest.mark.parametrize("describes", [None, "https://b.example/users/bo", [], 7])
def test_nobody_describes_somebody_else(describes):
    with pytest.raises(Malformed):
        parse_card(written() | {"describes": describes})


@given(
    st.lists(st.sampled_from(["schema:worksFor", "schema:alumniOf", "portfolio", "schema:knowsLanguage"])),
    st.sampled_from(WRONG),
)
def test_whatever_stands_there_is_read_or_left_out(names, wrong):
    document = write_profile(PROFILE)
    for name in names:
        document[name] = [wrong, document[name][0] if isinstance(document[name], list) else wrong]
    profile_of(document)
    for entry in document.get("schema:worksFor", []):
        if isinstance(entry, dict):
            for member in tuple(entry):
                cv_of({"schema:worksFor": [entry | {member: wrong}]})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2021-03", "2021-03"), ("2021", "2021"), ("2021-03-15", "2021-03"), ("2021-13", ""), ("1021-03", ""), ("", ""),
        ("2021-3", ""), ("2021-", "2021"), (2021, ""), (None, ""), ("٢٠٢١", ""), ("2021/03", ""),
    ],
)  # fmt: skip
def test_a_month_or_a_year(said, read):
    assert month_of(said) == read


def test_a_level_that_nobody_knows_is_none():
    found = profile_of({"schema:knowsLanguage": [{"schema:alternateName": "de", "level": "Z9"}, "fr", {"level": "A1"}]})
    assert (found.languages, found.levels) == (("de", "fr"), {})
    assert set(LEVELS) >= {"A1", "native"}


def test_an_empty_cv_says_nothing():
    assert write_cv(Cv()) == {}
    assert not Cv()
    assert cv_of({"schema:worksFor": [{"@type": "schema:OrganizationRole"}, 5, None]}) == Cv()
