"""One database in one file, taken while the node writes; and counted, so that a restore can count again."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from node.backup import postgres
from node.backup.rules import DATABASES, BackupError, Kind
from node.settings import Settings

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

BUSY_SECONDS = 60.0
LOOK_EVERY = 10_000  # of SQLite's instructions: whether the node stops
MIN_FREE = 50_000_000  # bytes that stay free on the disk


class Dump(NamedTuple):
    """A database in a file. schema: its version; rows: how many each table has."""

    kind: Kind
    path: Path
    schema: str
    rows: dict[str, int]


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run `work(stop)`. When whoever waits is cancelled, `stop` is set, and the thread ends first."""
    stop = threading.Event()
    running = asyncio.get_running_loop().run_in_executor(None, work, stop)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([running])
        raise


async def dump(settings: Settings, folder: Path) -> Dump:
    """The node's database as it is now, in a file of its own in `folder`."""
    if settings.storage.database_url:
        return await _dump_postgres(settings.database_url, folder / DATABASES["postgresql"])
    source, target = settings.data / "freehold.db", folder / DATABASES["sqlite"]
    try:
        return await in_thread(lambda stop: _dump_sqlite(source, target, stop))
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be copied: {error}. `freehold doctor` looks at it.") from error


def _dump_sqlite(source: Path, target: Path, stop: threading.Event) -> Dump:
    """VACUUM INTO: a snapshot, without what was deleted, while others read and write (SECURITY 169)."""
    target.touch(0o600)
    with closing(sqlite3.connect(source, isolation_level=None, timeout=BUSY_SECONDS)) as connection:
        connection.set_progress_handler(stop.is_set, LOOK_EVERY)
        connection.execute("VACUUM INTO ?", (str(target),))
    return Dump("sqlite", target, *counted(target))


def counted(path: Path) -> tuple[str, dict[str, int]]:
    """Version and rows of a SQLite file that nobody writes to."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        ).fetchall()
        rows = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}  # noqa: S608 - names of the file's own schema, quoted
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return str(schema), rows


async def _dump_postgres(url: str, target: Path) -> Dump:
    """Counted and dumped in one snapshot."""
    postgres.program("pg_dump")
    async with _Snapshot(url) as snapshot:
        schema, rows = await snapshot.counted()
        await postgres.dump(url, target, await snapshot.name())
    return Dump("postgresql", target, schema, rows)


class _Snapshot:
    """A connection of its own that sees one moment, for as long as it takes."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")

    async def __aenter__(self) -> _Snapshot:
        import asyncpg  # an extra: only a node on PostgreSQL needs it

        try:
            self._connection: asyncpg.Connection[Any] = await asyncpg.connect(self._url)
        except (OSError, asyncpg.PostgresError) as error:
            raise BackupError(f"the database cannot be reached: {error}") from error
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._connection.close()

    async def name(self) -> str:
        """By which pg_dump sees the same."""
        return str(await self._connection.fetchval("SELECT pg_export_snapshot()"))

    async def counted(self) -> tuple[str, dict[str, int]]:
        """Version and rows."""
        tables = await self._connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        names = sorted(row["tablename"] for row in tables)
        rows = {name: await self._connection.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}  # noqa: S608 - names of the database's own schema, quoted
        if "alembic_version" not in names:
            return "", rows
        return str(await self._connection.fetchval("SELECT version_num FROM alembic_version")), rows


async def counted_postgres(url: str) -> tuple[str, dict[str, int]]:
    """Version and rows of a database; an empty one has neither."""
    async with _Snapshot(url) as snapshot:
        return await snapshot.counted()
