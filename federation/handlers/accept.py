"""Accept and Reject of a Follow that we sent. Only the one who was asked answers (SECURITY, rule 3)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.authors import Authors
from federation.errors import Refused
from federation.storage import Tx
from federation.tables import follows
from federation.types import Received
from schemas.base import id_of


def on_accept(tx: Tx, received: Received, authors: Authors) -> str:
    """The followee agrees: from now on we hear it. Returns who had asked."""
    asked = _asked(tx, received, authors)
    tx.execute(_this(sa.update(follows), asked).values(state="accepted", decided_at=tx.now))
    return str(asked.follower)


def on_reject(tx: Tx, received: Received, authors: Authors) -> None:
    """The followee does not agree, or no longer."""
    asked = _asked(tx, received, authors)
    tx.execute(_this(sa.update(follows), asked).values(state="rejected", decided_at=tx.now))


def _this(update: sa.Update, row: Row[Any]) -> sa.Update:
    return update.where(follows.c.follower == row.follower, follows.c.followee == row.followee)


def _asked(tx: Tx, received: Received, authors: Authors) -> Row[Any]:
    """The row of our Follow: by its id, or by its two actors where a peer did not keep the id."""
    followee = received.envelope.actor
    row = tx.row(sa.select(follows).where(follows.c.activity_id == received.object_id, follows.c.followee == followee))
    if row is None:
        follower = _embedded_follower(received.document.get("object"), followee)
        row = tx.row(sa.select(follows).where(follows.c.follower == follower, follows.c.followee == followee))
    if row is None or not authors.ids.is_local(row.follower):
        raise Refused(f"we never sent {received.object_id} to {followee}")
    return row


def _embedded_follower(follow: object, followee: str) -> str | None:
    if not isinstance(follow, dict) or follow.get("type") != "Follow" or id_of(follow.get("object")) != followee:
        return None
    return id_of(follow.get("actor"))
