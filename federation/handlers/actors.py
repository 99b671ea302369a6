"""What happens to actors elsewhere: they change, and they end."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from federation.authors import Authors
from federation.errors import Forbidden, Unacceptable, Unreachable
from federation.known_actors import store_actor
from federation.known_identities import forget_identities_of
from federation.known_keys import listed_keys
from federation.objects import ObjectsDeleted, delete_objects_of
from federation.storage import Tx
from federation.tables import actor_keys, actors, blocks, featured, follower_checks, follows, moves, mutes, reactions
from federation.types import Received
from schemas.actors import Actor, parse_actor
from schemas.base import datetime_of
from schemas.errors import SchemaError


def on_actor_update(tx: Tx, received: Received, authors: Authors) -> None:
    """Take over a changed profile whose keys are those that we know.

    The worker has asked the origin where they are not; if they changed just now, it asks again later (Unreachable).
    """
    if received.object is None or received.object_id != received.envelope.actor:
        raise Forbidden(f"{received.envelope.actor} may not change {received.object_id}")
    try:
        actor = parse_actor(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the actor: {error}") from error
    if is_older(tx, received):
        return
    if not keys_are_known(tx, actor):
        raise Unreachable(f"the keys of {actor.id} are others now than when its Update was looked at")
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
    """Whether a document of a known actor says of keys exactly what its origin said last (SECURITY 22)."""
    rows = tx.rows(sa.select(actor_keys).where(actor_keys.c.actor_id == actor.id, actor_keys.c.retired_at.is_(None)))
    in_force = {(row.id, row.public, row.expires_at) for row in rows if row.revoked_at is None and not row.stale}
    revoked = sa.select(actor_keys.c.id).where(actor_keys.c.actor_id == actor.id, actor_keys.c.revoked_at.is_not(None))
    claimed = {(key.id, key.public, key.expires) for key in listed_keys(actor).values()}
    gone = {key.id for key in actor.revoked_keys}
    return in_force == claimed and gone <= {row.id for row in tx.rows(revoked)}


def key_in_force(tx: Tx, actor_id: str, key_id: str) -> str | None:
    """The public half of a key that is known to be an actor's."""
    this = (actor_keys.c.actor_id == actor_id, actor_keys.c.id == key_id)
    over = sa.or_(actor_keys.c.retired_at.is_not(None), actor_keys.c.revoked_at.is_not(None))
    public: str | None = tx.scalar(sa.select(actor_keys.c.public).where(*this, ~over))
    return public


def end_actor(tx: Tx, actor_id: str, deleted: ObjectsDeleted | None = None) -> None:
    """An actor elsewhere is gone: its follows end, its objects become tombstones, its name stays taken."""
    tx.execute(sa.update(actors).where(actors.c.id == actor_id, ~actors.c.local).values(gone_at=tx.now))
    tx.execute(sa.delete(follows).where(sa.or_(follows.c.follower == actor_id, follows.c.followee == actor_id)))
    tx.execute(sa.delete(blocks).where(sa.or_(blocks.c.actor == actor_id, blocks.c.target == actor_id)))
    tx.execute(sa.delete(mutes).where(mutes.c.target == actor_id))
    tx.execute(sa.delete(moves).where(moves.c.actor == actor_id))
    tx.execute(sa.delete(follower_checks).where(follower_checks.c.actor == actor_id))
    tx.execute(sa.delete(reactions).where(reactions.c.actor == actor_id))
    tx.execute(sa.delete(featured).where(featured.c.actor == actor_id))
    forget_identities_of(tx, [actor_id])
    delete_objects_of(tx, actor_id, deleted)
