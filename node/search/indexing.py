"""The worker that writes the index where nobody has: people who came or changed, and what was here before the index.

An actor is stored by whoever met it, deep in `federation`, which knows nothing of search. So actors are looked at as
they were announced (topic `actors`), and as far as they changed since this was last done, which is a row. The objects
that stand here are looked at once, after an upgrade or `freehold search reindex`, the oldest first, so that the newest
have the highest numbers; from then on `commands.changed` writes them in the scope in which they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation.errors import FederationError
from federation.known_actors import TOPIC
from federation.storage import Database, Tx
from federation.tables import actors, objects
from node.search import commands, engine
from node.search.rules import VERSION
from node.search.tables import object_tags, search_index, search_progress

BATCH = 200
AHEAD = 5_000  # objects whose order is asked for at once: it is not kept anywhere
POSTS = 500  # of somebody who wants them to be found from now on
MAX_TOLD = 5_000
POLL_SECONDS = 60.0

_log = structlog.get_logger()


class Place(NamedTuple):
    """Up to where the index is written: by time, and by id among those of one time."""

    at: datetime | None
    name: str


class Indexer:
    """See the module's docstring."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._wake = asyncio.Event()
        self._told: dict[str, None] = {}
        self._unknown = True  # whether something may have changed that nobody told of
        db.subscribe(TOPIC, self._hear)

    def _hear(self, payload: str | None) -> None:
        if payload is None or len(self._told) >= MAX_TOLD:
            self._unknown = True
        else:
            self._told[payload] = None
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except FederationError as error:  # a locked or full database: the next round will do
                _log.warning("search.failed", error=str(error)[:500])
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                self._unknown = True

    async def drain(self) -> int:
        """Write what is missing; returns how many people and objects were looked at."""
        count = 0
        while self._told:
            told = list(self._told)[:BATCH]
            for actor_id in told:
                del self._told[actor_id]
            count += await self._db.write(look_at, told)
        if not self._unknown:
            return count
        self._unknown = False
        return count + await write_all(self._db)


async def write_all(db: Database, progress: Callable[[int], None] | None = None) -> int:
    """Bring the index up to date with all that stands here; returns how many were looked at.

    progress: told how many were done with each step.
    """
    count = 0
    if not await db.read(is_current):
        await db.write(begin)
    while done := await db.write(next_people):
        count += done
        if progress is not None:
            progress(done)
    while ahead := await db.read(next_objects):
        for start in range(0, len(ahead), BATCH):
            done = await db.write(write_objects, ahead[start : start + BATCH])
            count += done
            if progress is not None:
                progress(done)
    if not await db.read(is_done):
        await db.write(_end)
    return count


def is_current(tx: Tx) -> bool:
    """Whether an index of this version is there, or under way."""
    versions = {row.version for row in tx.rows(sa.select(search_progress.c.version))}
    return versions == {VERSION}


def begin(tx: Tx) -> None:
    """Forget the index, and write it anew from the beginning."""
    engine.clear(tx)
    for table in (search_index, object_tags, search_progress):
        tx.execute(sa.delete(table))
    rows = [{"what": what, "version": VERSION, "place": ""} for what in ("people", "objects")]
    tx.execute(sa.insert(search_progress), rows)


def how_many(tx: Tx) -> int:
    """How many people and objects `write_all` looks at from the beginning."""
    people = tx.scalar(sa.select(sa.func.count()).select_from(actors))
    things = sa.select(sa.func.count()).select_from(objects).where(objects.c.deleted_at.is_(None))
    return int(people) + int(tx.scalar(things))


def look_at(tx: Tx, actor_ids: Sequence[str]) -> int:
    """These people came, changed or left."""
    for actor_id in actor_ids:
        commands.somebody_changed(tx, actor_id)
        _take_in_posts(tx, actor_id)
    return len(actor_ids)


def next_people(tx: Tx) -> int:
    """Look at those who changed since the last time, some of them; returns how many."""
    place = _place(tx, "people")
    columns = sa.select(actors.c.id, actors.c.updated_at).order_by(actors.c.updated_at, actors.c.id)
    rows = tx.rows(columns.where(_after(place, actors.c.updated_at, actors.c.id)).limit(BATCH))
    if rows:
        look_at(tx, [row.id for row in rows])
        _set_place(tx, "people", Place(rows[-1].updated_at, rows[-1].id))
    return len(rows)


def next_objects(tx: Tx) -> list[Row[Any]]:
    """The oldest of what was not looked at yet, some of it: `(id, published)`."""
    if is_done(tx):
        return []
    place = _place(tx, "objects")
    columns = sa.select(objects.c.id, objects.c.published).order_by(objects.c.published, objects.c.id)
    later = _after(place, objects.c.published, objects.c.id)
    return list(tx.rows(columns.where(later, objects.c.deleted_at.is_(None)).limit(AHEAD)))


def write_objects(tx: Tx, rows: Sequence[Row[Any]]) -> int:
    """Let these be found; returns how many were looked at."""
    for row in rows:
        commands.changed(tx, row.id, first=True)
    _set_place(tx, "objects", Place(rows[-1].published, rows[-1].id))
    return len(rows)


def is_done(tx: Tx) -> bool:
    """Whether all objects that stood here were looked at."""
    this = sa.select(search_progress.c.done_at).where(search_progress.c.what == "objects")
    return tx.scalar(this) is not None


def _end(tx: Tx) -> None:
    tx.execute(sa.update(search_progress).where(search_progress.c.what == "objects").values(done_at=tx.now))


def _place(tx: Tx, what: str) -> Place:
    row = tx.row(sa.select(search_progress.c.at, search_progress.c.place).where(search_progress.c.what == what))
    return Place(None, "") if row is None else Place(row.at, row.place)


def _set_place(tx: Tx, what: str, place: Place) -> None:
    this = sa.update(search_progress).where(search_progress.c.what == what)
    tx.execute(this.values(at=place.at, place=place.name))


def _after(place: Place, at: sa.Column[Any], name: sa.Column[Any]) -> sa.ColumnElement[bool]:
    if place.at is None:
        return sa.true()
    return sa.or_(at > place.at, sa.and_(at == place.at, name > place.name))


def _take_in_posts(tx: Tx, actor_id: str) -> None:
    """The newest posts of somebody elsewhere who wants them to be found, as far as they are not yet."""
    theirs = sa.select(objects.c.id).where(
        objects.c.owner == actor_id,
        objects.c.kind == "post",
        objects.c.visibility == "public",
        objects.c.deleted_at.is_(None),
        sa.select(actors.c.id).where(actors.c.id == actor_id, ~actors.c.local, actors.c.indexable).exists(),
        ~sa.select(search_index.c.id).where(search_index.c.subject == objects.c.id).exists(),
    )
    for row in tx.rows(theirs.order_by(objects.c.published.desc()).limit(POSTS)):
        commands.changed(tx, row.id, first=True)
