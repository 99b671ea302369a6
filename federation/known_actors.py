"""The rows of actors and of their keys: the view of an actor document that queries need, and the history of its keys.

An actor that ended stays ended. A key that its actor no longer lists, or that another replaces under the same id, is
kept with the time at which that was seen: what it signed before can still be checked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation.clock import iso
from federation.storage import Tx
from federation.tables import actor_keys, actors, blocks, follows, mutes, objects
from federation.types import Verification
from keys.encoding import public_from_multibase, public_from_pem
from keys.errors import KeysError
from keys.material import Algorithm, PublicKey
from schemas.actors import Actor, KeyClaim, parse_actor
from schemas.jsonld import normalise
from schemas.strict_json import dumps
from schemas.urls import host_of, origin_of

TOPIC = "actors"
KEEP_STRANGERS = timedelta(days=30)
FORGET_AT_ONCE = 1_000

_log = structlog.get_logger()


class ListedKey(NamedTuple):
    """A key as `actor_keys` has it; `public` is the PEM of an RSA key, the multibase of an Ed25519 key."""

    id: str
    algorithm: Algorithm
    public: str


def public_text(key: PublicKey) -> str:
    """A public key as `actor_keys.public` has it."""
    return key.multibase if key.algorithm == "ed25519" else key.pem


def public_of(algorithm: str, text: str) -> PublicKey:
    """The way back; BadKey when it cannot be read."""
    return public_from_multibase(text) if algorithm == "ed25519" else public_from_pem(text)


def parse_claim(claim: KeyClaim) -> PublicKey:
    """The key that an actor document lists; BadKey when it is weak or cannot be read."""
    return public_from_multibase(claim.multibase) if claim.multibase else public_from_pem(claim.pem or "")


def listed_keys(actor: Actor) -> dict[str, ListedKey]:
    """The usable keys of an actor by key id: readable, strong enough, and under the actor's own origin."""
    found: dict[str, ListedKey] = {}
    for claim in actor.public_keys:
        if origin_of(claim.id) != origin_of(actor.id):
            continue
        try:
            key = parse_claim(claim)
        except KeysError as error:
            _log.info("actor.bad_key", actor=actor.id, key=claim.id, reason=str(error))
            continue
        found.setdefault(claim.id, ListedKey(claim.id, key.algorithm, public_text(key)))
    return found


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


def store_actor(tx: Tx, actor: Actor, verification: Verification, *, acct: str | None = None) -> None:
    """Insert or refresh an actor elsewhere, with the keys that its document lists; the caller has its origin's word.

    acct: a handle that WebFinger confirmed both ways; None keeps the one that is known. An actor that ended, and one
    of ours, are left as they are. Notifies `actors` with the actor's id.
    """
    values = actor_values(actor, dumps(actor.document), verification)
    times = {"fetched_at": tx.now, "updated_at": tx.now}
    changed = values | times | ({"acct": acct} if acct else {})
    first = {"acct": acct, "local": False, "first_seen": tx.now}
    insert = tx.insert(actors).values(values | times | first)
    may_change = sa.and_(~actors.c.local, actors.c.gone_at.is_(None))
    result = tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed, where=may_change))
    if result.rowcount:
        store_keys(tx, actor.id, listed_keys(actor))
        tx.notify(TOPIC, actor.id)


def store_keys(tx: Tx, actor_id: str, listed: dict[str, ListedKey]) -> None:
    """Make the keys in force exactly those listed, and keep the others with the time of their end."""
    rows = tx.rows(sa.select(actor_keys).where(sa.or_(actor_keys.c.actor_id == actor_id, actor_keys.c.id.in_(listed))))
    for row in rows:
        key = listed.get(row.id)
        if row.actor_id != actor_id:
            _log.warning("actor.key_of_another", actor=actor_id, key=row.id, owner=row.actor_id)
        elif key is None:
            _retire(tx, row)
        elif row.public != key.public:
            _replace(tx, row, key)
        else:
            tx.execute(_this(row).values(last_seen=tx.now, retired_at=None))
    known = {row.id for row in rows}
    new = [_row(tx, actor_id, key) for key in listed.values() if key.id not in known]
    if new:
        tx.execute(tx.insert(actor_keys).on_conflict_do_nothing(index_elements=["id"]), new)


def _this(row: Row[Any]) -> sa.Update:
    return sa.update(actor_keys).where(actor_keys.c.id == row.id)


def _retire(tx: Tx, row: Row[Any]) -> None:
    if row.retired_at is None:
        _log.warning("actor.key_retired", actor=row.actor_id, key=row.id)
        tx.execute(_this(row).values(retired_at=tx.now))


def _replace(tx: Tx, row: Row[Any], key: ListedKey) -> None:
    """Another key under the same id: the old one moves to an id that no URL can be."""
    _log.warning("actor.key_changed", actor=row.actor_id, key=row.id)
    tx.execute(_this(row).values(id=f"{row.id} until {iso(tx.now)} {row.public[-12:]}", retired_at=tx.now))
    tx.execute(sa.insert(actor_keys), _row(tx, row.actor_id, key))


def _row(tx: Tx, actor_id: str, key: ListedKey) -> dict[str, Any]:
    seen = {"first_seen": tx.now, "last_seen": tx.now}
    return {"id": key.id, "actor_id": actor_id, "algorithm": key.algorithm, "public": key.public} | seen


def read_actor(row: Row[Any]) -> Actor:
    """The actor in a row of `actors`."""
    return parse_actor(normalise(msgspec.json.decode(row.document)))


def forget_strangers(tx: Tx) -> int:
    """Forget actors with whom nobody here has had anything to do for 30 days; returns how many (at most 1,000).

    Anybody can make us fetch an actor, so what is fetched has a lifetime (SECURITY 90). Who follows or is followed,
    blocks or is blocked, owns something that is kept, or has ended, is no stranger.
    """
    related = [
        sa.exists().where(sa.or_(follows.c.follower == actors.c.id, follows.c.followee == actors.c.id)),
        sa.exists().where(sa.or_(blocks.c.actor == actors.c.id, blocks.c.target == actors.c.id)),
        sa.exists().where(mutes.c.target == actors.c.id),
        sa.exists().where(objects.c.owner == actors.c.id),
    ]
    long_ago = (~actors.c.local, actors.c.gone_at.is_(None), actors.c.fetched_at < tx.now - KEEP_STRANGERS)
    strangers = sa.select(actors.c.id).where(*long_ago, *(~relation for relation in related))
    found = [row.id for row in tx.rows(strangers.limit(FORGET_AT_ONCE))]
    if found:
        tx.execute(sa.delete(actor_keys).where(actor_keys.c.actor_id.in_(found)))
        tx.execute(sa.delete(actors).where(actors.c.id.in_(found)))
        for actor_id in found:
            tx.notify(TOPIC, actor_id)
    return len(found)
