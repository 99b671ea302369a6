"""Reads: who asks to follow, who is blocked or muted, lists as they are written and read, where somebody moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from federation import moves
from federation.storage import Tx
from federation.tables import actors, blocks, follows, mutes
from node.errors import NotFound
from node.profiles import queries as profiles
from node.profiles.queries import Person
from node.relations.rules import MAX_ROWS, ListKind
from node.relations.tables import list_import_rows, list_imports

MAX_LISTED = 500
MAX_REPORTED = 200


class Due(NamedTuple):
    """A row of a list that waits: of which list, which line, whose, what for, and the address."""

    import_id: str
    number: int
    owner: str
    kind: str
    address: str


class Asking(NamedTuple):
    """Somebody who asks to follow, and since when."""

    person: Person
    since: datetime


class Hidden(NamedTuple):
    """Somebody who is blocked or muted, since when, and until when where that is said."""

    person: Person
    since: datetime
    until: datetime | None


class Failure(NamedTuple):
    """A line of a list of which nothing came, and why."""

    number: int
    address: str
    words: str


class Progress(NamedTuple):
    """How far the reading of a list has come. failures: at most 200."""

    id: str
    kind: str
    total: int
    done: int
    failed: int
    finished: bool
    failures: list[Failure]


class Whereabouts(NamedTuple):
    """Other accounts that somebody says are theirs, and where they went."""

    aliases: tuple[str, ...]
    moved_to: str | None
    moved_to_page: str | None


def requests(tx: Tx, actor_id: str) -> list[Asking]:
    """Who asks to follow somebody here, the oldest first."""
    mine = (follows.c.followee == actor_id, follows.c.state == "requested")
    rows = tx.rows(
        sa.select(follows.c.follower, follows.c.created_at)
        .where(*mine)
        .order_by(follows.c.created_at, follows.c.follower)
        .limit(MAX_LISTED)
    )
    found = profiles.people(tx, [row.follower for row in rows])
    return [Asking(found[row.follower], row.created_at) for row in rows if row.follower in found]


def count_requests(tx: Tx, actor_id: str) -> int:
    """How many ask."""
    mine = (follows.c.followee == actor_id, follows.c.state == "requested")
    return int(tx.scalar(sa.select(sa.func.count()).select_from(follows).where(*mine)))


def asked_by(tx: Tx, actor_id: str) -> set[str]:
    """Whom somebody asks to follow, and has no answer from yet."""
    theirs = (follows.c.follower == actor_id, follows.c.state == "requested")
    return {row.followee for row in tx.rows(sa.select(follows.c.followee).where(*theirs))}


def blocked(tx: Tx, actor_id: str) -> list[Hidden]:
    """Whom somebody blocks, the newest first."""
    columns = (blocks.c.target, blocks.c.created_at, sa.null().label("until"))
    statement = sa.select(*columns).where(blocks.c.actor == actor_id).order_by(blocks.c.created_at.desc())
    return _hidden(tx, tx.rows(statement.limit(MAX_LISTED)))


def muted(tx: Tx, actor_id: str) -> list[Hidden]:
    """Whom somebody mutes, the newest first; not those whose time is over."""
    lasts = sa.or_(mutes.c.until.is_(None), mutes.c.until > tx.now)
    columns = (mutes.c.target, mutes.c.created_at, mutes.c.until)
    statement = sa.select(*columns).where(mutes.c.actor == actor_id, lasts).order_by(mutes.c.created_at.desc())
    return _hidden(tx, tx.rows(statement.limit(MAX_LISTED)))


def _hidden(tx: Tx, rows: Sequence[Any]) -> list[Hidden]:
    found = profiles.people(tx, [row.target for row in rows])
    return [Hidden(found[row.target], row.created_at, row.until) for row in rows if row.target in found]


def addresses(tx: Tx, actor_id: str, kind: ListKind, own_domain: str) -> list[str]:
    """A list as `name@host`, in its own order."""
    if kind == "follows":
        other, mine = follows.c.followee, sa.and_(follows.c.follower == actor_id, follows.c.state != "rejected")
    elif kind == "blocks":
        other, mine = blocks.c.target, blocks.c.actor == actor_id
    else:
        other, mine = mutes.c.target, sa.and_(mutes.c.actor == actor_id, mutes.c.until.is_(None))
    columns = (actors.c.acct, actors.c.username, actors.c.host, actors.c.local)
    rows = tx.rows(sa.select(*columns).join_from(other.table, actors, actors.c.id == other).where(mine).limit(MAX_ROWS))
    return sorted(
        f"{row.username}@{own_domain}" if row.local else row.acct or f"{row.username}@{row.host}" for row in rows
    )


def progress(tx: Tx, owner: str, import_id: str | None = None) -> Progress | None:
    """How far a list has come, by default the newest; None for none. NotFound for an id that is another's."""
    statement = sa.select(list_imports).where(list_imports.c.owner == owner)
    if import_id is not None:
        statement = statement.where(list_imports.c.id == import_id)
    row = tx.row(statement.order_by(list_imports.c.id.desc()).limit(1))
    if row is None and import_id is not None:
        raise NotFound
    if row is None:
        return None
    this = list_import_rows.c.import_id == row.id
    counted = sa.select(list_import_rows.c.state, sa.func.count().label("number")).where(this)
    counts = {one.state: int(one.number) for one in tx.rows(counted.group_by(list_import_rows.c.state))}
    failed = sa.select(list_import_rows).where(this, list_import_rows.c.state == "failed")
    rows = tx.rows(failed.order_by(list_import_rows.c.number).limit(MAX_REPORTED))
    return Progress(
        row.id,
        row.kind,
        sum(counts.values()),
        counts.get("done", 0),
        counts.get("failed", 0),
        row.finished_at is not None,
        [Failure(one.number, one.address, one.words) for one in rows],
    )


def due(tx: Tx) -> Due | None:
    """The next row that waits, of the list that came first."""
    columns = (list_imports.c.id, list_import_rows.c.number, list_imports.c.owner, list_imports.c.kind)
    statement = (
        sa.select(*columns, list_import_rows.c.address)
        .join(list_imports, list_imports.c.id == list_import_rows.c.import_id)
        .where(list_import_rows.c.state == "pending")
        .order_by(list_imports.c.id, list_import_rows.c.number)
        .limit(1)
    )
    row = tx.row(statement)
    return None if row is None else Due(row.id, row.number, row.owner, row.kind, row.address)


def whereabouts(tx: Tx, actor_id: str) -> Whereabouts:
    """Where somebody here also is, and where they went."""
    actor = moves.known_actor(tx, actor_id)
    if actor is None:
        raise NotFound
    page = tx.scalar(sa.select(actors.c.url).where(actors.c.id == actor.moved_to)) if actor.moved_to else None
    return Whereabouts(actor.also_known_as, actor.moved_to, page or actor.moved_to)
