"""The inbox worker: stored messages have their effect, each exactly once, and none stops the others.

    pending --- handler ran, or nothing handles it ---------> done
       |------- malformed, forbidden, nobody here ----------> refused   (reason kept, no effect)
       |------- somebody could not be asked ----------------> pending   (later; refused after ten times in 31 hours)
       `------- a fault of ours, five times ----------------> parked    (for the operator)

A step reads what is due, lets what needs the network fetch it, and applies everything that is ready in one write
scope: a savepoint a message, and its new state in the same scope as its effect. Messages that wait for a slow server
are taken out of the way; the others go on without them, and no server has more than a few of them waiting at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from federation import messages, prepare
from federation.authenticate import Authenticator
from federation.effects import Effects, Ready, failed, faulty, report
from federation.errors import FederationError
from federation.ids import Ids
from federation.interest import interest_in
from federation.messages import TOPIC, Outcome, Stored
from federation.policy import Policy
from federation.resolve import Resolver
from federation.storage import Database, Tx
from federation.types import Received
from schemas.errors import SchemaError
from schemas.urls import host_of

BATCH = 64
AT_ONCE = 64  # messages that wait for other servers
AT_ONCE_OF_HOST = 8
GRACE_SECONDS = 0.02  # how long a batch waits for what is probably known here already
CLOCK_SLACK = timedelta(seconds=2)
GATHER_SECONDS = 0.02  # for a fuller batch: a scope for each message would cost three times as much
POLL_SECONDS = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Ask:
    """A message that needs other servers first."""

    row: Stored
    draft: prepare.Draft


class InboxWorker:
    """See the module's docstring."""

    def __init__(self, db: Database, resolver: Resolver, ids: Ids, policy: Policy, effects: Effects) -> None:
        self._db = db
        self._ids = ids
        self._policy = policy
        self._effects = effects
        self._preparer = prepare.Preparer(db, ids, resolver, Authenticator(ids, resolver, policy, db.clock))
        self._wake = asyncio.Event()
        self._asking: dict[asyncio.Task[Ready | Outcome], Stored] = {}
        self._leased: set[int] = set()
        self._latest: datetime | None = None
        policy.watch(db)
        db.subscribe(TOPIC, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
                taken = await self._guarded_step()
                if not taken:
                    await self._rest()
                if taken < BATCH // 2:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            for task in self._asking:
                task.cancel()
            if self._leased:
                await self._db.write(messages.release, list(self._leased))

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
        rows, waiting = await self._due()
        results: list[Ready | Outcome] = []
        asks: list[_Ask] = []
        free: set[int] = set()  # what others of this batch may follow on
        for row in rows:
            read = self._read(row, waiting.get(row.id), free)
            if isinstance(read, _Ask):
                asks.append(read)
            else:
                results.append(read)
            if isinstance(read, Ready) or (isinstance(read, Outcome) and read.state != "pending"):
                free.add(row.id)
        if asks:
            results += await self._start(asks)
        results += await self._answers()
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

    async def _due(self) -> tuple[list[Stored], dict[int, int]]:
        now = self._db.clock.now()
        if self._latest is None or now < self._latest - CLOCK_SLACK:  # a start, or a clock that was put back
            await self._db.write(messages.mend_clock)
        self._latest = now
        if self._db.is_sqlite:  # one process: what it has in hand it knows itself
            return await self._db.read(_due, [row.id for row in self._asking.values()])
        rows, waiting = await self._db.write(_lease)
        self._leased |= {row.id for row in rows}
        return rows, waiting

    def _read(self, row: Stored, behind: int | None, free: set[int]) -> Ready | Outcome | _Ask:
        """What can be said at once."""
        if behind is not None and behind not in free:
            return Outcome(row, "pending", put_off=True, behind=behind)
        try:
            draft = prepare.read(row.body, row.signer)
            if self._policy.blocked(host_of(row.actor_id)) or self._involves_blocked(draft.received):
                return Outcome(row, "refused", "its host is blocked")
        except (FederationError, SchemaError) as error:
            return failed(row, error)
        received = self._preparer.at_once(draft)
        return _Ask(row, draft) if received is None else Ready(row, received)

    def _involves_blocked(self, received: Received) -> bool:
        """Nobody else brings in what a blocked host says (SECURITY 134)."""
        announced = received.object_id if received.envelope.type in prepare.NAMES_OBJECT else None
        return announced is not None and self._policy.blocked(host_of(announced))

    async def _start(self, asks: Sequence[_Ask]) -> list[Ready | Outcome]:
        """Ask for what concerns somebody here, as far as there is room; nothing leaves the node for the rest."""
        interest = await self._db.read(interest_in, self._ids, [ask.draft.received for ask in asks])
        patience = asyncio.get_running_loop().time() + GRACE_SECONDS
        left: list[Ready | Outcome] = []
        for ask in asks:
            if not interest.covers(ask.draft.received, self._policy):
                left.append(Outcome(ask.row, "done", "it concerns nobody here"))
            elif not await self._room(host_of(ask.row.actor_id), patience):
                left.append(Outcome(ask.row, "pending", put_off=True))
            else:
                self._asking[asyncio.create_task(self._ask(ask))] = ask.row
        return left

    async def _room(self, host: str, patience: float) -> bool:
        """Whether one more may be asked for. Where the key is known nobody is asked, and room comes back at once."""
        while True:
            asking = [task for task in self._asking if not task.done()]
            of_host = [task for task in asking if host_of(self._asking[task].actor_id) == host]
            if len(asking) < AT_ONCE and len(of_host) < AT_ONCE_OF_HOST:
                return True
            left = patience - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(of_host or asking, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _ask(self, ask: _Ask) -> Ready | Outcome:
        try:
            return Ready(ask.row, await self._preparer.complete(ask.draft))
        except (FederationError, SchemaError) as error:
            return failed(ask.row, error)
        except Exception as error:  # noqa: BLE001  a fault of ours about this message
            return faulty(ask.row, error)

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
            outcomes = await self._db.write(self._effects.apply, results)
        except DBAPIError as error:
            _log.warning("inbox.batch_failed", error=str(error.orig)[:500], messages=len(results))
            outcomes = [await self._settle_alone(result) for result in results]
        self._leased -= {result.row.id for result in results}
        for outcome in outcomes:
            report(outcome)

    async def _settle_alone(self, result: Ready | Outcome) -> Outcome:
        try:
            (outcome,) = await self._db.write(self._effects.apply, [result]) or [Outcome(result.row, "done")]
        except DBAPIError as error:
            outcome = faulty(result.row, error)
            await self._db.write(messages.record, [outcome])
        return outcome


def _due(tx: Tx, in_hand: Sequence[int]) -> tuple[list[Stored], dict[int, int]]:
    rows = messages.due(tx, BATCH, in_hand)
    return rows, messages.behind(tx, rows) if rows else {}


def _lease(tx: Tx) -> tuple[list[Stored], dict[int, int]]:
    rows = messages.lease(tx, BATCH)
    return rows, messages.behind(tx, rows) if rows else {}
