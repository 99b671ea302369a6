"""The inbox worker: stored messages have their effect, each exactly once, and none stops the others.

    pending --- handler ran, or nothing handles it ---------> done
       |------- malformed, forbidden, nobody here ----------> refused   (reason kept, no effect)
       |------- somebody could not be asked ----------------> pending   (later; refused after two days)
       `------- a fault of ours, five times ----------------> parked    (for the operator)

A step reads what is due, lets what needs the network fetch it, and applies everything that is ready in one write
scope: a savepoint a message, and its new state in the same scope as its effect. Messages that wait for a slow server
are taken out of the way; the others go on without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from federation import handlers as verbs
from federation import prepare
from federation.authenticate import Authenticator
from federation.authors import Authors
from federation.errors import FederationError
from federation.ids import Ids
from federation.intake import TOPIC
from federation.objects import ObjectsDeleted
from federation.policy import Policy
from federation.resolve import Resolver
from federation.storage import Database, Tx
from federation.tables import follows, inbox_messages
from federation.types import Received
from schemas.errors import SchemaError
from schemas.urls import host_of

BATCH = 64
AT_ONCE = 32  # messages that wait for other servers
GRACE_SECONDS = 0.02  # how long a batch waits for what is probably known here already
POLL_SECONDS = 5.0
LEASE = timedelta(minutes=2)
MAX_FAULTS = 5
MAX_ASKED = 10
DELAYS = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 3600, 7200, 14400, 28800, 57600))
FOR_AUDIENCE = frozenset({"Create", "Announce"})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that only needs the database."""

    row: Row[Any]
    received: Received


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a message."""

    row: Row[Any]
    state: str
    reason: str | None = None
    fault: BaseException | None = None


class InboxWorker:
    """See the module's docstring. `deleted` hears of every object that became a tombstone, in the same scope."""

    def __init__(
        self,
        db: Database,
        resolver: Resolver,
        ids: Ids,
        authors: Authors,
        handlers: verbs.Table,
        policy: Policy,
        *,
        deleted: ObjectsDeleted | None = None,
    ) -> None:
        self._db = db
        self._ids = ids
        self._authors = authors
        self._tables = (handlers, verbs.shared(deleted))
        self._policy = policy
        self._preparer = prepare.Preparer(db, ids, resolver, Authenticator(ids, resolver, policy, db.clock))
        self._wake = asyncio.Event()
        self._asking: dict[asyncio.Task[Ready | Outcome], int] = {}
        db.subscribe(TOPIC, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
                if not await self._guarded_step():
                    await self._rest()
        finally:
            for task in self._asking:
                task.cancel()

    async def _guarded_step(self) -> int:
        """A step of which nothing but a cancellation gets out."""
        try:
            return await self.step()
        except Exception as error:  # noqa: BLE001  the worker goes on whatever happens
            _log.error("inbox.step_failed", error=str(error)[:500], exc_info=not isinstance(error, FederationError))
            await asyncio.sleep(1)
            return 0

    async def _rest(self) -> None:
        waking = asyncio.create_task(self._wake.wait())
        await asyncio.wait([waking, *self._asking], timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()

    async def step(self) -> int:
        """Take what is due as far as it goes now; returns how many messages it has finished or put off."""
        rows = await self._due()
        read = [self._read(row) for row in rows]
        results = [result for result in read if result is not None] + await self._answers()
        if results:
            await self._settle(results)
        return len(results)

    async def drain(self) -> int:
        """Steps until nothing is due and nobody is being asked; returns how many messages were taken."""
        total = 0
        while True:
            taken = await self.step()
            total += taken
            if not taken and not self._asking:
                return total
            if not taken:
                await asyncio.wait(self._asking, return_when=asyncio.FIRST_COMPLETED)

    async def _due(self) -> Sequence[Row[Any]]:
        room = min(BATCH, AT_ONCE - len(self._asking) + BATCH // 2) if len(self._asking) < AT_ONCE else 0
        if not room:
            return ()
        if self._db.is_sqlite:  # one process: what it has in hand it knows itself
            return await self._db.read(due, room, list(self._asking.values()))
        return await self._db.write(lease, room)

    def _read(self, row: Row[Any]) -> Ready | Outcome | None:
        """What can be said at once; None when somebody has to be asked first."""
        try:
            draft = prepare.read(row.body, row.signer)
            if self._policy.blocked(host_of(row.actor_id)):
                return Outcome(row, "refused", "its host is blocked")
        except (FederationError, SchemaError) as error:
            return _failed(row, error)
        if draft.is_ready:
            return Ready(row, draft.received)
        self._asking[asyncio.create_task(self._ask(row, draft))] = row.id
        return None

    async def _ask(self, row: Row[Any], draft: prepare.Draft) -> Ready | Outcome:
        try:
            return Ready(row, await self._preparer.complete(draft))
        except (FederationError, SchemaError) as error:
            return _failed(row, error)
        except Exception as error:  # noqa: BLE001  a fault of ours about this message
            return _faulty(row, error)

    async def _answers(self) -> list[Ready | Outcome]:
        if not self._asking:
            return []
        done, _ = await asyncio.wait(self._asking, timeout=GRACE_SECONDS)
        for task in done:
            del self._asking[task]
        return [task.result() for task in done]

    async def _settle(self, results: Sequence[Ready | Outcome]) -> None:
        """All in one scope; if that is not to be had, each in its own, so that one cannot hold back the rest."""
        try:
            outcomes = await self._db.write(self._apply, results)
        except DBAPIError as error:
            _log.warning("inbox.batch_failed", error=str(error.orig)[:500], messages=len(results))
            outcomes = [await self._settle_alone(result) for result in results]
        for outcome in outcomes:
            _report(outcome)

    async def _settle_alone(self, result: Ready | Outcome) -> Outcome:
        try:
            (outcome,) = await self._db.write(self._apply, [result])
        except DBAPIError as error:
            outcome = _faulty(result.row, error)
            await self._db.write(_record, [outcome])
        return outcome

    def _apply(self, tx: Tx, results: Sequence[Ready | Outcome]) -> list[Outcome]:
        pending = _still_pending(tx, [result.row.id for result in results])
        mine = [result for result in results if result.row.id in pending]
        heard = _followed_here(tx, [result.row.actor_id for result in mine if isinstance(result, Ready)])
        outcomes = [self._apply_one(tx, result, heard) for result in sorted(mine, key=lambda result: result.row.id)]
        _record(tx, outcomes)
        return outcomes

    def _apply_one(self, tx: Tx, result: Ready | Outcome, heard: frozenset[str]) -> Outcome:
        if isinstance(result, Outcome):
            return result
        handler = self._handler(result.received)
        if handler is None:
            return Outcome(result.row, "done", "nothing here handles it")
        if not self._concerns_us(result.received, heard):
            return Outcome(result.row, "done", "it concerns nobody here")
        tx.connection.exec_driver_sql("SAVEPOINT message")
        try:
            handler(tx, result.received, self._authors)
            outcome = Outcome(result.row, "done")
        except DBAPIError as error:
            if not isinstance(error, IntegrityError | DataError):
                raise  # the scope itself is lost
            outcome = _faulty(result.row, error)
        except (FederationError, SchemaError) as error:
            outcome = _failed(result.row, error)
        except Exception as error:  # noqa: BLE001  a fault of ours about this message
            outcome = _faulty(result.row, error)
        if outcome.state != "done":
            tx.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT message")
        tx.connection.exec_driver_sql("RELEASE SAVEPOINT message")
        return outcome

    def _handler(self, received: Received) -> verbs.Handler | None:
        kind = None if received.object is None else received.object.get("type")
        object_type = kind if isinstance(kind, str) else None
        for table in self._tables:
            handler = verbs.find(table, received.envelope.type, object_type)
            if handler is not None:
                return handler
        return None

    def _concerns_us(self, received: Received, heard: frozenset[str]) -> bool:
        """New things are kept only if somebody here follows their author, or they name somebody or something here."""
        if received.envelope.type not in FOR_AUDIENCE or received.envelope.actor in heard:
            return True
        return prepare.names_local(received, self._ids)


_COLUMNS = (
    inbox_messages.c.id,
    inbox_messages.c.activity_id,
    inbox_messages.c.actor_id,
    inbox_messages.c.signer,
    inbox_messages.c.body,
    inbox_messages.c.attempts,
)


def due(tx: Tx, limit: int, without: Sequence[int]) -> Sequence[Row[Any]]:
    """The oldest messages that are due, but those in hand."""
    statement = (
        sa.select(*_COLUMNS)
        .where(inbox_messages.c.state == sa.literal_column("'pending'"), inbox_messages.c.due_at <= tx.now)
        .order_by(inbox_messages.c.due_at, inbox_messages.c.id)
        .limit(limit)
    )
    if without:
        statement = statement.where(inbox_messages.c.id.not_in(without))
    return tx.rows(statement)


def lease(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """The same where several workers share a database: what one takes, the others leave alone for a while."""
    oldest = (
        sa.select(inbox_messages.c.id)
        .where(inbox_messages.c.state == sa.literal_column("'pending'"), inbox_messages.c.due_at <= tx.now)
        .order_by(inbox_messages.c.due_at, inbox_messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    take = (
        sa.update(inbox_messages)
        .where(inbox_messages.c.id.in_(oldest))
        .values(due_at=tx.now + LEASE)
        .returning(*_COLUMNS)
    )
    return sorted(tx.execute(take).all(), key=lambda row: row.id)


def _still_pending(tx: Tx, ids: Sequence[int]) -> frozenset[int]:
    statement = sa.select(inbox_messages.c.id).where(inbox_messages.c.id.in_(ids), inbox_messages.c.state == "pending")
    return frozenset(row.id for row in tx.rows(statement.with_for_update(skip_locked=True)))


def _followed_here(tx: Tx, actor_ids: Sequence[str]) -> frozenset[str]:
    if not actor_ids:
        return frozenset()
    statement = sa.select(follows.c.followee).distinct()
    wanted = statement.where(follows.c.followee.in_(set(actor_ids)), follows.c.state == "accepted")
    return frozenset(row.followee for row in tx.rows(wanted))


def _record(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """The new states; the plain case, done without a remark, is one statement for all."""
    plain = [outcome.row.id for outcome in outcomes if outcome.state == "done" and outcome.reason is None]
    if plain:
        tx.execute(sa.update(inbox_messages).where(inbox_messages.c.id.in_(plain)).values(state="done"))
    for outcome in outcomes:
        if outcome.state == "done" and outcome.reason is None:
            continue
        attempts = outcome.row.attempts + 1
        values = {"state": outcome.state, "reason": outcome.reason, "attempts": attempts}
        if outcome.state == "pending":
            values["due_at"] = tx.now + DELAYS[min(attempts, len(DELAYS)) - 1]
        tx.execute(sa.update(inbox_messages).where(inbox_messages.c.id == outcome.row.id).values(values))


def _failed(row: Row[Any], error: Exception) -> Outcome:
    """An error of the message, or of somebody whom it needs."""
    reason = f"{type(error).__name__}: {error}"[:1000]
    if isinstance(error, FederationError) and error.retry and row.attempts + 1 < MAX_ASKED:
        return Outcome(row, "pending", reason)
    return Outcome(row, "refused", reason)


def _faulty(row: Row[Any], error: Exception) -> Outcome:
    """A fault of ours."""
    reason = f"{type(error).__name__}: {error}"[:1000]
    state = "parked" if row.attempts + 1 >= MAX_FAULTS else "pending"
    return Outcome(row, state, reason, error)


def _report(outcome: Outcome) -> None:
    if outcome.fault is not None:
        level = _log.error if outcome.row.attempts == 0 or outcome.state == "parked" else _log.info
        level("inbox.fault", activity=outcome.row.activity_id, state=outcome.state, exc_info=outcome.fault)
    elif outcome.state != "done":
        _log.info("inbox.not_applied", activity=outcome.row.activity_id, state=outcome.state, reason=outcome.reason)
