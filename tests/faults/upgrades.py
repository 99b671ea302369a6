"""SIGKILL while a database is brought from its first version to the newest (SECURITY 171)."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from node import migrate
from node.migrations import HEAD
from tests import postgres
from tests.processes import Place, Server, place

ROWS = 2_000
FIRST = "0001"
LOOK_SECONDS = 0.002
BEYOND = 1.3  # some kills come when it is done
COPIES = ("freehold.db.before-0001", "freehold.pgdump.before-0001")
Shape = dict[str, tuple[str, ...]]
"""Of each table the names of its columns, then a digest of its rows."""


@dataclass
class Upgrades:
    """A node's folder as its first version left it, to be upgraded again and again.

    seconds: between the copy that is made first and the end of an upgrade that nobody kills. before: how many were
    killed before they were done.
    """

    old: Path
    folder: Path
    random: Random
    server: postgres.Server | None
    template: str
    first: Shape
    newest: Shape
    seconds: float
    count: int = 0
    before: int = 0

    @classmethod
    async def ready(cls, folder: Path, seed: int, server: postgres.Server | None = None) -> Upgrades:
        """Make the old database, and upgrade a copy of it undisturbed."""
        old = folder / "old"
        old.mkdir(parents=True, mode=0o700)
        template = server.create() if server else ""
        url = server.url(template) if server else f"sqlite:///{old / 'freehold.db'}"
        if server is None:
            (old / "freehold.db").touch(0o600)
        await _on(url, _make_old, write=True)
        made = cls(old, folder, Random(seed), server, template, await _on(url, _shape), {}, 0.0)
        here = made._copy()
        upgraded = await here.start()
        await made._copied(here, upgraded)
        began = time.monotonic()
        await upgraded.says("/setup?token=")
        made.seconds = time.monotonic() - began
        await upgraded.kill()
        made.newest = await _on(_url(here), _shape)
        made._drop(here)
        return made

    async def one(self) -> list[str]:
        """A kill at any moment of an upgrade or just after it, and the next start; returns what is wrong."""
        here = self._copy()
        server = await here.start()
        await self._copied(here, server)
        await asyncio.sleep(self.random.random() * self.seconds * BEYOND)  # the moment is the test
        await server.kill()
        wrong = []
        left = await _on(_url(here), _shape)
        if left == self.first:
            self.before += 1
        elif left != self.newest:
            wrong.append(f"a kill left {_apart(left, self.first)}, seen from what was there before")
        next_server = await here.serve()
        await next_server.kill()
        if (then := await _on(_url(here), _shape)) != self.newest:
            wrong.append(f"the next start left {_apart(then, self.newest)}, and should have completed it")
        if not any((here.data / name).exists() for name in COPIES):
            wrong.append("there is no copy of what was before")
        self._drop(here)
        return wrong

    def _copy(self) -> Place:
        """Another node of the first version."""
        self.count += 1
        data = self.folder / str(self.count)
        shutil.copytree(self.old, data)
        data.chmod(0o700)
        url = (
            {"FREEHOLD_DATABASE_URL": self.server.url(self.server.create(template=self.template))}
            if self.server
            else {}
        )
        return place(data, "127.0.0.7", **url)

    def _drop(self, here: Place) -> None:
        shutil.rmtree(here.data)
        if self.server:
            self.server.drop(str(sa.make_url(here.database_url).database))

    async def _copied(self, here: Place, server: Server) -> None:
        """Until the copy stands that is made before anything is done: the upgrade begins now."""
        async with asyncio.timeout(30):
            while not any((here.data / name).exists() for name in COPIES):
                assert server.process.returncode is None, "it ended"
                await asyncio.sleep(LOOK_SECONDS)


def _url(here: Place) -> str:
    return here.database_url or f"sqlite:///{here.data / 'freehold.db'}"


async def _on(url: str, work: Any, *, write: bool = False) -> Any:
    if not url.startswith("sqlite"):
        return await migrate.on_postgres(url, work)

    def run() -> Any:
        with migrate.sqlite_connection(url) as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
            result = work(connection)
            connection.exec_driver_sql("COMMIT")
            return result

    return await asyncio.to_thread(run)


def _make_old(connection: Connection) -> None:
    from alembic import command

    command.upgrade(migrate.config(connection), FIRST)
    table = sa.Table("activities", sa.MetaData(), autoload_with=connection)
    row = {"actor_id": "a", "type": "Create", "public": True, "body": b"x" * 500, "published": 1}
    connection.execute(sa.insert(table), [row | {"id": f"https://a.example/{n}"} for n in range(ROWS)])


def _shape(connection: Connection) -> Shape:
    inspector = sa.inspect(connection)
    found: Shape = {}
    for name in sorted(inspector.get_table_names()):
        columns = tuple(column["name"] for column in inspector.get_columns(name))
        indexes = tuple(sorted(str(index["name"]) for index in inspector.get_indexes(name)))
        found[name] = (*columns, *indexes)
    rows = connection.execute(sa.text("SELECT * FROM activities ORDER BY id")).all()
    found["rows"] = (str(len(rows)), hashlib.sha256(repr(rows).encode()).hexdigest()) if rows else ()
    versions = connection.execute(sa.text("SELECT version_num FROM alembic_version")).all()
    found["version"] = tuple(str(row[0]) for row in versions)
    assert found["version"] in ((FIRST,), (HEAD,)), found["version"]
    return found


def _apart(one: Shape, other: Shape) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
