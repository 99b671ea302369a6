"""`freehold credential`, as two people who share a node."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.app import start
from node.settings import load
from tests.node.cli.freehold import Freehold
from tests.node.test_sweep import second_person

WORDS = ("--name", "Kind", "--description", "Is kind.", "--criteria", "I saw it.")


async def add_carol(freehold: Freehold) -> None:
    node = await start(load(freehold.data, freehold.environ))
    await node.db.write(second_person(node))
    await node.close()


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    asyncio.run(add_carol(made))
    return made


def test_given_kept_shown_and_taken_back(freehold, tmp_path):
    amara, carol = ("--as", "amara"), ("--as", "carol")
    [given] = freehold.json("credential", "issue", "@carol@amara.example", *WORDS, *amara)
    assert given["id"] == f"https://amara.example/users/amara/credentials/{given['name']}"
    [offered] = freehold.json("credential", "list", *carol)
    assert (offered["state"], offered["title"]) == ("offered", "Kind")
    freehold.run("credential", "hold", offered["name"], *carol)
    [held] = freehold.json("credential", "list", *carol)
    assert (held["state"], held["checked"]) == ("held", "holds")
    text = freehold.run("credential", "show", held["name"], *carol)
    assert json.loads(text)["id"] == given["id"]
    file = tmp_path / "kind.json"
    file.write_text(text.rstrip("\n"), "utf-8")
    assert freehold.json("credential", "hold", str(file), *carol)["name"] == held["name"]
    assert "about somebody else" in freehold.run("credential", "hold", str(file), *amara, code=1)
    file.write_text(text.replace("Is kind.", "Is very kind."), "utf-8")
    assert "does not hold" in freehold.run("credential", "hold", str(file), *carol, code=1)
    freehold.run("credential", "revoke", given["name"], *carol, code=1)
    freehold.run("credential", "revoke", given["name"], "--reason", "A mistake", *amara)
    [issued] = freehold.json("credential", "list", "--issued", *amara)
    assert issued["state"] == "revoked"
    assert "holds" in freehold.run("credential", "list", *carol)


def test_what_is_wrong_is_named_by_its_option(freehold):
    amara = ("--as", "amara")
    assert "themselves" in freehold.run("credential", "issue", "@amara@amara.example", *WORDS, *amara, code=1)
    late = freehold.run("credential", "issue", "@carol@amara.example", *WORDS, "--until", "soon", *amara, code=1)
    assert late.startswith("freehold: --until: This is not a day.")
    assert freehold.json("credential", "list", "--issued", *amara) == []
