"""The rows of received messages: which are due, which must wait for an earlier one, and what became of each.

Messages of one actor about one thing keep their order (a Follow and its Undo), also when the first has to be tried
again later. Only a Delete waits for nothing: its tombstone outlasts whatever comes late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.statements import Hot
from federation.storage import Tx
from federation.tables import inbox_messages

TOPIC = "inbox"
LEASE = timedelta(minutes=2)
PUT_OFF = timedelta(seconds=2)
DELAYS = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 3600, 7200, 14400, 28800, 57600))
MAX_BATCH_BYTES = 4_194_304

_PENDING: sa.ColumnElement[str] = sa.literal_column(
    "'pending'"
)  # a literal: with a parameter the partial indexes could not be used
_COLUMNS = (
    inbox_messages.c.id,
    inbox_messages.c.activity_id,
    inbox_messages.c.type,
    inbox_messages.c.actor_id,
    inbox_messages.c.subject,
    inbox_messages.c.signer,
    inbox_messages.c.body,
    inbox_messages.c.attempts,
)


class Stored(NamedTuple):
    """What a row of a message says."""

    id: int
    activity_id: str
    type: str
    actor_id: str
    subject: str | None
    signer: str
    body: bytes
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a message.

    state: pending | done | refused | parked. fault: an error of ours. put_off: it has not been tried, and is due
    again soon. behind: the id of the earlier message that it waits for.
    """

    row: Stored
    state: str
    reason: str | None = None
    fault: BaseException | None = None
    put_off: bool = False
    behind: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is done, and there is nothing to say about it."""
        return self.state == "done" and self.reason is None


def due(tx: Tx, limit: int, without: Sequence[int]) -> list[Stored]:
    """The oldest messages that are due, but those in hand; so many that their bodies fit into memory."""
    statement = _oldest(tx, *_COLUMNS).limit(limit)
    if without:
        statement = statement.where(inbox_messages.c.id.not_in(without))
    result = tx.execute(statement)
    taken = _fitting(result, lambda row: len(row.body))
    result.close()
    return sorted(Stored._make(row) for row in taken)


def lease(tx: Tx, limit: int) -> list[Stored]:
    """The same where several workers share a database: what one takes, the others leave alone for a while."""
    size = sa.func.length(inbox_messages.c.body).label("size")
    oldest = tx.rows(_oldest(tx, inbox_messages.c.id, size).limit(limit).with_for_update(skip_locked=True))
    ids = [row.id for row in _fitting(oldest, lambda row: row.size)]
    if not ids:
        return []
    take = sa.update(inbox_messages).where(inbox_messages.c.id.in_(ids)).values(due_at=tx.now + LEASE)
    return sorted(Stored._make(row) for row in tx.execute(take.returning(*_COLUMNS)))


def release(tx: Tx, ids: Sequence[int]) -> None:
    """Give back what was leased, when the worker stops before its time."""
    mine = (inbox_messages.c.id.in_(ids), inbox_messages.c.state == _PENDING)
    tx.execute(sa.update(inbox_messages).where(*mine).values(due_at=tx.now))
    tx.notify(TOPIC)


def mend_clock(tx: Tx) -> None:
    """After a clock that was wrong: nothing waits longer than it ever would, and nothing is from the future."""
    untried = sa.and_(inbox_messages.c.attempts == 0, inbox_messages.c.due_at > tx.now + LEASE)
    from_future = sa.or_(inbox_messages.c.received_at > tx.now, inbox_messages.c.due_at > tx.now + DELAYS[-1], untried)
    now = sa.literal(tx.now, inbox_messages.c.received_at.type)
    received_at = sa.case((inbox_messages.c.received_at > tx.now, now), else_=inbox_messages.c.received_at)
    rescued = {"due_at": tx.now, "received_at": received_at}
    tx.execute(sa.update(inbox_messages).where(inbox_messages.c.state == _PENDING, from_future).values(rescued))


def _oldest(tx: Tx, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .where(inbox_messages.c.state == _PENDING, inbox_messages.c.due_at <= tx.now)
        .order_by(inbox_messages.c.due_at, inbox_messages.c.id)
    )


def _fitting(rows: Iterable[Row[Any]], size: Any) -> list[Row[Any]]:
    taken: list[Row[Any]] = []
    total = 0
    for row in rows:
        total += size(row)
        if taken and total > MAX_BATCH_BYTES:
            break
        taken.append(row)
    return taken


def behind(tx: Tx, rows: Sequence[Stored]) -> dict[int, int]:
    """Of these messages, those that must wait: id -> the id of the last earlier one that has not had its effect."""
    ids = [row.id for row in rows]
    found: dict[int, int] = {}
    for row in tx.all(_BEHIND, ids=ids):
        found[row.id] = max(row.earlier, found.get(row.id, 0))
    return found


_earlier = inbox_messages.alias("earlier")


def _before(thing: sa.ColumnElement[str]) -> sa.Select[tuple[int, int]]:
    """Earlier messages about, or being, what these are about. One question each, so that each has its index."""
    mine = inbox_messages
    same = sa.and_(thing == mine.c.subject, _earlier.c.actor_id == mine.c.actor_id)
    waiting = sa.and_(_earlier.c.state == _PENDING, _earlier.c.id < mine.c.id)
    return (
        sa.select(mine.c.id, sa.func.max(_earlier.c.id).label("earlier"))
        .select_from(mine.join(_earlier, sa.and_(same, waiting)))
        .where(mine.c.id.in_(sa.bindparam("ids", expanding=True)), mine.c.type != sa.literal_column("'Delete'"))
        .group_by(mine.c.id)
    )


_BEHIND = Hot(sa.union_all(_before(_earlier.c.subject), _before(_earlier.c.activity_id)))


def still_pending(tx: Tx, ids: Sequence[int]) -> frozenset[int]:
    """Those that nobody else has finished meanwhile, or is just finishing."""
    return frozenset(row.id for row in tx.all(_STILL, ids=ids))


_THESE = inbox_messages.c.id.in_(sa.bindparam("ids", expanding=True))
_STILL = Hot(
    sa.select(inbox_messages.c.id).where(_THESE, inbox_messages.c.state == _PENDING).with_for_update(skip_locked=True)
)
_DONE = Hot(
    sa.update(inbox_messages)
    .where(_THESE)
    .values(state=sa.literal_column("'done'"), reason=sa.null(), body=sa.literal_column("NULL"))
)


def record(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Write the new states; the plain case, done without a remark, is one statement for all."""
    plain = [outcome.row.id for outcome in outcomes if outcome.is_plain]
    if plain:
        tx.run(_DONE, ids=plain)
    for outcome in outcomes:
        if not outcome.is_plain:
            values = _put_off(tx, outcome) if outcome.put_off else _tried(tx, outcome)
            tx.execute(sa.update(inbox_messages).where(inbox_messages.c.id == outcome.row.id).values(values))


def hold(tx: Tx, rows: Iterable[Stored]) -> None:
    """Messages that were stored as done, and are not: with their words, they are pending like any other."""
    for row in rows:
        tx.execute(
            sa.update(inbox_messages).where(inbox_messages.c.id == row.id).values(state="pending", body=row.body)
        )


def _tried(tx: Tx, outcome: Outcome) -> dict[str, Any]:
    attempts = outcome.row.attempts + 1
    values: dict[str, Any] = {"state": outcome.state, "reason": outcome.reason, "attempts": attempts}
    if outcome.state == "done":
        values["body"] = None
    if outcome.state == "pending":
        values["due_at"] = tx.now + DELAYS[min(attempts, len(DELAYS)) - 1]
    return values


def _put_off(tx: Tx, outcome: Outcome) -> dict[str, Any]:
    """Due again soon, or when the one before it is: a long line must not be looked through again and again.

    A time so near that it may be a lease says nothing, if that one was never tried: it is being looked into just now.
    One that only waits in the same line is due as late as its first, and so is what stands behind it.
    """
    soon = tx.now + PUT_OFF
    if outcome.behind is None:
        return {"due_at": soon}
    columns = (inbox_messages.c.due_at, inbox_messages.c.attempts)
    first = tx.row(sa.select(*columns).where(inbox_messages.c.id == outcome.behind))
    if first is None or (not first.attempts and first.due_at <= tx.now + LEASE):
        return {"due_at": soon}
    return {"due_at": max(soon, first.due_at)}
