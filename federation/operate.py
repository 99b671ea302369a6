"""What an operator may ask and turn: the state of every table, the queue per host, the keys."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from federation.tables import actor_keys, actors, deliveries, follows, inbox_messages, metadata, peers


class TableState(NamedTuple):
    """A table's name, its number of rows, and a SHA-256 over them in the order of their keys."""

    table: str
    rows: int
    digest: str


def state(tx: Tx) -> list[TableState]:
    """Every table: what a test or an operator compares before and after."""
    return [_table_state(tx, table) for table in metadata.sorted_tables]


def _table_state(tx: Tx, table: sa.Table) -> TableState:
    digest, count = hashlib.sha256(), 0
    statement = sa.select(table).order_by(*table.primary_key.columns)
    for row in tx.execute(statement.execution_options(stream_results=True)):
        digest.update(repr(tuple(row)).encode())
        count += 1
    return TableState(table.name, count, digest.hexdigest())


def queue(tx: Tx) -> Sequence[Row[Any]]:
    """Per host: pending and given up deliveries, since when the oldest waits, and what the host answered last.

    Hosts that are paused are in it though nothing waits for them.
    """
    pending = sa.func.count().filter(deliveries.c.state == "pending").label("pending")
    given_up = sa.func.count().filter(deliveries.c.state == "given_up").label("given_up")
    oldest = sa.func.min(deliveries.c.created_at).filter(deliveries.c.state == "pending").label("waiting_since")
    waiting = (
        sa.select(deliveries.c.host, pending, given_up, oldest)
        .where(deliveries.c.state != "done")
        .group_by(deliveries.c.host)
        .subquery()
    )
    hosts = sa.union(sa.select(waiting.c.host), sa.select(peers.c.host).where(peers.c.paused)).subquery()
    return tx.rows(
        sa.select(
            hosts.c.host,
            sa.func.coalesce(waiting.c.pending, 0).label("pending"),
            sa.func.coalesce(waiting.c.given_up, 0).label("given_up"),
            sa.type_coerce(waiting.c.waiting_since, deliveries.c.created_at.type).label("waiting_since"),
            sa.func.coalesce(peers.c.paused, sa.false()).label("paused"),
            peers.c.failing_since,
            peers.c.last_error,
            peers.c.retry_at,
            peers.c.last_success,
        )
        .select_from(
            hosts.outerjoin(waiting, waiting.c.host == hosts.c.host).outerjoin(peers, peers.c.host == hosts.c.host)
        )
        .order_by(sa.desc("pending"), hosts.c.host)
    )


class Figures(NamedTuple):
    """What an operator watches. deliveries, inbox: how many by state, of what is not done. oldest_*: seconds."""

    deliveries: dict[str, int]
    inbox: dict[str, int]
    oldest_delivery: float
    oldest_message: float
    failing_hosts: int
    followers: int
    following: int


def figures(tx: Tx) -> Figures:
    """The figures of this moment, all from indexes: a node is asked for them every few seconds."""
    here = sa.select(actors.c.id).where(actors.c.local)
    agreed = sa.select(sa.func.count()).select_from(follows).where(follows.c.state == "accepted")
    return Figures(
        deliveries=_numbers(tx, deliveries, ("pending", "given_up")),
        inbox=_numbers(tx, inbox_messages, ("pending", "parked")),
        oldest_delivery=_waiting(tx, deliveries, deliveries.c.created_at),
        oldest_message=_waiting(tx, inbox_messages, inbox_messages.c.received_at),
        failing_hosts=int(tx.scalar(sa.select(sa.func.count()).where(peers.c.failing_since.is_not(None)))),
        followers=int(tx.scalar(agreed.where(follows.c.followee.in_(here)))),
        following=int(tx.scalar(agreed.where(follows.c.follower.in_(here)))),
    )


def _numbers(tx: Tx, table: sa.Table, states: Sequence[str]) -> dict[str, int]:
    count = sa.select(sa.func.count()).select_from(table)
    return {state: int(tx.scalar(count.where(table.c.state == sa.literal_column(f"'{state}'")))) for state in states}


def _waiting(tx: Tx, table: sa.Table, since: sa.Column[Any]) -> float:
    oldest = tx.scalar(
        sa.select(sa.type_coerce(sa.func.min(since), since.type)).where(table.c.state == sa.literal_column("'pending'"))
    )
    return 0.0 if oldest is None else max(0.0, (tx.now - oldest).total_seconds())


def pause(tx: Tx, host: str) -> None:
    """Send nothing to a host; what is meant for it stays."""
    _set_paused(tx, host, sa.true())


def resume(tx: Tx, host: str) -> None:
    """Send to a host again."""
    _set_paused(tx, host, sa.false())
    tx.notify("deliveries")


def _set_paused(tx: Tx, host: str, paused: sa.ColumnElement[bool]) -> None:
    statement = tx.insert(peers).values(host=host, paused=paused)
    tx.execute(statement.on_conflict_do_update(index_elements=["host"], set_={"paused": paused}))


def retry(tx: Tx, host: str | None) -> int:
    """Make what waits or was given up due now, for one host or all; closes the circuit. Returns how many."""
    here = deliveries.c.host == host if host else sa.true()
    result = tx.execute(
        sa.update(deliveries)
        .where(here, deliveries.c.state != "done")
        .values(state="pending", due_at=tx.now, finished_at=None)
    )
    tx.execute(
        sa.update(peers)
        .where(peers.c.host == host if host else sa.true())
        .values(retry_at=None, failures=0, failing_since=None)
    )
    tx.notify("deliveries")
    return result.rowcount


def local_keys(tx: Tx) -> Sequence[Row[Any]]:
    """The public halves of the local actors' keys, the newest first: id, algorithm, state, public, and their dates.

    state: signs | retired | revoked.
    """
    status = sa.case(
        (actor_keys.c.revoked_at.is_not(None), "revoked"),
        (actor_keys.c.retired_at.is_not(None), "retired"),
        else_="signs",
    ).label("state")
    dates = (actor_keys.c.first_seen, actor_keys.c.retired_at, actor_keys.c.expires_at, actor_keys.c.revoked_at)
    return tx.rows(
        sa.select(actor_keys.c.id, actor_keys.c.actor_id, actor_keys.c.algorithm, status, actor_keys.c.public, *dates)
        .join(actors, actors.c.id == actor_keys.c.actor_id)
        .where(actors.c.local)
        .order_by(actor_keys.c.actor_id, actor_keys.c.first_seen.desc(), actor_keys.c.id)
    )
