"""What stands at an object's id: written by its owner's activities, never by anybody else's.

The handlers of the product call `store_object` for what they understand and keep a view of; `delete_object` leaves a
tombstone for ever. The first document at an id wins over a second Create; only an Update by the owner replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.authority import owner_of
from federation.errors import Forbidden, Unacceptable
from federation.statements import HotInsert
from federation.storage import Tx
from federation.tables import actors, object_recipients, objects
from federation.types import OPEN, Received, Verification, Visibility
from schemas.base import Audience, audience_of, datetime_of, id_of
from schemas.strict_json import dumps

Stored = Literal["new", "changed", "same"]
ObjectsDeleted = Callable[[Tx, Sequence[str]], None]
"""The product's hook: these objects are tombstones now; forget what is known of them."""

UNKNOWN = "unknown"  # the kind of a tombstone whose object was never seen
CLOCK_SKEW = timedelta(hours=1)
_NEW = HotInsert(objects, "id")


def store_object(
    tx: Tx,
    received: Received,
    kind: str,
    *,
    published: datetime | None = None,
    updated: datetime | None = None,
    url: str | None = None,
    in_reply_to: str | None = None,
) -> Stored:
    """Keep the object of a Create, Update or Announce, and say whether that changed anything.

    kind: post | gig | module, as the caller understood it. Times default to the object's own, at most an hour in
    the future. `same`: it was known (a second Create), is deleted, or is newer here: the caller does nothing.
    Raises Forbidden when it is not its owner's, or an Update changes what must stay (SECURITY 50), Unacceptable when
    there is no object with an id.
    """
    document, object_id = received.object, received.object_id
    if document is None or object_id is None:
        raise Unacceptable(f"{received.envelope.id} brings nothing that has an id")
    owner = owner_of(document)
    if owner is None or (owner != received.envelope.actor and received.envelope.type != "Announce"):
        raise Forbidden(f"{object_id} is {owner}'s, the activity is by {received.envelope.actor}")
    audience = _audience(document, received)
    published = _not_future(published or datetime_of(document.get("published")), tx.now)
    updated = updated or datetime_of(document.get("updated"))
    if received.envelope.type == "Update":
        updated = updated or tx.now  # some peers do not say when
        if updated < published:
            return "same"
    document, verification = _without_blind(document, received.verification)
    values: dict[str, Any] = {
        "id": object_id,
        "type": str(document.get("type")),
        "kind": kind,
        "owner": owner,
        "local": False,
        "visibility": visibility(tx, audience, owner),
        "url": url,
        "in_reply_to": in_reply_to or id_of(document.get("inReplyTo")),
        "body": dumps(document),
        "verification": verification,
        "published": published,
        "updated": _not_future(updated or published, tx.now),
        "received_at": tx.now,
        "changed_at": None,
        "deleted_at": None,
    }
    if tx.put(_NEW, [values]):
        _store_recipients(tx, object_id, values["visibility"], audience)
        return "new"
    return _replace(tx, received.envelope.type, values, audience)


def _audience(document: dict[str, Any], received: Received) -> Audience:
    """What addresses nobody is for those whom its Create or Update addresses; who passes it on has no say in that."""
    silent = not document.get("to") and not document.get("cc")  # what cannot be read is not said to everybody either
    return received.audience if silent and received.envelope.type != "Announce" else audience_of(document)


def _without_blind(document: dict[str, Any], verification: Verification) -> tuple[dict[str, Any], Verification]:
    """Whom a server failed to hide is hidden here (SECURITY 130); a proof that covered it is of no use then."""
    if "bto" not in document and "bcc" not in document:
        return document, verification
    kept = {name: value for name, value in document.items() if name not in ("bto", "bcc", "proof")}
    return kept, "delivered" if verification == "signed" else verification


def _not_future(moment: datetime | None, now: datetime) -> datetime:
    """No document stands on top of every list for ever by a date to come."""
    return now if moment is None or moment > now + CLOCK_SKEW else moment


def visibility(tx: Tx, audience: Audience, owner: str) -> Visibility:
    """Who may read it; asks for the owner's followers collection only when that decides."""
    first = audience.visibility(None)
    if first in OPEN:
        return first
    return audience.visibility(tx.scalar(sa.select(actors.c.followers).where(actors.c.id == owner)))


def _replace(tx: Tx, verb: str, values: dict[str, Any], audience: Audience) -> Stored:
    known = tx.row(sa.select(objects).where(objects.c.id == values["id"]))
    assert known is not None
    if known.kind == UNKNOWN and known.owner != values["owner"]:
        pass  # somebody else of that server claimed to have deleted it: that was never theirs to say
    elif known.deleted_at is not None or verb != "Update" or values["updated"] < known.updated:
        return "same"
    else:
        _check_update(tx, known, values, audience)
    tx.execute(sa.update(objects).where(objects.c.id == known.id).values(values))
    tx.execute(sa.delete(object_recipients).where(object_recipients.c.object_id == known.id))
    _store_recipients(tx, known.id, values["visibility"], audience)
    return "changed"


def _check_update(tx: Tx, known: Row[Any], values: dict[str, Any], audience: Audience) -> None:
    object_id = known.id
    if known.local or known.owner != values["owner"]:
        raise Forbidden(f"{object_id} is {known.owner}'s")
    if known.in_reply_to != values["in_reply_to"]:
        raise Forbidden(f"an Update may not change what {object_id} replies to")
    if known.visibility not in OPEN and is_wider(tx, object_id, values["visibility"], audience):
        raise Forbidden(f"an Update may not show {object_id}, which was private, to more people")
    values["published"] = known.published  # whatever an Update says: it was published when it was
    values["received_at"] = known.received_at
    values["changed_at"] = tx.now
    if known.body is not None and said(values["body"]) == said(known.body):
        values["updated"] = known.updated  # the same words, signed anew


def said(body: bytes) -> dict[str, Any]:
    """What a document says, whoever has signed it, and whenever."""
    return {name: value for name, value in msgspec.json.decode(body).items() if name not in ("proof", "signature")}


def is_wider(tx: Tx, object_id: str, seen_by: Visibility, audience: Audience) -> bool:
    """Whether this audience would see more of a private object than those to whom it was addressed before."""
    rows = tx.rows(sa.select(object_recipients.c.recipient).where(object_recipients.c.object_id == object_id))
    return seen_by in OPEN or not {row.recipient for row in rows}.issuperset(audience.everybody)


def _store_recipients(tx: Tx, object_id: str, seen_by: str, audience: Audience) -> None:
    if seen_by in OPEN:
        return
    rows = [{"object_id": object_id, "recipient": recipient} for recipient in dict.fromkeys(audience.everybody)]
    if rows:
        tx.execute(tx.insert_new(object_recipients), rows)


def is_stored(tx: Tx, object_id: str) -> bool:
    """Whether anything stands, or stood, at an id."""
    return tx.scalar(sa.select(objects.c.id).where(objects.c.id == object_id)) is not None


def delete_object(tx: Tx, object_id: str, owner: str, deleted: ObjectsDeleted | None = None) -> bool:
    """Leave a tombstone at an object's id. Returns whether an object was there.

    Of an object never seen a tombstone is kept too, so that a Create that comes late does not bring it back.
    Raises Forbidden when it is somebody else's.
    """
    known = tx.row(sa.select(objects.c.owner, objects.c.deleted_at).where(objects.c.id == object_id))
    if known is None:
        _bury_unknown(tx, object_id, owner)
        return False
    if known.owner != owner:
        raise Forbidden(f"{object_id} is {known.owner}'s, not {owner}'s")
    if known.deleted_at is not None:
        return False
    _bury(tx, [object_id], deleted)
    return True


def delete_objects_of(tx: Tx, owner: str, deleted: ObjectsDeleted | None = None) -> int:
    """Leave tombstones at everything that an actor owned; returns how many."""
    rows = tx.rows(sa.select(objects.c.id).where(objects.c.owner == owner, objects.c.deleted_at.is_(None)))
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        _bury(tx, ids[start : start + 500], deleted)
    return len(ids)


def _bury(tx: Tx, object_ids: list[str], deleted: ObjectsDeleted | None) -> None:
    tx.execute(
        sa.update(objects)
        .where(objects.c.id.in_(object_ids))
        .values(type="Tombstone", body=None, deleted_at=tx.now, updated=tx.now)
    )
    if deleted is not None:
        deleted(tx, object_ids)
    for object_id in object_ids:
        tx.notify("documents", object_id)


def _bury_unknown(tx: Tx, object_id: str, owner: str) -> None:
    values = {
        "id": object_id,
        "type": "Tombstone",
        "kind": UNKNOWN,
        "owner": owner,
        "local": False,
        "visibility": "direct",
        "body": None,
        "verification": "delivered",
        "published": tx.now,
        "updated": tx.now,
        "received_at": tx.now,
        "changed_at": None,
        "deleted_at": tx.now,
    }
    tx.execute(tx.insert_new(objects, "id"), values)
