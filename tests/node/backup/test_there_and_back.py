"""A node into one file and back: whole, under the same keys, on both databases; or refused, and nothing changed."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from federation.tables import objects
from keys.phrases import new_phrase
from keys.sealing import HEADER_BYTES, make_lock
from node.accounts import commands as accounts
from node.app import lay_ground, start
from node.backup import commands, making, nightly, placing, queries, reading
from node.backup.making import back_up, working_folder
from node.backup.rules import BackupError
from node.notifications.tables import notifications
from node.settings import Settings, load
from node.social.commands import post
from node.social.rules import parse_post
from tests.node.house import settle_in, state
from tests.node.neighbours import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

PHRASE = "giant dentist clarinet hollow sock moon black freckle plush"
NEVER_SAME = ("sessions", "backups")


@pytest.fixture
async def node(ground, monkeypatch):
    """Set up, with a phrase, a post and a picture."""
    monkeypatch.setattr("node.accounts.setup.make_keys", keys)  # of one test or another: it takes long to make them
    node, account = await settle_in(ground)
    await node.db.write(commands.keep_lock, make_lock(PHRASE))
    await node.db.write(accounts.open_session, account.id)
    await node.db.write(
        post, await node.author(account.actor_id), parse_post({"body": "Kept", "audience": "public"}), None
    )
    picture = node.settings.media / "ab" / "abcdef.webp"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture" * 1000)
    (node.settings.data / "freehold.toml").write_text('[log]\nlevel = "warning"\n')
    yield node
    await node.client.close()


@pytest.fixture
def empty(request, node, tmp_path) -> Iterator[Settings]:
    """A machine with nothing on it, and the same kind of database."""
    if node.db.is_sqlite:
        yield load(tmp_path / "elsewhere", {})
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create(template="template0")
    yield load(tmp_path / "elsewhere", {"FREEHOLD_DATABASE_URL": server.url(name)})
    server.drop(name)


async def restored(settings: Settings, file: Path, phrase: str = PHRASE) -> Any:
    """What `freehold restore` does."""
    await placing.check_target(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    with working_folder(settings.data) as folder:
        unpacked = await reading.unpack(file, phrase, folder, settings.database_url)
        await placing.place(settings, unpacked)
        return unpacked.manifest


@contextmanager
def nothing_changes(settings: Settings, but: str = "server.lock") -> Iterator[None]:
    """Below the data folder, and nothing is left behind."""
    before = _listed(settings.data, but)
    yield
    assert _listed(settings.data, but) == before


def _listed(folder: Path, but: str) -> dict[str, bytes]:
    files = [path for path in folder.glob("**/*") if path.is_file() and not path.name.startswith(but)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


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


# ---- refusals


@pytest.mark.parametrize("how", ["cut", "changed", "longer", "another phrase", "empty", "no backup"])
async def test_186_what_is_not_whole_is_refused_and_nothing_changes(node, empty, tmp_path, how):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    raw = bytearray(file.read_bytes())
    if how == "changed":
        raw[HEADER_BYTES + len(raw) // 2 % 1000] ^= 1
    changed = {"cut": raw[:-40], "longer": raw + b"x", "empty": b"", "no backup": b"x" * 5000}
    file.write_bytes(changed.get(how, raw))
    empty.data.mkdir()
    with nothing_changes(empty), pytest.raises(BackupError, match=r"Nothing was changed\.$"):
        await restored(empty, file, new_phrase() if how == "another phrase" else PHRASE)


async def test_it_is_never_put_over_a_node(node, tmp_path):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    before = await state(node.db)
    with nothing_changes(node.settings, but="freehold.db"), pytest.raises(BackupError, match="is set up here already"):
        await restored(node.settings, file)
    assert await state(node.db) == before


async def test_settings_of_another_node_are_refused(node, empty, environ, tmp_path):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    url = empty.storage.database_url.value
    for name, value, says in (
        ("FREEHOLD_ORIGIN", "https://other.example", "this backup is of https://alice.example"),
        ("FREEHOLD_MASTER_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "not the key of this backup"),
    ):
        other = load(empty.data, {"FREEHOLD_DATABASE_URL": url, name: value})
        other.data.mkdir(exist_ok=True)
        with nothing_changes(other), pytest.raises(BackupError, match=says):
            await restored(other, file)


async def test_the_other_kind_of_database_is_refused(node, tmp_path, request):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    server = request.getfixturevalue("postgres_server")
    name = server.create(template="template0")
    other = load(tmp_path / "elsewhere", {"FREEHOLD_DATABASE_URL": server.url(name)} if node.db.is_sqlite else {})
    with pytest.raises(BackupError, match="This backup holds a"):
        await restored(other, file)
    server.drop(name)


async def test_a_key_without_its_database_is_not_thrown_away(node, empty, tmp_path):
    file = tmp_path / "node.backup"
    await back_up(node, file, "command")
    empty.data.mkdir()
    (empty.data / "master.key").write_text("another")
    with nothing_changes(empty), pytest.raises(BackupError, match="Move it away first"):
        await restored(empty, file)


# ---- making


async def test_a_node_without_a_phrase_says_how_to_make_one(ground, tmp_path):
    node, _ = await settle_in(ground)
    with pytest.raises(BackupError, match="--new-phrase"):
        await back_up(node, tmp_path / "node.backup", "command")
    assert not (tmp_path / "node.backup").exists()
    await node.client.close()


async def test_a_file_that_is_there_stays(node, tmp_path):
    file = tmp_path / "node.backup"
    file.write_text("mine")
    with pytest.raises(BackupError, match="is there already"):
        await back_up(node, file, "command")
    assert file.read_text() == "mine"


async def test_without_pg_dump_it_says_what_to_install(node, tmp_path, monkeypatch):
    if node.db.is_sqlite:
        return
    monkeypatch.setattr("node.backup.postgres.shutil.which", lambda name: None)
    with pytest.raises(BackupError, match="pg_dump is not on the PATH"):
        await back_up(node, tmp_path / "node.backup", "command")


async def test_a_node_that_stops_leaves_no_half_of_one(node, tmp_path):
    folder = node.settings.media
    for number in range(50):
        (folder / f"{number:02}.webp").write_bytes(os.urandom(200_000))
    making_it = asyncio.create_task(back_up(node, tmp_path / "node.backup", "command", lambda done, whole: begun.set()))
    begun = _Begun(asyncio.get_running_loop())
    await begun.wait()
    making_it.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making_it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


class _Begun:
    """An event that another thread sets."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def set(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        await self._event.wait()


# ---- by itself


async def test_every_night_one_is_made_and_old_ones_go(node):
    assert await nightly.make_what_is_due(node) is None, "nobody asked for any"
    await node.db.write(commands.choose_nightly, "folder")
    made = []
    for _day in range(16):
        made.append(await nightly.make_what_is_due(node))
        assert await nightly.make_what_is_due(node) is None, "one a night"
        node.clock.offset += timedelta(days=1)
    kept = sorted(path.name for path in node.settings.backups.iterdir())
    assert kept == [path.name for path in made[-14:]]
    assert (await node.db.read(queries.last_whole)).file == kept[-1]


async def test_one_that_cannot_be_made_is_told_to_the_owner_once_a_day(node, monkeypatch):
    await node.db.write(commands.choose_nightly, "folder")
    node.settings.backups.write_text("in the way")
    for _try in range(3):
        assert await nightly.make_what_is_due(node) is None
    told = await node.db.read(lambda tx: tx.rows(sa.select(notifications).where(notifications.c.kind == "operator")))
    assert [row.reader for row in told] == [node.ids.actor("alice")]
    assert "Mend FREEHOLD_BACKUP_DIR" in told[0].words
    [failed] = await node.db.read(queries.history)
    assert failed.size is None
    assert failed.error == told[0].words


async def test_one_that_is_asked_for_is_made_at_once(node):
    await node.db.write(commands.ask_for_one)
    assert (await nightly.make_what_is_due(node)).exists()
    assert await nightly.make_what_is_due(node) is None
    assert [row.way for row in await node.db.read(queries.history)] == ["page"]


def test_nothing_of_a_killed_backup_is_in_the_way(tmp_path):
    (tmp_path / f".backup-{os.getpid()}").mkdir()
    with making.working_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []


def test_188_a_killed_backup_leaves_no_plain_copy_behind(tmp_path):
    """Folders of processes that work now stay."""
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    dead, alive = ended.stdout.strip(), str(os.getppid())
    for name in (f".backup-{dead}", f".restore-{dead}", f".backup-{alive}", ".backup-notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "database.sqlite").touch()
    making.clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f".backup-{alive}", ".backup-notes"])
