"""What is refused, and what a node makes by itself: on SQLite, since nothing here differs between databases."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from keys.phrases import new_phrase
from keys.sealing import HEADER_BYTES
from node.backup import commands, making, nightly, queries
from node.backup.making import back_up
from node.backup.rules import BackupError
from node.notifications.tables import notifications
from node.settings import load
from tests.node.house import settle_in, state

if TYPE_CHECKING:
    pass
from tests.node.backup.conftest import PHRASE, nothing_changes, restored


@pytest.fixture
def environ() -> dict[str, str]:
    """SQLite alone."""
    return {}


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
