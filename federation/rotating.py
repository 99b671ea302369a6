"""A local actor gets new keys: as planned, or because somebody may have had the old ones (SECURITY 183, 184, 187).

    planned       The old key of proofs names the new one and stays listed with `expires`, `keys.rotation.OVERLAP` from
                  now: what it signed stands. It signs the Update that tells of the change, so that whoever knows it
                  need ask nobody. Requests are signed with the new RSA key; who refuses that is tried once more with
                  the old one, as long as it has not expired.
    compromised   The old keys are revoked as of a time, and can confirm nothing. Whatever anybody may read and they
                  have signed is signed anew, word for word, and goes once more to every server that has it.

New keys have new ids, so that no server takes one for another. All of it is one transaction: what is queued already is
signed, when its turn comes, with the keys of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import outbox
from federation.audience import merge
from federation.authors import Author, Authors, NewKeys, keep_keys, save_local_actor
from federation.clock import iso
from federation.endings import everybody_who_got_something
from federation.errors import Refused
from federation.former import forget_former
from federation.ids import new_id
from federation.storage import Tx
from federation.tables import activities, actor_keys, actors, objects
from federation.types import OPEN
from keys.proofs import add_proof
from keys.rotation import OVERLAP, confirm
from schemas.actors import KEY_MEMBERS, write_keys, write_multikey
from schemas.base import audience_of
from schemas.strict_json import dumps
from schemas.terms import ACTOR_CONTEXT


class Rotated(NamedTuple):
    """What came of it: the actor with its new keys, how many inboxes are told, how many things were signed anew."""

    author: Author
    told: int
    signed_anew: int


def rotate(tx: Tx, authors: Authors, author: Author, keys: NewKeys, *, compromised: datetime | None = None) -> Rotated:
    """Give a local actor new keys in the place of those that `author` holds.

    compromised: since when the old ones may have been in other hands. Raises Refused when somebody else has just
    changed them (SECURITY 187), or for a time to come; NotFound when the actor has ended.
    """
    if compromised is not None and compromised > tx.now:
        raise Refused(f"{iso(compromised)} is in the future", safe="That time is still to come.")
    tx.rows(sa.select(actor_keys.c.id).where(actor_keys.c.actor_id == author.actor_id).with_for_update())
    if authors.load(tx, author.actor_id).ed25519_key_id != author.ed25519_key_id:
        raise Refused(f"the keys of {author.actor_id} were changed just now", safe="The keys were changed just now.")
    name = new_id(tx.now)  # unlike a number, it does not come again when an old backup is brought back
    rsa_id, ed25519_id = f"{author.actor_id}#main-key-{name}", f"{author.actor_id}#ed25519-key-{name}"
    proof = None
    if compromised is None:
        successor = write_multikey(ed25519_id, author.actor_id, keys.ed25519.public.multibase)
        proof = confirm(successor, author.ed25519, author.ed25519_key_id, tx.now)
    ended = _end(tx, author.actor_id, compromised)
    keep_keys(tx, authors.vault, author.actor_id, {rsa_id: keys.rsa, ed25519_id: keys.ed25519}, proof)
    renewed = authors.load(tx, author.actor_id)
    body = save_local_actor(tx, renewed, _document(tx, renewed))
    anew = [] if compromised is None else _sign_anew(tx, renewed, ended)
    told = _tell(tx, renewed, author if compromised is None else renewed, body)
    for row in anew:
        _tell_anew(tx, renewed, row)
    return Rotated(renewed, told, len(anew))


def _end(tx: Tx, actor_id: str, compromised: datetime | None) -> list[str]:
    """The keys whose private halves are here sign no more; returns their ids.

    Who could read one of them could read all that were here then, those too that have expired since.
    """
    here: sa.ColumnElement[bool] = actor_keys.c.sealed.is_not(None)
    if compromised is not None:
        here = sa.or_(here, sa.and_(actor_keys.c.expires_at > compromised, actor_keys.c.revoked_at.is_(None)))
    held = (actor_keys.c.actor_id == actor_id, here)
    ids = [row.id for row in tx.rows(sa.select(actor_keys.c.id).where(*held))]
    ends: dict[str, Any] = {"expires_at": _unless_before(actor_keys.c.expires_at, tx.now + OVERLAP)}
    if compromised is not None:
        ends = {"revoked_at": compromised, "sealed": None}
    retired = _unless_before(actor_keys.c.retired_at, tx.now)
    tx.execute(sa.update(actor_keys).where(*held).values(retired_at=retired, **ends))
    return ids


def _unless_before(column: sa.Column[Any], moment: datetime) -> sa.ColumnElement[Any]:
    """What stands there already, else this moment."""
    return sa.func.coalesce(column, sa.literal(moment, column.type))


def _document(tx: Tx, author: Author) -> dict[str, Any]:
    """The actor's document as it stands, with its keys of now."""
    held = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id)))
    bare = {name: value for name, value in held.items() if name not in KEY_MEMBERS}
    return bare | write_keys(author.actor_id, author.keys) | {"@context": ACTOR_CONTEXT, "updated": iso(tx.now)}


def _tell(tx: Tx, author: Author, signer: Author, body: bytes) -> int:
    """An Update of the actor for every server that ever got anything, and so may have the old keys."""
    activity, _audience = outbox.changed_actor(author, body, tx.now)
    targets = everybody_who_got_something(tx, author)
    told = outbox.send(tx, signer, activity, targets, object_id=author.actor_id, public=True)
    forget_former(tx, author, author.actor_id)
    return told


# ---- what the old keys have signed


def _sign_anew(tx: Tx, author: Author, old: Sequence[str]) -> list[Row[Any]]:
    """Give every document that anybody may read a proof by the new key in the place of an old one.

    Nothing else in them changes. Returns the objects, as they stood.
    """
    mine = (objects.c.owner == author.actor_id, objects.c.local, objects.c.deleted_at.is_(None))
    standing = sa.select(objects.c.id, objects.c.body).where(*mine, objects.c.visibility.in_(OPEN))
    found = [row for row in tx.rows(standing.order_by(objects.c.id)) if _replace_proofs(tx, author, row, old, objects)]
    said = sa.select(activities.c.id, activities.c.body).where(
        activities.c.actor_id == author.actor_id, activities.c.public
    )
    for row in tx.rows(said):
        _replace_proofs(tx, author, row, old, activities)
    return found


def _replace_proofs(tx: Tx, author: Author, row: Row[Any], old: Sequence[str], table: sa.Table) -> bool:
    document = msgspec.json.decode(row.body)
    renewed = _renewed(author, document, old, tx.now)
    if renewed is document:
        return False
    tx.execute(sa.update(table).where(table.c.id == row.id).values(body=dumps(renewed)))
    tx.notify("documents", row.id)
    return True


def _renewed(author: Author, document: dict[str, Any], old: Sequence[str], now: datetime) -> dict[str, Any]:
    """The document with new proofs, also of what it embeds; the same object where it has none by an old key."""
    inner = document.get("object")
    embedded = _renewed(author, inner, old, now) if isinstance(inner, dict) else inner
    proof = document.get("proof")
    signed = isinstance(proof, dict) and proof.get("verificationMethod") in old
    if embedded is not inner:
        document = document | {"object": embedded}
    return add_proof(document, author.ed25519, author.ed25519_key_id, now) if signed else document


def _tell_anew(tx: Tx, author: Author, row: Row[Any]) -> None:
    """An Update for whoever got the object; who never did has nothing that the old key signed."""
    targets = merge([], outbox.told_before(tx, author, row.id))
    if not targets:
        return
    body = tx.scalar(sa.select(objects.c.body).where(objects.c.id == row.id))
    audience = audience_of(msgspec.json.decode(body))
    activity = outbox.bringing(author, "Update", body, audience, tx.now, long=True)
    outbox.send(tx, author, activity, targets, object_id=row.id, public=True)


def forget_old_halves(tx: Tx) -> int:
    """The private halves of keys that have expired: nobody can lose what nobody has. Returns how many."""
    over = sa.and_(actor_keys.c.sealed.is_not(None), actor_keys.c.expires_at < tx.now)
    return tx.execute(sa.update(actor_keys).where(over).values(sealed=None)).rowcount
