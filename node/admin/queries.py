"""Reads: the figures of the overview."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import operate
from federation.storage import Tx
from federation.tables import actors, inbox_messages, objects, peers
from node.backup import queries as backups
from node.backup.queries import Backup, Recovery
from node.doctor import queries as doctor
from node.doctor.queries import Report
from node.language import Sentence, _
from node.settings import Settings

QUEUE_SHOWN = 100
A_DAY = timedelta(days=1)


class Overview(NamedTuple):
    """What the first page shows. hosts: known servers; silent: those that do not answer; today: messages received."""

    report: Report | None
    recovery: Recovery | None
    backup: Backup | None
    history: list[Backup]
    queue: list[Waiting]
    hosts: int
    silent: int
    today: int
    parked: int
    kept: int
    followers: int


class Waiting(NamedTuple):
    """A line of the queue. state: paused | asleep | slow | moving."""

    host: str
    pending: int
    given_up: int
    state: str
    until: datetime | None
    last_error: str | None
    last_success: datetime | None
    waiting_since: datetime | None


def overview(tx: Tx) -> Overview:
    """All of it, on one snapshot."""
    figures = operate.figures(tx)
    lately = sa.select(sa.func.count()).where(inbox_messages.c.received_at > tx.now - A_DAY)
    known = sa.select(sa.func.count(sa.distinct(actors.c.host))).where(~actors.c.local)
    theirs = sa.select(sa.func.count()).where(~objects.c.local, objects.c.deleted_at.is_(None))
    return Overview(
        report=doctor.last(tx),
        recovery=backups.phrase(tx),
        backup=backups.last_whole(tx),
        history=backups.history(tx)[:5],
        queue=[_waiting(row, tx.now) for row in operate.queue(tx)[:QUEUE_SHOWN]],
        hosts=int(tx.scalar(known)),
        silent=figures.failing_hosts,
        today=int(tx.scalar(lately)),
        parked=figures.inbox.get("parked", 0),
        kept=int(tx.scalar(theirs)),
        followers=figures.followers,
    )


def _waiting(row: Row[Any], now: datetime) -> Waiting:
    asleep = row.retry_at is not None and row.retry_at > now
    state = "paused" if row.paused else "asleep" if asleep else "slow" if row.failing_since else "moving"
    until = row.retry_at if asleep and not row.paused else None
    return Waiting(
        row.host, row.pending, row.given_up, state, until, row.last_error, row.last_success, row.waiting_since
    )


def is_known_host(tx: Tx, host: str) -> bool:
    """Whether a host has a row that can be turned."""
    here = sa.select(peers.c.host).where(peers.c.host == host)
    return tx.row(here) is not None or any(row.host == host for row in operate.queue(tx))


class Store(NamedTuple):
    """A part of what the node takes on the disk, in bytes."""

    label: Sentence
    size: int


def database_size(tx: Tx) -> int:
    """In bytes, as the engine says."""
    if tx.connection.dialect.name == "postgresql":
        return int(tx.scalar(sa.select(sa.func.pg_database_size(sa.func.current_database()))))
    return int(tx.scalar(sa.text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")))


def stores(settings: Settings, database: int) -> list[Store]:
    """What each kind of thing takes; looks through folders, so it runs in a thread."""
    return [
        Store(_("Database"), database),
        Store(_("Pictures of people here"), size_of(settings.media)),
        Store(_("Copies of pictures elsewhere"), size_of(settings.media_cache)),
        Store(_("Backups"), size_of(settings.backups)),
        Store(_("Archives that people asked for"), size_of(settings.data / "archives")),
    ]


def size_of(folder: Path) -> int:
    """Of all files below a folder, in bytes; 0 when there is none."""
    total = 0
    for path in folder.glob("**/*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # deleted since
            continue
    return total
