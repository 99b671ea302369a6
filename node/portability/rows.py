"""Values of rows <-> JSON, and the few SELECTs that several slices of an archive share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from federation.clock import iso
from federation.ids import Ids
from federation.storage import Tx

Entry = dict[str, Any]
"""One line of a file of the archive."""


class Whose(NamedTuple):
    """The person whose archive it is."""

    ids: Ids
    actor_id: str
    account_id: int
    username: str


def plain(value: Any) -> Any:
    """What JSON can hold: times in UTC with `Z`, bytes as text."""
    if isinstance(value, datetime):
        return iso(value.astimezone(UTC))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def entries(tx: Tx, statement: sa.Select[Any]) -> Iterator[Entry]:
    """Each row as an object, without what is empty."""
    for row in tx.execute(statement.execution_options(yield_per=200)):
        yield {name: plain(value) for name, value in row._mapping.items() if value is not None}
