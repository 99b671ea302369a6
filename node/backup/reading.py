"""Open a backup and look at all of it, before anything of it is put anywhere.

It is unpacked into a folder of its own. Every part must have a name that a backup of ours has, must be what the
manifest says of it, and the database must be whole, of this version or an older one, and opened by the backup's own
master key. Only then there is something to restore.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from keys.vault import Vault
from node.backup import postgres
from node.backup.databases import MIN_FREE, counted, in_thread
from node.backup.rules import (
    DATABASES,
    MANIFEST,
    MASTER_KEY,
    MAX_FILES,
    MAX_MANIFEST,
    MAX_SMALL,
    SETTINGS,
    BackupError,
    Manifest,
    Part,
    is_known_name,
    parse_manifest,
)
from node.backup.sealed import DAMAGED, SealedReader
from node.errors import SettingsError
from node.language import _
from node.master_key import decode
from node.migrations import HEAD

BLOCK = 1_048_576

NO_ROOM = _("There is not enough room on the disk to unpack this backup. Make room first. Nothing was changed.")


class Unpacked(NamedTuple):
    """A backup in a folder, checked. key: the master key that opens its database."""

    folder: Path
    manifest: Manifest
    key: bytes

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.folder / DATABASES[self.manifest.database]


def shortage(path: Path, folder: Path) -> str:
    """Why there is no room for a backup at all, before it is opened; empty when there may be."""
    return NO_ROOM if path.stat().st_size + MIN_FREE > shutil.disk_usage(folder).free else ""


async def unpack(path: Path, phrase: str, folder: Path, url: str) -> Unpacked:
    """Everything of `path` into `folder`, which is empty. url: of a database to ask pg_restore with.

    phrase: as `keys.phrases.parse_phrase` returns it. Raises BackupError with what is wrong.
    """
    manifest = await in_thread(lambda stop: _unpack(path, phrase, folder))
    if manifest.database == "postgresql":
        await postgres.check(url, folder / DATABASES["postgresql"])
        return Unpacked(folder, manifest, _key(folder))
    return await in_thread(lambda stop: _check_sqlite(Unpacked(folder, manifest, _key(folder))))


def _unpack(path: Path, phrase: str, folder: Path) -> Manifest:
    found: dict[str, Part] = {}
    with SealedReader(path, phrase) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", bufsize=65_536) as archive:  # type: ignore[call-overload]
                for member in archive:
                    part = _take(archive, member, folder, found)
                    found[part.name] = part
                    archive.members.clear()
            while stream.read(BLOCK):  # to the end: only there it is certain that nothing was cut off
                pass
        except (tarfile.TarError, EOFError, UnicodeError) as error:
            raise BackupError(DAMAGED) from error
    return _agreed(folder, found)


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, found: dict[str, Part]) -> Part:
    """One file, under its own name, which is one of ours: nothing else can become a path (SECURITY 102, 103)."""
    if not member.isreg() or not is_known_name(member.name) or member.name in found or len(found) > MAX_FILES:
        raise BackupError(DAMAGED)
    if member.size > _limit(member.name):
        raise BackupError(DAMAGED)
    if member.size + MIN_FREE > shutil.disk_usage(folder).free:
        raise BackupError(NO_ROOM)
    target = folder / member.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.touch(0o600)
    source = archive.extractfile(member)
    assert source is not None
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        while block := source.read(BLOCK):
            file.write(block)
            digest.update(block)
            size += len(block)
    if size != member.size:
        raise BackupError(DAMAGED)
    return Part(member.name, size, digest.hexdigest())


def _limit(name: str) -> int:
    small = {MANIFEST: MAX_MANIFEST, MASTER_KEY: MAX_SMALL, SETTINGS: MAX_SMALL}
    return small.get(name, 2**50)


def _agreed(folder: Path, found: dict[str, Part]) -> Manifest:
    """The manifest, when it names exactly what came, each with its digest."""
    if found.pop(MANIFEST, None) is None:
        raise BackupError(DAMAGED)
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), HEAD)
    named = {part.name: part for part in manifest.files}
    if named != found or MASTER_KEY not in found or DATABASES[manifest.database] not in found:
        raise BackupError(DAMAGED)
    return manifest


def _key(folder: Path) -> bytes:
    try:
        return decode((folder / MASTER_KEY).read_text("ascii").strip(), "the master key in this backup")
    except (SettingsError, UnicodeDecodeError) as error:
        raise BackupError(DAMAGED) from error


def _check_sqlite(unpacked: Unpacked) -> Unpacked:
    """The database is whole, has the rows that were counted, and belongs to this key and this address."""
    try:
        schema, rows = counted(unpacked.database)
        with closing(sqlite3.connect(f"file:{unpacked.database}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            origin, fingerprint = connection.execute("SELECT origin, master_key FROM node").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise BackupError(DAMAGED) from error
    manifest = unpacked.manifest
    if verdict != "ok" or (schema, rows, origin) != (manifest.schema, manifest.rows, manifest.origin):
        raise BackupError(DAMAGED)
    if fingerprint != Vault(unpacked.key).fingerprint():
        raise BackupError(_("The master key in this backup does not open its database. Take another backup."))
    return unpacked
