"""Received activities become rows, many to one commit.

Requests that arrive while a commit is under way wait for the next one and share it. `put` returns when the message is
durable, or was already. What needs nobody to be asked has its effect in the same scope, so that most messages are
written once and read by no worker; what fails there, or must wait, is a row for the worker as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from federation.effects import Effects, Ready, report
from federation.errors import Busy
from federation.messages import TOPIC, Outcome, Stored
from federation.retention import already_seen
from federation.statements import HotInsert
from federation.storage import Database, Tx
from federation.tables import inbox_messages
from federation.types import Received, Signer

MAX_SHARED = 64
MAX_WAITING = 2_000
FORWARDED = "forwarded:"
"""Before the key of a message that its actor did not sign: it must not take the place of the one that comes signed."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Message:
    """An authenticated activity, not yet looked into.

    key: what makes it once only, its activity's id. subject: what it is about, within which its actor's order counts.
    received: as its handler takes it, where nobody has to be asked for that.
    """

    key: str
    type: str
    actor_id: str
    subject: str | None
    signer: Signer
    body: bytes
    received: Received | None = None


class Intake:
    """Coalesces; see the module's docstring. Without `effects` everything is left to the worker."""

    def __init__(self, db: Database, effects: Effects | None = None) -> None:
        self._db = db
        self._effects = effects
        self._waiting: list[tuple[Message, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, message: Message) -> None:
        """Return once the message is on the disk. Raises Busy when too many wait, or the database cannot be written."""
        if len(self._waiting) >= MAX_WAITING:
            raise Busy("too many messages wait to be stored")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, future))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await future

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_SHARED], self._waiting[MAX_SHARED:]
                writing = self._write([message for message, _ in batch])
                (result,) = await asyncio.gather(writing, return_exceptions=True)
                _settle([future for _, future in batch], result if isinstance(result, BaseException) else None)
        finally:
            self._flushing = None

    async def _write(self, batch: list[Message]) -> None:
        try:
            outcomes = await self._db.write(self._take, batch)
        except DBAPIError as error:  # of an effect that took the scope with it: what was sent is kept all the same
            _log.warning("inbox.batch_failed", error=str(error.orig)[:500], messages=len(batch))
            await self._db.write(store, batch)
        else:
            for outcome in outcomes:
                report(outcome)

    def _take(self, tx: Tx, batch: list[Message]) -> list[Outcome]:
        if self._effects is None:
            store(tx, batch)
            return []
        stored = store(tx, batch, applied=True)
        outcomes = self._effects.apply_new(tx, [one for one in stored if isinstance(one, Ready)])
        if len(outcomes) < len(stored) or any(outcome.state == "pending" for outcome in outcomes):
            tx.notify(TOPIC)
        return outcomes


def _settle(futures: list[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in futures:
        if future.done():  # its request was cancelled; the message is stored all the same
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def store(tx: Tx, messages: Sequence[Message], *, applied: bool = False) -> list[Ready | Message]:
    """Insert those that are new; the first of two with one id wins.

    A second with another body is logged, as long as what the first said is still here.
    Returns the new ones. applied: those that are `Ready` are stored as done, and the caller sees to that.
    """
    first: dict[str, Message] = {}
    for message in messages:
        first.setdefault(message.key, message)
    seen = already_seen(tx, first)
    rows = [_row(tx, message, applied) for key, message in first.items() if key not in seen]  # in their order
    inserted = tx.put_new(_NEW, rows) if rows else []
    if inserted and not applied:
        tx.notify(TOPIC)
    if len(inserted) != len(messages):
        _compare(tx, messages)
    return [_ready(number, first[key]) for number, key in inserted]


def _ready(number: int, message: Message) -> Ready | Message:
    if message.received is None:
        return message
    row = Stored(number, message.key, message.type, message.actor_id, message.subject, "", message.body)
    return Ready(row, message.received)


_NEW = HotInsert(
    inbox_messages,
    "activity_id",
    returns=("id", "activity_id"),
    columns=(
        "activity_id",
        "type",
        "actor_id",
        "subject",
        "signer",
        "body",
        "received_at",
        "state",
        "attempts",
        "due_at",
    ),
)


def _compare(tx: Tx, messages: Sequence[Message]) -> None:
    columns = (inbox_messages.c.activity_id, inbox_messages.c.body)
    held = tx.rows(sa.select(*columns).where(inbox_messages.c.activity_id.in_([message.key for message in messages])))
    bodies = {row.activity_id: row.body for row in held}
    for message in messages:
        if bodies.get(message.key) not in (None, message.body):
            _log.warning("inbox.same_id_other_body", activity=message.key, actor=message.actor_id)


def _row(tx: Tx, message: Message, applied: bool) -> dict[str, object]:
    """What has its effect in this scope needs no words kept for it, nor a place among those that wait."""
    done = applied and message.received is not None
    return {
        "activity_id": message.key,
        "type": message.type,
        "actor_id": message.actor_id,
        "subject": message.subject,
        "signer": msgspec.json.encode(message.signer).decode(),
        "body": None if done else message.body,
        "received_at": tx.now,
        "state": "done" if done else "pending",
        "attempts": 0,
        "due_at": tx.now,
    }
