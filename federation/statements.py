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


class Plan:
    """The text for lists of certain lengths, and what goes where."""

    def __init__(self, text: str, slots: Sequence[_Slot]) -> None:
        self.text = text
        self._wanted = [(slot.name, slot.place) for slot in slots]
        self._names = tuple(slot.name for slot in slots) if all(slot.place is None for slot in slots) else None
        self._converted = [(at, slot.convert) for at, slot in enumerate(slots) if slot.convert is not None]

    def arguments(self, values: Values) -> Sequence[Any]:
        """In the order of the text."""
        if self._names is not None:
            found = [values[name] for name in self._names]
        else:
            found = [values[name] if place is None else values[name][place] for name, place in self._wanted]
        for at, convert in self._converted:
            found[at] = convert(found[at])
        return found


class Hot:
    """See the module's docstring. Values have names; that of an `expanding` parameter is a list."""

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any] | sa.Update | sa.Insert) -> None:
        self.statement = statement
        self._lists: tuple[str, ...] = ()
        self._compiled: SQLCompiler | None = None
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._returned = () if isinstance(statement, sa.Update | sa.Insert) else tuple(statement.selected_columns)
        self._row: Callable[..., Any] = tuple
        self._converted: list[tuple[int, Callable[[Any], Any]]] = []

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
        if not self._converted:
            return [self._row(row) for row in found]
        rows = []
        for row in found:
            values = list(row)
            for at, convert in self._converted:
                values[at] = convert(values[at])
            rows.append(self._row(values))
        return rows

    def _translate(self) -> None:
        compiled = self.statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding)
        names = [str(column.key) for column in self._returned]
        self._row = namedtuple("Row", names)._make  # type: ignore[attr-defined]
        processors = [column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in self._returned]
        self._converted = [(at, convert) for at, convert in enumerate(processors) if convert is not None]
        self._compiled = compiled

    def _plan(self, lengths: tuple[int, ...], values: Values) -> Plan:
        assert self._compiled is not None
        self._plans[lengths] = plan = _plan(self._compiled, values)
        return plan


class HotCopy(Hot):
    """INSERT of what a SELECT finds; what is there already stays as it is. The SELECT must have a WHERE (SQLite)."""

    def __init__(self, table: sa.Table, columns: Sequence[str], found: sa.Select[Any]) -> None:
        super().__init__(sqlite.insert(table).from_select(list(columns), found).on_conflict_do_nothing())
        self.table = table
        self.columns = list(columns)
        self.found = found


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
    return Plan(state.statement, slots)


def _padded(values: Sequence[Any]) -> Sequence[Any]:
    """So that few lengths occur, and each has its plan: the last one again, up to a power of two."""
    length = len(values)
    wanted = 1 << (length - 1).bit_length() if length else 0
    return values if wanted == length else [*values, *[values[-1]] * (wanted - length)]


_DIALECT = sqlite.dialect(paramstyle="qmark")
