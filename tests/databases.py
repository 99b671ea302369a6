"""Databases with every table and nothing in them, as a start makes them, without what making them costs each time."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sqlite3
from functools import cache
from pathlib import Path

import sqlalchemy as sa

import node
from federation.tables import metadata
from node.migrations import HEAD

VERSION = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    f"INSERT INTO alembic_version VALUES ('{HEAD}')",
)
"""What a start looks for; `tests/test_migrations.py` holds that the tables are those which migrations make."""


def every_table() -> sa.MetaData:
    """`federation.tables.metadata`, once each slice of the product has put its own tables into it."""
    for package in pkgutil.iter_modules(node.__path__):
        name = f"node.{package.name}.tables"
        if package.ispkg and importlib.util.find_spec(name):
            importlib.import_module(name)
    return metadata


@cache
def sqlite_bytes() -> bytes:
    """A SQLite file."""
    connection = sqlite3.connect(":memory:")
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    every_table().create_all(engine)
    for statement in VERSION:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def place_sqlite(folder: Path) -> None:
    """Put such a file where a node looks for it, before its first start."""
    folder.mkdir(mode=0o700, parents=True)
    path = folder / "freehold.db"
    path.touch(mode=0o600)
    path.write_bytes(sqlite_bytes())


def postgres_script() -> str:
    """The statements that make the same in an empty PostgreSQL database."""
    statements: list[str] = []

    def collect(ddl: sa.ExecutableDDLElement, *_: object) -> None:
        statements.append(str(ddl.compile(dialect=engine.dialect)))

    engine = sa.create_mock_engine("postgresql+asyncpg://", collect)
    every_table().create_all(engine, checkfirst=False)
    return ";\n".join((*statements, *VERSION)) + ";"
