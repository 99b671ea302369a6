"""Starting: what contradicts the database is one sentence, and changes nothing."""

from __future__ import annotations

import base64
import os
import stat

import pytest
import sqlalchemy as sa

from federation.storage import Database
from node import migrate
from node.app import lay_ground, settle, start
from node.errors import AlreadySetUp, NotSetUp, SettingsError
from node.settings import load
from tests.node.house import settle_in, state


async def test_a_first_start_makes_a_key_that_only_its_owner_can_read(bare_settings):
    settings = bare_settings
    ground = await lay_ground(settings)
    path = settings.data / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data.stat().st_mode) == 0o700
    for file in settings.data.glob("freehold.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert len(base64.b64decode(path.read_text())) == 32
    assert os.listdir(settings.data).count("master.key") == 1
    assert not [name for name in os.listdir(settings.data) if name.startswith(".master")]
    await ground.db.close()


async def test_a_node_starts_again_as_what_it_was(settings, ground):
    node, account = await settle_in(ground)
    await node.client.close()
    again = await start(settings)
    author = await again.author(account.actor_id)
    await again.close()
    assert (again.ids.origin, author.username) == ("https://alice.example", "alice")
    assert (
        author.ed25519.public.multibase
        == (await node.db.read(node.authors.load, account.actor_id)).ed25519.public.multibase
    )


async def test_a_node_that_is_not_set_up_does_not_start(settings, ground):
    with pytest.raises(NotSetUp):
        await start(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FREEHOLD_ORIGIN", "https://other.example", "this database belongs to https://alice.example, for ever"),
        ("FREEHOLD_HANDLE_DOMAIN", "other.example", "@name@alice.example"),
        ("FREEHOLD_MASTER_KEY", base64.b64encode(b"x" * 32).decode(), "not the one that this database is sealed with"),
        ("FREEHOLD_MASTER_KEY", "short", "FREEHOLD_MASTER_KEY is not a master key"),
    ],
)
async def test_settings_that_contradict_the_database_are_refused(settings, ground, environ, name, value, says):
    node, _ = await settle_in(ground)
    await node.client.close()
    before = await state(ground.db)
    with pytest.raises(SettingsError) as error:
        await start(load(settings.data, environ | {name: value}))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert await state(ground.db) == before


async def test_an_origin_in_the_settings_may_be_written_with_a_slash(settings, ground, environ):
    node, _ = await settle_in(ground)
    await node.client.close()
    again = await start(load(settings.data, environ | {"FREEHOLD_ORIGIN": "https://Alice.Example/"}))
    await again.close()


async def test_a_lost_master_key_is_not_made_anew(settings, ground):
    (settings.data / "master.key").unlink()
    before = await state(ground.db)
    with pytest.raises(SettingsError, match=r"master\.key is missing"):
        await lay_ground(settings)
    assert not (settings.data / "master.key").exists()
    assert await state(ground.db) == before


async def test_a_newer_database_is_refused(settings, ground):
    before = await state(ground.db)
    await ground.db.write(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(migrate.NewerDatabase, match="version 9999"):
        await lay_ground(settings)
    assert await state(ground.db) == before


async def test_a_second_set_up_changes_nothing(ground):
    node, _ = await settle_in(ground)
    await node.client.close()
    before = await state(ground.db)
    with pytest.raises(AlreadySetUp, match=r"https://alice\.example"):
        await settle_in(ground, handle="mallory", origin="https://mallory.example")
    assert await state(ground.db) == before


async def test_a_database_that_is_no_database_is_named(tmp_path):
    settings = load(tmp_path, {})
    (tmp_path / "freehold.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(SettingsError, match=r"freehold\.db cannot be used: .* Restore it from your backup"):
        await lay_ground(settings)


async def test_a_database_that_is_cut_off_is_named(tmp_path):  # SECURITY 181
    settings = load(tmp_path, {})
    node, _ = await settle_in(await lay_ground(settings))
    await node.close()
    path = tmp_path / "freehold.db"
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(SettingsError, match=r"freehold\.db cannot be used: .* Restore it from your backup"):
        await lay_ground(settings)


async def test_a_server_that_is_not_there_is_an_error_of_the_system(tmp_path):
    url = "postgresql+asyncpg://me:secret@127.0.0.1:1/freehold"
    with pytest.raises(OSError, match=r".") as error:
        await lay_ground(load(tmp_path, {"FREEHOLD_DATABASE_URL": url}))
    assert "secret" not in str(error.value)


async def test_what_is_opened_is_closed_when_a_start_fails(settings, ground, monkeypatch):
    closed = []
    close = Database.close

    async def counted(self):
        closed.append(self)
        await close(self)

    monkeypatch.setattr(Database, "close", counted)
    with pytest.raises(NotSetUp):
        await start(settings)
    assert len(closed) == 1
    with pytest.raises(NotSetUp):
        await settle(ground)
    assert len(closed) == 1
