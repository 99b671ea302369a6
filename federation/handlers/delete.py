"""Delete: of an object (a bare id, a Tombstone or the whole), or of the actor itself."""

from __future__ import annotations

from federation.authority import same_origin
from federation.authors import Authors
from federation.errors import Forbidden, Refused
from federation.handlers.actors import end_actor
from federation.objects import ObjectsDeleted, delete_object
from federation.storage import Tx
from federation.types import Received


def on_delete(tx: Tx, received: Received, authors: Authors, deleted: ObjectsDeleted | None = None) -> None:
    """Leave a tombstone. Only the owner says so, and only of what is under its own origin (SECURITY 15, 16)."""
    actor_id, object_id = received.envelope.actor, received.object_id
    if object_id is None:
        raise Refused("Delete of nothing")
    if object_id == actor_id:
        end_actor(tx, actor_id, deleted)
        return
    if authors.ids.is_local(object_id) or not same_origin(object_id, actor_id):
        raise Forbidden(f"{object_id} is not under the origin of {actor_id}")
    delete_object(tx, object_id, actor_id, deleted)
