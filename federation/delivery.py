"""The sender: takes what waits in `deliveries` to other servers.

The difficulty is not to send, but that a thousand servers fail in a thousand ways and none of them may matter to the
others. So everything is arranged by host.

**Rows are the queue.** `federation.outbox` writes an activity and one row an inbox in the transaction of the fact
itself. A row is `pending` until its host has taken it or it is given up with a reason, and nothing about it is only in
memory: after a crash the same bytes go out again under the same activity id, and the other side knows them by it. A
row names its sender, never a key; the request is signed when it is made, with the key that is in force then.

**One round.** `survey` finds the hosts with something due by walking over an index, two steps a host, so ten thousand
rows for a dead host cost as much as one. Of those that are not busy, paused, blocked or behind an open circuit, each
gets a turn, longest unserved first: a task of its own sends up to 32 items over a few connections. Results are
collected and written many to a transaction. A host is busy until its results are written.

**Order.** Of one object only the first pending row of a host is ever taken, so Create, Update and Delete arrive in
that order, however often one of them had to be tried. Across objects the order is that of their making, and a host
that has to wait keeps it.

**A host that fails** (no connection, no answer in time, 5xx upon 5xx) gets its circuit opened: for 30 seconds, then
twice as long each time, at most 12 hours. When that time is over one item is tried; if it arrives, the circuit is
closed and the rest follows at once, though at no more than the host's rate. That also happens when the host sends
something to us (`circuits.host_is_alive`). Its items do not age meanwhile: no attempt is counted against them. After
14 days of nothing but failure what has waited as long is given up. A 429, and a 503 with Retry-After, open the circuit
for as long as the host asks, at most 24 hours.

**An item that fails** for a reason of its own (4xx) is given up, or put off, alone. Between the two lies the 5xx: on
one item it may mean that the host chokes on this one, as some do on types that they do not know. It counts as the
item's fault when the host took others beside it, or since it failed before; five of these, and the item is given up. As
long as nothing tells whose fault it is, others go first, and an item that chokes again and again waits for itself.

**Nobody is starved.** Hosts that failed last time hold at most 16 of the 96 places, strangers at most 48, so a flood
of black holes leaves room for those that are known to work.

**Several workers** may share a PostgreSQL: they lease rows (`FOR UPDATE SKIP LOCKED`). On SQLite there is one worker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from federation import queue, retry
from federation.authors import Author, Authors
from federation.circuits import TOPIC
from federation.client import Client
from federation.clock import Clock
from federation.documents import TOPIC as DOCUMENTS
from federation.errors import FederationError
from federation.ids import Ids
from federation.known_actors import TOPIC as ACTORS
from federation.outcomes import Result, settle
from federation.policy import Policy
from federation.queue import Job, Waiting
from federation.rates import Limiter, Rate
from federation.sending import Sender, Turn
from federation.storage import Database

POLL_SECONDS = 5.0
GATHER_SECONDS = 0.02
SETTLE_AFTER_SECONDS = 0.1
SETTLE_AT = 64
TIDY_SECONDS = 3_600.0
MEND_SECONDS = 60.0
AFTER_FAULT = timedelta(minutes=1)
BACKLOG_AGE = timedelta(minutes=1)
MAX_BODIES = 256
MAX_HOSTS = 50_000

_log = structlog.get_logger()

HOST_RATE = Rate(per_second=20, burst=100)


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """hosts: that are served at once; suspects: of them, those that failed last time; strangers: of them, those to
    which nothing was delivered yet. batch: items a turn. lanes: connections a host. rate: items a host.
    """

    hosts: int = 96
    suspects: int = 16
    strangers: int = 48
    batch: int = 32
    lanes: int = 4
    rate: Rate = HOST_RATE


DEFAULT_LIMITS = DeliveryLimits()


class DeliveryWorker:
    """See the module's docstring."""

    def __init__(
        self,
        db: Database,
        client: Client,
        authors: Authors,
        ids: Ids,
        clock: Clock,
        *,
        limits: DeliveryLimits = DEFAULT_LIMITS,
    ) -> None:
        self._db = db
        self._sender = Sender(db, client)
        self._authors = authors
        self._clock = clock
        self._limits = limits
        self._policy = Policy()
        self._rates = Limiter(limits.rate)
        self._wake = asyncio.Event()
        self._turns: dict[str, tuple[asyncio.Task[None], Turn]] = {}
        self._results: list[Result] = []
        self._results_since = 0.0
        self._served: dict[str, int] = {}
        self._turn_count = 0
        self._bodies: dict[str, bytes] = {}
        self._senders: dict[str, Author] = {}
        self._changes = 0
        self._next_at: datetime | None = None
        self._rate_wait: float | None = None
        self._idle_until: dict[str, datetime] = {}
        self._tidied_at: float | None = None
        self._mended_at = 0.0
        self._mended_now = clock.now()
        self._policy_is_loaded = False
        self._policy.watch(db)
        db.subscribe(TOPIC, self._heard)
        db.subscribe(ACTORS, self._forget_sender)
        db.subscribe(DOCUMENTS, self._forget_body)

    async def run(self) -> None:
        """Work until cancelled; what is under way then is still a row."""
        try:
            while True:
                self._wake.clear()
                if not await self._guarded_step():
                    await self._rest()
                elif self._turns:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Write down what has come, and give back what is in hand: another worker need not wait for its lease."""
        tasks = [task for task, _ in self._turns.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._settle()

    async def _guarded_step(self) -> int:
        """A step of which nothing but a cancellation gets out."""
        try:
            return await self.step()
        except Exception as error:  # noqa: BLE001  the worker goes on whatever happens
            _log.error("delivery.step_failed", error=str(error)[:500], exc_info=not isinstance(error, FederationError))
            await asyncio.sleep(1)
            return 0

    async def _rest(self) -> None:
        """Until something is due, or a turn is over, or somebody has queued something."""
        wait = POLL_SECONDS
        if self._results:
            wait = SETTLE_AFTER_SECONDS
        if self._next_at is not None:
            wait = min(wait, max(0.01, (self._next_at - self._clock.now()).total_seconds()))
        if self._rate_wait is not None:
            wait = min(wait, self._rate_wait)
        try:
            await asyncio.wait_for(self._wake.wait(), wait)
        except TimeoutError:
            return

    async def step(self) -> int:
        """Write down what has come, and give every host that is due its turn; returns how many items of both."""
        settled = await self._settle() if self._is_time_to_settle() else 0
        return settled + await self._begin_turns()

    async def drain(self) -> int:
        """Steps until nothing is due and nothing under way; returns how many results there were."""
        total = 0
        while True:
            settled = await self._settle()
            total += settled
            begun = await self._begin_turns()
            if self._turns:
                await asyncio.wait([task for task, _ in self._turns.values()], return_when=asyncio.FIRST_COMPLETED)
            elif not settled and not begun:
                if self._rate_wait is None:
                    return total
                await asyncio.sleep(self._rate_wait)

    # choosing

    async def _begin_turns(self) -> int:
        if not self._policy_is_loaded:
            await self._db.read(self._policy.load)
            self._policy_is_loaded = True
        survey = await self._db.read(queue.survey)
        if await self._keep_house(survey):
            survey = await self._db.read(queue.survey)
        rooms = self._choose(survey.waiting)
        if not rooms:
            return 0
        known = dict(self._senders)  # one of them may be forgotten meanwhile: whoever saves a profile is told of here
        changes = self._changes
        scope = self._db.read if self._db.is_sqlite else self._db.write
        taken = await scope(
            queue.take,
            rooms,
            self._authors,
            bodies=frozenset(self._bodies),
            senders=known.keys(),
            lease=not self._db.is_sqlite,
        )
        self._bodies |= taken.bodies
        self._senders |= taken.senders
        for waiting in survey.waiting:
            if waiting.host in rooms:
                self._begin(waiting, taken.jobs.get(waiting.host, []), known | taken.senders)
        if changes != self._changes:  # what was read meanwhile may be from before
            self._forget_body(None)
            self._forget_sender(None)
        self._bound_memory()
        return sum(map(len, taken.jobs.values()))

    def _begin(self, waiting: Waiting, jobs: list[Job], senders: dict[str, Author]) -> None:
        if not jobs:  # what is due there waits for something that is not
            self._idle_until[waiting.host] = self._clock.now() + timedelta(seconds=POLL_SECONDS)
            return
        self._turn_count += 1
        self._served[waiting.host] = self._turn_count
        bodies = {job.activity_id: self._bodies.get(job.activity_id) for job in jobs}
        turn = Turn(waiting, deque(jobs), bodies, senders, waiting.scheme, self._lanes(waiting, jobs))
        self._turns[waiting.host] = asyncio.create_task(self._sender.serve(turn, self._note)), turn

    def _lanes(self, waiting: Waiting, jobs: Sequence[Job]) -> int:
        """What has waited goes one after the other, and so does what goes to a host that we do not know yet."""
        has_waited = self._clock.now() - jobs[0].created_at > BACKLOG_AGE
        return self._limits.lanes if waiting.known_good and not has_waited else 1

    def _choose(self, waiting: Sequence[Waiting]) -> dict[str, int]:
        """Which hosts get a turn now, and for how many items; notes when the next one may be due."""
        now = self._clock.now()
        rooms: dict[str, int] = {}
        places = _Places(self._limits, [turn.waiting for _, turn in self._turns.values()])
        self._next_at, self._rate_wait = None, None
        for host in sorted(waiting, key=lambda host: self._served.get(host.host, 0)):
            if host.paused or host.host in self._turns or self._policy.blocked(host.host):
                continue
            free_at = self._free_at(host, now)
            if free_at > now:
                self._next_at = min(free_at, self._next_at or free_at)
            elif places.take(host) and (room := self._room(host)):
                rooms[host.host] = room
        return rooms

    def _free_at(self, host: Waiting, now: datetime) -> datetime:
        """When a host may have its turn."""
        times = [host.due_at, self._idle_until.get(host.host, now)]
        if host.retry_at is not None and retry.is_open(host.retry_at, now):
            times.append(host.retry_at)
        return max(times)

    def _room(self, host: Waiting) -> int:
        """How many items the host's rate allows now; one for a host that failed last time."""
        at, wanted = asyncio.get_running_loop().time(), 1 if host.failures else self._limits.batch
        wait = self._rates.take(host.host, at, wanted)
        if not wait:
            return wanted
        left = int(wanted - wait * self._limits.rate.per_second)
        if left > 0 and not self._rates.take(host.host, at, left):
            return left
        wait = self._rates.wait(host.host, at)
        self._rate_wait = min(wait, self._rate_wait or wait)
        return 0

    # writing down

    def _note(self, *results: Result) -> None:
        """Results of a turn that goes on; none says that it is over."""
        if results and not self._results:
            self._results_since = asyncio.get_running_loop().time()
        self._results.extend(results)
        if not results or len(self._results) >= SETTLE_AT:
            self._wake.set()

    def _is_time_to_settle(self) -> bool:
        if len(self._results) >= SETTLE_AT or all(task.done() for task, _ in self._turns.values()):
            return True
        return bool(self._results) and self._age_of_results() >= SETTLE_AFTER_SECONDS

    def _age_of_results(self) -> float:
        return asyncio.get_running_loop().time() - self._results_since

    async def _settle(self) -> int:
        """Write results in one scope; only then do hosts whose turn is over come free."""
        over = [host for host, (task, _) in self._turns.items() if task.done()]
        results, self._results = self._results, []
        if results:
            try:
                await self._db.write(settle, results)
            except BaseException:
                self._results = results + self._results
                raise
        for host in over:
            task, _ = self._turns.pop(host)
            if not task.cancelled() and task.exception() is not None:
                _log.error("delivery.fault", host=host, exc_info=task.exception())
                self._idle_until[host] = self._clock.now() + AFTER_FAULT
        return len(results)

    # keeping house

    async def _keep_house(self, survey: queue.Survey) -> bool:
        """What is blocked now is given up; what a wrong clock did is mended; what is old is forgotten.

        Returns whether the queue has changed by it.
        """
        blocked = [waiting.host for waiting in survey.waiting if self._policy.blocked(waiting.host)]
        if blocked:
            await self._db.write(queue.give_up_hosts, blocked, "its host is blocked")
        at, now = asyncio.get_running_loop().time(), self._clock.now()
        if self._tidied_at is None or at - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = at
            await self._db.write(queue.tidy)
            await self._db.write(queue.mend_clock)
        elif survey.clock_went_back and (at - self._mended_at >= MEND_SECONDS or now < self._mended_now):
            self._mended_at = at
            await self._db.write(queue.mend_clock)
        else:
            self._mended_now = now
            return bool(blocked)
        self._mended_now = now
        return True

    def _bound_memory(self) -> None:
        """Turns hold what they need; here stays what the next one probably needs too."""
        while len(self._bodies) > MAX_BODIES:
            del self._bodies[next(iter(self._bodies))]
        if len(self._served) > MAX_HOSTS:
            self._served.clear()
        now = self._clock.now()
        self._idle_until = {host: until for host, until in self._idle_until.items() if until > now}

    def _heard(self, payload: str | None) -> None:
        self._idle_until.clear()
        self._wake.set()

    def _forget_body(self, payload: str | None) -> None:
        """An activity that waits may have been signed anew (`federation.rotating`)."""
        self._changes += 1
        if payload is None:
            self._bodies.clear()
        else:
            self._bodies.pop(payload, None)

    def _forget_sender(self, payload: str | None) -> None:
        self._changes += 1
        if payload is None:
            self._senders.clear()
        else:
            self._senders.pop(payload, None)


class _Places:
    """How many hosts of each kind may still begin."""

    def __init__(self, limits: DeliveryLimits, served: Sequence[Waiting]) -> None:
        self._all = limits.hosts - len(served)
        self._suspects = limits.suspects - sum(host.failures > 0 for host in served)
        self._strangers = limits.strangers - sum(not host.known_good for host in served)

    def take(self, host: Waiting) -> bool:
        """Whether there is a place for this host; it is taken then."""
        suspect, stranger = host.failures > 0, not host.known_good
        if self._all <= 0 or (suspect and self._suspects <= 0) or (stranger and self._strangers <= 0):
            return False
        self._all -= 1
        self._suspects -= suspect
        self._strangers -= stranger
        return True
