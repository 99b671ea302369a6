"""Reads."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from federation import operate
from federation.storage import Tx
from federation.tables import peers
from node.doctor.rules import Finding, Queue
from node.doctor.tables import doctor
from node.language import unpacked
from node.unguessable import digest_of

PEERS_ASKED = 3


class Report(NamedTuple):
    """What was found, and when."""

    findings: tuple[Finding, ...]
    checked_at: datetime


def last(tx: Tx) -> Report | None:
    """The last report."""
    row = tx.row(sa.select(doctor.c.report, doctor.c.checked_at).where(doctor.c.report.is_not(None)))
    if row is None:
        return None
    lines = msgspec.json.decode(row.report)
    found = tuple(Finding(key, health, unpacked(words), unpacked(mend)) for key, health, words, mend in lines)
    return Report(found, row.checked_at)


def knows(tx: Tx, word: str) -> bool:
    """Whether this is the word of a doctor who is at work now."""
    known = sa.select(doctor.c.id).where(doctor.c.nonce == digest_of(word), doctor.c.nonce_until > tx.now)
    return tx.row(known) is not None


def queue(tx: Tx) -> Queue:
    """What waits."""
    figures = operate.figures(tx)
    return Queue(figures.oldest_delivery, figures.oldest_message, figures.inbox.get("parked", 0), figures.failing_hosts)


def hosts_that_answer(tx: Tx) -> list[str]:
    """A few servers that took something lately."""
    answering = peers.c.last_success.is_not(None), peers.c.failing_since.is_(None), ~peers.c.paused
    rows = tx.rows(sa.select(peers.c.host).where(*answering).order_by(peers.c.last_success.desc()).limit(PEERS_ASKED))
    return [row.host for row in rows]
