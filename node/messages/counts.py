"""What the bar of every page counts. Only tables are asked: a page that has nothing to do with them imports no view."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from federation.blocks import hidden_from
from federation.storage import Tx
from node.messages.tables import SOMETHING_NEW, conversations
from node.notifications.tables import notifications

MOST = 99


class Unread(NamedTuple):
    """How many conversations hold something new, and how many notifications are new; each at most 99."""

    messages: int = 0
    notifications: int = 0


def unread(tx: Tx, reader: str) -> Unread:
    """What somebody has not seen yet, without those whom they do not want to see."""
    hidden = hidden_from(tx, reader)
    talks = sa.select(conversations.c.id).where(
        conversations.c.reader == reader,
        SOMETHING_NEW,
        conversations.c.state != "blocked",
        conversations.c.who.not_in(hidden),
    )
    news = sa.select(notifications.c.id).where(
        notifications.c.reader == reader, notifications.c.read_at.is_(None), notifications.c.actor.not_in(hidden)
    )
    return Unread(_most(tx, talks), _most(tx, news))


def _most(tx: Tx, rows: sa.Select[tuple[Any]]) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(rows.limit(MOST).subquery())))
