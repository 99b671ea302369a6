"""Add and Remove: an actor elsewhere changes what it pins, in its own collection, of its own things (SECURITY 44)."""

from __future__ import annotations

import sqlalchemy as sa

from federation import featured
from federation.authors import Authors
from federation.errors import Forbidden, Refused
from federation.storage import Tx
from federation.tables import objects
from federation.types import Received
from schemas.base import id_of


def on_add(tx: Tx, received: Received, authors: Authors) -> None:
    """Pin it here too. What does not stand here is nothing that could be shown, and nobody is asked for it."""
    actor_id, object_id = received.envelope.actor, _object_in_own(tx, received)
    row = tx.row(sa.select(objects.c.owner).where(objects.c.id == object_id, objects.c.deleted_at.is_(None)))
    if row is None:
        raise Refused(f"{object_id} does not stand here")
    if row.owner != actor_id:
        raise Forbidden(f"{object_id} is {row.owner}'s, and {actor_id} pins it")
    featured.add(tx, actor_id, object_id)


def on_remove(tx: Tx, received: Received, authors: Authors) -> None:
    """Unpin it here too."""
    featured.remove(tx, received.envelope.actor, _object_in_own(tx, received))


def _object_in_own(tx: Tx, received: Received) -> str:
    """What is added or removed, if that is about the actor's own featured collection."""
    actor_id, target = received.envelope.actor, id_of(received.document.get("target"))
    if target is None or target != featured.collection_of(tx, actor_id):
        raise Forbidden(f"{str(target)[:200]} is not what {actor_id} pins in")
    if received.object_id is None:
        raise Refused(f"{received.envelope.type} of nothing")
    return received.object_id
