"""PostgreSQL behind the two scopes: each runs the same plain functions through asyncpg, in a transaction of its own.

One more connection listens. When it is lost, notifications may have been missed: as soon as it is there again, every
subscriber hears that anything may have changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import random
from typing import TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from federation.clock import Clock
from federation.errors import Busy
from federation.sqlite import ANYTHING
from federation.transaction import Note, Tx

T = TypeVar("T")

CHANNEL = "freehold"
RECONNECT_SECONDS = 1.0
TRIES = 6
PAUSE_SECONDS = 0.01  # doubled each time, and some of it at random: two that met must not meet again

_AGAIN = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_PASSING = ("08", "53", "55P03", "57P")  # connection, resources, lock, shutdown

_log = structlog.get_logger()


class Postgres:
    """Scopes on one PostgreSQL database."""

    def __init__(self, url: str, clock: Clock, publish: Callable[[Sequence[Note]], None]) -> None:
        self._engine = create_async_engine(url, pool_size=8, max_overflow=8)
        self._clock = clock
        self._listener = Listener(url, publish)

    async def start(self) -> None:
        """Listen; raises what keeps the database from being reached."""
        await self._listener.start()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._listener.stop()
        await self._engine.dispose()

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """One consistent snapshot, which cannot be written."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                return await connection.run_sync(lambda sync: fn(Tx(sync, self._clock.now())))
        except (DBAPIError, OSError) as error:
            if (busy := passing(error)) is error:
                raise
            raise busy from error

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """One transaction, tried again when the database could not serialise it."""

        def scope(connection: Connection) -> T:
            tx = Tx(connection, self._clock.now())
            result = fn(tx)
            for topic, payload in dict.fromkeys(tx.notes):
                connection.execute(sa.select(sa.func.pg_notify(CHANNEL, f"{topic} {payload or ''}")))
            return result

        for attempt in range(1, TRIES + 1):
            try:
                async with self._engine.begin() as connection:
                    return await connection.run_sync(scope)
            except (DBAPIError, OSError) as error:
                if (busy := passing(error)) is error and _state(error) not in _AGAIN:
                    raise
                if busy is not error or attempt == TRIES:
                    raise busy if busy is not error else Busy("this transaction could not be serialised") from error
            await asyncio.sleep(random() * PAUSE_SECONDS * 2**attempt)  # noqa: S311
        raise AssertionError("unreachable")


class Listener:
    """Holds one connection that listens, and makes a new one when it is lost."""

    def __init__(self, url: str, publish: Callable[[Sequence[Note]], None]) -> None:
        self._url = url.replace("+asyncpg", "")
        self._publish = publish
        self._task: asyncio.Task[None] | None = None
        self._heard = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Return once it listens."""
        self._task = asyncio.create_task(self._run())
        await asyncio.wait([self._task, self._heard], return_when=asyncio.FIRST_COMPLETED)
        if not self._heard.done():
            self._task.result()

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        import asyncpg  # an extra: only a node on PostgreSQL needs it

        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not self._heard.done():
                    raise
                _log.warning("database.listener_lost", error=str(error)[:500])
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Connect, hear until the connection is lost."""
        import asyncpg

        lost = asyncio.Event()

        def heard(connection: object, pid: int, channel: str, message: str) -> None:
            topic, _, payload = message.partition(" ")
            self._publish([(topic, payload or None)])

        connection = await asyncpg.connect(self._url)
        try:
            connection.add_termination_listener(lambda connection: lost.set())
            await connection.add_listener(CHANNEL, heard)
            if self._heard.done():
                self._publish([ANYTHING])
            else:
                self._heard.set_result(None)
            await lost.wait()
        finally:
            connection.terminate()


def _state(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def passing(error: Exception) -> Exception:
    """A database that is away or has no room is for now (503); anything else is a fault of ours."""
    away = isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    if away or _state(error).startswith(_PASSING):
        return Busy(f"the database cannot be used for now: {str(error)[:300]}")
    return error
