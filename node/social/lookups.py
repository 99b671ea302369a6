"""What is to be asked of other servers in the background, as rows: bounded in number and in time (SECURITY 72, rule 7).

    outbox       what somebody newly followed published before, for their follower
    context      what a post answers and what answers it, for whoever looks at it
    card         a CV that stands beside its actor's document, for whoever looks at the profile
    credentials  what stands on a profile elsewhere, for whoever looks at it

A page or a message only asks; `node.social.seeking` does it. Who asks again soon is not heard, and so is everybody
while too much waits: nothing depends on it, and it can be asked again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from node.social.tables import lookups

Kind = Literal["outbox", "context", "card", "credentials"]

TOPIC = "lookups"
MAX_WAITING = 200
AGAIN_AFTER = timedelta(minutes=15)
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 3
KEPT = timedelta(days=2)


class Lookup(NamedTuple):
    """A row that was taken."""

    id: int
    kind: Kind
    subject: str
    reader: str


def ask(tx: Tx, kind: Kind, subject: str, reader: str) -> bool:
    """Let something be looked up; False when that was done just now, is under way, or too much waits already."""
    if was_asked(tx, kind, subject, reader):
        return False
    waiting = sa.select(sa.func.count()).select_from(lookups).where(lookups.c.done_at.is_(None))
    if tx.scalar(waiting) >= MAX_WAITING:
        return False
    values = {"attempts": 0, "asked_at": tx.now, "due_at": tx.now, "done_at": None}
    insert = tx.insert(lookups).values(kind=kind, subject=subject, reader=reader, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["kind", "subject", "reader"], set_=values))
    tx.notify(TOPIC)
    return True


def was_asked(tx: Tx, kind: Kind, subject: str, reader: str) -> bool:
    """Whether that was asked just now."""
    this = (lookups.c.kind == kind, lookups.c.subject == subject, lookups.c.reader == reader)
    asked_at = tx.scalar(sa.select(lookups.c.asked_at).where(*this))
    return asked_at is not None and asked_at > tx.now - AGAIN_AFTER


def is_due(tx: Tx) -> bool:
    """Whether there is anything to do now."""
    due = sa.select(lookups.c.id).where(lookups.c.done_at.is_(None), lookups.c.due_at <= tx.now)
    return tx.row(due.limit(1)) is not None


def claim(tx: Tx) -> Lookup | None:
    """The oldest that is due; nobody else takes it for two minutes. One that was tried three times is given up."""
    due = (lookups.c.done_at.is_(None), lookups.c.due_at <= tx.now)
    worn = sa.update(lookups).where(*due, lookups.c.attempts >= MAX_ATTEMPTS)
    tx.execute(worn.values(done_at=tx.now))
    first = sa.select(lookups.c.id).where(*due).order_by(lookups.c.due_at, lookups.c.id).limit(1)
    found = tx.scalar(first.with_for_update(skip_locked=True))
    if found is None:
        return None
    take = sa.update(lookups).where(lookups.c.id == found)
    take = take.values(due_at=tx.now + LEASE, attempts=lookups.c.attempts + 1)
    row = tx.execute(take.returning(lookups.c.id, lookups.c.kind, lookups.c.subject, lookups.c.reader)).one()
    return Lookup(row.id, row.kind, row.subject, row.reader)


def done(tx: Tx, lookup_id: int) -> None:
    """It was looked up, as far as it went."""
    tx.execute(sa.update(lookups).where(lookups.c.id == lookup_id).values(done_at=tx.now))


def is_under_way(tx: Tx, kind: Kind, subject: str, reader: str) -> bool:
    """Whether the answer may still come."""
    this = (lookups.c.kind == kind, lookups.c.subject == subject, lookups.c.reader == reader)
    return tx.row(sa.select(lookups.c.id).where(*this, lookups.c.done_at.is_(None))) is not None


def tidy(tx: Tx) -> None:
    """Forget what was asked two days ago. What waits for longer than anything would met a clock that was wrong."""
    astray = (lookups.c.done_at.is_(None), lookups.c.due_at > tx.now + LEASE)
    tx.execute(sa.update(lookups).where(*astray).values(due_at=tx.now, asked_at=tx.now))
    tx.execute(sa.delete(lookups).where(lookups.c.asked_at < tx.now - KEPT))
