"""What a line of a CV may say."""

from __future__ import annotations

import pytest

from node.errors import Invalid
from node.profiles.entries import ends_before, form_of_entry, parse_entry
from node.profiles.rules import parse_languages
from node.web.words import span
from schemas.cv import Entry

FORM = {
    "title": "Staff designer",
    "organisation": "Museum",
    "place": "Bergen",
    "start": "3/2021",
    "end": "",
    "text": "Signs.\n\nMaps.",
    "url": "https://museum.example/",
    "audience": "followers",
}


def test_a_form_becomes_a_line_and_the_line_a_form():
    draft = parse_entry("experience", FORM)
    text = "Signs.\n\nMaps."
    assert draft.entry == Entry("Staff designer", "Museum", "Bergen", "2021-03", "", text, "https://museum.example/")
    assert draft.audience == "followers"
    assert parse_entry("experience", form_of_entry(draft.entry, draft.audience)) == draft


def test_a_portfolio_has_neither_months_nor_organisation():
    assert parse_entry("portfolio", FORM).entry == Entry("Staff designer", text="Signs.\n\nMaps.", url=FORM["url"])


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Write what you were"),
        ("title", "x" * 121, "at most 120"),
        ("organisation", "x" * 121, "at most 120"),
        ("place", "x" * 101, "at most 100"),
        ("start", "soon", "year-month"),
        ("start", "2021-13", "year-month"),
        ("start", "0/2021", "year-month"),
        ("start", "1021", "year-month"),
        ("end", "2021-02", "ends before it begins"),
        ("end", "2020", "ends before it begins"),
        ("text", "x" * 1_501, "at most 1,500"),
        ("url", "museum.example", "Begin with https://"),
        ("url", "javascript:alert(1)", "Begin with https://"),
        ("url", "https://good@evil.example/", "Begin with https://"),
        ("audience", "friends", "Choose who sees this"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(field, value, says):
    with pytest.raises(Invalid) as wrong:
        parse_entry("experience", FORM | {field: value})
    assert list(wrong.value.errors) == [field]
    assert says in wrong.value.errors[field]


def test_a_span_is_compared_as_far_as_it_is_known():
    assert not ends_before("2021-03", "2021")
    assert ends_before("2021-03", "2021-02")


def test_from_when_to_when():
    assert span("2021-03", "") == "March 2021 to now"
    assert span("2015", "2019-12") == "2015 to December 2019"
    assert span("2015", "2015") == "2015"
    assert span("", "2019") == "until 2019"
    assert not span("", "")
    assert span("2021-03", "").said("de") == "März 2021 bis heute"


def test_a_language_with_its_level():
    assert parse_languages("English c1, Igbo (native), pt-BR B2, de") == {
        "en": "C1",
        "ig": "native",
        "pt-BR": "B2",
        "de": None,
    }
    with pytest.raises(ValueError, match="no level"):
        parse_languages("English fluent")
    with pytest.raises(ValueError, match="not a language"):
        parse_languages("Klingon C1")
