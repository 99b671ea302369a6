"""What becomes of deliveries and of hosts after a round of tries: many results in one transaction.

pending --- 2xx -----------------------------------------> done
|------- refused, or given enough chances ------------> given_up   (with the reason)
|------- shared inbox is not there -------------------> given_up, and a row for each personal inbox
|------- personal inbox is not there, actor is gone --> given_up, and the actor follows nobody any more
`------- anything else -------------------------------> pending    (later, or when its host is back)
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation import circuits
from federation.circuits import PENDING
from federation.known_actors import TOPIC as ACTORS
from federation.queue import Job
from federation.retry import (
    ABSENT_FOR,
    ALIVE,
    KEEP_TRYING,
    KEEP_TRYING_ACTORS,
    MAX_STRIKES,
    OPENS_AFTER,
    Verdict,
    delay,
    delay_by_age,
    is_over,
    respected,
)
from federation.storage import Tx
from federation.tables import actors, deliveries, follows, peers
from keys.requests import Scheme
from schemas.actors import Actor
from schemas.urls import host_of

SUCCESS_NOTED = timedelta(minutes=10)
MAX_REASON = 500

_log = structlog.get_logger()

Whereabouts = Literal["shared", "gone", "absent", "unknown"]
"""Of the actor behind an inbox that is missing: the inbox was a shared one; the actor's own server says 410; it says
404; it could not be asked."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one job. scheme: the one that the host took. missing: only where the inbox is; an Actor answers
    for itself, whatever its inbox did.
    """

    job: Job
    verdict: Verdict
    reason: str = ""
    status: int | None = None
    retry_after: timedelta | None = None
    scheme: Scheme | None = None
    missing: Whereabouts | Actor | None = None


def settle(tx: Tx, results: Sequence[Result]) -> None:
    """Write down what came of these jobs, and what it says about their hosts."""
    by_host: dict[str, list[Result]] = {}
    for result in results:
        by_host.setdefault(result.job.host, []).append(result)
    known = {row.host: row for row in tx.rows(_peers(sorted(by_host)))}
    _finish(tx, [result.job.id for result in results if result.verdict is Verdict.DELIVERED])
    for host, found in by_host.items():
        _settle_host(tx, host, known.get(host), found)


def _peers(hosts: Sequence[str]) -> sa.Select[Any]:
    """Locked in one order, where several workers settle at once."""
    return sa.select(peers).where(peers.c.host.in_(hosts)).order_by(peers.c.host).with_for_update()


def _finish(tx: Tx, ids: Sequence[int]) -> None:
    if ids:
        done = {"state": "done", "finished_at": tx.now, "leased_until": None, "last_error": None, "last_status": None}
        tx.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(done))


def _settle_host(tx: Tx, host: str, peer: Row[Any] | None, results: Sequence[Result]) -> None:
    alive = any(result.verdict in ALIVE for result in results)
    worked = peer is None or peer.failures == 0
    for result in results:
        if result.verdict is not Verdict.DELIVERED:
            _settle_item(tx, result, at_fault=alive or (worked and result.job.failed_before))
    failed = [result for result in results if _is_failure_of_host(result, worked=worked)]
    if alive:
        _note_alive(tx, host, peer, results)
    elif failed:
        _note_failure(tx, host, peer, failed)
    slow = [result for result in results if result.verdict is Verdict.SLOW_DOWN]
    if slow:
        _open(tx, host, tx.now + max(respected(result.retry_after) for result in slow), slow[-1].reason)


def _is_failure_of_host(result: Result, *, worked: bool) -> bool:
    """Not the choking on an item on which it choked before: that one waits for itself, and others may go by."""
    if result.verdict is Verdict.CHOKED:
        return worked or not result.job.failed_before
    return result.verdict is Verdict.UNREACHABLE


# one item


def _settle_item(tx: Tx, result: Result, *, at_fault: bool) -> None:
    """What becomes of an item. at_fault: the host took others since this one failed before, or beside it."""
    verdict = result.verdict
    if verdict is Verdict.REFUSED:
        _give_up(tx, result, result.reason)
    elif verdict is Verdict.MISSING:
        _settle_missing(tx, result)
    elif verdict is Verdict.LATER:
        _put_off(tx, result)
    elif verdict is Verdict.DENIED or (verdict is Verdict.CHOKED and at_fault):
        _put_off(tx, result, strikes=MAX_STRIKES)
    elif verdict is Verdict.CHOKED:
        _let_others_go_first(tx, result)
    else:  # nothing was said about this item
        _put_back(tx, result)


def _let_others_go_first(tx: Tx, result: Result) -> None:
    """Nothing tells whether it is the item or the host, so nothing is counted against the item."""
    if is_over(result.job.created_at, tx.now, result.job.keep):
        _give_up(tx, result, f"{result.reason} (for {result.job.keep.days} days)")
        return
    again = result.job.failed_before
    wait = delay_by_age(tx.now - result.job.created_at) if again else delay(1, random.random())  # noqa: S311
    _change(tx, result, due_at=tx.now + wait)


def _put_off(tx: Tx, result: Result, *, strikes: int | None = None) -> None:
    """Try this item again, unless it has been tried for 14 days, or so many times."""
    attempts = result.job.attempts + 1
    if is_over(result.job.created_at, tx.now, result.job.keep) or (strikes is not None and attempts >= strikes):
        _give_up(tx, result, f"{result.reason} (tried {attempts} times)", attempts)
    else:
        due_at = tx.now + delay(attempts, random.random())  # noqa: S311  to spread, not to hide
        _change(tx, result, attempts=attempts, due_at=due_at)


def _give_up(tx: Tx, result: Result, reason: str, attempts: int | None = None) -> None:
    _log.warning("delivery.given_up", activity=result.job.activity_id, inbox=result.job.inbox, reason=reason)
    tried = result.job.attempts + 1 if attempts is None else attempts
    _change(tx, result, state="given_up", attempts=tried, last_error=reason[:MAX_REASON], finished_at=tx.now)


def _change(tx: Tx, result: Result, **values: Any) -> None:
    said = {"last_status": result.status, "last_error": result.reason[:MAX_REASON], "leased_until": None}
    tx.execute(sa.update(deliveries).where(PENDING, deliveries.c.id == result.job.id).values(said | values))


def _put_back(tx: Tx, result: Result) -> None:
    tx.execute(sa.update(deliveries).where(deliveries.c.id == result.job.id).values(leased_until=None))


# inboxes that are not there


def _settle_missing(tx: Tx, result: Result) -> None:
    job, missing = result.job, result.missing
    if missing == "shared":
        sent = _to_personal_inboxes(tx, job)
        _give_up(tx, result, f"{result.reason}: a shared inbox; {sent} personal ones get it instead")
    elif missing == "gone" or (missing == "absent" and tx.now - job.created_at >= ABSENT_FOR):
        for actor_id in recipients_of(job):
            _drop_follower(tx, actor_id)
        _give_up(tx, result, f"{result.reason}, and its actor is gone")
    elif isinstance(missing, Actor):
        _to_new_inbox(tx, result, missing)
    else:
        _put_off(tx, result)


def recipients_of(job: Job) -> list[str]:
    """The actors behind a job's inbox, as far as they were written down."""
    return list(msgspec.json.decode(job.recipients or "[]"))


def _to_personal_inboxes(tx: Tx, job: Job) -> int:
    listed = recipients_of(job)
    behind: sa.ColumnElement[bool] = actors.c.id.in_(listed)
    if job.recipients is None:  # too many to write down: those who follow the sender
        follower = sa.select(follows.c.follower).where(follows.c.followee == job.sender, follows.c.state == "accepted")
        behind = sa.and_(actors.c.shared_inbox == job.inbox, actors.c.id.in_(follower))
    elsewhere = sa.select(actors.c.id, actors.c.inbox).where(behind, ~actors.c.local, actors.c.gone_at.is_(None))
    rows = tx.rows(elsewhere.order_by(actors.c.id))
    return _queue(tx, job, [(row.id, row.inbox) for row in rows if row.inbox != job.inbox])


def _queue(tx: Tx, job: Job, inboxes: Iterable[tuple[str, str]]) -> int:
    rows = [
        {
            "activity_id": job.activity_id,
            "sender": job.sender,
            "inbox": inbox,
            "host": host_of(inbox),
            "recipients": msgspec.json.encode([actor_id]).decode(),
            "object_id": job.object_id,
            "state": "pending",
            "attempts": 0,
            "created_at": job.created_at,
            "due_at": tx.now,
        }
        for actor_id, inbox in inboxes
    ]
    if rows:
        tx.execute(tx.insert(deliveries).on_conflict_do_nothing(index_elements=["activity_id", "inbox"]), rows)
        tx.notify(circuits.TOPIC)
    return len(rows)


def _to_new_inbox(tx: Tx, result: Result, actor: Actor) -> None:
    """The actor stands: what it says now is where its inbox is."""
    where = {"inbox": actor.inbox, "shared_inbox": actor.shared_inbox}
    tx.execute(sa.update(actors).where(actors.c.id == actor.id, ~actors.c.local).values(where))
    tx.notify(ACTORS, actor.id)
    if actor.inbox == result.job.inbox:
        _put_off(tx, result, strikes=MAX_STRIKES)
        return
    _queue(tx, result.job, [(actor.id, actor.inbox)])
    _give_up(tx, result, f"{result.reason}: its actor's inbox is {actor.inbox} now")


def _drop_follower(tx: Tx, actor_id: str) -> None:
    _log.info("delivery.follower_dropped", actor=actor_id)
    tx.execute(sa.delete(follows).where(follows.c.follower == actor_id))


# one host


def _note_alive(tx: Tx, host: str, peer: Row[Any] | None, results: Sequence[Result]) -> None:
    """Close the circuit, and remember how it likes to be spoken to; no row is written where nothing is new."""
    if peer is not None and peer.failures:
        circuits.close(tx, host)
    scheme = next((result.scheme for result in reversed(results) if result.scheme is not None), None)
    delivered = any(result.verdict is Verdict.DELIVERED for result in results)
    values: dict[str, Any] = {}
    if scheme is not None and (peer is None or peer.scheme != scheme):
        values["scheme"] = scheme
    if delivered and (peer is None or peer.last_success is None or tx.now - peer.last_success > SUCCESS_NOTED):
        values["last_success"] = tx.now
    if values:
        _write_peer(tx, host, values)


def _note_failure(tx: Tx, host: str, peer: Row[Any] | None, failed: Sequence[Result]) -> None:
    """One more failure in a row; its circuit opens at once when there was no connection, else after a second one."""
    failures = (peer.failures if peer is not None else 0) + 1
    since: datetime = (peer.failing_since if peer is not None else None) or tx.now
    values: dict[str, Any] = {
        "failures": failures,
        "failing_since": since,
        "last_error": failed[-1].reason[:MAX_REASON],
    }
    if failures >= OPENS_AFTER or any(result.verdict is Verdict.UNREACHABLE for result in failed):
        values["retry_at"] = tx.now + delay(failures, random.random())  # noqa: S311
    _write_peer(tx, host, values)
    if is_over(since, tx.now):
        _give_up_old(tx, host, failed[-1].reason)


def _open(tx: Tx, host: str, until: datetime, reason: str) -> None:
    _write_peer(tx, host, {"retry_at": until, "last_error": reason[:MAX_REASON]})


def _write_peer(tx: Tx, host: str, values: dict[str, Any]) -> None:
    insert = tx.insert(peers).values({"host": host} | values)
    tx.execute(insert.on_conflict_do_update(index_elements=["host"], set_=values))


def _give_up_old(tx: Tx, host: str, reason: str) -> None:
    """The host has failed for as long as anything is kept: what has waited as long is given up."""
    waits_since, about_itself = deliveries.c.created_at, deliveries.c.object_id == deliveries.c.sender
    longest = waits_since <= tx.now - KEEP_TRYING_ACTORS
    long_ago = sa.or_(longest, sa.and_(~about_itself, waits_since <= tx.now - KEEP_TRYING))
    old = (deliveries.c.host == host, long_ago)
    values = {"state": "given_up", "last_error": f"{reason} (for 14 days)"[:MAX_REASON], "finished_at": tx.now}
    count = tx.execute(sa.update(deliveries).where(PENDING, *old).values(values)).rowcount
    if count:
        _log.warning("delivery.host_given_up", host=host, items=count, reason=reason)
