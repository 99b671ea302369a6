"""What messages do here: the handlers, applied in the scope in which it is recorded that they were.

What fails is undone alone: those of a batch share a savepoint, and have one each only when one fails half-way. The
order in which an actor spoke about one thing is kept: what is to be tried again later holds back what came after it.
The inbox worker applies what it has made ready; the door, what needs nobody to be asked, in the very scope in which it
is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from federation import handlers as verbs
from federation import messages
from federation.authors import Authors
from federation.circuits import host_is_alive
from federation.errors import FederationError
from federation.forwarding import pass_on
from federation.ids import Ids
from federation.interest import Interest, interest_in
from federation.messages import Outcome, Stored
from federation.objects import ObjectsDeleted
from federation.policy import Policy
from federation.storage import Tx
from federation.transaction import Entangled
from federation.types import Received
from schemas.errors import SchemaError
from schemas.urls import host_of

MAX_FAULTS = 5
MAX_ASKED = 10
_Part = Callable[[], AbstractContextManager[None]]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that only needs the database."""

    row: Stored
    received: Received


class Effects:
    """See the module's docstring. `deleted` hears of every object that became a tombstone, in the same scope."""

    def __init__(
        self,
        ids: Ids,
        authors: Authors,
        handlers: verbs.Table,
        policy: Policy,
        *,
        deleted: ObjectsDeleted | None = None,
    ) -> None:
        self._ids = ids
        self._authors = authors
        self._tables = (handlers, verbs.shared(deleted))
        self._policy = policy

    def apply(self, tx: Tx, results: Sequence[Ready | Outcome]) -> list[Outcome]:
        """Let those that are ready have their effect, and record what became of all that are still pending."""
        pending = messages.still_pending(tx, [result.row.id for result in results])
        outcomes = self._apply(tx, [result for result in results if result.row.id in pending])
        messages.record(tx, outcomes)
        return outcomes

    def apply_new(self, tx: Tx, ready: Sequence[Ready]) -> list[Outcome]:
        """The same for messages that this scope has stored as done; what does not end so is held for the worker."""
        before = messages.behind(tx, [one.row for one in ready]) if ready else {}
        outcomes = self._apply(tx, [_waiting(one, before.get(one.row.id)) for one in ready])
        messages.hold(tx, [outcome.row for outcome in outcomes if outcome.state != "done"])
        messages.record(tx, [outcome for outcome in outcomes if not outcome.is_plain])
        return outcomes

    def _apply(self, tx: Tx, results: Sequence[Ready | Outcome]) -> list[Outcome]:
        mine = sorted(results, key=lambda result: result.row.id)
        received = [result.received for result in mine if isinstance(result, Ready)]
        if not received:
            return [result for result in mine if isinstance(result, Outcome)]
        interest = interest_in(tx, self._ids, received)
        try:
            with tx.savepoint():
                outcomes = self._each(tx, mine, interest, tx.shared)
        except Entangled:  # hardly ever: what will not be taken is nearly always seen before anything is written
            outcomes = self._each(tx, mine, interest, tx.savepoint)
        host_is_alive(tx, *{host_of(one.signer.actor_id) for one in received})
        return outcomes

    def _each(self, tx: Tx, mine: Sequence[Ready | Outcome], interest: Interest, part: _Part) -> list[Outcome]:
        """In their order; what one leaves undone holds back what comes after it."""
        outcomes: list[Outcome] = []
        stuck: dict[tuple[str, str | None], int] = {}
        for result in mine:
            outcome = result if isinstance(result, Outcome) else self._one(tx, result, interest, stuck, part)
            if outcome.state == "pending":
                for thing in (result.row.subject, result.row.activity_id):
                    stuck[result.row.actor_id, thing] = result.row.id
            outcomes.append(outcome)
        return outcomes

    def _one(
        self, tx: Tx, ready: Ready, interest: Interest, stuck: dict[tuple[str, str | None], int], part: _Part
    ) -> Outcome:
        row = ready.row
        earlier = None if row.subject is None or row.type == "Delete" else stuck.get((row.actor_id, row.subject))
        if earlier is not None:
            return Outcome(row, "pending", put_off=True, behind=earlier)
        handler = self._handler(ready.received)
        if handler is None:
            return Outcome(row, "done", "nothing here handles it")
        if not interest.covers(ready.received, self._policy):
            return Outcome(row, "done", "it concerns nobody here")
        try:
            with part():
                handler(tx, ready.received, self._authors)
                pass_on(tx, ready.received, self._authors)
        except Entangled:
            raise
        except DBAPIError as error:
            if not isinstance(error, IntegrityError | DataError):
                raise  # the scope itself is lost
            return faulty(row, error)
        except (FederationError, SchemaError) as error:
            return failed(row, error)
        except Exception as error:  # noqa: BLE001  a fault of ours about this message
            return faulty(row, error)
        return Outcome(row, "done")

    def _handler(self, received: Received) -> verbs.Handler | None:
        kind = None if received.object is None else received.object.get("type")
        object_type = kind if isinstance(kind, str) else None
        for table in self._tables:
            handler = verbs.find(table, received.envelope.type, object_type)
            if handler is not None:
                return handler
        return None


def _waiting(ready: Ready, behind: int | None) -> Ready | Outcome:
    return ready if behind is None else Outcome(ready.row, "pending", put_off=True, behind=behind)


def failed(row: Stored, error: Exception) -> Outcome:
    """An error of the message, or of somebody whom it needs."""
    reason = f"{type(error).__name__}: {error}"[:1000]
    if isinstance(error, FederationError) and error.retry and row.attempts + 1 < MAX_ASKED:
        return Outcome(row, "pending", reason)
    return Outcome(row, "refused", reason)


def faulty(row: Stored, error: Exception) -> Outcome:
    """A fault of ours."""
    reason = f"{type(error).__name__}: {error}"[:1000]
    state = "parked" if row.attempts + 1 >= MAX_FAULTS else "pending"
    return Outcome(row, state, reason, error)


def report(outcome: Outcome) -> None:
    """Tell the operator, once the scope is on the disk."""
    if outcome.fault is not None:
        level = _log.error if outcome.row.attempts == 0 or outcome.state == "parked" else _log.info
        level("inbox.fault", activity=outcome.row.activity_id, state=outcome.state, exc_info=outcome.fault)
    elif outcome.state != "done" and not outcome.put_off:
        _log.info("inbox.not_applied", activity=outcome.row.activity_id, state=outcome.state, reason=outcome.reason)
