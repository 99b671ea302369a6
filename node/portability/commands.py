"""Archives as rows: asked for, under way, ready, forgotten."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.ids import new_id
from federation.storage import Tx
from node.errors import NotFound
from node.portability.tables import archives

Kind = Literal["out", "in"]

TOPIC = "archives"
KEEP = timedelta(days=7)
LEASE = timedelta(minutes=15)
MOST = 3
"""Archives of each kind that one person may have: the oldest makes room."""


class Archive(NamedTuple):
    """An archive of somebody. report: of one that was taken in, the lines of `node.portability.bringing`."""

    id: str
    actor_id: str
    kind: Kind
    state: Literal["waiting", "running", "ready", "failed"]
    step: int
    steps: int
    size: int | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    report: list[dict[str, Any]]

    @property
    def file(self) -> str:
        """In the folder of archives."""
        return f"{self.id}.zip"


def ask_for_export(tx: Tx, actor_id: str) -> str:
    """Wish for an archive; returns its id. One that is under way already is that one."""
    waiting = (archives.c.actor_id == actor_id, archives.c.kind == "out", archives.c.state.in_(("waiting", "running")))
    known: str | None = tx.scalar(sa.select(archives.c.id).where(*waiting))
    return known or ask(tx, actor_id, "out", new_id(tx.now))


def ask(tx: Tx, actor_id: str, kind: Kind, archive_id: str) -> str:
    """Let an archive be made, or taken in whose file is there already; returns its id."""
    times = {"created_at": tx.now, "expires_at": tx.now + KEEP}
    tx.execute(sa.insert(archives).values(id=archive_id, actor_id=actor_id, kind=kind, state="waiting", **times))
    mine = sa.select(archives.c.id).where(archives.c.actor_id == actor_id, archives.c.kind == kind)
    old = mine.order_by(archives.c.created_at.desc(), archives.c.id.desc()).offset(MOST)
    for row in tx.rows(old):
        tx.execute(sa.update(archives).where(archives.c.id == row.id).values(expires_at=tx.now))
    tx.notify(TOPIC)
    return archive_id


def archives_of(tx: Tx, actor_id: str) -> list[Archive]:
    """Newest first."""
    mine = sa.select(archives).where(archives.c.actor_id == actor_id, archives.c.expires_at > tx.now)
    return [_archive(row) for row in tx.rows(mine.order_by(archives.c.created_at.desc(), archives.c.id.desc()))]


def own(tx: Tx, actor_id: str, archive_id: str) -> Archive:
    """One of somebody's own that has not expired; NotFound for anything else."""
    mine = (archives.c.id == archive_id, archives.c.actor_id == actor_id, archives.c.expires_at > tx.now)
    row = tx.row(sa.select(archives).where(*mine))
    if row is None:
        raise NotFound
    return _archive(row)


def _archive(row: Row[Any]) -> Archive:
    values = {name: row._mapping[name] for name in Archive._fields}
    return Archive(**values | {"report": json.loads(row.report) if row.report else []})


def drop(tx: Tx, actor_id: str, archive_id: str) -> None:
    """One's own is wanted no more; NotFound."""
    own(tx, actor_id, archive_id)
    tx.execute(sa.delete(archives).where(archives.c.id == archive_id))
    tx.notify(TOPIC)


def take(tx: Tx) -> Archive | None:
    """The oldest that waits, or that somebody left lying: it is the caller's for a while."""
    left = sa.and_(archives.c.state == "running", archives.c.leased_until < tx.now)
    due = sa.or_(archives.c.state == "waiting", left)
    locked = sa.select(archives).where(due).order_by(archives.c.created_at).limit(1).with_for_update(skip_locked=True)
    row = tx.row(locked)
    if row is None:
        return None
    _set(tx, row.id, state="running", step=0, leased_until=tx.now + LEASE)
    return _archive(row)


def release(tx: Tx) -> None:
    """At the start of the only process: what was under way when the last one ended begins anew."""
    tx.execute(sa.update(archives).where(archives.c.state == "running").values(state="waiting", leased_until=None))


def progress(tx: Tx, archive_id: str, step: int, steps: int) -> None:
    """So far."""
    _set(tx, archive_id, step=step, steps=steps, leased_until=tx.now + LEASE)


def finish(
    tx: Tx, archive_id: str, state: Literal["ready", "failed"], *, size: int | None, report: list[dict[str, Any]]
) -> None:
    """Done; it stays for seven days from now."""
    _set(
        tx,
        archive_id,
        state=state,
        size=size,
        report=json.dumps(report),
        finished_at=tx.now,
        leased_until=None,
        expires_at=tx.now + KEEP,
    )


def _set(tx: Tx, archive_id: str, **values: Any) -> None:
    tx.execute(sa.update(archives).where(archives.c.id == archive_id).values(values))


def expired(tx: Tx) -> list[str]:
    """Forget the rows that are over; returns the ids of all that stay."""
    tx.execute(sa.delete(archives).where(archives.c.expires_at <= tx.now))
    return [row.id for row in tx.rows(sa.select(archives.c.id))]


def folder(data: Path) -> Path:
    """Where the files of archives are kept."""
    return data / "archives"
