"""Make a backup of a running node: one sealed file, whole or not at all.

The database first and the pictures after it: a picture is kept before the row that names it, so whatever the copy of
the database names is there. What is deleted in between is missing, as it should be.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec

from federation.clock import iso
from keys.sealing import Lock
from node import master_key
from node.accounts import queries as accounts
from node.backup import commands, queries
from node.backup.commands import Way
from node.backup.databases import MIN_FREE, Dump, dump, in_thread
from node.backup.rules import (
    DATABASES,
    FORMAT,
    MANIFEST,
    MASTER_KEY,
    MEDIA,
    SETTINGS,
    VERSION,
    BackupError,
    Manifest,
    Part,
)
from node.backup.sealed import SealedWriter
from node.context import Ground
from node.settings import Settings

WORKING, SENT = ".backup-", ".restore-"
"""Folders in the data folder, each with the number of the process that works in it."""

NO_PHRASE = (
    "this node has no recovery phrase yet, so nothing can seal a backup. Make one on the page /setup/keys, or with "
    "`freehold backup --new-phrase`."
)

Progress = Callable[[int, int], None]
"""Told how many bytes of about how many are done; called in a thread."""


def no_progress(done: int, whole: int) -> None:
    """For whoever waits for the end."""


async def back_up(ground: Ground, target: Path, way: Way, progress: Progress = no_progress) -> Manifest:
    """Write a backup to `target`, and note what became of it. Raises BackupError; then there is no file."""
    phrase = await ground.db.read(queries.phrase)
    if phrase is None:
        raise BackupError(NO_PHRASE)
    number = await ground.db.write(commands.begin, way, str(target))
    try:
        manifest, size = await _make(ground, phrase.lock, target, progress)
    except OSError as error:
        await ground.db.write(commands.failed, number, f"{error.strerror or error}: {error.filename or target}")
        raise BackupError(f"{target} cannot be written: {error.strerror or error}. Nothing was kept.") from error
    except BackupError as error:
        await ground.db.write(commands.failed, number, str(error))
        raise
    await ground.db.write(commands.whole, number, size)
    return manifest


async def _make(ground: Ground, lock: Lock, target: Path, progress: Progress) -> tuple[Manifest, int]:
    if target.exists():  # noqa: ASYNC240 - one look
        raise BackupError(f"{target} is there already. Choose another name, or move it away.")
    address = await ground.db.read(accounts.address)
    if address is None:
        raise BackupError("this node is not set up yet: there is nothing to keep.")
    key = master_key.master_key(ground.settings, await ground.db.read(accounts.master_key))
    with working_folder(ground.settings.data) as folder:
        _check_room(ground.settings, folder)
        dumped = await dump(ground.settings, folder)
        blank = Manifest(
            format=FORMAT,
            version=VERSION,
            origin=address.origin,
            handle_domain=address.handle_domain,
            made_at=iso(ground.clock.now()),
            made_by=f"Freehold {version('freehold')}",
            database=dumped.kind,
            schema=dumped.schema,
            rows=dumped.rows,
            files=(),
        )
        parcel = _Parcel(ground.settings, dumped, key, lock, blank, progress)
        return await in_thread(lambda stop: parcel.write(target, stop))


@contextmanager
def working_folder(data: Path) -> Iterator[Path]:
    """A folder in the data folder, that nobody else may look into, and that is gone afterwards."""
    folder = data / f"{WORKING}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(data: Path) -> None:
    """Take away what a backup or a restore that was killed has left: a plain copy of the database (SECURITY 188)."""
    for folder in [*data.glob(f"{WORKING}*"), *data.glob(f"{SENT}*")]:
        number = folder.name.rpartition("-")[2]
        if number.isdecimal() and not _is_alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return process != os.getpid()


def _check_room(settings: Settings, folder: Path) -> None:
    """A full disk would stop the node, which is worse than a backup that is not made."""
    database = settings.data / "freehold.db"
    needed = MIN_FREE + (database.stat().st_size if database.exists() else 0)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"{settings.data} has {free // 1_000_000} MB of free space, and a copy of the database needs "
            f"{needed // 1_000_000} MB. Make room first."
        )


class _Parcel:
    """Everything that goes into one file. Its methods run in a thread."""

    def __init__(
        self, settings: Settings, dumped: Dump, key: bytes, lock: Lock, blank: Manifest, progress: Progress
    ) -> None:
        self._settings = settings
        self._dumped = dumped
        self._key = key
        self._lock = lock
        self._blank = blank
        self._progress = progress
        self._parts: list[Part] = []
        self._done = 0
        self._whole = 0

    def write(self, target: Path, stop: threading.Event) -> tuple[Manifest, int]:
        """Beside its place, then into it."""
        draft = target.with_name(f".{target.name}.part")
        pictures = sorted(path for path in self._settings.media.glob("**/*") if path.is_file())
        self._whole = sum(path.stat().st_size for path in [self._dumped.path, *pictures])
        try:
            with SealedWriter(draft, self._lock) as file:
                self._fill(file, pictures, stop)
                manifest = msgspec.structs.replace(self._blank, files=tuple(self._parts))
                size = file.finish()
            draft.rename(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        return manifest, size

    def _fill(self, file: SealedWriter, pictures: list[Path], stop: threading.Event) -> None:
        with tarfile.open(fileobj=file, mode="w|", bufsize=65_536) as archive:  # type: ignore[call-overload]
            self._add_file(archive, DATABASES[self._dumped.kind], self._dumped.path, stop)
            self._add(archive, MASTER_KEY, master_key.encode(self._key))
            settings = self._settings.data / SETTINGS
            if settings.exists():
                self._add(archive, SETTINGS, settings.read_bytes())
            for path in pictures:
                self._add_file(archive, MEDIA + path.relative_to(self._settings.media).as_posix(), path, stop)
            manifest = msgspec.structs.replace(self._blank, files=tuple(self._parts))
            _put(archive, MANIFEST, io.BytesIO(msgspec.json.encode(manifest)), None)

    def _add(self, archive: tarfile.TarFile, name: str, content: bytes) -> None:
        _put(archive, name, io.BytesIO(content), None)
        self._parts.append(Part(name, len(content), hashlib.sha256(content).hexdigest()))

    def _add_file(self, archive: tarfile.TarFile, name: str, path: Path, stop: threading.Event) -> None:
        try:
            opened = path.open("rb")
        except FileNotFoundError:
            return  # deleted since the folder was read
        with opened:
            counting = _Counting(opened, stop, self._note)
            size = os.fstat(opened.fileno()).st_size
            _put(archive, name, counting, size)
        self._parts.append(Part(name, size, counting.digest.hexdigest()))

    def _note(self, count: int) -> None:
        self._done += count
        self._progress(self._done, max(self._whole, self._done))


class _Counting(io.RawIOBase):
    """A file on its way into the archive: hashed as it passes, and given up when the node stops."""

    def __init__(self, file: io.BufferedReader, stop: threading.Event, note: Callable[[int], None]) -> None:
        self._file = file
        self._stop = stop
        self._note = note
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As any file."""
        if self._stop.is_set():
            raise BackupError("the node stops")
        block = self._file.read(size)
        self.digest.update(block)
        self._note(len(block))
        return block


def _put(archive: tarfile.TarFile, name: str, content: io.BytesIO | _Counting, size: int | None) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o600
    info.size = len(content.getvalue()) if isinstance(content, io.BytesIO) else size or 0
    archive.addfile(info, content)
    archive.members.clear()  # type: ignore[attr-defined]  # else every name would stay in memory


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
