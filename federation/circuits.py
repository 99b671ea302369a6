"""The circuit of a host, a row of `peers`: closed, or open until a time at which one item may try again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from federation.statements import Hot
from federation.storage import Tx
from federation.tables import deliveries, peers

TOPIC = "deliveries"
PENDING = deliveries.c.state == sa.literal_column("'pending'")


def host_is_alive(tx: Tx, *hosts: str) -> None:
    """A host has sent us something: what waits for it may be tried at once, first one item and then the rest.

    One select when nothing was wrong, which is nearly always. What was counted against the host stays until it has
    taken something: one that only speaks, and never listens, must not use up the chances of what waits for it.
    """
    back = [row.host for row in tx.all(_WAITING, hosts=list(set(hosts)))]
    if back:
        tx.execute(sa.update(peers).where(peers.c.host.in_(back)).values(retry_at=None))
        _make_due(tx, back)


_WAITING = Hot(
    sa.select(peers.c.host).where(
        peers.c.host.in_(sa.bindparam("hosts", expanding=True)),
        peers.c.failures > sa.literal_column("0"),
        peers.c.retry_at.is_not(None),
    )
)


def close(tx: Tx, host: str) -> None:
    """A host has answered as it should: close its circuit."""
    closed = {"failures": 0, "failing_since": None, "retry_at": None}
    tx.execute(sa.update(peers).where(peers.c.host == host).values(closed))
    _make_due(tx, [host])


def _make_due(tx: Tx, hosts: Sequence[str]) -> None:
    """What was put off for no reason of its own is due as it was at first, so that it goes in its old order."""
    put_off = (deliveries.c.host.in_(hosts), deliveries.c.attempts == 0, deliveries.c.due_at > deliveries.c.created_at)
    tx.execute(sa.update(deliveries).where(PENDING, *put_off).values(due_at=deliveries.c.created_at))
    tx.notify(TOPIC)
