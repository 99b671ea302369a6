"""Which pages that a profile links to link back (rel=me): when that is looked at, and what came of it, as rows.

A page that links back is looked at again after a week, one that does not after a day, then ever more rarely. One that
cannot be had for a while keeps what was seen of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from node.profiles.tables import link_checks

TOPIC = "links"
AGAIN = timedelta(days=7)  # a page that links back
RETRY = timedelta(hours=6)  # one that does not, or cannot be had; doubled each time
LONGEST = timedelta(days=30)
UNREACHABLE_FOR = timedelta(days=30)  # then what was seen counts no more
LEASE = timedelta(minutes=5)


class Due(NamedTuple):
    """A page to look at, and whose it is said to be."""

    actor_id: str
    url: str


def watch(tx: Tx, actor_id: str, urls: Sequence[str]) -> None:
    """These are the links of a profile from now on; what is new among them is looked at soon."""
    mine = link_checks.c.actor_id == actor_id
    tx.execute(sa.delete(link_checks).where(mine, link_checks.c.url.not_in(urls)))
    rows = [{"actor_id": actor_id, "url": url, "due_at": tx.now, "failures": 0} for url in urls]
    if rows:
        tx.execute(tx.insert(link_checks).on_conflict_do_nothing(), rows)
        tx.notify(TOPIC)


def claim(tx: Tx) -> Due | None:
    """The page that has waited longest; nobody else takes it for five minutes."""
    first = sa.select(link_checks.c.actor_id, link_checks.c.url).where(link_checks.c.due_at <= tx.now)
    row = tx.row(first.order_by(link_checks.c.due_at).limit(1).with_for_update(skip_locked=True))
    if row is None:
        return None
    _change(tx, Due(row.actor_id, row.url), due_at=tx.now + LEASE)
    return Due(row.actor_id, row.url)


def links_back(tx: Tx, due: Due) -> None:
    """It was seen to link back."""
    since = sa.func.coalesce(link_checks.c.holds_since, sa.bindparam("since", tx.now, link_checks.c.due_at.type))
    _change(tx, due, holds_since=since, checked_at=tx.now, due_at=tx.now + AGAIN, failures=0)


def does_not(tx: Tx, due: Due) -> None:
    """It was seen not to."""
    _change(tx, due, holds_since=None, checked_at=None, due_at=_later(tx, due), failures=link_checks.c.failures + 1)


def cannot_be_had(tx: Tx, due: Due) -> None:
    """Nobody knows for now."""
    _change(tx, due, due_at=_later(tx, due), failures=link_checks.c.failures + 1)
    old = (link_checks.c.checked_at < tx.now - UNREACHABLE_FOR, *_this(due))
    tx.execute(sa.update(link_checks).where(*old).values(holds_since=None, checked_at=None))


def _later(tx: Tx, due: Due) -> datetime:
    failures: int = tx.scalar(sa.select(link_checks.c.failures).where(*_this(due))) or 0
    return tx.now + min(RETRY * (1 << min(failures, 10)), LONGEST)


def _this(due: Due) -> tuple[sa.ColumnElement[bool], ...]:
    return link_checks.c.actor_id == due.actor_id, link_checks.c.url == due.url


def _change(tx: Tx, due: Due, **values: object) -> None:
    tx.execute(sa.update(link_checks).where(*_this(due)).values(**values))


def tidy(tx: Tx) -> None:
    """After a clock that was fast: nothing waits longer than it ever would, and nothing was seen in the future."""
    now = sa.literal(tx.now, link_checks.c.due_at.type)
    waits = link_checks.c.due_at > tx.now + LONGEST
    tx.execute(sa.update(link_checks).where(waits).values(due_at=now))
    tx.execute(sa.update(link_checks).where(link_checks.c.checked_at > tx.now).values(checked_at=now, due_at=now))


def checked(tx: Tx, actor_id: str) -> dict[str, datetime]:
    """The links of a profile that link back, with when that was last seen."""
    mine = sa.select(link_checks.c.url, link_checks.c.checked_at)
    rows = tx.rows(mine.where(link_checks.c.actor_id == actor_id, link_checks.c.holds_since.is_not(None)))
    return {row.url: row.checked_at for row in rows}
