"""Block: an actor elsewhere wants nothing of a local one (ActivityPub §6.9; servers do send it to each other)."""

from __future__ import annotations

import sqlalchemy as sa

from federation.authors import Authors
from federation.errors import Refused
from federation.storage import Tx
from federation.tables import blocks, follows
from federation.types import Received


def on_block(tx: Tx, received: Received, authors: Authors) -> None:
    """Remember it, and end what each followed of the other."""
    blocker, target = received.envelope.actor, received.object_id
    if target is None or authors.ids.username(target) is None:
        raise Refused(f"{target} is nobody here")
    values = {"actor": blocker, "target": target, "created_at": tx.now}
    tx.execute(tx.insert(blocks).on_conflict_do_nothing(), values)
    sever(tx, blocker, target)


def sever(tx: Tx, one: str, other: str) -> None:
    """End the follows between two actors, in both directions."""
    for follower, followee in ((one, other), (other, one)):
        tx.execute(sa.delete(follows).where(follows.c.follower == follower, follows.c.followee == followee))
