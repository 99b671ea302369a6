"""What a scope is given: a transaction with the time at its start, and how times are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, CursorResult, Row
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from federation.statements import Hot, HotCopy, HotInsert

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Note = tuple[str, str | None]
"""A topic and its payload; None stands for anything that the topic is about."""

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


class Entangled(Exception):
    """A part failed that had written something, and shares its savepoint with others: all of them must be undone."""


class Tx:
    """One unit of work. `now` is the time at its start; every row that it writes carries that time."""

    __slots__ = ("_sqlite", "connection", "notes", "now", "written")

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self._sqlite = driver(connection) if connection.dialect.name == "sqlite" else None
        self.now = now
        self.notes: list[Note] = []
        self.written = 0
        """How many statements so far may have changed something."""

    def execute(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run a Core statement; a list of parameters is an executemany."""
        self.written += not statement.is_select
        return self.connection.execute(statement, parameters)

    def row(self, statement: sa.Executable) -> Row[Any] | None:
        """The first row, or None."""
        return self.execute(statement).first()

    def rows(self, statement: sa.Executable) -> Sequence[Row[Any]]:
        """All rows."""
        return self.execute(statement).all()

    def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row, or None."""
        return self.execute(statement).scalar()

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update` on either database."""
        return _insert(self.connection.dialect.name, table)

    def insert_new(self, table: sa.Table, *key: str) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that leaves a row with the same key (by default any) as it stands; for hot statements.

        Built once for each table: building it costs as much as running it.
        """
        return _insert_new(self.connection.dialect.name, table, key)

    def all(self, hot: Hot, **values: Any) -> list[Any]:
        """All rows of a statement that runs for each message; they have their columns by name."""
        if self._sqlite is None:
            return list(self.connection.execute(hot.statement, values).all())
        plan, padded = hot.sqlite(values)
        return hot.rows(self._driven(plan.text, plan.arguments(padded)).fetchall())

    def first(self, hot: Hot, **values: Any) -> Any:
        """The first row, or None."""
        return next(iter(self.all(hot, **values)), None)

    def run(self, hot: Hot, **values: Any) -> None:
        """Do what a statement says that runs for each message and returns nothing."""
        self.written += 1
        if self._sqlite is None:
            self.connection.execute(hot.statement, values)
        else:
            plan, padded = hot.sqlite(values)
            self._driven(plan.text, plan.arguments(padded))

    def copy(self, hot: HotCopy, **values: Any) -> None:
        """Insert what a SELECT finds and is not there yet."""
        if self._sqlite is not None:
            self.run(hot, **values)
        else:
            self.execute(_insert_found(self.connection.dialect.name, hot), values)

    def put(self, hot: HotInsert, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert what is not there yet; returns how many rows that were (-1 of several on PostgreSQL: nobody says)."""
        self.written += 1
        if self._sqlite is None:
            statement = self.insert_new(hot.table, *hot.key)
            return self.connection.execute(statement, rows[0] if len(rows) == 1 else list(rows)).rowcount
        plan = hot.sqlite()
        return self._driven(plan.text, *map(plan.arguments, rows)).rowcount

    def put_new(self, hot: HotInsert, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The same, in the order given; returns what the statement `returns` of each row that was not there."""
        self.written += 1
        if self._sqlite is None:
            statement = self.insert_new(hot.table, *hot.key).returning(*hot.returned)
            return [tuple(row) for row in self.connection.execute(statement, list(rows))]
        plan = hot.sqlite()
        return [row for one in rows for row in self._driven(plan.text, plan.arguments(one)).fetchall()]

    def _driven(self, text: str, *arguments: Sequence[Any]) -> sqlite3.Cursor:
        assert self._sqlite is not None
        run: Any = self._sqlite.execute if len(arguments) == 1 else self._sqlite.executemany
        try:
            return run(text, arguments[0] if len(arguments) == 1 else arguments)  # type: ignore[no-any-return]
        except sqlite3.Error as error:  # as from SQLAlchemy: who catches it need not know which way it went
            raise DBAPIError.instance(text, arguments, error, sqlite3.Error, dialect=self.connection.dialect) from error

    def notify(self, topic: str, payload: str | None = None) -> None:
        """After the commit, call the subscribers of `topic`, here and in other processes on this database."""
        self.notes.append((topic, payload))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What raises inside is undone alone, its notifications with it."""
        noted = len(self.notes)
        self._control("SAVEPOINT part")
        try:
            yield
        except BaseException:
            del self.notes[noted:]
            if not self._is_lost():
                self._control("ROLLBACK TO SAVEPOINT part")
                self._control("RELEASE SAVEPOINT part")
            raise
        self._control("RELEASE SAVEPOINT part")

    def shared(self) -> _Shared:
        """One of many parts that share a savepoint, which costs as much as some of them do.

        What raises before it has written anything was nothing but its notifications; after that it is Entangled.
        """
        return _Shared(self)

    def _control(self, statement: str) -> None:
        """Straight to the driver where that can be: SQLAlchemy costs ten times the statement itself."""
        if self._sqlite is not None:
            self._sqlite.execute(statement)
        else:
            self.connection.exec_driver_sql(statement)

    def _is_lost(self) -> bool:
        """Whether SQLite has rolled back the whole transaction by itself, as it does on a full disk."""
        return self._sqlite is not None and not self._sqlite.in_transaction


class _Shared:
    """See `Tx.shared`."""

    __slots__ = ("_noted", "_tx", "_written")

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def __enter__(self) -> None:
        self._noted, self._written = len(self._tx.notes), self._tx.written

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception):
            return
        undoable = isinstance(error, IntegrityError | DataError)
        if isinstance(error, DBAPIError) and not undoable:
            return  # nothing here can be undone any more
        if undoable or self._tx.written != self._written:
            raise Entangled from error
        del self._tx.notes[self._noted :]


def _insert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # as heavy as what it is for

    return postgresql.insert(table)


@cache
def _insert_new(dialect: str, table: sa.Table, key: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=key or None)


@cache
def _insert_found(dialect: str, hot: HotCopy) -> sqlite.Insert | postgresql.Insert:
    return _insert(dialect, hot.table).from_select(hot.columns, hot.found).on_conflict_do_nothing()


def driver(connection: Connection) -> sqlite3.Connection:
    """The connection of the standard library under one of SQLAlchemy's."""
    return connection.connection.driver_connection  # type: ignore[return-value]
