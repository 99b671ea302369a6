"""Writes, one function for each verb: issue and take back here, what its holder does in `node.credentials.holding`."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from federation import outbox
from federation.authors import Author, check_key
from federation.clock import iso
from federation.ids import new_id
from federation.known_identities import identity_of
from federation.objects import is_stored
from federation.storage import Tx
from node.credentials import lists, queries, signing
from node.credentials.holding import arrived as arrived
from node.credentials.holding import drop as drop
from node.credentials.holding import hold as hold
from node.credentials.holding import keep
from node.credentials.holding import let_see as let_see
from node.credentials.holding import note_gone as note_gone
from node.credentials.holding import take as take
from node.credentials.holding import tidy as tidy
from node.credentials.signing import Statement
from node.credentials.tables import credentials
from node.credentials.wire import credential_url, to_note
from node.social.commands import delete_post
from node.social.telling import tell_of_post
from node.social.timelines import into_timelines
from schemas.actors import Actor
from schemas.base import Audience as Recipients
from schemas.credentials import parse_credential
from schemas.strict_json import loads_object


class Prepared(NamedTuple):
    """A credential that only lacks its proofs, and whom it is for. name: the last part of its address."""

    name: str
    document: dict[str, Any]
    person: Actor


def prepare(tx: Tx, author: Author, person: Actor, statement: Statement) -> Prepared:
    """Reserve a credential's entry in a status list, and write it: it can be taken back from the first moment on."""
    name = new_id(tx.now)
    url, subject = credential_url(author, name), identity_of(tx, person.id) or person.id
    document = signing.stated(tx, author, url, subject, statement, lists.reserve(tx, author))
    return Prepared(name, document, person)


def issue(tx: Tx, author: Author, person: Actor, statement: Statement) -> str:
    """Say something of somebody, signed, and send it to them; returns the last part of its address.

    Raises Busy when the author's key was changed since it was read.
    """
    prepared = prepare(tx, author, person, statement)
    return send(tx, author, prepared, signing.signed(tx, author, prepared.document))


def send(tx: Tx, author: Author, prepared: Prepared, body: bytes) -> str:
    """Keep what was prepared and signed, and send it to whom it is about; returns as `issue`, raises as that."""
    check_key(tx, author)
    name, person, found = prepared.name, prepared.person, parse_credential(loads_object(body))
    note_id = author.ids.object(author.actor_id, "posts", tx.now)
    keep(tx, name, "issued", author.actor_id, found, body, person=person.id, note=note_id)
    document = to_note(author, note_id, person, found.title, credential_url(author, name), body, iso(tx.now))
    outbox.create(tx, author, document, kind="post", audience=Recipients((person.id,)), published=tx.now)
    here = into_timelines(tx, author.ids, note_id, author.actor_id, tx.now, document=document)
    tell_of_post(tx, author.ids, note_id, author.actor_id, named=here)
    if author.ids.is_local(person.id):
        arrived(tx, author.actor_id, document, [person.id])
    return name


def revoke(tx: Tx, author: Author, name: str, reason: str = "") -> None:
    """Take back what one has issued, for ever; once is enough. reason: a note for oneself. NotFound.

    The post that brought an endorsement goes with it.
    """
    row = queries.own_row(tx, author.actor_id, name, "issued")
    if row.state == "revoked":
        return
    lists.mark(tx, author, row.list_url, row.list_index)
    values = {"state": "revoked", "revoked_at": tx.now, "reason": reason[:500]}
    tx.execute(sa.update(credentials).where(credentials.c.id == row.id).values(values))
    if row.kind == "endorsement" and row.note is not None and is_stored(tx, row.note):
        delete_post(tx, author, row.note)
        note_gone(tx, [row.note])
