"""A node into one file and back: whole, under the same keys, on both databases."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from federation.tables import objects
from node.app import lay_ground, start
from node.backup import placing
from node.backup.making import back_up
from node.backup.rules import BackupError
from node.settings import load
from node.social.commands import post
from node.social.rules import parse_post
from tests.node.house import state

if TYPE_CHECKING:
    pass
from tests.node.backup.conftest import NEVER_SAME, restored

# ---- there and back


async def test_169_186_everything_comes_back_as_it_was(node, empty, tmp_path):
    file = tmp_path / "node.backup"
    manifest = await back_up(node, file, "command")
    before = {table.table: table for table in await state(node.db)}
    assert (await restored(empty, file)) == manifest
    again = await start(empty)
    after = {table.table: table for table in await state(again.db)}
    assert {name for name in before if before[name] != after[name]} <= set(NEVER_SAME)
    assert (after["sessions"].rows, after["accounts"].rows) == (0, 1)
    assert again.ids.origin == node.ids.origin
    own = node.ids.actor("alice")
    assert (await again.author(own)).ed25519.public == (await node.author(own)).ed25519.public
    assert (empty.media / "ab" / "abcdef.webp").read_bytes() == b"a picture" * 1000
    assert (empty.data / "freehold.toml").read_text() == (node.settings.data / "freehold.toml").read_text()
    assert stat.S_IMODE((empty.data / "master.key").stat().st_mode) == 0o600
    assert manifest.rows["objects"] == 1
    assert manifest.pictures == 1
    await again.close()


async def test_188_a_backup_is_its_owners_alone_and_says_nothing(node, tmp_path):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    raw = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in (b"Kept", b"alice", b"SQLite", b"master.key", (node.settings.data / "master.key").read_bytes()):
        assert secret not in raw
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "node.backup"], "no draft is left"
    assert not list(node.settings.data.glob(".backup-*")), "no plain copy of the database is left"


async def test_169_a_backup_under_load_holds_all_that_was_there_before_it(node, empty, tmp_path):
    author = await node.author(node.ids.actor("alice"))
    file, many, stop, written = tmp_path / "node.backup", asyncio.Event(), asyncio.Event(), []

    async def write() -> None:
        while not stop.is_set():
            draft = parse_post({"body": f"Number {len(written)}", "audience": "public"})
            written.append(await node.db.write(post, author, draft, None))
            if len(written) == 20:
                many.set()

    writing = asyncio.create_task(write())
    await many.wait()
    before = len(written)
    manifest = await back_up(node, file, "command")
    stop.set()
    await writing
    await restored(empty, file)
    again = await start(empty)
    kept = {row.id for row in await again.db.read(lambda tx: tx.rows(sa.select(objects.c.id)))}
    await again.close()
    assert set(written[:before]) <= kept
    assert len(kept) == manifest.rows["objects"]


async def test_a_server_that_waits_for_set_up_is_no_obstacle(node, empty, tmp_path):
    """Its database and its key have never been used."""
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    await (await lay_ground(empty)).db.close()
    await restored(empty, file)
    again = await start(empty)
    assert again.ids.origin == node.ids.origin
    await again.close()


async def test_settings_that_are_there_already_stay(node, empty, tmp_path):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    empty.data.mkdir()
    (empty.data / "freehold.toml").write_text("")
    await restored(empty, file)
    assert (empty.data / "freehold.toml").read_text() == ""
    assert "warning" in (empty.data / placing.BESIDE).read_text()


# ---- what differs between the databases


async def test_the_other_kind_of_database_is_refused(node, tmp_path, request):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    other = load(tmp_path / "elsewhere", {"FREEHOLD_DATABASE_URL": server.url(name)} if node.db.is_sqlite else {})
    with pytest.raises(BackupError, match="This backup holds a"):
        await restored(other, file)
    server.drop(name)


async def test_without_pg_dump_it_says_what_to_install(node, tmp_path, monkeypatch):
    if node.db.is_sqlite:
        return
    monkeypatch.setattr("node.backup.postgres.shutil.which", lambda name: None)
    with pytest.raises(BackupError, match="pg_dump is not on the PATH"):
        await back_up(node, tmp_path / "node.backup", "command")
