"""Undo of a Follow or a Block, embedded or named by its id. Only its own actor takes it back (SECURITY 19)."""

from __future__ import annotations

import sqlalchemy as sa

from federation.authors import Authors
from federation.blocks import remove_block
from federation.errors import Forbidden, Refused
from federation.storage import Tx
from federation.tables import follows
from federation.types import Received
from schemas.base import id_of


def on_undo(tx: Tx, received: Received, authors: Authors) -> None:
    """Take back; what is not known here needs no taking back."""
    undone = received.document.get("object")
    if not isinstance(undone, dict):
        _undo_by_id(tx, received)
        return
    if id_of(undone.get("actor")) not in (None, received.envelope.actor):
        raise Forbidden(f"{received.envelope.actor} may not undo what {id_of(undone.get('actor'))} did")
    if undone.get("type") == "Block":
        remove_block(tx, received.envelope.actor, id_of(undone.get("object")) or "")
    elif undone.get("type") == "Follow":
        _unfollow(tx, received, id_of(undone.get("object")))
    else:
        raise Refused(f"Undo of {str(undone.get('type'))[:50]} is not understood here")


def _undo_by_id(tx: Tx, received: Received) -> None:
    owner = tx.scalar(sa.select(follows.c.follower).where(follows.c.activity_id == received.object_id))
    if owner is not None and owner != received.envelope.actor:
        raise Forbidden(f"{received.object_id} is {owner}'s Follow")
    _unfollow(tx, received, None)


def _unfollow(tx: Tx, received: Received, followee: str | None) -> None:
    tx.execute(
        sa.delete(follows).where(
            follows.c.follower == received.envelope.actor,
            sa.or_(follows.c.activity_id == received.object_id, follows.c.followee == followee),
        )
    )
