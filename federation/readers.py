"""Who may read what: of what is not public those whom it addresses, and accepted followers where it addresses them all;
nothing by anybody who has blocked them.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from federation.blocks import has_blocked
from federation.documents import Document, document, read_document, stands
from federation.storage import Tx
from federation.tables import activities, actors, follows, object_recipients, objects
from federation.types import OPEN
from schemas.base import audience_of


def may_read(tx: Tx, object_id: str, reader: str | None) -> bool:
    """Whether somebody (None: anybody) may see an object that stands here, ours or another server's.

    False for what does not stand here, or no longer.
    """
    columns = (objects.c.owner, objects.c.visibility)
    row = tx.row(sa.select(*columns).where(objects.c.id == object_id, objects.c.deleted_at.is_(None)))
    if row is None:
        return False
    if row.visibility in OPEN:
        return reader is None or not has_blocked(tx, row.owner, reader)
    return reader is not None and _entitled(tx, reader, row.owner, _recipients(tx, object_id))


def document_for(tx: Tx, document_id: str, reader: str) -> Document | None:
    """A local document that is not public, for a reader who is entitled to it; None is told to everybody else."""
    row = tx.row(sa.select(objects.c.owner).where(objects.c.id == document_id, objects.c.local))
    if row is not None:
        recipients = _recipients(tx, document_id)
        return read_document(tx, document_id) if _entitled(tx, reader, row.owner, recipients) else None
    return _activity_for(tx, document_id, reader)


def _activity_for(tx: Tx, document_id: str, reader: str) -> Document | None:
    columns = (activities.c.actor_id, activities.c.body)
    row = tx.row(sa.select(*columns).where(activities.c.id == document_id, stands()))
    if row is None:
        return None
    recipients = frozenset(audience_of(msgspec.json.decode(row.body)).everybody)
    return document(row.body, public=False) if _entitled(tx, reader, row.actor_id, recipients) else None


def _recipients(tx: Tx, object_id: str) -> frozenset[str]:
    rows = tx.rows(sa.select(object_recipients.c.recipient).where(object_recipients.c.object_id == object_id))
    return frozenset(row.recipient for row in rows)


def _entitled(tx: Tx, reader: str, owner: str, recipients: frozenset[str]) -> bool:
    if reader == owner:
        return True
    if has_blocked(tx, owner, reader):
        return False
    return reader in recipients or _follows(tx, reader, owner, recipients)


def _follows(tx: Tx, reader: str, owner: str, recipients: frozenset[str]) -> bool:
    followers = tx.scalar(sa.select(actors.c.followers).where(actors.c.id == owner))
    if followers not in recipients:
        return False
    follow = sa.select(follows.c.state).where(
        follows.c.follower == reader, follows.c.followee == owner, follows.c.state == "accepted"
    )
    return tx.row(follow) is not None
