"""The history of the schema ends at the tables that the code declares, on either database."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from federation.clock import Clock
from federation.storage import Database
from node import migrate
from node.migrations import HEAD
from node.search.tables import WORDS
from tests.databases import every_table

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


async def on(url, work):
    """Run `work(connection)` on a connection of its own."""
    if url.startswith("sqlite"):
        with migrate.sqlite_connection(url) as connection:
            return work(connection)
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def schema(connection):
    """Every table, column, index and constraint, in words that can be compared."""
    inspector = sa.inspect(connection)
    found = {}
    for table in sorted(filter(_is_ours, set(inspector.get_table_names()) - {"alembic_version"})):
        found[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c.get("default")) for c in inspector.get_columns(table)
            ],
            "primary": inspector.get_pk_constraint(table),
            "foreign": sorted(map(str, inspector.get_foreign_keys(table))),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "indexes": sorted(map(_index, inspector.get_indexes(table))),
        }
    return found


def _is_ours(name, kind="table", _parents=None):
    """Not what an engine of the search index makes for itself; see `node.search.tables`."""
    return kind != "table" or not name.startswith(WORDS)


def words_of_search(connection):
    """How the search index was made."""
    if connection.dialect.name == "sqlite":
        made = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'search_words%' ORDER BY name"
    else:
        made = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'search_words' ORDER BY indexname"
    return [tuple(row) for row in connection.execute(sa.text(made))]


def _index(index):
    where = {key: str(value) for key, value in index.get("dialect_options", {}).items() if key.endswith("where")}
    return str((index["name"], index["column_names"], bool(index["unique"]), where))


async def test_an_upgraded_database_is_what_the_code_declares(empty):
    await migrate.ensure(empty)

    def compare(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        return compare_metadata(context, every_table())

    assert await on(empty, compare) == []


async def test_both_ways_to_make_the_tables_make_the_same(empty):
    await migrate.ensure(empty)
    upgraded, words = await on(empty, schema), await on(empty, words_of_search)
    await on(empty, _anew)
    assert upgraded == await on(empty, schema)
    assert words == await on(empty, words_of_search) != []


def _anew(connection):
    """Throw every table away, and make it as it is declared."""
    every_table().drop_all(connection)
    assert schema(connection) == {}
    every_table().create_all(connection)


async def test_the_version_stands_in_the_database(empty):
    assert await on(empty, lambda connection: migrate._version(connection)) is None
    await migrate.ensure(empty)
    db = await Database.open(empty, Clock())
    assert await db.read(migrate.current_version) == HEAD
    await db.close()


async def test_an_upgrade_of_what_is_new_enough_changes_nothing(empty):
    await migrate.ensure(empty)
    before = await on(empty, schema)
    await migrate.ensure(empty)
    assert await on(empty, schema) == before


async def test_a_newer_database_is_refused_and_stays_as_it_is(empty):
    await migrate.ensure(empty)
    await on(empty, lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    before = await on(empty, schema)
    with pytest.raises(migrate.NewerDatabase, match=f"version 9999, and this Freehold knows versions up to {HEAD}"):
        await migrate.ensure(empty)
    assert await on(empty, schema) == before


async def test_of_several_starts_at_once_one_upgrades(empty):
    await asyncio.gather(*(asyncio.to_thread(asyncio.run, migrate.ensure(empty)) for _ in range(4)))
    db = await Database.open(empty, Clock())
    versions = await db.read(lambda tx: tx.rows(sa.text("SELECT version_num FROM alembic_version")))
    await db.close()
    assert [row.version_num for row in versions] == [HEAD]


async def test_an_upgrade_that_breaks_off_leaves_nothing_behind(empty, monkeypatch):  # SECURITY 171
    """What a kill in the middle leaves: the transaction never came to its commit."""

    class Killed(BaseException):
        pass

    upgrade = migrate._upgrade

    def killed(connection):
        upgrade(connection)
        raise Killed

    monkeypatch.setattr(migrate, "_upgrade", killed)
    with pytest.raises(Killed):
        await migrate.ensure(empty)
    assert await on(empty, schema) == {}
    monkeypatch.undo()
    await migrate.ensure(empty)
    assert set(await on(empty, schema)) == set(every_table().tables)


def test_the_history_is_one_line_of_numbers():
    numbers = sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == HEAD
    for path in VERSIONS.glob("[0-9]*.py"):
        text = path.read_text()
        assert re.search(f"^revision = '{path.name[:4]}'$", text, re.MULTILINE)
        assert not re.search(r"^(from|import) (node|federation)", text, re.MULTILINE), "a migration outlives the code"


def test_sqlite_is_new_enough_for_what_the_code_uses():
    assert sqlite3.sqlite_version_info >= (3, 35)  # RETURNING
