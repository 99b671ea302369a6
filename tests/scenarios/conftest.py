"""Fixtures of the scenarios: the databases of their nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.nodes import sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.nodes import Databases


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """A database for each node that asks, with every table and nothing in it."""
    if request.param == "sqlite":
        yield sqlite
        return
    server = request.getfixturevalue("postgres_server")
    names: list[str] = []

    def fresh() -> str:
        names.append(server.lend())
        return server.url(names[-1])

    yield fresh
    for name in names:
        server.take_back(name)
