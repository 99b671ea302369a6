"""Reads."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from keys.sealing import Lock
from node.backup.tables import backups, recovery

SHOWN = 20


class Recovery(NamedTuple):
    """What the node knows of its recovery phrase. nightly: whether backups are made every night.

    wanted_at: when somebody asked for one that the worker has not begun yet.
    """

    lock: Lock
    made_at: datetime
    nightly: bool
    wanted_at: datetime | None


class Backup(NamedTuple):
    """What became of one backup. size: in bytes, None while there is none."""

    id: int
    way: str
    started_at: datetime
    finished_at: datetime | None
    path: str
    size: int | None
    error: str | None

    @property
    def file(self) -> str:
        """Its name without the folder."""
        return self.path.rpartition("/")[2]


def phrase(tx: Tx) -> Recovery | None:
    """None: no phrase was ever made, so nothing can be sealed."""
    row = tx.row(sa.select(recovery))
    return None if row is None else Recovery(Lock(row.salt, row.public), row.made_at, row.nightly, row.wanted_at)


def history(tx: Tx) -> list[Backup]:
    """The latest backups, newest first."""
    columns = [backups.c[name] for name in Backup._fields]
    return [Backup._make(row) for row in tx.rows(sa.select(*columns).order_by(backups.c.id.desc()).limit(SHOWN))]


def last_whole(tx: Tx) -> Backup | None:
    """The latest backup that there is."""
    columns = [backups.c[name] for name in Backup._fields]
    whole = sa.select(*columns).where(backups.c.size.is_not(None)).order_by(backups.c.id.desc()).limit(1)
    row = tx.row(whole)
    return None if row is None else Backup._make(row)


def last_nightly(tx: Tx) -> datetime | None:
    """When the last nightly backup was begun, however it ended."""
    begun: datetime | None = tx.scalar(
        sa.select(backups.c.started_at).where(backups.c.way == "nightly").order_by(backups.c.id.desc()).limit(1)
    )
    return begun
