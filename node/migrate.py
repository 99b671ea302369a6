"""Bring a database to the version that this code is written for.

The version stands in the database (`alembic_version`), as a number with four digits; reading it is all that a usual
start costs. Alembic is imported only when there is something to do. An upgrade is one transaction on either database,
and of several processes that start at once only one upgrades; the others wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from federation.storage import Tx, sqlite_path
from node.backup import before
from node.errors import NodeError
from node.migrations import HEAD as HEAD

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")

UPGRADE_LOCK = 0x66726565686F6C64  # PostgreSQL's advisory lock is a number: "freehold" in ASCII
BUSY_TIMEOUT_MS = 60_000


class NewerDatabase(NodeError):
    """The database was written by a newer Freehold."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"the database is at version {version}, and this Freehold knows versions up to {HEAD}. "
            "Run the newer Freehold again, or restore a backup from before it."
        )


def current_version(tx: Tx) -> str | None:
    """The database's version, None when it is empty."""
    return _version(tx.connection)


async def ensure(url: str, folder: Path | None = None) -> None:
    """Upgrade the database at `url` if it is older than this code; raises NewerDatabase.

    folder: where a copy of it is kept first; BackupError when none can be made. None: no copy.
    """
    if url.startswith("sqlite"):
        with sqlite_connection(url) as connection:
            if not _up_to_date(connection):
                version = _version(connection)
                if folder is not None and version is not None:
                    before.copy_sqlite(connection, sqlite_path(url), version)
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                _upgrade(connection)
                connection.exec_driver_sql("COMMIT")
    else:
        version = await on_postgres(url, _version)
        if folder is not None and version is not None and version < HEAD:
            await before.dump_postgres(url, folder, version)
        await on_postgres(url, _ensure_on)


@contextmanager
def sqlite_connection(url: str) -> Iterator[Connection]:
    """A connection of its own, outside the scopes of `federation.storage`; transactions are begun by hand."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        yield connection


def config(connection: Connection) -> Config:
    """What alembic's commands take, on a connection of ours."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


async def on_postgres(url: str, work: Callable[[Connection], T]) -> T:
    """`work(connection)` in a transaction of its own, outside the scopes of `federation.storage`."""
    from sqlalchemy.ext.asyncio import create_async_engine  # loads the ORM's half of SQLAlchemy

    async with create_async_engine(url, poolclass=NullPool).begin() as connection:
        return await connection.run_sync(work)


def _ensure_on(connection: Connection) -> None:
    if not _up_to_date(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADE_LOCK)))
        _upgrade(connection)


def _up_to_date(connection: Connection) -> bool:
    version = _version(connection)
    if version is not None and version > HEAD:
        raise NewerDatabase(version)
    return version == HEAD


def _upgrade(connection: Connection) -> None:
    """Inside a transaction that keeps others out; another process may have been here first."""
    if not _up_to_date(connection):
        from alembic import command

        command.upgrade(config(connection), "head")


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version
