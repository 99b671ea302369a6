"""Files of pictures that nobody shows any more, removed as soon as their rows say so.

A row is marked in the transaction that made its picture superfluous; here, in a scope of its own, its files go and
then the row. A crash in between leaves both, for the next time. Two rows may share a file, since it is named by what
it contains: it stays as long as one of them is alive.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from federation.storage import Database, Tx
from node.media.names import small_name
from node.media.pictures import remove
from node.media.tables import media, remote_media
from node.profiles.tables import profiles
from node.settings import Settings

CHUNK = 200


async def sweep(db: Database, settings: Settings) -> int:
    """Remove all that is marked; returns how many pictures went."""
    swept = 0
    while some := await db.write(_sweep, settings.media, settings.media_cache):
        swept += some
    return swept


def _sweep(tx: Tx, folder: Path, cached: Path) -> int:
    return _uploads(tx, folder) + _remote(tx, cached)


def _uploads(tx: Tx, folder: Path) -> int:
    rows = tx.rows(sa.select(media.c.id, media.c.name).where(media.c.dropped_at.is_not(None)).limit(CHUNK))
    for name in {row.name for row in rows}:
        alive = sa.select(media.c.id).where(media.c.name == name, media.c.dropped_at.is_(None))
        if (
            tx.scalar(alive) is None
            and tx.scalar(sa.select(profiles.c.actor_id).where(profiles.c.picture == name)) is None
        ):
            remove(folder, name)
            remove(folder, small_name(name))
    if rows:
        tx.execute(sa.delete(media).where(media.c.id.in_([row.id for row in rows])))
    return len(rows)


def _remote(tx: Tx, cached: Path) -> int:
    marked = sa.select(remote_media.c.id, remote_media.c.name).where(remote_media.c.dropped_at.is_not(None))
    rows = tx.rows(marked.limit(CHUNK))
    for name in {row.name for row in rows if row.name}:
        alive = sa.select(remote_media.c.id).where(remote_media.c.name == name, remote_media.c.dropped_at.is_(None))
        if tx.scalar(alive) is None:
            remove(cached, name)
    if rows:
        tx.execute(sa.delete(remote_media).where(remote_media.c.id.in_([row.id for row in rows])))
    return len(rows)
