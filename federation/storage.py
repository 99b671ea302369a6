"""The database, in two scopes: `await db.read(fn, ...)` and `await db.write(fn, ...)`.

What runs in a scope is a plain function `fn(tx, ...)`. It cannot await, so no transaction ever waits for the network.
No function opens a scope of its own. SQLite runs them on threads, many write scopes to a commit (`federation.sqlite`),
PostgreSQL through asyncpg (`federation.postgres`).

Topics tell the rest of the process, and other processes on the same database, that something has changed:
`tx.notify("deliveries")` inside a scope, `db.subscribe("deliveries", callback)` outside. On SQLite the writer thread
watches `PRAGMA data_version`; a commit by another process calls every callback with payload None ("anything may have
changed"). On PostgreSQL it is LISTEN/NOTIFY.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import Connection

from federation.clock import Clock
from federation.sqlite import ANYTHING, Readers, Writer, sqlite_path
from federation.transaction import Note, Timestamp, Tx

if TYPE_CHECKING:
    from federation.postgres import Postgres

__all__ = ["Database", "Timestamp", "Tx", "sqlite_path"]

P = ParamSpec("P")
T = TypeVar("T")
Callback = Callable[[str | None], None]


class Database:
    """Opens, scopes and closes one database. Create it with `await Database.open(...)`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self._subscribers: defaultdict[str, list[Callback]] = defaultdict(list)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._postgres: Postgres | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.startswith("sqlite")

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Database:
        """`sqlite:///path` or `postgresql+asyncpg://...`; does not create or migrate tables."""
        db = cls(url, clock)
        if db.is_sqlite:
            db._writer = Writer(url, clock, db._publish, asyncio.get_running_loop())
            await db._writer.started()
            db._readers = Readers(url)
        else:
            from federation.postgres import Postgres  # loads the ORM's half of SQLAlchemy: only where it is needed

            db._postgres = Postgres(url, clock, db._publish)
            await db._postgres.start()
        return db

    async def close(self) -> None:
        """Finish what is queued, then let go of every connection."""
        if self._writer is not None:
            await self._writer.stop()
        if self._readers is not None:
            self._readers.close()
        if self._postgres is not None:
            await self._postgres.close()

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` on one consistent snapshot; it cannot write. Busy when the database is away."""
        if self._readers is not None:

            def scope(connection: Connection) -> T:
                return fn(Tx(connection, self.clock.now()), *args, **kwargs)

            return await self._readers.run(scope)
        assert self._postgres is not None
        return await self._postgres.read(lambda tx: fn(tx, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` and return its result once the commit is durable; a raise rolls this scope back alone.

        Busy when the database is locked for too long, full or away: then nothing of the scope has happened.
        """
        if self._writer is not None:
            return await self._writer.submit(lambda tx: fn(tx, *args, **kwargs))
        assert self._postgres is not None
        return await self._postgres.write(lambda tx: fn(tx, *args, **kwargs))

    async def check(self) -> None:
        """Busy while the disk takes no write: known from the last one that failed, and tried anew each time.

        PostgreSQL says so itself: it goes down, and a read fails.
        """
        if self._writer is not None:
            await self._writer.checked()

    def subscribe(self, topic: str, callback: Callback) -> None:
        """Call `callback(payload)` on the event loop after each commit that notified `topic`."""
        self._subscribers[topic].append(callback)

    def _publish(self, notes: Sequence[Note]) -> None:
        for note in dict.fromkeys(notes):
            topic, payload = note
            everybody = [callback for callbacks in self._subscribers.values() for callback in callbacks]
            for callback in everybody if note == ANYTHING else self._subscribers[topic]:
                callback(payload)
