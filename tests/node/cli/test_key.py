"""`freehold key`: new keys from the command line, and the keys of other servers asked for anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.node.cli.freehold import Freehold

INSTANCE = "https://amara.example/users/instance.actor"


@pytest.fixture
def freehold(environ, tmp_path):
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def listed(freehold: Freehold) -> list[tuple[str, str, str]]:
    return [
        (key["actor_id"].rpartition("/")[2], key["algorithm"], key["state"]) for key in freehold.json("key", "list")
    ]


def test_183_184_keys_are_changed_by_command(freehold: Freehold):
    first = freehold.json("key", "list")
    done = freehold.json("key", "rotate")
    assert set(done) == {"actor", "rsa", "ed25519", "told", "signed_anew"}
    assert not {done["rsa"], done["ed25519"]} & {key["id"] for key in first}
    assert [state for name, _, state in listed(freehold) if name == "amara"] == ["signs", "signs", "retired", "retired"]
    freehold.run("post", "Mine.")
    words = freehold.run("key", "rotate", "--compromised", "--since", "2026-01-01")
    assert "Things signed anew: 1." in words
    assert "--instance" in words
    assert [state for name, _, state in listed(freehold) if name == "amara"] == ["signs"] * 2 + ["revoked"] * 4
    assert [state for name, _, state in listed(freehold) if name == "instance.actor"] == ["signs", "signs"]
    assert "in other hands since 2026-01-01T00:00:00Z" in freehold.run("key", "list")
    assert freehold.json("key", "rotate", "--instance")["actor"] == INSTANCE
    assert [state for name, _, state in listed(freehold) if name != "amara"] == ["signs", "signs", "retired", "retired"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rotate", "--since", "2026-01-01"), 2, "--since belongs to --compromised"),
        (("rotate", "--compromised", "--since", "last week"), 1, "is no time"),
        (("rotate", "--compromised", "--since", "2199-01-01"), 1, "is in the future"),
        (("rotate", "--as", "nobody"), 1, "nobody here has the handle"),
        (("expire", "nobody.example"), 1, "no key of nobody.example is known here"),
        (("expire",), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_changes_nothing(freehold: Freehold, arguments: Any, code: int, words: str):
    before = freehold.json("state")
    assert words in freehold.run("key", *arguments, code=code)
    assert freehold.json("state") == before
