"""`freehold endorse` and `freehold endorsement`, as two people who share a node."""

from __future__ import annotations

import asyncio

import pytest

from tests.node.cli.freehold import Freehold
from tests.node.cli.test_credential import add_carol

AMARA, CAROL = ("--as", "amara"), ("--as", "carol")


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    asyncio.run(add_carol(made))
    made.run("profile", "set", "--skill", "Python", "--skill", "Welding", *AMARA)
    return made


def test_a_skill_is_endorsed_accepted_hidden_and_taken_back(freehold):
    said = ("endorse", "@amara@amara.example", "python", "--relation")
    given = freehold.json(*said, "worked", "--comment", "Well.", *CAROL)
    assert freehold.json("endorsement", "list", *AMARA) == []
    [offered] = freehold.json("credential", "list", *AMARA)
    freehold.run("endorsement", "accept", offered["name"], *AMARA)
    [skill] = freehold.json("endorsement", "list", "@amara", *CAROL)
    [one] = skill["endorsements"]
    assert (skill["skill"], skill["known"], skill["strangers"]) == ("Python", 1, 0)
    assert (one["standing"], one["how"]) == ("yours", "Both say that they have worked together.")
    assert "1 known here, 0 whom nobody here knows" in freehold.run("endorsement", "list", *AMARA)
    freehold.run("endorsement", "hide", offered["name"], *AMARA)
    assert freehold.run("endorsement", "list", *AMARA).strip() == "None."
    freehold.run("credential", "revoke", given["name"], *CAROL)
    assert "taken it back" in freehold.run("endorsement", "accept", offered["name"], *AMARA, code=1)
    freehold.run(*said, "none", *CAROL)  # anew


def test_what_is_wrong_is_named_by_its_option(freehold):
    wrong = freehold.run("endorse", "@amara@amara.example", "Diplomacy", "--relation", "none", *CAROL, code=1)
    assert "does not stand on their profile" in wrong
    wrong = freehold.run("endorse", "@amara@amara.example", "Python", "--relation", "followed", *CAROL, code=1)
    assert wrong.startswith("freehold: --relation: As far as your server knows, you do not follow each other.")
    freehold.run("endorse", "@amara@amara.example", "Python", "--relation", "married", *CAROL, code=2)
