"""Writes: a mail to be sent, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from node.mail.rules import KEEP_TRYING, LONGEST_WAIT, one_line, wait
from node.mail.tables import mails

TOPIC = "mails"
MAX_SUBJECT = 200
MAX_TEXT = 100_000
KEEP_FINISHED = timedelta(days=30)
LEASE = timedelta(minutes=5)
BATCH = 10


def queue(tx: Tx, to: str, subject: str, text: str, *, unsubscribe: str | None = None) -> None:
    """Let a plain text go to one address, in the same transaction as its reason."""
    values = {
        "recipient": to,
        "subject": one_line(str(subject))[:MAX_SUBJECT],
        "text": str(text)[:MAX_TEXT],
        "unsubscribe": unsubscribe,
        "message_id": secrets.token_hex(16),
        "state": "pending",
        "created_at": tx.now,
        "due_at": tx.now,
    }
    tx.execute(sa.insert(mails).values(values))
    tx.notify(TOPIC)


def take(tx: Tx) -> Sequence[Row[Any]]:
    """What is due, the oldest first; no other worker takes it for a while, and one does if this one ends."""
    due = sa.select(mails.c.id).where(mails.c.state == "pending", mails.c.due_at <= tx.now)
    chosen = due.order_by(mails.c.due_at, mails.c.id).limit(BATCH).with_for_update(skip_locked=True)
    statement = sa.update(mails).where(mails.c.id.in_(chosen)).values(due_at=tx.now + LEASE)
    return sorted(tx.execute(statement.returning(*mails.c)), key=lambda row: row.id)


def sent(tx: Tx, mail_id: int) -> None:
    """A mail server has taken it; its text is forgotten."""
    _finish(tx, mail_id, "done", None)


def failed(tx: Tx, mail_id: int, attempts: int, reason: str, *, final: bool) -> None:
    """Try again later, or give it up: at once where the answer was for good, else after three days."""
    created = tx.scalar(sa.select(mails.c.created_at).where(mails.c.id == mail_id))
    if final or created is None or tx.now - created > KEEP_TRYING:
        _finish(tx, mail_id, "given_up", reason)
        return
    later = {"attempts": attempts, "due_at": tx.now + wait(attempts), "last_error": reason[:500]}
    tx.execute(sa.update(mails).where(mails.c.id == mail_id).values(later))


def _finish(tx: Tx, mail_id: int, state: str, reason: str | None) -> None:
    values = {"state": state, "text": None, "finished_at": tx.now, "last_error": reason and reason[:500]}
    tx.execute(sa.update(mails).where(mails.c.id == mail_id).values(values))


def tidy(tx: Tx) -> None:
    """Give up what no mail server took in time, also where none is named any more; forget mails that are done with.

    What waits longer than anything would was put off by a clock that was wrong.
    """
    late = (mails.c.state == "pending", mails.c.created_at < tx.now - KEEP_TRYING - LEASE)
    given_up = {"state": "given_up", "text": None, "finished_at": tx.now}
    tx.execute(sa.update(mails).where(*late).values(given_up))
    astray = (mails.c.state == "pending", sa.or_(mails.c.created_at > tx.now, mails.c.due_at > tx.now + LONGEST_WAIT))
    tx.execute(sa.update(mails).where(*astray).values(due_at=tx.now, created_at=tx.now))
    tx.execute(sa.delete(mails).where(mails.c.state != "pending", mails.c.finished_at < tx.now - KEEP_FINISHED))
