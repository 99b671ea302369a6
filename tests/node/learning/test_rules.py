"""The module form."""

from __future__ import annotations

import pytest

from node.errors import Invalid
from node.learning.rules import LICENCES, MAX_BODY, licence_name, parse_module

FORM = {
    "title": "Reading a contract",
    "body": "# Begin\n\nWith the parties.",
    "skills": "contract law",
    "minutes": "20",
}


def test_a_form_becomes_a_draft():
    draft = parse_module(FORM | {"summary": "What to look for.", "licence": "cc-by-sa-4.0", "more_skills": "Python"})
    assert (draft.title, draft.summary, draft.minutes) == ("Reading a contract", "What to look for.", 20)
    assert draft.licence == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert [skill.name for skill in draft.skills] == ["contract law", "Python"]
    assert draft.skills[1].uri


def test_what_is_left_out_has_a_default():
    draft = parse_module({"title": "A", "body": "b"})
    assert (draft.licence, draft.minutes, draft.skills, draft.summary) == (LICENCES[0].uri, None, (), "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 151}, "title"),
        ({"body": " "}, "body"),
        ({"body": "x" * (MAX_BODY + 1)}, "body"),
        ({"body": "- a\n" * 45_000}, "body"),  # grows with its formatting beyond what others read
        ({"minutes": "a while"}, "minutes"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "99999999999999999999"}, "minutes"),
        ({"minutes": "٣"}, "minutes"),
        ({"licence": "mine"}, "licence"),
        ({"licence": "javascript:alert(1)"}, "licence"),
        ({"skills": ", ".join(f"skill {number}" for number in range(60))}, "skills"),
        ({"summary": "x" * 501}, "summary"),
    ],
)
def test_a_wrong_field_is_named_with_what_to_do(changes, field):
    with pytest.raises(Invalid) as caught:
        parse_module(FORM | changes)
    assert list(caught.value.errors) == [field]
    assert caught.value.errors[field].endswith(".")


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(Invalid) as caught:
        parse_module({"title": "", "body": "", "minutes": "x"})
    assert set(caught.value.errors) == {"title", "body", "minutes"}


def test_licences_have_short_names():
    assert licence_name("https://creativecommons.org/licenses/by/4.0/") == "CC BY 4.0"
    assert licence_name("http://creativecommons.org/licenses/by/4.0/") == "CC BY 4.0"
    assert licence_name("https://a.example/mine") == "https://a.example/mine"
    assert licence_name(None) == ""
