"""The rows of actors: the view of an actor document that queries need. An actor that ended stays ended.

Their keys have a history of their own (`federation.known_keys`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.known_identities import forget_identities_of, forget_successions, is_also_known, store_identities
from federation.known_keys import KeysChanged, ignore, store_keys
from federation.storage import Tx
from federation.tables import actor_keys, actors, blocks, follows, mutes, objects
from federation.types import Verification
from schemas.actors import Actor, parse_actor
from schemas.jsonld import normalise
from schemas.strict_json import dumps
from schemas.urls import host_of

TOPIC = "actors"
KEEP_STRANGERS = timedelta(days=30)
FORGET_AT_ONCE = 1_000


def actor_values(actor: Actor, document: bytes, verification: Verification) -> dict[str, Any]:
    """The columns of `actors` that are a view of the document."""
    return {
        "id": actor.id,
        "type": actor.type,
        "username": actor.username,
        "host": host_of(actor.id),
        "name": actor.name,
        "url": actor.url,
        "icon": actor.icon,
        "inbox": actor.inbox,
        "shared_inbox": actor.shared_inbox,
        "outbox": actor.outbox,
        "followers": actor.followers,
        "following": actor.following,
        "manually_approves": actor.manually_approves,
        "discoverable": actor.document.get("discoverable") is True,
        "indexable": actor.document.get("indexable") is True,
        "document": document,
        "verification": verification,
    }


def store_actor(
    tx: Tx,
    actor: Actor,
    verification: Verification,
    *,
    acct: str | None = None,
    named: Collection[str] = (),
    changed: KeysChanged = ignore,
) -> None:
    """Insert or refresh an actor elsewhere, with the keys that its document lists; the caller has its origin's word.

    acct: a handle that WebFinger confirmed both ways; None keeps the one that is known. named: public halves of keys
    that a key known before has named. An actor that ended, and one of ours, are left as they are. Notifies `actors`
    with the actor's id.
    """
    values = actor_values(actor, dumps(actor.document), verification)
    times = {"fetched_at": tx.now, "updated_at": tx.now}
    refreshed = values | times | ({"acct": acct} if acct else {})
    first = {"acct": acct, "local": False, "first_seen": tx.now}
    insert = tx.insert(actors).values(values | times | first)
    may_change = sa.and_(~actors.c.local, actors.c.gone_at.is_(None))
    result = tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=refreshed, where=may_change))
    if result.rowcount:
        store_identities(tx, actor)
        news = store_keys(tx, actor, named)
        tx.notify(TOPIC, actor.id)
        if news.unconfirmed or news.doubtful:
            changed(tx, news)


def expire_keys(tx: Tx, host: str) -> int:
    """Let every key of a host be asked for anew before its next use; returns how many. Their history stays."""
    there = sa.select(actors.c.id).where(actors.c.host == host, ~actors.c.local)
    mine = (actor_keys.c.actor_id.in_(there), actor_keys.c.retired_at.is_(None), actor_keys.c.revoked_at.is_(None))
    count = tx.execute(sa.update(actor_keys).where(*mine).values(stale=True)).rowcount
    tx.notify(TOPIC)
    return count


def read_actor(row: Row[Any]) -> Actor:
    """The actor in a row of `actors`."""
    return parse_actor(normalise(msgspec.json.decode(row.document)))


def forget_strangers(tx: Tx, kept: Sequence[sa.ColumnElement[bool]] = ()) -> int:
    """Forget actors with whom nobody here has had anything to do for 30 days; returns how many (at most 1,000).

    Anybody can make us fetch an actor, so what is fetched has a lifetime (SECURITY 90). Who follows or is followed,
    blocks or is blocked, owns something that is kept, or has ended, is no stranger; nor is another account of somebody
    who lives here, follows or is followed. kept: who else is none, as conditions on `actors`.
    """
    related = [
        sa.exists().where(sa.or_(follows.c.follower == actors.c.id, follows.c.followee == actors.c.id)),
        sa.exists().where(sa.or_(blocks.c.actor == actors.c.id, blocks.c.target == actors.c.id)),
        sa.exists().where(mutes.c.target == actors.c.id),
        sa.exists().where(objects.c.owner == actors.c.id),
        is_also_known(actors.c.id),
        *kept,
    ]
    long_ago = (~actors.c.local, actors.c.gone_at.is_(None), actors.c.fetched_at < tx.now - KEEP_STRANGERS)
    strangers = sa.select(actors.c.id).where(*long_ago, *(~relation for relation in related))
    found = [row.id for row in tx.rows(strangers.limit(FORGET_AT_ONCE))]
    if found:
        tx.execute(sa.delete(actor_keys).where(actor_keys.c.actor_id.in_(found)))
        tx.execute(sa.delete(actors).where(actors.c.id.in_(found)))
        forget_identities_of(tx, found)
        for actor_id in found:
            tx.notify(TOPIC, actor_id)
    forget_successions(tx)
    return len(found)
