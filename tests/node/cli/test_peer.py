"""`freehold peer`: rules about other servers."""

from __future__ import annotations

import pytest

from tests.node.cli.freehold import Freehold


@pytest.fixture
def freehold(environ, tmp_path):
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def test_rules_are_set_listed_and_taken_back(freehold):
    assert freehold.run("peer", "list") == "There are no rules: every server may speak.\n"
    assert "0 follows ended" in freehold.run("peer", "block", "Cheap.Example", "--reason", "spam")
    freehold.run("peer", "limit", "loud.example:8443")
    assert freehold.json("peer", "allow", "https://good.cheap.example/@x")["host"] == "good.cheap.example"
    rules = {row["host"]: (row["rule"], row["reason"]) for row in freehold.json("peer", "list")}
    assert rules == {
        "cheap.example": ("block", "spam"),
        "loud.example": ("limit", ""),
        "good.cheap.example": ("allow", ""),
    }
    freehold.run("peer", "forget", "loud.example")
    assert "has no rule" in freehold.run("peer", "forget", "loud.example", code=1)
    assert len(freehold.json("peer", "list")) == 2


@pytest.mark.parametrize("host", ["amara.example", "example", "a b", ""])
def test_what_is_ourselves_or_no_server_is_refused(freehold, host):
    before = freehold.json("state")
    freehold.run("peer", "block", host, code=1)
    assert freehold.json("state") == before


def test_a_phrase_is_made_anew_and_a_backup_refuses_to_overwrite(freehold, tmp_path):
    said = freehold.json("backup", "--new-phrase")
    assert len(said["phrase"].split()) == 9
    (tmp_path / "there").write_text("mine")
    assert "is there already" in freehold.run("backup", str(tmp_path / "there"), code=1)
    assert (tmp_path / "there").read_text() == "mine"
    freehold.run("backup", code=2)
