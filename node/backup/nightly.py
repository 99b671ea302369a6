"""The loop that makes backups by itself: every night, and when somebody asks for one on a page."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import structlog

from federation.errors import FederationError
from node.backup import commands, queries
from node.backup.commands import TOPIC, Way
from node.backup.making import back_up
from node.backup.rules import BackupError, file_name, is_due, superfluous
from node.context import Node

LOOK_SECONDS = 600.0

_log = structlog.get_logger()


async def run(node: Node) -> None:
    """Until cancelled. Whatever goes wrong is written down and told to the owner, and tried again the next night."""
    changed = asyncio.Event()
    node.db.subscribe(TOPIC, lambda payload: changed.set())
    while True:
        changed.clear()
        try:
            await make_what_is_due(node)
        except (FederationError, OSError) as error:  # a locked or full database or disk: the next round will do
            _log.warning("backup.failed", error=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), LOOK_SECONDS)


async def make_what_is_due(node: Node) -> Path | None:
    """A backup, when a night has begun since the last one or somebody asked; returns its file."""
    way = await _due(node)
    if way is None:
        return None
    folder = node.settings.backups.absolute()
    target = folder / file_name(node.clock.now())
    try:
        await _make_folder(node, folder, target, way)
        manifest = await back_up(node, target, way)
    except BackupError as error:
        _log.warning("backup.failed", way=way, error=str(error))
        return None
    removed = await asyncio.to_thread(_keep_the_newest, folder, node.settings.storage.backup_keep)
    _log.info("backup.made", way=way, file=target.name, bytes=manifest.size, removed=removed)
    return target


async def _make_folder(node: Node, folder: Path, target: Path, way: Way) -> None:
    try:
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"{folder} cannot be made: {error.strerror or error}. Mend FREEHOLD_BACKUP_DIR."
        await node.db.write(lambda tx: commands.failed(tx, commands.begin(tx, way, str(target)), words))
        raise BackupError(words) from error


async def _due(node: Node) -> Way | None:
    phrase = await node.db.read(queries.phrase)
    if phrase is None:
        return None
    if phrase.wanted_at is not None:
        return "page"
    if not (phrase.nightly or node.settings.storage.backup_dir):
        return None
    return "nightly" if is_due(node.clock.now(), await node.db.read(queries.last_nightly)) else None


def _keep_the_newest(folder: Path, keep: int) -> int:
    names = superfluous((path.name for path in folder.iterdir()), keep)
    for name in names:
        (folder / name).unlink(missing_ok=True)
    return len(names)
