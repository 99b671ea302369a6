"""What happens to actors elsewhere: they change, and they end."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from federation.authors import Authors
from federation.errors import Forbidden, Unacceptable
from federation.objects import ObjectsDeleted, delete_objects_of
from federation.resolve import store_actor
from federation.storage import Tx
from federation.tables import actor_keys, actors, blocks, follows
from federation.types import Received
from keys.encoding import public_from_multibase, public_from_pem
from keys.errors import KeysError
from schemas.actors import Actor, KeyClaim, parse_actor
from schemas.base import datetime_of
from schemas.errors import SchemaError


def on_actor_update(tx: Tx, received: Received, authors: Authors) -> None:
    """Take over a changed profile, if its keys are those that we know: the worker has asked the origin otherwise."""
    if received.object_id != received.envelope.actor:
        raise Forbidden(f"{received.envelope.actor} may not change {received.object_id}")
    if received.object is None:
        return  # it was fetched from its origin, and is stored
    try:
        actor = parse_actor(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the actor: {error}") from error
    if not is_older(tx, received):
        store_actor(tx, actor, received.verification)


def is_older(tx: Tx, received: Received) -> bool:
    """Whether the `updated` of an actor lies before the one in the document that we hold."""
    assert received.object is not None
    theirs = datetime_of(received.object.get("updated"))
    ours = _held_updated(tx, received.envelope.actor)
    return theirs is not None and ours is not None and theirs < ours


def _held_updated(tx: Tx, actor_id: str) -> datetime | None:
    held = tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id))
    return None if held is None else datetime_of(msgspec.json.decode(held).get("updated"))


def keys_are_known(tx: Tx, actor: Actor) -> bool:
    """Whether a document of a known actor lists exactly the keys that its origin listed last (SECURITY 22)."""
    rows = tx.rows(
        sa.select(actor_keys.c.id, actor_keys.c.public).where(
            actor_keys.c.actor_id == actor.id, actor_keys.c.retired_at.is_(None), actor_keys.c.revoked_at.is_(None)
        )
    )
    try:
        claimed = {(key.id, _public(key)) for key in actor.public_keys}
    except KeysError:
        return False
    return {(row.id, row.public) for row in rows} == claimed


def _public(key: KeyClaim) -> str:
    """A key as `actor_keys.public` has it."""
    public = public_from_multibase(key.multibase) if key.multibase else public_from_pem(key.pem or "")
    return public.multibase if public.algorithm == "ed25519" else public.pem


def end_actor(tx: Tx, actor_id: str, deleted: ObjectsDeleted | None = None) -> None:
    """An actor elsewhere is gone: its follows end, its objects become tombstones, its name stays taken."""
    tx.execute(sa.update(actors).where(actors.c.id == actor_id, ~actors.c.local).values(gone_at=tx.now))
    tx.execute(sa.delete(follows).where(sa.or_(follows.c.follower == actor_id, follows.c.followee == actor_id)))
    tx.execute(sa.delete(blocks).where(sa.or_(blocks.c.actor == actor_id, blocks.c.target == actor_id)))
    delete_objects_of(tx, actor_id, deleted)
