"""Writes."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from federation.storage import Tx
from keys.sealing import Lock
from node.accounts import queries as accounts
from node.backup.tables import backups, recovery
from node.notifications import commands as notifications

Way = Literal["command", "page", "nightly"]

TOPIC = "backup"
KEPT = 100
MAX_WORDS = 500


def keep_lock(tx: Tx, lock: Lock) -> None:
    """From now on backups are sealed to this; what was sealed before opens with the phrase that was in force then."""
    values = {"salt": lock.salt, "public": lock.public, "made_at": tx.now}
    insert = tx.insert(recovery).values(id=1, nightly=False, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    tx.notify(TOPIC)


def choose_nightly(tx: Tx, wanted: str) -> None:
    """Whether the node makes its own backups: `folder`, or none by itself."""
    tx.execute(sa.update(recovery).values(nightly=wanted == "folder"))
    tx.notify(TOPIC)


def ask_for_one(tx: Tx) -> None:
    """The worker makes a backup as soon as it can."""
    tx.execute(sa.update(recovery).values(wanted_at=tx.now))
    tx.notify(TOPIC)


def begin(tx: Tx, way: Way, path: str) -> int:
    """A backup is under way; returns the number of its row."""
    row = tx.execute(sa.insert(backups).values(way=way, started_at=tx.now, path=path).returning(backups.c.id))
    number = int(row.scalar_one())
    if way == "page":
        tx.execute(sa.update(recovery).values(wanted_at=None))
    tx.execute(sa.delete(backups).where(backups.c.id <= number - KEPT))
    return number


def whole(tx: Tx, number: int, size: int) -> None:
    """It is there."""
    tx.execute(sa.update(backups).where(backups.c.id == number).values(finished_at=tx.now, size=size))


def failed(tx: Tx, number: int, error: str) -> None:
    """There is none. The owner hears of it when nobody sat in front of it."""
    row = tx.row(
        sa.update(backups)
        .where(backups.c.id == number)
        .values(finished_at=tx.now, error=error[:MAX_WORDS])
        .returning(backups.c.way)
    )
    owner = accounts.owner(tx)
    if row is not None and row.way == "nightly" and owner is not None:
        about = f"backup {tx.now.date().isoformat()}"
        notifications.notify(tx, owner.actor_id, "operator", object_id=about, words=error)
