"""Put a checked backup where a node can start from it: the same address, the same keys, the same people.

Only where nothing is yet: a data folder and a database in which no node was ever set up. What is under way in the
backup goes on under the same ids, so that whoever got it already takes it for what it is. Sessions and links that were
good then are not good any more: whatever was revoked since stays revoked.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from keys.vault import Vault
from node import master_key
from node.backup import postgres
from node.backup.databases import counted_postgres
from node.backup.reading import Unpacked
from node.backup.rules import MASTER_KEY, SETTINGS, BackupError
from node.language import _
from node.migrate import on_postgres
from node.settings import Settings

FORGOTTEN = ("sessions", "tickets", "archives", "remote_media")
"""Tables that begin empty: secrets that were good then, and rows about files that no backup holds."""

BESIDE = "freehold.toml.from-backup"


class Ground(NamedTuple):
    """What is at a place already. occupied: by whom, empty when by nobody. begun: a node was started, never set up."""

    occupied: str
    begun: bool


async def check_target(settings: Settings, unpacked: Unpacked | None = None) -> None:
    """BackupError when something would be overwritten, or, once the backup is known, when it belongs elsewhere."""
    ground = await (_look_postgres(settings) if settings.storage.database_url else _look_sqlite(settings))
    if ground.occupied:
        raise BackupError(
            _(
                "{who} is set up here already. A backup is restored only where there is no node: choose another "
                "--data, or an empty database. Nothing was changed.",
                who=ground.occupied,
            )
        )
    if unpacked is not None:
        _check_settings(settings, unpacked)
        if not settings.node.master_key and not ground.begun:
            _check_key_file(settings, unpacked)


async def _look_sqlite(settings: Settings) -> Ground:
    path = settings.data / "freehold.db"
    if not path.exists():
        return Ground("", begun=False)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT origin FROM node").fetchone()
    except sqlite3.Error:
        return Ground(str(path), begun=False)
    return Ground(str(row[0]) if row and row[0] else "", begun=True)


async def _look_postgres(settings: Settings) -> Ground:
    _schema, rows = await counted_postgres(settings.database_url)
    never_set_up = rows.get("accounts") == 0 and "node" in rows
    return Ground("" if never_set_up or not rows else "FREEHOLD_DATABASE_URL", begun=never_set_up)


def _check_settings(settings: Settings, unpacked: Unpacked) -> None:
    manifest = unpacked.manifest
    if manifest.database == "postgresql" and not settings.storage.database_url:
        raise BackupError(
            _("This backup holds a PostgreSQL database. Set FREEHOLD_DATABASE_URL to an empty one, then restore.")
        )
    if manifest.database == "sqlite" and settings.storage.database_url:
        raise BackupError(_("This backup holds a SQLite database. Unset FREEHOLD_DATABASE_URL, then restore."))
    if settings.node.origin not in ("", manifest.origin):
        raise BackupError(
            _(
                "FREEHOLD_ORIGIN is {here}, and this backup is of {origin}, for ever. Change the setting. "
                "Nothing was changed.",
                here=settings.node.origin,
                origin=manifest.origin,
            )
        )
    if settings.node.master_key:
        given = master_key.decode(settings.node.master_key.value, "FREEHOLD_MASTER_KEY")
        if given != unpacked.key:
            raise BackupError(_("FREEHOLD_MASTER_KEY is not the key of this backup. Unset it. Nothing was changed."))


def _check_key_file(settings: Settings, unpacked: Unpacked) -> None:
    """A key without a database may open one that is elsewhere: it is not thrown away."""
    path = settings.data / MASTER_KEY
    if path.exists() and path.read_bytes().strip() != master_key.encode(unpacked.key):
        raise BackupError(_("{path} is another key than the one of this backup. Move it away first.", path=str(path)))


async def place(settings: Settings, unpacked: Unpacked) -> list[str]:
    """Pictures, settings and key first, the database last. Returns what its owner should know.

    Nobody else may use the data folder or the database meanwhile. Killed in between, it can be done again.
    """
    await check_target(settings, unpacked)
    if unpacked.manifest.database == "sqlite":
        await asyncio.to_thread(_forget_sqlite, unpacked.database)
    notes = await asyncio.to_thread(_place_files, settings, unpacked)
    if unpacked.manifest.database == "sqlite":
        await asyncio.to_thread(_place_sqlite, settings, unpacked)
    else:
        await _place_postgres(settings, unpacked)
    return notes


def _forget_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name in FORGOTTEN:
            if name in tables:
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - a name of ours


def _place_files(settings: Settings, unpacked: Unpacked) -> list[str]:
    notes = []
    pictures = unpacked.folder / "media"
    for path in sorted(pictures.glob("**/*")) if pictures.exists() else []:
        target = settings.media / path.relative_to(pictures)
        if path.is_file():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(target)
    told = unpacked.folder / SETTINGS
    if told.exists():
        is_free = not (settings.data / SETTINGS).exists()
        told.replace(settings.data / (SETTINGS if is_free else BESIDE))
        where = SETTINGS if is_free else f"{BESIDE}, since there is one here"
        notes.append(f"The settings of the backup stand in {where}. Look whether they are right on this machine.")
    if not settings.node.master_key:
        (unpacked.folder / MASTER_KEY).replace(settings.data / MASTER_KEY)
    return notes


def _place_sqlite(settings: Settings, unpacked: Unpacked) -> None:
    target = settings.data / "freehold.db"
    descriptor = os.open(unpacked.database, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    for suffix in ("-wal", "-shm"):  # of the empty one that was there
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    unpacked.database.replace(target)


async def _place_postgres(settings: Settings, unpacked: Unpacked) -> None:
    await _empty_postgres(settings.database_url)
    await postgres.restore(settings.database_url, unpacked.database)
    schema, rows = await counted_postgres(settings.database_url)
    fingerprint = await _forget_postgres(settings.database_url)
    same = (schema, rows) == (unpacked.manifest.schema, unpacked.manifest.rows)
    if not same or fingerprint != Vault(unpacked.key).fingerprint():
        await _empty_postgres(settings.database_url)
        raise BackupError("the database that was restored is not the one of the manifest, so it was taken away again.")


async def _empty_postgres(url: str) -> None:
    """Take away the tables of a node that was never set up, of whatever version."""

    def drop(connection: sa.Connection) -> None:
        found = sa.MetaData()
        found.reflect(connection)
        found.drop_all(connection)

    await on_postgres(url, drop)


async def _forget_postgres(url: str) -> str | None:
    def forget(connection: sa.Connection) -> str | None:
        for name in FORGOTTEN:
            if sa.inspect(connection).has_table(name):
                connection.execute(sa.text(f"DELETE FROM {name}"))  # noqa: S608 - a name of ours
        found: str | None = connection.scalar(sa.text("SELECT master_key FROM node"))
        return found

    return await on_postgres(url, forget)


def clear(folder: Path) -> None:
    """Take away what was unpacked."""
    shutil.rmtree(folder, ignore_errors=True)
