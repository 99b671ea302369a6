"""The form, how two people know each other in words, and what an endorser is to whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from node.endorsements.rules import (
    MAX_COMMENT,
    Acquaintance,
    EndorseDraft,
    claimed,
    facts,
    how,
    parse_endorse,
    relation_of,
    standing,
)
from node.errors import Invalid

FORM = {"to": "@bo@b.example", "skill": "Python", "relation": "worked", "comment": " Well. "}
MET = Acquaintance(first_seen=datetime(2026, 3, 1, tzinfo=UTC))


def test_the_form_is_read() -> None:
    assert parse_endorse(FORM) == EndorseDraft("@bo@b.example", "Python", "worked", "Well.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", ""),
        ("skill", ""),
        ("skill", "x" * 101),
        ("relation", ""),
        ("relation", "married"),
        ("comment", "x" * (MAX_COMMENT + 1)),
    ],
    ids=["nobody", "no skill", "a long skill", "no relation", "another relation", "a long comment"],
)
def test_a_form_that_says_too_little_or_too_much_is_refused(field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_endorse(FORM | {field: value})
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(
    ("said", "mutual", "words"),
    [
        ("worked", False, "Both say that they have worked together."),
        ("worked", None, "Both say that they have worked together."),
        ("followed", True, "They follow each other."),
        ("followed", None, "Both say that they follow each other."),
        ("followed", False, "It says that they follow each other. As far as this server knows, they do not."),
        ("none", True, "They follow each other."),
        ("none", False, "Nothing is known of how they know each other."),
        ("married", False, "Nothing is known of how they know each other."),
        ("", None, "Nothing is known of how they know each other."),
    ],
)
def test_how_they_know_each_other(said: str, mutual: bool | None, words: str) -> None:
    assert how(relation_of(said), mutual=mutual) == words


def test_who_accepts_it_reads_what_that_says() -> None:
    assert "says so too" in claimed("worked", mutual=False)
    assert "you do not" in claimed("followed", mutual=False)
    assert claimed("none", mutual=True) == claimed("followed", mutual=True) == "You follow each other."


@pytest.mark.parametrize(
    ("known", "expected", "words"),
    [
        (Acquaintance(), "stranger", "This server has never met them. Nobody else here follows them. Their key is not"),
        (MET, "stranger", "First seen here on 1 March 2026. Nobody else here follows them."),
        (MET._replace(followers=1), "known", "1 other person here follows them."),
        (MET._replace(local=True), "here", "Lives on this server since 1 March 2026."),
        (MET._replace(followed=True), "yours", "You follow them."),
        (MET._replace(by_friends=("Ada", "Cy")), "yours", "Followed by people whom you follow: Ada, Cy."),
        (MET._replace(key="holds"), "stranger", "Their key was checked."),
        (MET._replace(key="fails"), "stranger", "The key is not theirs."),
    ],
    ids=["never met", "met", "followed here", "lives here", "followed by me", "by friends", "key", "wrong key"],
)
def test_what_an_endorser_is_to_whoever_looks(known: Acquaintance, expected: str, words: str) -> None:
    assert standing(known) == expected
    assert words in " ".join(facts(known))
