"""`freehold setup`: once, or not at all."""

from __future__ import annotations

import json

import pytest

from keys.phrases import parse_phrase
from tests.node.cli.freehold import PASSWORD, Freehold

RIGHT = {"--origin": "https://amara.example", "--handle": "amara"}


@pytest.fixture
def freehold(bare_environ, tmp_path):
    return Freehold(tmp_path / "data", bare_environ)


def arguments(**changes):
    options = RIGHT | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return ["setup", *(word for pair in options.items() for word in pair), "--password-stdin"]


def test_it_says_what_it_made_and_how_to_go_on(freehold):
    said = freehold.run(*arguments(name="Amara Okafor", handle_domain="okafor.example"), input=f"{PASSWORD}\n")
    assert "https://amara.example is set up for @amara@okafor.example. Start it with `freehold serve`." in said
    profile = freehold.json("profile", "show")
    assert (profile["name"], profile["handle"]) == ("Amara Okafor", "amara@okafor.example")


def test_it_says_so_in_json_too(freehold):
    said = json.loads(freehold.run(*arguments(kind="collective"), "--json", input=f"{PASSWORD}\n"))
    assert parse_phrase(said.pop("phrase"))
    assert said == {"actor": "https://amara.example/users/amara", "handle": "amara", "origin": "https://amara.example"}
    assert freehold.json("profile", "show")["type"] == "Organization"


def test_a_local_origin_is_warned_about(freehold):
    assert "trying things out" in freehold.run(*arguments(origin="http://127.0.0.1:8420"), input=f"{PASSWORD}\n")


@pytest.mark.parametrize(
    ("changes", "password", "says"),
    [
        ({"origin": "http://amara.example"}, PASSWORD, "Write https://amara.example."),
        ({"origin": "https://amara.example/x"}, PASSWORD, "Write https://amara.example."),
        ({"handle": "a/b"}, PASSWORD, "only small letters"),
        ({"handle": "instance.actor"}, PASSWORD, "Choose another handle"),
        ({}, "short", "at least 10 characters"),
        ({"handle_domain": "x/y"}, PASSWORD, "domain alone"),
    ],
)
def test_what_the_form_refuses_is_refused_before_anything_is_made(freehold, changes, password, says):
    said = freehold.run(*arguments(**changes), code=1, input=f"{password}\n")
    assert says in said
    assert said.count("\n") == 1
    assert not freehold.data.exists()


def test_settings_that_say_something_else_win(freehold):
    bound = Freehold(freehold.data, freehold.environ | {"FREEHOLD_ORIGIN": "https://other.example"})
    assert "FREEHOLD_ORIGIN is set to" in bound.run(*arguments(), code=1, input=f"{PASSWORD}\n")
    assert not freehold.data.exists()


def test_a_second_set_up_changes_nothing(freehold):
    freehold.run(*arguments(), input=f"{PASSWORD}\n")
    before = freehold.json("state")
    said = freehold.run(*arguments(origin="https://eve.example", handle="eve"), code=1, input=f"{PASSWORD}\n")
    assert "set up already, as https://amara.example" in said
    assert freehold.json("state") == before


def test_without_a_terminal_a_password_comes_from_standard_input(freehold):
    words = [word for pair in RIGHT.items() for word in pair]
    assert "Use --password-stdin" in freehold.run("setup", *words, code=2)


def test_other_commands_say_that_there_is_no_node(freehold):
    assert "freehold setup" in freehold.run("state", code=1)
