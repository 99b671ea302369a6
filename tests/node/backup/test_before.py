"""Before a database is brought to a new version there is a copy of it, or nothing is done."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing

import pytest
from alembic import command

from node import migrate
from node.app import lay_ground
from node.backup import before
from node.backup.rules import BackupError


@pytest.fixture
async def old(bare_settings):
    """A database at the first version."""
    settings = bare_settings
    settings.data.mkdir()

    def upgrade(connection):
        command.upgrade(migrate.config(connection), "0001")

    if settings.storage.database_url:
        await migrate.on_postgres(settings.database_url, upgrade)
    else:
        (settings.data / "freehold.db").touch(0o600)
        with migrate.sqlite_connection(settings.database_url) as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            upgrade(connection)
            connection.exec_driver_sql("COMMIT")
    return settings


def copies(settings):
    return sorted(path.name for path in settings.data.glob("*before*"))


async def test_171_an_old_database_is_copied_first(old):
    await (await lay_ground(old)).db.close()
    [name] = copies(old)
    copy = old.data / name
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    if old.storage.database_url:
        assert name == "freehold.pgdump.before-0001"
        assert copy.read_bytes().startswith(b"PGDMP")
    else:
        assert name == "freehold.db.before-0001"
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    await (await lay_ground(old)).db.close()
    assert copies(old) == [name], "one that is new enough is not copied"


async def test_a_new_database_is_not_copied(bare_settings):
    await (await lay_ground(bare_settings)).db.close()
    assert copies(bare_settings) == []


async def test_without_a_copy_nothing_is_done(old, monkeypatch):
    monkeypatch.setattr("node.backup.postgres.shutil.which", lambda name: None)
    monkeypatch.setattr(before, "MIN_FREE", 10**18)
    with pytest.raises(BackupError, match="must be brought to a new version"):
        await lay_ground(old)
    assert copies(old) == []
    await migrate.ensure(old.database_url)  # what `freehold migrate --without-backup` does
    await (await lay_ground(old)).db.close()


def test_the_two_newest_copies_stay(tmp_path):
    for number in range(4):
        (tmp_path / f"freehold.db.before-000{number}").touch()
    before._keep_the_newest(tmp_path, before.SQLITE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["freehold.db.before-0002", "freehold.db.before-0003"]
