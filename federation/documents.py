"""The documents of this node as bytes, kept in memory until somebody notifies the topic `documents`.

Actors, objects and activities that anybody may read stand here with their ETag. What only some may read is read from
the database each time, so that a cache never widens who sees it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from federation.clock import iso
from federation.ids import HANDLE, Ids
from federation.tables import activities, actors, objects
from federation.types import OPEN
from schemas.strict_json import dumps
from schemas.terms import AS_CONTEXT

if TYPE_CHECKING:
    from datetime import datetime

    from federation.storage import Database, Tx

TOPIC = "documents"
MAX_KEY = 512


@dataclass(frozen=True, slots=True)
class Document:
    """What stands at an id. gone: it is a tombstone. public: anybody may read it."""

    body: bytes
    etag: str
    gone: bool = False
    public: bool = True


PRIVATE = Document(b"", "", public=False)


def document(body: bytes, *, gone: bool = False, public: bool = True) -> Document:
    """Bytes with their ETag (a strong one: the bytes are the document)."""
    return Document(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', gone, public)


class Documents:
    """Reads local documents; remembers at most `capacity` of them, absent ones included."""

    def __init__(self, db: Database, ids: Ids, capacity: int = 4096) -> None:
        self._db = db
        self._ids = ids
        self._capacity = capacity
        self._known: dict[str, Document | None] = {}
        self._generation = 0
        db.subscribe(TOPIC, self._forget)

    async def actor(self, username: str) -> Document | None:
        """The document of a local actor, the instance actor included."""
        return await self._get(self._ids.actor(username)) if HANDLE.match(username) else None

    async def object(self, object_id: str) -> Document | None:
        """A local object or activity. Of what is not public only that is told, with no bytes."""
        return await self._get(object_id) if len(object_id) <= MAX_KEY else None

    async def _get(self, document_id: str) -> Document | None:
        try:
            return self._known[document_id]
        except KeyError:
            pass
        generation = self._generation
        found = await self._db.read(read_document, document_id)
        if found is not None and not found.public:
            found = PRIVATE
        if generation == self._generation:  # else it may be older than the change that was announced
            self._remember(document_id, found)
        return found

    def _remember(self, document_id: str, found: Document | None) -> None:
        if len(self._known) >= self._capacity:
            del self._known[next(iter(self._known))]
        self._known[document_id] = found

    def _forget(self, payload: str | None) -> None:
        self._generation += 1
        if payload is None:
            self._known.clear()
        else:
            self._known.pop(payload, None)


def read_document(tx: Tx, document_id: str) -> Document | None:
    """What stands at a local id: an actor, an object with its tombstone, or an activity."""
    for read in (_actor, _object, _activity):
        found = read(tx, document_id)
        if found is not None:
            return found
    return None


def _actor(tx: Tx, document_id: str) -> Document | None:
    row = tx.row(sa.select(actors.c.document, actors.c.gone_at).where(actors.c.id == document_id, actors.c.local))
    if row is None:
        return None
    return document(row.document) if row.gone_at is None else _tombstone(document_id, row.gone_at)


def _object(tx: Tx, document_id: str) -> Document | None:
    columns = (objects.c.body, objects.c.visibility, objects.c.deleted_at)
    row = tx.row(sa.select(*columns).where(objects.c.id == document_id, objects.c.local))
    if row is None:
        return None
    public = row.visibility in OPEN
    if row.deleted_at is not None:
        return _tombstone(document_id, row.deleted_at, public=public)
    return document(row.body, public=public)


def _activity(tx: Tx, document_id: str) -> Document | None:
    row = tx.row(sa.select(activities.c.body, activities.c.public).where(activities.c.id == document_id, stands()))
    return None if row is None else document(row.body, public=row.public)


def stands() -> sa.ColumnElement[bool]:
    """Of activities: not what brought, passed on or pinned something that has been deleted since."""
    deleted = sa.exists().where(objects.c.id == activities.c.object_id, objects.c.deleted_at.is_not(None))
    return ~sa.and_(activities.c.type.in_(("Create", "Update", "Announce", "Add")), deleted)


def _tombstone(object_id: str, deleted_at: datetime, *, public: bool = True) -> Document:
    body = {"@context": AS_CONTEXT, "id": object_id, "type": "Tombstone", "deleted": iso(deleted_at)}
    return document(dumps(body), gone=True, public=public)
