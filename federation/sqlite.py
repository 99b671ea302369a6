"""The embedded database: one writer thread with group commit, and a few reader threads.

The writer takes every waiting scope, runs each in a savepoint and commits once. A caller resumes only after that
commit is on the disk (`synchronous=FULL`); a scope that raises is rolled back alone. Each batch begins with BEGIN
IMMEDIATE: a deferred transaction that reads and then writes would fail with SQLITE_BUSY_SNAPSHOT whatever the timeout.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from federation.clock import Clock
from federation.errors import Busy
from federation.transaction import Note, Tx, driver

T = TypeVar("T")

MAX_BATCH = 64
BUSY_TIMEOUT_MS = 25_000
FOREIGN_WATCH_SECONDS = 0.5
READER_THREADS = 4
READER_CACHE = 1_000  # KiB each: four of the size that the writer needs would hold the same pages four times
ANYTHING: Note = ("*", None)
"""Published to every subscriber when another process has committed: anything may have changed."""

_ILL = ("full", "disk I/O")
_PASSING = ("locked", "busy", *_ILL)


class Readers:
    """A few threads, each with a connection that refuses to write.

    One hop to a thread for a whole scope: measured 210 us of CPU for one select and 390 for five, where aiosqlite
    under SQLAlchemy, with its hop for each statement, takes 690 and 2,140.
    """

    def __init__(self, url: str) -> None:
        self._engine = sqlite_engine(url)
        self._threads = ThreadPoolExecutor(READER_THREADS, "sqlite-reader")
        self._local = threading.local()
        self._connections: list[Connection] = []

    async def run(self, scope: Callable[[Connection], T]) -> T:
        """Run `scope` on one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._scope, scope)

    def close(self) -> None:
        """Wait for what runs, and let go of the connections."""
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
        self._engine.dispose()

    def _scope(self, scope: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            connection.exec_driver_sql("PRAGMA query_only = 1")
            connection.exec_driver_sql(f"PRAGMA cache_size = -{READER_CACHE}")
            self._connections.append(connection)
        raw = driver(connection)
        try:
            raw.execute("BEGIN")
            return scope(connection)
        except (DBAPIError, sqlite3.Error) as error:
            if (busy := passing(error)) is error:
                raise
            raise busy from error
        finally:
            _rollback(raw)


class _Job:
    __slots__ = ("error", "fn", "future", "result")

    def __init__(self, fn: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.fn = fn
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():  # whoever waited has gone
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer(threading.Thread):
    """The one SQLite writer of this process: see the module's docstring."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        publish: Callable[[Sequence[Note]], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(name="sqlite-writer", daemon=True)
        self._url = url
        self._clock = clock
        self._publish = publish
        self._loop = loop
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._in_hand: list[_Job] = []
        self.is_ill = False
        """Whether the disk has refused a write since `checked`."""
        self._ready: asyncio.Future[None] = loop.create_future()
        self._stopped: asyncio.Future[None] = loop.create_future()

    async def started(self) -> None:
        """Start; raises what keeps the database from being opened."""
        self.start()
        await self._ready

    async def stop(self) -> None:
        """Finish what is queued, and end."""
        self._jobs.put(None)
        await self._stopped

    async def submit(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a savepoint of some batch; returns after that batch is on the disk."""
        if self._stopped.done():
            raise Busy("the database is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(fn, future))
        return await asyncio.shield(future)  # a caller that goes away must not leave the scope half awaited

    async def checked(self) -> None:
        """Return once the disk takes a write again, if it has refused one; else Busy."""
        if self.is_ill:
            await self.submit(_rewrite_header)
            self.is_ill = False

    def run(self) -> None:
        """The thread: serve until told to stop, or until the connection is past use."""
        engine = sqlite_engine(self._url)
        problem: BaseException | None = None
        try:
            with engine.connect() as connection:
                self._loop.call_soon_threadsafe(self._ready.set_result, None)
                self._serve(connection)
        except BaseException as error:  # the thread's last word: whoever waits must hear it
            problem = error
            if self._ready.done():  # else `started` raises it
                raise
        finally:
            engine.dispose()
            self._loop.call_soon_threadsafe(self._end, problem)

    def _end(self, problem: BaseException | None) -> None:
        """On the event loop: nobody may wait for a thread that is gone."""
        if not self._ready.done():
            self._ready.set_exception(problem or Busy("the database is closed"))
        self._stopped.set_result(None)
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None:
                self._in_hand.append(job)
        for job in self._in_hand:
            job.error = job.error or Busy(f"the database is closed: {problem or 'the node stops'}")
            job.settle()

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
            self._loop.call_soon_threadsafe(self._publish, [ANYTHING])
        return version

    def _run_batch(self, connection: Connection, batch: list[_Job]) -> None:
        self._in_hand = batch
        notes: list[Note] = []
        now = self._clock.now()
        raw = driver(connection)
        try:
            raw.execute("BEGIN IMMEDIATE")
            for job in batch:
                tx = Tx(connection, now)
                _run_job(raw, job, tx)
                if job.error is None:
                    notes.extend(tx.notes)
            raw.execute("COMMIT")
        except sqlite3.Error as error:
            _rollback(raw)
            lost = passing(error)
            for job in batch:
                job.error, job.result = job.error or lost, None
            notes = []
        self._in_hand = []
        self._loop.call_soon_threadsafe(self._settle, batch, notes)

    def _settle(self, batch: list[_Job], notes: list[Note]) -> None:
        if notes:
            self._publish(notes)
        for job in batch:
            self.is_ill = self.is_ill or (isinstance(job.error, Busy) and any(word in str(job.error) for word in _ILL))
            job.settle()


def _run_job(raw: sqlite3.Connection, job: _Job, tx: Tx) -> None:
    raw.execute("SAVEPOINT scope")
    try:
        job.result = job.fn(tx)
    except Exception as error:
        job.error = passing(error)
        if not raw.in_transaction:
            # a full disk or an I/O error has rolled the whole batch back: nobody in it may believe otherwise
            raise sqlite3.OperationalError(str(error)) from error
        raw.execute("ROLLBACK TO scope")
    raw.execute("RELEASE scope")


def sqlite_path(url: str) -> Path:
    """The file behind `sqlite:///...`."""
    return Path(url.split(":///", 1)[1])


def sqlite_engine(url: str) -> sa.Engine:
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
        "wal_autocheckpoint = 4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _data_version(connection: Connection) -> int:
    return int(driver(connection).execute("PRAGMA data_version").fetchone()[0])


def _rewrite_header(tx: Tx) -> None:
    """A write that changes nothing; a transaction without one never touches the disk."""
    raw = driver(tx.connection)
    (version,) = raw.execute("PRAGMA user_version").fetchone()
    raw.execute(f"PRAGMA user_version = {int(version)}")


def _rollback(raw: sqlite3.Connection) -> None:
    if raw.in_transaction:
        raw.execute("ROLLBACK")


def passing(error: Exception) -> Exception:
    """A lock, a full disk or an I/O error is for now (503); anything else is what it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error) and any(word in str(cause) for word in _PASSING):
        return Busy(f"the database cannot be written for now: {cause}")
    return error
