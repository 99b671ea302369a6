"""The database, in two scopes: `await db.read(fn, ...)` and `await db.write(fn, ...)`.

What runs in a scope is a plain function `fn(tx, ...)`. It cannot await, so no transaction ever waits for the network.
No function opens a scope of its own.

SQLite has one writer: a thread that takes every waiting scope, runs each in a savepoint and commits once (group
commit). A caller resumes only after that commit is on the disk (`synchronous=FULL`). A scope that raises is rolled
back alone. Each batch begins with BEGIN IMMEDIATE: a deferred transaction that reads and then writes would fail with
SQLITE_BUSY_SNAPSHOT whatever the timeout. Reads run on a few threads, on connections that refuse to write.

PostgreSQL runs the same functions through asyncpg, each write scope in a transaction of its own.

Topics tell the rest of the process, and other processes on the same database, that something has changed:
`tx.notify("deliveries")` inside a scope, `db.subscribe("deliveries", callback)` outside. On SQLite the writer thread
watches `PRAGMA data_version`; a commit by another process calls every callback with payload None ("anything may have
changed"). On PostgreSQL it is LISTEN/NOTIFY.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult, Row
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from federation.clock import Clock
from federation.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")
Callback = Callable[[str | None], None]

MAX_BATCH = 64
BUSY_TIMEOUT_MS = 25_000
FOREIGN_WATCH_SECONDS = 0.5
CHANNEL = "freehold"
ANYTHING = "*"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds since 1970: exact, sortable, equal on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """Datetime -> microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """Microseconds -> datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Tx:
    """One unit of work. `now` is the time at its start; every row that it writes carries that time."""

    __slots__ = ("_notes", "connection", "now")

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._notes: list[tuple[str, str | None]] = []

    def execute(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run a Core statement; a list of parameters is an executemany."""
        return self.connection.execute(statement, parameters)

    def row(self, statement: sa.Executable) -> Row[Any] | None:
        """The first row, or None."""
        return self.connection.execute(statement).first()

    def rows(self, statement: sa.Executable) -> Sequence[Row[Any]]:
        """All rows."""
        return self.connection.execute(statement).all()

    def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row, or None."""
        return self.connection.execute(statement).scalar()

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update` on either database."""
        if self.connection.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def notify(self, topic: str, payload: str | None = None) -> None:
        """After the commit, call the subscribers of `topic`, here and in other processes on this database."""
        self._notes.append((topic, payload))


Scope = Callable[Concatenate[Tx, P], T]


class Database:
    """Opens, scopes and closes one database. Create it with `await Database.open(...)`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.clock = clock
        self._subscribers: defaultdict[str, list[Callback]] = defaultdict(list)
        self._writer: _Writer | None = None
        self._readers: _Readers | None = None
        self._postgres: AsyncEngine | None = None
        self._listener: Any = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.startswith("sqlite")

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Database:
        """`sqlite:///path` or `postgresql+asyncpg://...`; does not create or migrate tables."""
        db = cls(url, clock)
        if db.is_sqlite:
            db._writer = _Writer(url, clock, db._publish, asyncio.get_running_loop())
            await db._writer.started()
            db._readers = _Readers(url)
        else:
            db._postgres = create_async_engine(url, pool_size=8, max_overflow=8)
            await db._listen()
        return db

    async def close(self) -> None:
        """Finish what is queued, then let go of every connection."""
        if self._writer is not None:
            await self._writer.stop()
        if self._readers is not None:
            self._readers.close()
        if self._listener is not None:
            await self._listener.close()
        if self._postgres is not None:
            await self._postgres.dispose()

    async def read(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` on one consistent snapshot; it cannot write."""

        def scope(connection: Connection) -> T:
            return fn(Tx(connection, self.clock.now()), *args, **kwargs)

        try:
            if self._readers is not None:
                return await self._readers.run(scope)
            assert self._postgres is not None
            async with self._postgres.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await connection.run_sync(scope)
        except OperationalError as error:
            raise _busy(error) from error

    async def write(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(tx, ...)` and return its result once the commit is durable; a raise rolls this scope back alone."""
        if self._writer is not None:
            return await self._writer.submit(lambda tx: fn(tx, *args, **kwargs))
        return await self._write_postgres(lambda tx: fn(tx, *args, **kwargs))

    def subscribe(self, topic: str, callback: Callback) -> None:
        """Call `callback(payload)` on the event loop after each commit that notified `topic`."""
        self._subscribers[topic].append(callback)

    def _publish(self, notes: Sequence[tuple[str, str | None]]) -> None:
        for topic, payload in dict.fromkeys(notes):
            everybody = [callback for callbacks in self._subscribers.values() for callback in callbacks]
            callbacks = everybody if topic == ANYTHING else self._subscribers[topic]
            for callback in callbacks:
                callback(payload)

    async def _write_postgres(self, fn: Callable[[Tx], T]) -> T:
        def scope(connection: Connection) -> T:
            tx = Tx(connection, self.clock.now())
            result = fn(tx)
            for topic, payload in dict.fromkeys(tx._notes):
                connection.execute(sa.select(sa.func.pg_notify(CHANNEL, f"{topic} {payload or ''}")))
            return result

        assert self._postgres is not None
        for attempt in (1, 2, 3):
            try:
                async with self._postgres.begin() as connection:
                    return await connection.run_sync(scope)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", "") not in _PG_RETRY:
                    raise
                if attempt == 3:
                    raise Busy("the database could not serialise this transaction") from error
        raise AssertionError("unreachable")

    async def _listen(self) -> None:
        import asyncpg  # an extra: only a node on PostgreSQL needs it

        self._listener = await asyncpg.connect(self.url.replace("+asyncpg", ""))

        def heard(connection: object, pid: int, channel: str, message: str) -> None:
            topic, _, payload = message.partition(" ")
            self._publish([(topic, payload or None)])

        await self._listener.add_listener(CHANNEL, heard)


_PG_RETRY = {"40001", "40P01"}  # serialization_failure, deadlock_detected


class _Readers:
    """A few threads, each with a connection that refuses to write.

    One hop to a thread for a whole scope: measured 210 us of CPU for one select and 390 for five, where aiosqlite
    under SQLAlchemy, with its hop for each statement, takes 690 and 2,140.
    """

    def __init__(self, url: str) -> None:
        self._engine = _sqlite_engine(url)
        self._threads = ThreadPoolExecutor(4, "sqlite-reader")
        self._local = threading.local()

    async def run(self, scope: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._scope, scope)

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()

    def _scope(self, scope: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            connection.exec_driver_sql("PRAGMA query_only = 1")
        connection.exec_driver_sql("BEGIN")
        try:
            return scope(connection)
        finally:
            connection.exec_driver_sql("ROLLBACK")


class _Job:
    __slots__ = ("error", "fn", "future", "result")

    def __init__(self, fn: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.fn = fn
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


class _Writer(threading.Thread):
    """The one SQLite writer of this process: see the module's docstring."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        publish: Callable[[Sequence[tuple[str, str | None]]], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(name="sqlite-writer", daemon=True)
        self._url = url
        self._clock = clock
        self._publish = publish
        self._loop = loop
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._stopped: asyncio.Future[None] = loop.create_future()

    async def started(self) -> None:
        self.start()
        await self._ready

    async def stop(self) -> None:
        self._jobs.put(None)
        await self._stopped

    async def submit(self, fn: Callable[[Tx], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(fn, future))
        return await asyncio.shield(future)  # a caller that goes away must not leave the scope half awaited

    def run(self) -> None:
        engine = _sqlite_engine(self._url)
        try:
            with engine.connect() as connection:
                self._tell(self._ready, None)
                self._serve(connection)
        except BaseException as error:  # the thread's last word: whoever waits must hear it
            self._tell(self._ready, error)
            raise
        finally:
            engine.dispose()
            self._tell(self._stopped, None)

    def _serve(self, connection: Connection) -> None:
        version = _data_version(connection)
        while True:
            try:
                job = self._jobs.get(timeout=FOREIGN_WATCH_SECONDS)
            except queue.Empty:
                version = self._watch(connection, version)
                continue
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) >= MAX_BATCH or self._jobs.empty():
                    break
                job = self._jobs.get_nowait()
            if batch:
                self._run_batch(connection, batch)
                version = self._watch(connection, version)
            if job is None:
                return

    def _watch(self, connection: Connection, before: int) -> int:
        """`data_version` changes when, and only when, another connection has committed."""
        version = _data_version(connection)
        if version != before:
            self._loop.call_soon_threadsafe(self._publish, [(ANYTHING, None)])
        return version

    def _run_batch(self, connection: Connection, batch: list[_Job]) -> None:
        notes: list[tuple[str, str | None]] = []
        now = self._clock.now()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for job in batch:
                tx = Tx(connection, now)
                self._run_job(connection, job, tx)
                if job.error is None:
                    notes.extend(tx._notes)
            connection.exec_driver_sql("COMMIT")
        except DBAPIError as error:
            _rollback(connection)
            lost = _busy(error)
            for job in batch:
                job.error, job.result = job.error or lost, None
            notes = []
        self._loop.call_soon_threadsafe(self._settle, batch, notes)

    def _run_job(self, connection: Connection, job: _Job, tx: Tx) -> None:
        connection.exec_driver_sql("SAVEPOINT scope")
        try:
            job.result = job.fn(tx)
        except Exception as error:
            job.error = error
            if not _raw(connection).in_transaction:
                # a full disk or an I/O error has rolled the whole batch back: nobody in it may believe otherwise
                raise OperationalError("savepoint", None, sqlite3.OperationalError(str(error))) from error
            connection.exec_driver_sql("ROLLBACK TO scope")
        connection.exec_driver_sql("RELEASE scope")

    def _settle(self, batch: list[_Job], notes: list[tuple[str, str | None]]) -> None:
        if notes:
            self._publish(notes)
        for job in batch:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)

    def _tell(self, future: asyncio.Future[None], error: BaseException | None) -> None:
        def tell() -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(tell)


def sqlite_path(url: str) -> Path:
    """The file behind `sqlite:///...`."""
    return Path(url.split(":///", 1)[1])


def _sqlite_engine(url: str) -> sa.Engine:
    """Transactions are begun by hand (BEGIN, BEGIN IMMEDIATE), so the driver and the pool must not do it."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
    sa.event.listen(engine, "connect", _pragmas)
    return engine


def _pragmas(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -8000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _raw(connection: Connection) -> sqlite3.Connection:
    return connection.connection.driver_connection  # type: ignore[return-value]


def _data_version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def _rollback(connection: Connection) -> None:
    if _raw(connection).in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _busy(error: DBAPIError) -> Exception:
    """A lock or a full disk is for now (503); anything else is a fault of ours and keeps its traceback."""
    text = str(error.orig)
    if any(word in text for word in ("locked", "busy", "full", "disk I/O")):
        return Busy(f"the database cannot be written for now: {text}")
    return error
