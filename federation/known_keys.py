"""The history of the keys of actors elsewhere: which are in force, and who says that they are theirs.

A key that its actor no longer lists, or that another replaces under the same id, is kept with the time at which that
was seen: what it signed before can still be checked. A new key is in force at once, since its actor's server names it;
but whoever gets hold of the name of a server can say that as well. So it is noted whether a key that was known before
names it too (SECURITY 22).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation.clock import iso
from federation.storage import Tx
from federation.tables import actor_keys, actors, inbox_messages, objects
from federation.verdicts import Memory
from keys.encoding import public_from_multibase, public_from_pem
from keys.errors import KeysError
from keys.material import Algorithm, PublicKey
from keys.proofs import ProofClaim, read_proof
from keys.rotation import confirmed
from schemas.actors import Actor, KeyClaim, is_actor
from schemas.urls import host_of, origin_of

AT_ONCE = 500
ASIDE = " until "

_log = structlog.get_logger()


class ListedKey(NamedTuple):
    """A key as `actor_keys` has it; `public` is the PEM of an RSA key, the multibase of an Ed25519 key."""

    id: str
    algorithm: Algorithm
    public: str
    expires: datetime | None = None
    revoked: datetime | None = None


class KeyNews(NamedTuple):
    """What the product should know of the keys of an actor elsewhere.

    unconfirmed: ids of new keys that only the actor's server names. doubtful: ids of objects that are kept as signed,
    and were signed with a key that was in other hands by then.
    """

    actor_id: str
    unconfirmed: tuple[str, ...]
    doubtful: tuple[str, ...]


KeysChanged = Callable[[Tx, KeyNews], None]
"""The product's hook, called in the scope in which it is learned."""


def ignore(tx: Tx, news: KeyNews) -> None:
    """For programs without a product."""


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
    return _readable(actor, actor.public_keys)


def _readable(actor: Actor, claims: Iterable[KeyClaim]) -> dict[str, ListedKey]:
    found: dict[str, ListedKey] = {}
    for claim in claims:
        if origin_of(claim.id) != origin_of(actor.id):
            continue
        try:
            key = parse_claim(claim)
        except KeysError as error:
            _log.info("actor.bad_key", actor=actor.id, key=claim.id, reason=str(error))
            continue
        listed = ListedKey(claim.id, key.algorithm, public_text(key), claim.expires, claim.revoked)
        found.setdefault(claim.id, listed)
    return found


def store_keys(tx: Tx, actor: Actor, named: Collection[str] = ()) -> KeyNews:
    """Make the keys in force exactly those listed, and keep the others with the time of their end. named: as above."""
    listed, revoked = listed_keys(actor), _readable(actor, actor.revoked_keys)
    everything = listed | revoked
    whose = sa.or_(actor_keys.c.actor_id == actor.id, actor_keys.c.id.in_(everything))
    rows = tx.rows(sa.select(actor_keys).where(whose))
    mine = [row for row in rows if row.actor_id == actor.id]
    for row in rows:
        if row.actor_id != actor.id:
            _log.warning("actor.key_of_another", actor=actor.id, key=row.id, owner=row.actor_id)
    held = {row.id: row.public for row in rows}
    new = [key for key in listed.values() if held.get(key.id) != key.public and _is_free(rows, actor.id, key.id)]
    vouched = _vouched(actor, mine, listed, new, tx.now) | {key.id: "key" for key in new if key.public in named}
    doubtful: list[str] = []
    for row in mine:
        key = everything.get(row.id)
        if key is None:
            _retire(tx, row)
        elif row.public != key.public:
            _move_aside(tx, row)
        elif key.revoked is not None:
            doubtful += _revoke(tx, row, key.revoked)
        else:
            seen = {"last_seen": tx.now, "retired_at": None, "expires_at": key.expires, "stale": False}
            tx.execute(_this(row).values(seen))
    gone = [key for key in revoked.values() if held.get(key.id) != key.public and _is_free(rows, actor.id, key.id)]
    fresh = [_row(tx, actor.id, key, vouched.get(key.id, "first")) for key in (*new, *gone)]
    if fresh:
        tx.execute(tx.insert(actor_keys).on_conflict_do_nothing(index_elements=["id"]), fresh)
    unconfirmed = tuple(key_id for key_id, who in vouched.items() if who == "server")
    for key_id in unconfirmed:
        _log.warning("actor.key_not_confirmed", actor=actor.id, key=key_id)
    if unconfirmed and has_new_owner(tx, host_of(actor.id)):
        _log.warning("host.keys_changed", host=host_of(actor.id))
    return KeyNews(actor.id, unconfirmed, tuple(doubtful))


def _is_free(rows: Iterable[Row[Any]], actor_id: str, key_id: str) -> bool:
    """Whether a key id is not somebody else's."""
    return not any(row.id == key_id and row.actor_id != actor_id for row in rows)


def _vouched(
    actor: Actor, rows: Sequence[Row[Any]], listed: Mapping[str, ListedKey], new: Sequence[ListedKey], now: datetime
) -> dict[str, str]:
    """Who says of each new key that it is the actor's: `first` where there was nothing that it could be compared with.

    That is also a first key of its kind beside one that stays: servers learn to sign documents.
    """
    if not rows or not new:
        return dict.fromkeys((key.id for key in new), "first")
    gone = {key.id for key in actor.revoked_keys}
    known = [row for row in rows if _is_trusted(row, now) and row.id not in gone]
    trusted = {row.id: public_of(row.algorithm, row.public) for row in known if row.algorithm == "ed25519"}
    multikeys = [claim.multikey for claim in actor.public_keys if claim.multikey is not None and claim.id in listed]
    confirmed_ids = confirmed(trusted, multikeys)
    by_name = {key_id: public_of("ed25519", listed[key_id].public) for key_id in confirmed_ids}
    whole = _is_signed_by(actor, trusted | by_name)
    stays = any(row.id in listed and listed[row.id].public == row.public for row in known)
    kinds = {row.algorithm for row in rows}
    return {
        key.id: "key"
        if whole or key.id in confirmed_ids
        else "first"
        if stays and key.algorithm not in kinds
        else "server"
        for key in new
    }


def _is_trusted(row: Row[Any], now: datetime) -> bool:
    over = row.retired_at is not None or row.revoked_at is not None
    return not over and (row.expires_at is None or row.expires_at > now)


def _is_signed_by(actor: Actor, keys: Mapping[str, PublicKey]) -> bool:
    try:
        claim = read_proof(actor.document)
        if claim is None or claim.verification_method not in keys:
            return False
        claim.verify(keys[claim.verification_method])
    except KeysError:
        return False
    return True


def _this(row: Row[Any]) -> sa.Update:
    return sa.update(actor_keys).where(actor_keys.c.id == row.id)


def _retire(tx: Tx, row: Row[Any]) -> None:
    if row.retired_at is None:
        _log.warning("actor.key_retired", actor=row.actor_id, key=row.id)
        tx.execute(_this(row).values(retired_at=tx.now))


def _move_aside(tx: Tx, row: Row[Any]) -> None:
    """Another key stands under the same id: the old one moves to an id that no URL can be (see `key_of`)."""
    _log.warning("actor.key_changed", actor=row.actor_id, key=row.id)
    tx.execute(_this(row).values(id=f"{row.id}{ASIDE}{iso(tx.now)} {row.public[-12:]}", retired_at=tx.now))


def _revoke(tx: Tx, row: Row[Any], since: datetime) -> list[str]:
    """Its actor says that a key was in other hands; returns the objects on which that throws doubt.

    A revocation is never taken back, and may only reach further into the past.
    """
    if row.revoked_at is not None and row.revoked_at <= since:
        return []
    _log.warning("actor.key_revoked", actor=row.actor_id, key=row.id, since=iso(since))
    tx.execute(_this(row).values(revoked_at=since, retired_at=row.retired_at or tx.now, last_seen=tx.now))
    doubtful = _signed_late(tx, row, since) if row.algorithm == "ed25519" else _brought_late(tx, row, since)
    for start in range(0, len(doubtful), AT_ONCE):
        these = objects.c.id.in_(doubtful[start : start + AT_ONCE])
        tx.execute(sa.update(objects).where(these).values(verification="revoked"))
    return doubtful


_CAME = sa.func.coalesce(objects.c.changed_at, objects.c.received_at)


def _signed_late(tx: Tx, key: Row[Any], since: datetime) -> list[str]:
    """Objects that came since then with a proof by a key, their own or that of the activity that brought them."""
    theirs = (objects.c.owner == key.actor_id, ~objects.c.local, objects.c.verification == "signed", since <= _CAME)
    rows = tx.rows(sa.select(objects.c.id, objects.c.body).where(*theirs, objects.c.body.is_not(None)))
    return [row.id for row in rows if _signed_with(row.body) in (None, key.id)]


def _brought_late(tx: Tx, key: Row[Any], since: datetime) -> list[str]:
    """Objects without a proof that came since then by a request that a key has signed, as far as that is known."""
    theirs = (objects.c.owner == key.actor_id, ~objects.c.local, objects.c.verification == "delivered", since <= _CAME)
    by_key = inbox_messages.c.signer.contains(f'"key_id":"{key.id}"', autoescape=True)
    brought = sa.exists().where(inbox_messages.c.subject == objects.c.id, inbox_messages.c.actor_id == key.actor_id)
    late = brought.where(inbox_messages.c.received_at >= since, by_key)
    return [row.id for row in tx.rows(sa.select(objects.c.id).where(*theirs, late))]


def _signed_with(body: bytes) -> str | None:
    try:
        claim = read_proof(msgspec.json.decode(body))
    except KeysError:
        return None
    return None if claim is None else claim.verification_method


def _row(tx: Tx, actor_id: str, key: ListedKey, vouched: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "actor_id": actor_id,
        "algorithm": key.algorithm,
        "public": key.public,
        "first_seen": tx.now,
        "last_seen": tx.now,
        "retired_at": None if key.revoked is None else tx.now,
        "expires_at": key.expires,
        "revoked_at": key.revoked,
        "vouched": vouched,
    }


def key_of(tx: Tx, actor_id: str, claim: ProofClaim) -> Row[Any] | None:
    """The key of an actor under which a proof holds, with its dates: also one whose id has another key now."""
    named = sa.or_(
        actor_keys.c.id == claim.verification_method,
        actor_keys.c.id.startswith(claim.verification_method + ASIDE, autoescape=True),
    )
    rows = tx.rows(sa.select(actor_keys).where(actor_keys.c.actor_id == actor_id, named))
    return next((row for row in rows if _holds(claim, row)), None)


def _holds(claim: ProofClaim, row: Row[Any]) -> bool:
    try:
        claim.verify(public_of(row.algorithm, row.public))
    except KeysError:
        return False
    return True


def recall(tx: Tx, owner: str, document: dict[str, Any], claim: ProofClaim) -> Memory:
    """What is known here of a document of `owner`, and of the key behind its proof."""
    key = key_of(tx, owner, claim)
    stands = sa.select(objects.c.body, _CAME.label("came")).where(objects.c.id == document.get("id"))
    if is_actor(document):
        stands = sa.select(actors.c.document.label("body"), actors.c.updated_at.label("came"))
        stands = stands.where(actors.c.id == document.get("id"))
    row = tx.row(stands)
    is_here = row is not None and row.body is not None and msgspec.json.decode(row.body) == document
    return Memory(
        seen=row.came if row is not None and is_here else None,
        unconfirmed=key.first_seen if key is not None and key.vouched == "server" else None,
    )


def last_unconfirmed(tx: Tx, actor_id: str) -> Row[Any] | None:
    """The last key of an actor elsewhere that only its server names; None when there never was one."""
    unsure = (actor_keys.c.actor_id == actor_id, actor_keys.c.vouched == "server")
    return tx.row(sa.select(actor_keys).where(*unsure).order_by(actor_keys.c.first_seen.desc()).limit(1))


def last_revoked(tx: Tx, actor_id: str) -> datetime | None:
    """Since when a key of an actor was in other hands, as its server says; None when none ever was."""
    revoked = (actor_keys.c.actor_id == actor_id, actor_keys.c.revoked_at.is_not(None))
    since: datetime | None = tx.scalar(
        sa.select(actor_keys.c.revoked_at).where(*revoked).order_by(actor_keys.c.revoked_at.desc()).limit(1)
    )
    return since


def has_new_owner(tx: Tx, host: str) -> bool:
    """Whether a whole host looks as if somebody else had its name now.

    Its own actor, or two people and all whom we have asked since, came back with keys that no older key confirms.
    """
    there = sa.select(
        actor_keys.c.actor_id,
        actors.c.type,
        sa.func.max(sa.case((actor_keys.c.vouched == "server", actor_keys.c.first_seen))).label("changed"),
        sa.func.max(sa.case((actor_keys.c.retired_at.is_(None), actor_keys.c.last_seen))).label("seen"),
    )
    joined = there.join(actors, actors.c.id == actor_keys.c.actor_id).where(actors.c.host == host, ~actors.c.local)
    rows = tx.rows(joined.group_by(actor_keys.c.actor_id, actors.c.type))
    changed = [row for row in rows if row.changed is not None]
    if any(row.type in ("Application", "Service") for row in changed):
        return True
    first = min((row.changed for row in changed), default=None)
    same = [
        row for row in rows if row.changed is None and first is not None and row.seen is not None and row.seen >= first
    ]
    return len(changed) > 1 and not same
