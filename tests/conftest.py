"""Fixtures for every test: a movable clock, and an open database of either kind."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import node
from federation.clock import Clock
from federation.storage import Database
from federation.tables import metadata
from tests import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SHARED = pytest.StashKey[Path]()
CONTROLLER = pytest.StashKey[int]()


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


def every_table() -> sa.MetaData:
    """`federation.tables.metadata`, once each slice of the product has put its own tables into it."""
    for package in pkgutil.iter_modules(node.__path__):
        name = f"node.{package.name}.tables"
        if package.ispkg and importlib.util.find_spec(name):
            importlib.import_module(name)
    return metadata


@pytest.fixture
def clock() -> Clock:
    """The present; move it by setting `clock.offset`."""
    return Clock()


@pytest.fixture
def postgres_server(request: pytest.FixtureRequest) -> postgres.Server:
    """The session's PostgreSQL server, with the template that fresh databases are copied from."""
    try:
        return postgres.session_server(request.config.stash[SHARED], request.config.stash[CONTROLLER], every_table)
    except postgres.NoPostgres as missing:
        pytest.fail(str(missing))


@pytest.fixture
def sqlite_template(request: pytest.FixtureRequest) -> Path:
    """A SQLite file with every table, made once a session."""
    shared = request.config.stash[SHARED]
    path = shared / "template.db"
    with postgres.locked(shared / "sqlite.lock"):
        if not path.exists():
            engine = sa.create_engine(f"sqlite:///{path}.new")
            every_table().create_all(engine)
            engine.dispose()
            path.with_name("template.db.new").rename(path)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with every table, as the URL that `Database.open` takes; once on each kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "freehold.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def db(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """An open database, fresh for this test, with every table in it."""
    database = await Database.open(database_url, clock)
    yield database
    await database.close()
