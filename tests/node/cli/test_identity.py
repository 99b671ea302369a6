"""`freehold identity`: made, tried, succeeded and brought along from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from keys.phrases import new_phrase
from tests.node.cli.freehold import Freehold


@pytest.fixture
def environ():
    """SQLite alone: `tests/scenarios/test_identity.py` asks both kinds of database."""
    return {}


@pytest.fixture
def freehold(environ, tmp_path):
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def given(freehold: Freehold, *arguments: str, code: str) -> str:
    return freehold.run("identity", *arguments, "--code-stdin", input=f"{code}\n")


def test_a_key_is_made_tried_changed_and_brought_along(freehold: Freehold, tmp_path):
    assert freehold.json("identity", "show")["did"] is None
    assert "no identity key yet" in freehold.run("identity", "show")
    made = freehold.json("identity", "make")
    assert freehold.json("identity", "show")["keys"][0]["state"] == "untried"
    assert made["did"] in given(freehold, "try", code=made["code"])
    shown = freehold.json("identity", "show")
    assert (shown["did"], shown["accounts"]) == (made["did"], [shown["actor"]])
    assert made["code"] not in str(shown)
    text = tmp_path / "sealed.txt"
    text.write_text(shown["sealed"])

    assert "identity succeed" in freehold.run("identity", "make", code=1)
    words = given(freehold, "succeed", code=made["code"])
    assert "shown this once" in words
    states = [key["state"] for key in freehold.json("identity", "show")["keys"]]
    assert states == ["claimed", "former"]

    other = Freehold(tmp_path / "other", {})
    other.set_up()
    assert made["did"] in given(other, "claim", str(text), code=made["code"])
    anew = other.json("identity", "make", "--anew")
    assert other.json("identity", "show")["did"] == made["did"]
    given(other, "try", code=anew["code"])
    assert other.json("identity", "show")["did"] == anew["did"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("try", "--code-stdin"), 1, "There is no identity key yet"),
        (("succeed", "--code-stdin"), 1, "There is no identity key yet"),
        (("try",), 2, "Use --code-stdin"),
        (("claim", __file__, "--code-stdin"), 1, "no sealed identity key"),
        (("claim", "nowhere.txt"), 2, "does not exist"),
        (("show", "--as", "nobody"), 1, "nobody here has the handle"),
    ],
)
def test_what_cannot_be_done_changes_nothing(freehold: Freehold, arguments: Any, code: int, words: str):
    before = freehold.json("state")
    assert words in freehold.run("identity", *arguments, code=code, input=f"{new_phrase()}\n")
    assert freehold.json("state") == before


def test_a_wrong_code_changes_nothing(freehold: Freehold):
    made = freehold.json("identity", "make")
    before = freehold.json("state")
    for wrong, why in ((new_phrase(), "opens another key"), ("nine", "has 9 words")):
        answer = freehold.run("identity", "try", "--code-stdin", code=1, input=f"{wrong}\n")
        assert why in answer
        assert made["code"] not in answer
    assert freehold.json("state") == before
