"""Rows put straight into a node's database, while the node does not run: whom alice follows, who follows her, and the
history of a node that has run for long.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from federation.tables import actors, follows
from schemas.urls import host_of
from tests.bench.harness import Place
from tests.bench.hosts import Remote

TEXTS = ("TEXT", "VARCHAR")
YOUNG = "young-"  # so the first messages are called, with a number behind


def follow(place: Place, remotes: Sequence[Remote]) -> None:
    """Alice follows these, and they have agreed."""
    _insert(place, follows, [follow_row(place.alice, remote.id) for remote in remotes])


def followers(place: Place, origins: Sequence[str], count: int) -> None:
    """So many actors follow alice, spread over the hosts, each with an inbox of its own and no shared one."""
    ids = [f"{origins[number % len(origins)]}/users/follower{number}" for number in range(count)]
    _insert(place, actors, [_actor(actor_id) for actor_id in ids])
    _insert(place, follows, [follow_row(actor_id, place.alice) for actor_id in ids])


def follow_row(follower: str, followee: str) -> dict[str, Any]:
    """The row of an accepted follow."""
    now = datetime.now(UTC)
    return {
        "follower": follower,
        "followee": followee,
        "activity_id": f"{follower}/follows/{followee}",
        "state": "accepted",
        "created_at": now,
        "decided_at": now,
    }


def _actor(actor_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    document = {"id": actor_id, "type": "Person", "inbox": f"{actor_id}/inbox"}
    return {
        "id": actor_id,
        "type": "Person",
        "local": False,
        "username": actor_id.rsplit("/", 1)[1],
        "host": host_of(actor_id),
        "inbox": f"{actor_id}/inbox",
        "followers": f"{actor_id}/followers",
        "document": json.dumps(document).encode(),
        "verification": "delivered",
        "first_seen": now,
        "fetched_at": now,
        "updated_at": now,
    }


def _insert(place: Place, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    engine = sa.create_engine(f"sqlite:///{place.database}")
    with engine.begin() as connection:
        connection.execute(sa.insert(table), rows)
    engine.dispose()


def grow(place: Place, stored: int) -> int:
    """Copy the rows of the first messages, in every table that has any, until about `stored` messages are there.

    The copies are older and called otherwise; all else is as the node itself wrote it. Returns how many there are.
    """
    with closing(sqlite3.connect(place.database, isolation_level=None)) as db:
        have, young = _messages(db, "%"), _messages(db, f"%{YOUNG}%")
        copies = max(0, round((stored - have) / young))
        db.execute("BEGIN IMMEDIATE")
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            _copy(db, table, copies)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return _messages(db, "%")


def _messages(db: sqlite3.Connection, pattern: str) -> int:
    (count,) = db.execute("SELECT count(*) FROM inbox_messages WHERE activity_id LIKE ?", (pattern,)).fetchone()
    return int(count)


def _copy(db: sqlite3.Connection, table: str, copies: int) -> None:
    info = db.execute(f"PRAGMA table_info({table})").fetchall()
    columns = {name: kind for _, name, kind, _, _, key in info if not (key and kind == "INTEGER")}
    ours = " OR ".join(f"{name} LIKE '%{YOUNG}%'" for name, kind in columns.items() if kind in TEXTS)
    values = ", ".join(_value(name, kind) for name, kind in columns.items())
    db.execute(
        f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {copies})"
        f" INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table}, copy WHERE {ours or 'false'}"
        " ORDER BY n DESC"
    )


def _value(name: str, kind: str) -> str:
    """A column of the n-th copy: another name, an earlier time, or what it was."""
    if kind in TEXTS:
        return f"replace({name}, '{YOUNG}', 'seed-' || n || '-')"
    if kind == "BIGINT":  # times are microseconds since 1970
        return f"CASE WHEN {name} > 1000000000000000 THEN {name} - n * 600000000 ELSE {name} END"
    return name
