"""What `--json` prints is a contract: keys that stay, times and decimals as text, lists as arrays."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation.clock import Clock
from federation.storage import Tx
from federation.tables import deliveries, peers
from tests.node.cli.freehold import Freehold
from tests.node.neighbours import BO, actor, follow, know

AMARA = "https://amara.example/users/amara"
RELATION = {"id", "handle", "name", "state", "since"}
KEYS = {
    "followers": RELATION,
    "following": RELATION,
    "timeline": {"object_id", "kind", "title", "path", "owner", "handle", "name", "published", "at", "reason", "via",
                 "verification", "visibility"},
    "profile show": {"id", "type", "handle", "name", "headline", "summary", "skills", "rate", "availability", "answer",
                     "languages", "levels", "links", "picture", "url", "discoverable", "indexable", "approves",
                     "audiences"},
    "gig list": {"id", "owner", "purpose", "title", "state", "price", "currency", "unit", "available", "minimum",
                 "skills", "published", "updated", "end_time", "body_md", "body_html", "local", "verification", "url"},
    "module list": {"id", "owner", "title", "summary", "licence", "minutes", "skills", "published", "updated",
                    "body_md", "body_html", "local", "verification", "announcement", "url"},
    "key list": {"id", "actor_id", "algorithm", "state", "public", "first_seen", "retired_at", "expires_at",
                 "revoked_at"},
    "queue": {"host", "pending", "given_up", "waiting_since", "paused", "failing_since", "last_error", "retry_at",
              "last_success"},
    "state": {"table", "rows", "digest"},
}  # fmt: skip
NESTED = {
    "skills": {"name", "uri"},
    "rate": {"amount", "currency", "unit"},
    "availability": {"status", "from", "hours_per_week", "updated"},
    "levels": {"language", "level"},
    "audiences": {"field", "audience"},
}
TIMES = {
    "since", "published", "at", "updated", "end_time", "first_seen", "waiting_since", "failing_since", "retry_at",
    "last_success", "retired_at", "expires_at", "revoked_at",
}  # fmt: skip
DAYS = {"from"}
DECIMALS = {"price", "amount", "available", "minimum"}
NUMBERS = {"minutes", "pending", "given_up", "rows", "hours_per_week"}
FLAGS = {"discoverable", "indexable", "approves", "local", "paused"}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DECIMAL = re.compile(r"\d+(\.\d+)?")


@pytest.fixture
def freehold(environ: dict[str, str], tmp_path: Path) -> Freehold:
    made = Freehold(tmp_path / "data", environ)
    made.set_up()
    return made


def _acquainted(tx: Tx) -> None:
    """Bo follows Amara, Amara follows Bo; his server has been away."""
    follow(tx, AMARA, know(tx, actor(), acct="bo@bo.example"))
    follow(tx, BO, AMARA)
    away = {"failures": 1, "failing_since": tx.now, "retry_at": tx.now, "last_success": tx.now, "last_error": "away"}
    tx.execute(sa.insert(peers).values(host="bo.example", **away))


def _full(freehold: Freehold, folder: Path) -> None:
    """Everything that has a value has one."""
    soon = (Clock().now() + timedelta(days=30)).date().isoformat()
    file, skill = folder / "module.md", ("--skill", "UX=https://x.example/ux")
    file.write_text("# Reading a contract\n\nBegin with the parties.", "utf-8")
    freehold.run("profile", "set", "--headline", "Forms", "--summary", "I make forms.", *skill, "--rate", "85.50/day",
                 "--currency", "EUR", "--free-from", soon, "--hours-per-week", "24", "--language", "en C1", "--link",
                 "https://a.example/")  # fmt: skip
    freehold.run("gig", "publish", "--offer", "--title", "Audit", "--body", str(file), *skill, "--rate", "85.50/hour",
                 "--currency", "EUR", "--available", "40", "--minimum", "2.5", "--until", soon)  # fmt: skip
    freehold.run("module", "publish", str(file), *skill, "--summary", "What to look for.", "--minutes", "90")
    freehold.run("post", "Good morning")
    freehold.run("key", "rotate")
    freehold.run("key", "rotate", "--compromised")


def _check(value: Any, name: str) -> None:
    """One value under its name: its kind is decided by the name alone, and null is always possible."""
    if isinstance(value, list):
        for item in value:
            _check(item, name)
    elif isinstance(value, dict):
        assert set(value) == NESTED[name]
        for key, item in value.items():
            _check(item, key)
    elif value is not None:
        _check_plain(value, name)


def _check_plain(value: Any, name: str) -> None:
    assert name not in NESTED, (name, value)
    if name in NUMBERS:
        assert type(value) is int
    elif name in FLAGS:
        assert type(value) is bool
    else:
        assert type(value) is str, (name, value)
    if name in TIMES:
        assert _TIME.fullmatch(value)
        assert datetime.fromisoformat(value).tzinfo is not None
    elif name in DAYS:
        assert date.fromisoformat(value).isoformat() == value
    elif name in DECIMALS:
        assert _DECIMAL.fullmatch(value)


def _strictly(text: str) -> Any:
    """JSON and nothing more: no NaN, no member twice."""

    def no(constant: str) -> None:
        raise AssertionError(constant)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=no, object_pairs_hook=once)


def _rows(freehold: Freehold, command: str) -> list[dict[str, Any]]:
    """What a command prints, checked."""
    found = _strictly(freehold.run(*command.split(), "--json"))
    assert isinstance(found, dict if command == "profile show" else list)
    rows = [found] if isinstance(found, dict) else found
    for row in rows:
        assert set(row) == KEYS[command]
        for name, value in row.items():
            _check(value, name)
    return rows


async def test_what_every_list_prints_is_json_with_keys_that_stay(freehold: Freehold, tmp_path: Path):
    await freehold.write(_acquainted)
    await asyncio.to_thread(_full, freehold, tmp_path)
    printed = {command: await asyncio.to_thread(_rows, freehold, command) for command in KEYS}
    assert {command for command, rows in printed.items() if not rows} == set()
    empty = {"picture", "via", "audiences"}  # what nobody gave here
    for command, rows in printed.items():
        unsaid = {name for name in KEYS[command] if all(row[name] in (None, "", []) for row in rows)}
        assert unsaid <= empty, command  # so each kind of value was seen
    (gig,) = printed["gig list"]
    assert (gig["price"], gig["minimum"], gig["available"]) == ("85.50", "2.5", "40")
    assert printed["profile show"][0]["rate"]["amount"] == "85.50"
    assert {row["table"] for row in printed["state"]} >= {"actors", "objects", "deliveries", "gigs"}
    assert [row["host"] for row in printed["queue"]] == ["bo.example"]
    assert "PRIVATE" not in str(printed["key list"])


def test_what_is_not_said_is_null_and_its_key_is_there(freehold: Freehold):
    freehold.run("gig", "publish", "--request", "--title", "Somebody who sings")
    freehold.run("post", "hello")
    assert _rows(freehold, "profile show")[0]["rate"] is None
    (gig,) = _rows(freehold, "gig list")
    assert {gig[name] for name in ("price", "currency", "available", "minimum", "end_time")} == {None}
    assert len(_rows(freehold, "timeline")) == 2
    for command in ("followers", "following", "module list", "queue"):
        assert freehold.run(*command.split(), "--json") == "[]\n"


async def test_the_queue_says_what_was_given_up(freehold: Freehold):
    await freehold.write(_acquainted)
    await asyncio.to_thread(freehold.run, "post", "hello")
    given_up = {"state": "given_up", "last_error": "400"}
    await freehold.write(lambda tx: tx.execute(sa.update(deliveries).values(given_up)))
    (row,) = await asyncio.to_thread(_rows, freehold, "queue")
    assert (row["pending"], row["given_up"], row["waiting_since"], row["paused"]) == (0, 1, None, False)
