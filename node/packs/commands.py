"""Writes: a pack is published, changed and taken away; one is brought here, and people in it are followed.

Nobody is told of a pack: whoever is given its address fetches it. It is signed, so that it can go on as a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.ids import new_id
from federation.objects import delete_object
from federation.storage import Tx
from federation.tables import objects
from node.errors import Invalid
from node.language import _
from node.packs import queries
from node.packs.queries import Visit
from node.packs.tables import pack_visits
from node.relations import lists
from node.relations.rules import Line
from schemas.base import Audience
from schemas.packs import MAX_BYTES, Member, Pack, write_pack
from schemas.strict_json import dumps
from schemas.terms import PUBLIC
from schemas.urls import host_of

KEEP = timedelta(days=7)
MAX_VISITS = 20
MAX_PACKS = 50
AUDIENCE = Audience((PUBLIC,))
TOO_MANY = _("You publish {most} packs. Delete one first.", most=MAX_PACKS)
TOO_LONG = _("This is too long for a pack. Shorten it.")
NOBODY = _("Choose somebody first.")


def publish_pack(tx: Tx, author: Author, name: str, summary: str, members: Sequence[Member]) -> str:
    """Sign a pack and let it stand at its address; returns its id. Invalid."""
    if len(queries.packs_of(tx, author.actor_id, limit=MAX_PACKS)) >= MAX_PACKS:
        raise Invalid({"name": TOO_MANY})
    pack_id = author.ids.object(author.actor_id, "packs", tx.now)
    document = _document(author, pack_id, name, summary, members, published=iso(tx.now), updated=None)
    outbox.store(tx, author, document, kind="pack", audience=AUDIENCE, published=tx.now)
    return pack_id


def edit_pack(tx: Tx, author: Author, pack: str, name: str, summary: str, members: Sequence[Member]) -> None:
    """Change a pack where it stands. pack: the last part of its id. NotFound, Invalid."""
    held = queries.own_pack(tx, author.actor_id, pack)
    before = msgspec.json.decode(tx.scalar(sa.select(objects.c.body).where(objects.c.id == held.id)))
    document = _document(author, held.id, name, summary, members, published=before["published"], updated=iso(tx.now))
    body = outbox.written(tx, author, document, public=True)
    values = outbox.view(document, body, "public") | {"updated": tx.now}
    tx.execute(sa.update(objects).where(objects.c.id == held.id).values(values))
    tx.notify("documents", held.id)


def delete_pack(tx: Tx, author: Author, pack: str) -> None:
    """Take a pack away for ever. NotFound."""
    delete_object(tx, queries.own_pack(tx, author.actor_id, pack).id, author.actor_id)


def _document(
    author: Author,
    pack_id: str,
    name: str,
    summary: str,
    members: Sequence[Member],
    *,
    published: str,
    updated: str | None,
) -> dict[str, Any]:
    pack = Pack(pack_id, author.actor_id, name, summary, tuple(members), url=author.ids.object_page(pack_id))
    document = write_pack(pack, published=published, updated=updated)
    if len(dumps(document)) > MAX_BYTES:
        raise Invalid({"summary": TOO_LONG})
    return document


def bring(tx: Tx, reader: str, document: dict[str, Any], signature: str, sentence: str) -> str:
    """Keep a pack that was read and checked, for a week, for whoever brought it; returns the id of the visit."""
    visit_id = new_id(tx.now)
    values = {"reader": reader, "document": dumps(document), "signature": signature, "sentence": sentence}
    tx.execute(sa.insert(pack_visits).values(id=visit_id, created_at=tx.now, **values))
    theirs = sa.select(pack_visits.c.id).where(pack_visits.c.reader == reader)
    newest = theirs.order_by(pack_visits.c.created_at.desc(), pack_visits.c.id.desc()).limit(MAX_VISITS)
    keep = [row.id for row in tx.rows(newest)]
    tx.execute(sa.delete(pack_visits).where(pack_visits.c.reader == reader, pack_visits.c.id.not_in(keep)))
    return visit_id


def follow_some(tx: Tx, author: Author, visit: Visit, chosen: Sequence[str]) -> str:
    """Follow people of a pack, one after the other in the background; returns the id of the list with its progress.

    chosen: ids of actors; who is not in the pack is passed over. Invalid while another list is being read.
    """
    members = [member for member in visit.pack.members if member.id in set(chosen)]
    if not members:
        raise Invalid({"who": NOBODY})
    lines = [Line(number, _address(member)) for number, member in enumerate(members, 1)]
    return lists.begin(tx, author, "follows", lines)


def _address(member: Member) -> str:
    """The handle, where it is of the same server as the id that was signed; else the id."""
    host = member.handle.rpartition("@")[2].lower()
    return member.handle if member.handle.count("@") == 1 and host == host_of(member.id) else member.id


def tidy(tx: Tx) -> None:
    """Forget what was brought a week ago."""
    tx.execute(sa.delete(pack_visits).where(pack_visits.c.created_at < tx.now - KEEP))
