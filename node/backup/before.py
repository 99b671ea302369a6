"""A copy of the database before it is brought to a new version, so that there is a way back.

It stands in the data folder, as the database does, and for its owner alone; the two newest are kept. `freehold backup`
makes the sealed ones that leave the machine.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.engine import Connection

from node.backup import postgres
from node.backup.databases import MIN_FREE
from node.backup.rules import BackupError

KEPT = 2
SQLITE, POSTGRESQL = "freehold.db.before-{version}", "freehold.pgdump.before-{version}"


def copy_sqlite(connection: Connection, database: Path, version: str) -> Path:
    """`freehold.db.before-0001` beside the database; BackupError, and nothing was changed, when there is no room."""
    free, size = shutil.disk_usage(database.parent).free, database.stat().st_size
    if free < size + MIN_FREE:
        raise BackupError(
            f"the database must be brought to a new version, and there is no room for a copy of it first "
            f"({free // 1_000_000} MB are free, {size // 1_000_000} are needed). Make room. Nothing was changed."
        )
    target = database.with_name(SQLITE.format(version=version))
    draft = target.with_name(f".{target.name}.part")
    draft.unlink(missing_ok=True)
    draft.touch(0o600)
    connection.exec_driver_sql("VACUUM INTO ?", (str(draft),))
    draft.replace(target)
    _keep_the_newest(database.parent, SQLITE)
    return target


async def dump_postgres(url: str, folder: Path, version: str) -> Path:
    """`freehold.pgdump.before-0001` in the data folder; BackupError when pg_dump is missing or fails."""
    try:
        postgres.program("pg_dump")
    except BackupError as error:
        raise BackupError(
            "the database must be brought to a new version, and without pg_dump there is no copy of it first. Install "
            "PostgreSQL's client programs; or make a backup of your own, then run `freehold migrate --without-backup`."
        ) from error
    target = folder / POSTGRESQL.format(version=version)
    draft = target.with_name(f".{target.name}.part")
    await postgres.dump(url, draft)
    draft.replace(target)
    _keep_the_newest(folder, POSTGRESQL)
    return target


def _keep_the_newest(folder: Path, name: str) -> None:
    copies = sorted(folder.glob(name.format(version="*")), key=lambda path: path.stat().st_mtime_ns)
    for path in copies[:-KEPT]:
        path.unlink(missing_ok=True)
