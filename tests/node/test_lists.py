"""Skills, languages and currencies."""

from __future__ import annotations

import re

import pytest

from node.skills import named, names, parse_skills, vocabulary, write_skills
from node.vocabularies import currencies, language_code, language_name, languages
from schemas.money import Skill, currency_of


def test_known_skills_get_their_uri_by_any_form_of_their_name():
    python = vocabulary()["python (computer programming)"]
    for text in ("Python", "python", " PYTHON ", "Python (computer programming)"):
        [skill] = parse_skills(text)
        assert skill.uri == python.uri
    assert parse_skills("singing to goats") == (Skill("singing to goats", None),)


def test_skills_of_a_form_go_there_and_back():
    text = "Python, UX=https://skills.example/ux, singing to goats"
    assert write_skills(parse_skills(text)) == text
    assert parse_skills(write_skills(parse_skills(text))) == parse_skills(text)


def test_each_skill_counts_once():
    assert [skill.name for skill in parse_skills("Python, python; sailing\nSailing,,")] == ["Python", "sailing"]


def test_skills_of_strangers_are_fit_to_be_shown():
    known = vocabulary()["python"]
    strange = [Skill("", known.uri), Skill("a,b=c\u202e", None), Skill("", "https://x.example/"), Skill("A B C", None)]
    assert named(strange) == (Skill(known.name, known.uri), Skill("a b c", None))


def test_the_list_of_suggestions_is_short_and_in_order():
    assert len(names()) > 300
    assert list(names()) == sorted(names(), key=str.casefold)
    assert not [name for name in names() if "," in name or "=" in name or name != name.strip()]


@pytest.mark.parametrize(("text", "code"), [("English", "en"), ("português", "pt"), ("PT-BR", "pt-BR"), ("de", "de"),
                                            ("Klingon", None), ("en-", None), ("x" * 3_000, None)])  # fmt: skip
def test_a_language_by_name_or_code(text: str, code: str | None):
    assert language_code(text) == code


def test_every_language_is_found_by_its_own_names():
    for code, (name, own) in languages().items():
        assert re.fullmatch(r"[a-z]{2,3}", code)
        assert language_code(name) == code, name
        assert language_code(own) is not None, own
    assert language_name("pt-BR") == "Portuguese (BR)"
    assert language_name("xx-unknown") == "xx-unknown"


def test_every_currency_travels():
    assert len(currencies()) > 150
    for code, known in currencies().items():
        assert currency_of(code) == code == known.code
        assert known.decimals in (0, 2, 3)
