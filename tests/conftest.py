"""Fixtures for every test: a movable clock, and an open database of either kind."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from federation.authors import NewKeys, make_keys
from federation.clock import Clock
from federation.storage import Database
from tests import postgres
from tests.databases import postgres_script, sqlite_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SHARED = pytest.StashKey[Path]()
CONTROLLER = pytest.StashKey[int]()

_keys: list[NewKeys] = []
_making = Lock()


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a session makes a folder that all its xdist workers share."""
    workerinput = getattr(config, "workerinput", None)
    if workerinput is None:
        config.stash[SHARED] = Path(tempfile.mkdtemp(prefix="freehold-tests-"))
        config.stash[CONTROLLER] = os.getpid()
    else:
        config.stash[SHARED] = Path(workerinput["freehold_shared"])
        config.stash[CONTROLLER] = workerinput["freehold_controller"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell an xdist worker where that folder is."""
    node.workerinput["freehold_shared"] = str(node.config.stash[SHARED])
    node.workerinput["freehold_controller"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[SHARED], ignore_errors=True)


@pytest.fixture
def clock() -> Clock:
    """The present; move it by setting `clock.offset`."""
    return Clock()


@pytest.fixture(autouse=True)
def keys_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever moves into a node of a test gets keys that nobody else in that test has; the next test gets them again.

    A tenth of a second goes into each pair. Keys that a test makes itself are always new.
    """
    turn = count()

    def take() -> NewKeys:
        number = next(turn)
        with _making:
            while number >= len(_keys):
                _keys.append(make_keys())
        return _keys[number]

    monkeypatch.setattr("node.accounts.setup.make_keys", take)
    monkeypatch.setattr("tests.nodes.make_keys", take)


@pytest.fixture
def postgres_server(request: pytest.FixtureRequest) -> postgres.Server:
    """The session's PostgreSQL server, with the template that fresh databases are copied from."""
    try:
        return postgres.session_server(request.config.stash[SHARED], request.config.stash[CONTROLLER], postgres_script)
    except postgres.NoPostgres as missing:
        pytest.fail(str(missing))


@pytest.fixture
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table; to be copied."""
    path = tmp_path_factory.getbasetemp() / "template.db"
    if not path.exists():
        path.write_bytes(sqlite_bytes())
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with every table, as the URL that `Database.open` takes; once on each kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "freehold.db"
        path.write_bytes(sqlite_bytes())
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.lend()
    yield server.url(name)
    server.take_back(name)


@pytest.fixture
async def db(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """An open database, fresh for this test, with every table in it."""
    database = await Database.open(database_url, clock)
    yield database
    await database.close()
