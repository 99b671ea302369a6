"""A node with a phrase, a post and a picture; and a machine with nothing on it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keys.sealing import make_lock
from node.accounts import commands as accounts
from node.backup import commands, placing, reading
from node.backup.making import working_folder
from node.settings import Settings, load
from node.social.commands import post
from node.social.rules import parse_post
from tests.node.house import settle_in

if TYPE_CHECKING:
    from collections.abc import Iterator

PHRASE = "giant dentist clarinet hollow sock moon black freckle plush"
NEVER_SAME = ("sessions", "backups")


@pytest.fixture
async def node(ground):
    """Set up, with a phrase, a post and a picture."""
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
    name = server.create()
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
