"""Reads: reports, those that wait before those that are settled."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from federation.storage import Tx
from node.moderation.tables import reports
from node.profiles import queries as profiles
from node.profiles.queries import Person

MAX_LISTED = 200


class Report(NamedTuple):
    """A report. origin: the server that reports, empty for somebody here; target: None where they are unknown now."""

    id: int
    origin: str
    reporter: Person | None
    target_id: str
    target: Person | None
    object_ids: list[str]
    words: str
    forwarded: bool
    created_at: datetime
    settled: bool


def listed(tx: Tx) -> list[Report]:
    """At most 200, the newest first, open ones before settled ones."""
    settled = sa.case((reports.c.settled_at.is_(None), 0), else_=1)
    rows = tx.rows(sa.select(reports).order_by(settled, reports.c.created_at.desc(), reports.c.id).limit(MAX_LISTED))
    people = profiles.people(tx, {who for row in rows for who in (row.reporter, row.target)})
    return [
        Report(
            row.id,
            row.origin,
            people.get(row.reporter),
            row.target,
            people.get(row.target),
            msgspec.json.decode(row.object_ids),
            row.words,
            row.forwarded,
            row.created_at,
            row.settled_at is not None,
        )
        for row in rows
    ]
