"""Blocks, mutes, lists and relays from the command line, on a node that was set up by `freehold setup`."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from federation.tables import blocks, follows, mutes
from tests.node.cli.freehold import Freehold
from tests.node.neighbours import BO, actor, follow, know

AMARA = "https://amara.example/users/amara"


@pytest.fixture
def freehold(environ, tmp_path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    asyncio.run(made.write(lambda tx: follow(tx, AMARA, know(tx, actor(), acct="bo@bo.example"))))
    return made


def rows(freehold: Freehold, table: sa.Table) -> list[str]:
    return [row.target for row in asyncio.run(freehold.write(lambda tx: tx.rows(sa.select(table))))]


def test_somebody_known_is_blocked_and_muted_without_asking_anybody(freehold):
    assert freehold.json("block", "@bo@bo.example") == {"actor": BO}
    assert rows(freehold, blocks) == [BO]
    assert asyncio.run(freehold.write(lambda tx: tx.rows(sa.select(follows)))) == []
    assert freehold.json("mute", BO, "--for", "day")["until"] is not None
    assert rows(freehold, mutes) == [BO]
    assert freehold.json("unblock", "@bo@bo.example") == {"actor": BO, "changed": True}
    assert rows(freehold, blocks) + rows(freehold, mutes) == []
    assert freehold.json("unblock", BO) == {"actor": BO, "changed": False}


def test_a_list_goes_and_comes(freehold, tmp_path):
    file = tmp_path / "follows.csv"
    assert freehold.json("follows", "export", str(file)) == {"file": str(file), "count": 1}
    assert file.read_text().splitlines()[1] == "bo@bo.example,true,false,"
    file.write_text("Account address\namara@amara.example\n")
    said = freehold.json("follows", "import", str(file), "--kind", "blocks")
    assert (said["done"], said["failed"]) == (0, 1)
    assert said["failures"][0]["words"] == "That is you."
    assert "cannot be read" in freehold.run("follows", "import", str(tmp_path / "absent.csv"), code=2)
    file.write_bytes(b"x" * 600_000)
    assert "larger than 500 KB" in freehold.run("follows", "import", str(file), code=1)


def test_there_is_no_relay_yet(freehold):
    assert freehold.json("relay", "list") == []
    assert "no relay of ours" in freehold.run("relay", "remove", BO, code=1)
