"""A data folder and an empty database of either kind, and the ground of a node on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from node.app import lay_ground
from node.settings import Settings, load
from tests.databases import place_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from node.context import Ground


@pytest.fixture(params=["sqlite", "postgresql"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a node that is not set up, with its data below `tmp_path`; once on each kind of database."""
    if request.param == "sqlite":
        place_sqlite(tmp_path / "data")
        yield {}
        return
    server = request.getfixturevalue("postgres_server")
    name = server.lend()
    yield {"FREEHOLD_DATABASE_URL": server.url(name)}
    server.take_back(name)


@pytest.fixture
def settings(environ: dict[str, str], tmp_path: Path) -> Settings:
    """Of a node with its data below `tmp_path`."""
    return load(tmp_path / "data", environ)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_environ(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of a node that never started, not one table is made; once on each kind of database."""
    if request.param == "sqlite":
        yield {}
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield {"FREEHOLD_DATABASE_URL": server.url(name)}
    server.drop(name)


@pytest.fixture
def bare_settings(bare_environ: dict[str, str], tmp_path: Path) -> Settings:
    """Of such a node."""
    return load(tmp_path / "data", bare_environ)


@pytest.fixture
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    """Not set up yet."""
    laid = await lay_ground(settings)
    yield laid
    await laid.db.close()
