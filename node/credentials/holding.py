"""What people here hold: it arrives, is kept, shown, looked after and put away. Writes, one function for each verb."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from federation.blocks import hides
from federation.credential_verdicts import unpacked
from federation.ids import new_id
from federation.known_identities import actors_of, same_person
from federation.storage import Tx
from node.credentials import queries
from node.credentials.rules import (
    KEEP_OFFERED,
    KEEP_SEEN,
    MAX_BYTES,
    MAX_FILE,
    MAX_HELD,
    MAX_OFFERED,
    MAX_STAPLED,
    OFFERED_FROM_ONE,
    Audience,
    Found,
    State,
    skill_key,
)
from node.credentials.tables import credentials, kept_lists
from node.credentials.wire import carried
from node.errors import Invalid, NotFound
from node.language import _
from node.notifications.commands import forget as forget_news
from node.notifications.commands import notify
from node.notifications.rules import Kind
from node.text import one_line
from schemas.credentials import Credential, is_presentation, parse_credential
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object

NO_CREDENTIAL = _("This is not a credential that can be read here. It has to be one of the W3C’s, as Open Badges are.")
A_LIST = _("This is a list on which credentials are taken back, and not a credential about somebody.")
TOO_LONG = _("This credential is larger than {size} KB. It cannot be kept here.", size=MAX_BYTES // 1_000)
TOO_MANY = _("You hold {most} credentials. Put one away first.", most=MAX_HELD)
ANOTHER = _("You have this credential already, in another version. Put that one away first.")
NOT_YOURS = _("This credential is about somebody else, so it cannot stand among yours. You can still check it.")


def arrived(tx: Tx, sender: str, document: dict[str, Any], readers: Sequence[str]) -> None:
    """A post has brought a credential to people here: it is offered to whom it is about, if its issuer sent it.

    Anything else that a post may carry stays a post.
    """
    body = carried(document)
    if body is None:
        return
    try:
        found = parse_credential(loads_object(body, max_bytes=MAX_BYTES))
    except SchemaError:
        return
    if found.issuer_id != sender or found.kind == "status list":
        return
    for reader in readers:
        if found.kind == "endorsement" and same_person(tx, reader, sender):
            continue
        if is_about(tx, found, reader) and _has_room(tx, reader, sender) and not hides(tx, reader, sender):
            note = document.get("id")
            name = keep(
                tx, new_id(tx.now), "offered", reader, found, body, note=note if isinstance(note, str) else None
            )
            kind: Kind = "endorsement" if found.kind == "endorsement" and found.skill else "credential"
            notify(tx, reader, kind, actor=sender, object_id=name, words=one_line(found.title, 200))


def is_about(tx: Tx, found: Credential, actor_id: str) -> bool:
    """Whether a credential is about somebody here: it names them, or an identity that they have claimed."""
    subject = found.subject_id
    if subject is None:
        return False
    if subject.startswith("did:"):
        return actor_id in actors_of(tx, subject)
    return same_person(tx, subject, actor_id)


def _has_room(tx: Tx, reader: str, issuer: str) -> bool:
    """Whether one more may be offered: nobody fills somebody's shelf by giving."""
    waiting = sa.select(sa.func.count()).where(credentials.c.owner == reader, credentials.c.state == "offered")
    from_one = waiting.where(credentials.c.issuer == issuer)
    return bool(tx.scalar(waiting) < MAX_OFFERED and tx.scalar(from_one) < OFFERED_FROM_ONE)


def hold(tx: Tx, reader: str, body: bytes) -> str:
    """Keep what was brought as a file or from an address, byte for byte; returns the last part of its address.

    What is held already stays. Invalid, field `file`, for what is no credential, or is about somebody else.
    """
    body = alone(body)
    try:
        found = parse_credential(loads_object(body))
    except SchemaError as error:
        raise Invalid({"file": NO_CREDENTIAL}) from error
    if found.kind == "status list":
        raise Invalid({"file": A_LIST})
    if not is_about(tx, found, reader):
        raise Invalid({"file": NOT_YOURS})
    if queries.count_held(tx, reader) >= MAX_HELD:
        raise Invalid({"file": TOO_MANY})
    name = keep(tx, new_id(tx.now), "held", reader, found, body)
    if bytes(queries.own_row(tx, reader, name, "held").body) != body:
        raise Invalid({"file": ANOTHER})
    return name


def alone(body: bytes) -> bytes:
    """A credential as it came; out of a presentation its first one, of which JSON is all that its proofs cover.

    Raises Invalid, field `file`, for what is no JSON or larger than may be kept.
    """
    try:
        document = loads_object(body)
    except SchemaError as error:
        raise Invalid({"file": NO_CREDENTIAL}) from error
    found = dumps(unpacked(document)[0]) if is_presentation(document) else body
    if len(found) > MAX_BYTES:
        raise Invalid({"file": TOO_LONG})
    return found


def take(tx: Tx, reader: str, name: str) -> None:
    """Accept what was offered. NotFound; Invalid when one holds as many as may be."""
    row = queries.own_row(tx, reader, name, "held")
    if row.state == "offered" and queries.count_held(tx, reader) >= MAX_HELD:
        raise Invalid({"file": TOO_MANY})
    tx.execute(sa.update(credentials).where(credentials.c.id == row.id).values(state="held", due_at=tx.now))


def drop(tx: Tx, reader: str, name: str) -> None:
    """Decline what was offered, or put away what one held: nothing of it is kept. NotFound."""
    row = queries.own_row(tx, reader, name, "held")
    tx.execute(sa.delete(credentials).where(credentials.c.id == row.id))


def let_see(tx: Tx, reader: str, name: str, audience: Audience) -> None:
    """Show it on one's profile, share its address, or keep it to oneself. NotFound, also for what is only offered."""
    row = queries.own_row(tx, reader, name, "held")
    if row.state != "held":
        raise NotFound(queries.NOTHING)
    tx.execute(sa.update(credentials).where(credentials.c.id == row.id).values(audience=audience))


def keep(
    tx: Tx,
    name: str,
    state: State,
    owner: str,
    found: Credential,
    body: bytes,
    *,
    person: str | None = None,
    note: str | None = None,
) -> str:
    """Store it once: who has it already keeps what they have. Returns the name under which it stands."""
    side = {"issued": "issued", "seen": "seen"}.get(state, "held")
    values = {
        "id": name,
        "side": side,
        "owner": owner,
        "uri": found.id or f"urn:freehold:{name}",
        "kind": found.kind,
        "state": state,
        "issuer": found.issuer_id,
        "subject": found.subject_id or "",
        "skill": skill_key(found.skill.name) if found.kind == "endorsement" and found.skill else None,
        "person": person,
        "body": body,
        "came_at": tx.now,
        "valid_until": found.valid_until,
        "list_url": found.status.list_url if found.status else None,
        "list_index": found.status.index if found.status else None,
        "note": note,
        "due_at": None if side == "issued" else tx.now,
    }
    tx.execute(tx.insert(credentials).values(values).on_conflict_do_nothing())
    this = [credentials.c[column] == values[column] for column in ("owner", "side", "issuer", "uri")]
    held = tx.row(sa.select(credentials.c.id, credentials.c.state).where(*this))
    assert held is not None
    if state == "held" and held.state == "offered":
        tx.execute(sa.update(credentials).where(credentials.c.id == held.id).values(state="held"))
    return str(held.id)


def note_gone(tx: Tx, note_ids: Sequence[str]) -> None:
    """These posts are gone: what they offered is offered no more, and what was taken is checked again at once."""
    brought = (credentials.c.note.in_(note_ids), credentials.c.side == "held")
    rows = tx.rows(sa.select(credentials.c.id, credentials.c.state).where(*brought))
    offered = [row.id for row in rows if row.state == "offered"]
    if offered:
        forget_news(tx, offered)
        tx.execute(sa.delete(credentials).where(credentials.c.id.in_(offered)))
    if len(offered) < len(rows):
        tx.execute(sa.update(credentials).where(*brought).values(due_at=tx.now))


# ---- what a check has found


def keep_list(tx: Tx, url: str, body: bytes, as_of: datetime) -> None:
    """The newest list of an issuer elsewhere, for the day when it does not answer. An older one never replaces it."""
    values = {"url": url, "body": body, "as_of": as_of, "seen_at": tx.now}
    insert = tx.insert(kept_lists).values(values)
    newer = insert.excluded.as_of >= kept_lists.c.as_of
    tx.execute(insert.on_conflict_do_update(index_elements=["url"], set_=values, where=newer))


def staple(tx: Tx, row_id: str, document: dict[str, Any]) -> bool:
    """Keep a list beside one credential alone, in the place of an older one of the same id; False where it cannot be.

    A list that carries another on speaks for those who know that it is the same person's, the other for everybody.
    """
    row = tx.row(sa.select(credentials).where(credentials.c.id == row_id))
    if row is None or not isinstance(document.get("id"), str) or len(dumps(document)) > MAX_FILE:
        return False
    others = [one for one in queries.stapled(row) if one["id"] != document["id"]]
    body = dumps({"lists": [*others, document][-MAX_STAPLED:]})
    tx.execute(sa.update(credentials).where(credentials.c.id == row_id).values(stapled=body))
    return True


def note_check(tx: Tx, row_id: str, found: Found, due_at: datetime, failures: int) -> None:
    """What the check of a held credential has said, and when it is looked at again.

    Its holder is told when it is no longer in force, once.
    """
    before = tx.row(sa.select(credentials).where(credentials.c.id == row_id))
    if before is None:
        return
    held = before.found is not None and msgspec.json.decode(before.found, type=Found).overall != "fails"
    if held and found.overall == "fails":
        title = parse_credential(loads_object(before.body)).title
        notify(tx, before.owner, "ended_credential", object_id=row_id, words=one_line(title, 200))
    values = {"found": msgspec.json.encode(found), "checked_at": tx.now, "due_at": due_at, "failures": failures}
    tx.execute(sa.update(credentials).where(credentials.c.id == row_id).values(values))


def put_anew(tx: Tx, row_id: str, body: bytes) -> None:
    """The same words, which their issuer has signed again, take the place of those whose key was in other hands."""
    tx.execute(sa.update(credentials).where(credentials.c.id == row_id).values(body=body, came_at=tx.now))


def tidy(tx: Tx) -> None:
    """Forget what was offered long ago and not taken, what stood elsewhere, and lists that no credential needs."""
    old = (credentials.c.state == "offered", credentials.c.came_at < tx.now - KEEP_OFFERED)
    tx.execute(sa.delete(credentials).where(*old))
    seen = (credentials.c.side == "seen", credentials.c.came_at < tx.now - KEEP_SEEN)
    tx.execute(sa.delete(credentials).where(*seen))
    needed = sa.exists().where(credentials.c.list_url == kept_lists.c.url, credentials.c.side != "issued")
    tx.execute(sa.delete(kept_lists).where(~needed))
