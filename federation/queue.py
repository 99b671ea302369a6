"""What waits to be sent: which hosts have something due, and the next items for each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa

from federation.authors import Author, Authors
from federation.circuits import PENDING
from federation.errors import NotFound
from federation.retry import KEEP_TRYING, KEEP_TRYING_ACTORS, LONGEST_RETRY_AFTER
from federation.storage import Tx
from federation.tables import activities, deliveries, peers
from keys.requests import Scheme

LEASE = timedelta(minutes=2)
KEEP_GIVEN_UP = timedelta(days=60)
KEEP_PEERS = timedelta(days=60)
TIDY_AT_ONCE = 1_000
CLOCK_SLACK = timedelta(minutes=1)


class Waiting(NamedTuple):
    """A host with something to send. due_at: of its earliest item; the rest is its row of `peers`."""

    host: str
    due_at: datetime
    scheme: Scheme | None
    failures: int
    retry_at: datetime | None
    paused: bool
    known_good: bool


class Job(NamedTuple):
    """One delivery to make."""

    id: int
    activity_id: str
    sender: str
    inbox: str
    host: str
    recipients: str | None
    object_id: str
    attempts: int
    created_at: datetime
    last_error: str | None

    @property
    def failed_before(self) -> bool:
        """Whether a try has ended in a way that may be its own fault."""
        return self.attempts > 0 or self.last_error is not None

    @property
    def keep(self) -> timedelta:
        """For how long it is tried: longer when it is about its sender."""
        return KEEP_TRYING_ACTORS if self.object_id == self.sender else KEEP_TRYING


class Taken(NamedTuple):
    """Jobs by host, with the bodies and senders that were asked for."""

    jobs: dict[str, list[Job]]
    bodies: dict[str, bytes]
    senders: dict[str, Author]


class Survey(NamedTuple):
    """Every host with pending items; and whether the newest of all items was queued in what is now the future."""

    waiting: list[Waiting]
    clock_went_back: bool


def survey(tx: Tx) -> Survey:
    """Look over the queue: two steps in an index for each host, however many items wait for it."""
    newest: datetime | None = tx.scalar(sa.select(deliveries.c.created_at).order_by(deliveries.c.id.desc()).limit(1))
    return Survey(_waiting(tx), newest is not None and newest > tx.now + CLOCK_SLACK)


def _waiting(tx: Tx) -> list[Waiting]:
    return [
        Waiting(
            row.host,
            row.due_at,
            cast("Scheme | None", row.scheme),
            row.failures or 0,
            row.retry_at,
            bool(row.paused),
            row.last_success is not None,
        )
        for row in tx.rows(_HOSTS)
        if row.due_at is not None
    ]


def _hosts_statement() -> sa.Select[tuple[object, ...]]:
    """A walk over the distinct hosts, each found by the one before (neither database does that for DISTINCT)."""
    first = sa.select(sa.func.min(deliveries.c.host).label("host")).where(PENDING)
    walk = first.cte("waiting", recursive=True)
    following = sa.select(sa.func.min(deliveries.c.host)).where(PENDING, deliveries.c.host > walk.c.host)
    hosts = walk.union_all(sa.select(following.scalar_subquery()).where(walk.c.host.is_not(None)))
    earliest = sa.select(sa.func.min(deliveries.c.due_at)).where(PENDING, deliveries.c.host == hosts.c.host)
    due_at = sa.type_coerce(earliest.scalar_subquery(), deliveries.c.due_at.type).label("due_at")
    known = (peers.c.scheme, peers.c.failures, peers.c.retry_at, peers.c.paused, peers.c.last_success)
    joined = hosts.outerjoin(peers, peers.c.host == hosts.c.host)
    return sa.select(hosts.c.host, due_at, *known).select_from(joined).where(hosts.c.host.is_not(None))


_HOSTS = _hosts_statement()


def take(
    tx: Tx,
    rooms: Mapping[str, int],
    authors: Authors,
    *,
    bodies: Collection[str],
    senders: Collection[str],
    lease: bool,
) -> Taken:
    """Up to so many due items for each host, oldest first, and of one object only the first that waits.

    bodies, senders: what the caller has already. lease: another worker on this database leaves them alone for a while.
    """
    jobs = {host: _jobs(tx, host, room, lease=lease) for host, room in rooms.items()}
    everything = [job for found in jobs.values() for job in found]
    wanted = {job.activity_id for job in everything}.difference(bodies)
    rows = tx.rows(sa.select(activities.c.id, activities.c.body).where(activities.c.id.in_(wanted))) if wanted else ()
    new_senders = {job.sender for job in everything}.difference(senders)
    return Taken(
        {host: found for host, found in jobs.items() if found},
        {row.id: row.body for row in rows},
        _senders(tx, authors, new_senders),
    )


def _senders(tx: Tx, authors: Authors, wanted: Collection[str]) -> dict[str, Author]:
    found = {}
    for sender in wanted:
        try:
            found[sender] = authors.sender(tx, sender)
        except NotFound:
            continue  # the worker gives its items up
    return found


_COLUMNS = [deliveries.c[name] for name in Job._fields]
_earlier = deliveries.alias("earlier")
_WAITS_FOR_ANOTHER = sa.exists().where(
    _earlier.c.object_id == deliveries.c.object_id,
    _earlier.c.host == deliveries.c.host,
    _earlier.c.state == sa.literal_column("'pending'"),
    _earlier.c.id < deliveries.c.id,
)


def _jobs(tx: Tx, host: str, room: int, *, lease: bool) -> list[Job]:
    due = sa.and_(PENDING, deliveries.c.host == host, deliveries.c.due_at <= tx.now, ~_WAITS_FOR_ANOTHER)
    in_order = (deliveries.c.due_at, deliveries.c.id)
    if not lease:
        return [Job._make(row) for row in tx.rows(sa.select(*_COLUMNS).where(due).order_by(*in_order).limit(room))]
    free = sa.or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= tx.now)
    chosen = sa.select(deliveries.c.id).where(due, free).order_by(*in_order).limit(room)
    take = sa.update(deliveries).where(deliveries.c.id.in_(chosen.with_for_update(skip_locked=True)))
    rows = tx.execute(take.values(leased_until=tx.now + LEASE).returning(*_COLUMNS)).all()
    return sorted((Job._make(row) for row in rows), key=lambda job: (job.created_at, job.id))


def mend_clock(tx: Tx) -> None:
    """After a clock that was wrong: nothing waits longer than it ever would, and nothing is from the future."""
    latest = tx.now + LONGEST_RETRY_AFTER
    from_future = sa.or_(deliveries.c.created_at > tx.now, deliveries.c.due_at > latest)
    now = sa.literal(tx.now, deliveries.c.created_at.type)
    rescued = {
        "due_at": tx.now,
        "created_at": sa.case((deliveries.c.created_at > tx.now, now), else_=deliveries.c.created_at),
    }
    tx.execute(sa.update(deliveries).where(PENDING, from_future).values(rescued))
    tx.execute(
        sa.update(deliveries).where(PENDING, deliveries.c.leased_until > tx.now + LEASE).values(leased_until=None)
    )
    tx.execute(sa.update(peers).where(peers.c.retry_at > latest).values(retry_at=None))


def give_up_hosts(tx: Tx, hosts: Sequence[str], reason: str) -> int:
    """Give up everything that waits for some hosts; returns how many items."""
    given_up = {"state": "given_up", "last_error": reason, "finished_at": tx.now}
    return tx.execute(sa.update(deliveries).where(PENDING, deliveries.c.host.in_(hosts)).values(given_up)).rowcount


def tidy(tx: Tx) -> None:
    """Forget what has a lifetime: items given up long ago, and hosts to which nothing has gone for as long."""
    old = sa.select(deliveries.c.id).where(
        deliveries.c.state == "given_up", deliveries.c.finished_at < tx.now - KEEP_GIVEN_UP
    )
    tx.execute(sa.delete(deliveries).where(deliveries.c.id.in_(old.limit(TIDY_AT_ONCE))))
    waits = sa.exists().where(PENDING, deliveries.c.host == peers.c.host)
    long_ago = tx.now - KEEP_PEERS
    unused = sa.and_(
        ~peers.c.paused,
        sa.or_(peers.c.last_success.is_(None), peers.c.last_success < long_ago),
        sa.or_(peers.c.failing_since.is_(None), peers.c.failing_since < long_ago),
    )
    tx.execute(sa.delete(peers).where(unused, ~waits))
