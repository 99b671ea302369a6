"""Statements that run for each message.

From a statement of SQLAlchemy to the driver it is 60 to 100 µs of Python; SQLite then takes 5 to 20 µs for what is
asked here. A `Hot` statement is written in SQLAlchemy as any other and translated once; on SQLite it is then given
straight to the driver. On PostgreSQL, where the way to the server costs more than that, it goes the usual way.

    _FOLLOWERS = Hot(sa.select(follows.c.follower).where(follows.c.followee == sa.bindparam("followee")))
    [row.follower for row in tx.all(_FOLLOWERS, followee=actor_id)]
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
_Convert = Callable[[Any], Any] | None


class _Slot(NamedTuple):
    """What stands at one `?`: a value by its name, or one of a list."""

    name: str
    place: int | None
    convert: _Convert


class Plan(NamedTuple):
    """The text for lists of certain lengths, and what goes where."""

    text: str
    slots: tuple[_Slot, ...]

    def arguments(self, values: Values) -> tuple[Any, ...]:
        """In the order of the text."""
        found = []
        for name, place, convert in self.slots:
            value = values[name] if place is None else values[name][place]
            found.append(value if convert is None else convert(value))
        return tuple(found)


class Hot:
    """See the module's docstring. Values have names; that of an `expanding` parameter is a list."""

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any] | sa.Update) -> None:
        self.statement = statement
        self._lists: tuple[str, ...] = ()
        self._compiled: SQLCompiler | None = None
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._returned = () if isinstance(statement, sa.Update) else tuple(statement.selected_columns)
        self._row: Callable[..., Any] = tuple
        self._convert: tuple[_Convert, ...] = ()

    def sqlite(self, values: Values) -> tuple[Plan, Values]:
        """The plan for these values, and the values as it wants them."""
        if self._compiled is None:
            self._translate()
        if not self._lists:
            return self._plans.get(()) or self._plan((), values), values
        padded = {name: _padded(values[name]) for name in self._lists}
        lengths = tuple(len(value) for value in padded.values())
        values = {**values, **padded}
        return self._plans.get(lengths) or self._plan(lengths, values), values

    def rows(self, found: list[tuple[Any, ...]]) -> list[Any]:
        """What the driver returned, with the names and types of the columns."""
        if any(self._convert):
            found = [tuple(v if c is None else c(v) for c, v in zip(self._convert, row, strict=True)) for row in found]
        return [self._row(*row) for row in found]

    def _translate(self) -> None:
        compiled = self.statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding)
        names = [str(column.key) for column in self._returned]
        self._row = namedtuple("Row", names)  # type: ignore[misc]
        self._convert = tuple(
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in self._returned
        )
        self._compiled = compiled

    def _plan(self, lengths: tuple[int, ...], values: Values) -> Plan:
        assert self._compiled is not None
        self._plans[lengths] = plan = _plan(self._compiled, values)
        return plan


class HotInsert:
    """INSERT of rows of a table, all of its columns or those named; what is there already stays as it is.

    key: the columns whose equal makes it "there already"; none: any. returns: columns that `Tx.put_new` tells.
    """

    def __init__(self, table: sa.Table, *key: str, columns: Sequence[str] = (), returns: Sequence[str] = ()) -> None:
        self.table = table
        self.key = key
        self.returned = tuple(table.c[name] for name in returns)
        self._columns = tuple(columns) or tuple(column.name for column in table.columns)
        self._plan: Plan | None = None

    def sqlite(self) -> Plan:
        """The text, and what goes where."""
        if self._plan is None:
            statement: Any = sqlite.insert(self.table).on_conflict_do_nothing(index_elements=self.key or None)
            if self.returned:
                statement = statement.returning(*self.returned)
            compiled = statement.compile(dialect=_DIALECT, column_keys=list(self._columns))
            self._plan = _plan(compiled, dict.fromkeys(self._columns))
        return self._plan


def _plan(compiled: SQLCompiler, values: Values) -> Plan:
    state = compiled.construct_expanded_state(dict(values))
    origin: dict[str, tuple[str, int]] = {}
    for name, names in state.parameter_expansion.items():
        origin |= {one: (name, index) for index, one in enumerate(names)}
    slots = []
    for name in state.positiontup or ():
        source, index = origin.get(name, (name, None))
        convert = compiled.binds[source].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        slots.append(_Slot(source, index, convert))
    return Plan(state.statement, tuple(slots))


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """So that few lengths occur, and each has its plan: the last one again, up to a power of two."""
    length = len(values)
    wanted = 1 << (length - 1).bit_length() if length else 0
    return values if wanted == length else [*values, *[values[-1]] * (wanted - length)]


_DIALECT = sqlite.dialect(paramstyle="qmark")
