"""What is kept of the pictures of other servers: rows about them. Their files stand in the cache folder.

Everything here can be fetched again, so everything has a lifetime: a budget in bytes, by last use; the thing that
names it; the operator's rules about hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from federation.policy import Policy
from federation.storage import Tx
from federation.tables import actors, objects
from node.media.addresses import Wanted
from node.media.attachments import TOPIC
from node.media.tables import remote_media
from schemas.errors import SchemaError
from schemas.urls import host_of, url_of

FULL, EMPTIED = 1.0, 0.9  # of the budget: when pictures make room, and until how much is left
CHUNK = 500
TOUCHED = timedelta(hours=1)  # how exactly the last use is known
FAILURES_KEPT = timedelta(days=7)


class Held(NamedTuple):
    """What is known about one address. name: None while it cannot be had. tired: not to be asked for again now."""

    name: str | None
    stale: bool
    tired: bool


def held(tx: Tx, wanted: Wanted) -> Held | None:
    """What is kept for an address; None when nothing is known. stale: its last use should be written down."""
    row = tx.row(sa.select(remote_media).where(remote_media.c.id == wanted.id, remote_media.c.dropped_at.is_(None)))
    if row is None:
        return None
    return Held(row.name, row.used_at < tx.now - TOUCHED, row.retry_at is not None and row.retry_at > tx.now)


def names(tx: Tx, subject: str, url: str) -> bool:
    """Whether an object or an actor that stands here, and is not gone, names this picture."""
    standing = sa.select(objects.c.body).where(objects.c.id == subject, objects.c.deleted_at.is_(None))
    body = tx.scalar(standing)
    if body is None:
        body = tx.scalar(sa.select(actors.c.document).where(actors.c.id == subject, actors.c.gone_at.is_(None)))
    return body is not None and any(url_of(text) == url for text in _strings(msgspec.json.decode(body)))


def stands(tx: Tx, subject: str) -> bool:
    """Whether what names a picture is not gone."""
    standing = sa.select(objects.c.id).where(objects.c.id == subject, objects.c.deleted_at.is_(None))
    here = sa.select(actors.c.id).where(actors.c.id == subject, actors.c.gone_at.is_(None))
    return tx.scalar(standing) is not None or tx.scalar(here) is not None


def named(tx: Tx, subject: str) -> tuple[str, str] | None:
    """Handle and name of an actor that is not gone, as `node.profiles.queries.Person` has them."""
    columns = (actors.c.acct, actors.c.username, actors.c.host, actors.c.name)
    row = tx.row(sa.select(*columns).where(actors.c.id == subject, actors.c.gone_at.is_(None)))
    return None if row is None else (row.acct or f"{row.username}@{row.host}", row.name or "")


def _strings(value: Any) -> Iterator[str]:
    """Every text in a document, at whatever depth the strict reader has let through."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def touch(tx: Tx, wanted: Wanted) -> None:
    """Somebody looked at it."""
    tx.execute(sa.update(remote_media).where(remote_media.c.id == wanted.id).values(used_at=tx.now))


def remember(tx: Tx, wanted: Wanted, name: str, size: int, budget: int) -> None:
    """It is in the cache folder now. budget: bytes of all of them; those that were not looked at longest make room."""
    _write(tx, wanted, name=name, size=size, retry_at=None)
    together = _sum(tx)
    if together > budget * FULL:
        _make_room(tx, together - int(budget * EMPTIED))


def give_up(tx: Tx, wanted: Wanted, until: timedelta) -> None:
    """It cannot be had, and is not asked for again for a while."""
    _write(tx, wanted, name=None, size=0, retry_at=tx.now + until)


def _write(tx: Tx, wanted: Wanted, **values: Any) -> None:
    row = values | {"subject": wanted.subject, "url": wanted.url, "fetched_at": tx.now, "used_at": tx.now}
    row |= {"dropped_at": None}
    insert = tx.insert(remote_media).values(id=wanted.id, **row)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=row))


def _sum(tx: Tx) -> int:
    kept = sa.select(sa.func.coalesce(sa.func.sum(remote_media.c.size), 0)).where(remote_media.c.dropped_at.is_(None))
    return int(tx.scalar(kept))


def _make_room(tx: Tx, size: int) -> None:
    oldest = sa.select(remote_media.c.id, remote_media.c.size).where(
        remote_media.c.dropped_at.is_(None), remote_media.c.name.is_not(None)
    )
    freed, ids = 0, []
    for row in tx.rows(oldest.order_by(remote_media.c.used_at).limit(CHUNK)):
        if freed >= size:
            break
        freed += row.size
        ids.append(row.id)
    _drop(tx, remote_media.c.id.in_(ids))


def forget(tx: Tx, subjects: Sequence[str]) -> None:
    """These objects or actors are gone, and what they showed with them."""
    _drop(tx, remote_media.c.subject.in_(subjects))


def tidy(tx: Tx) -> None:
    """What nobody names any more, what a blocked host showed, and what could not be had a week ago."""
    gone = sa.select(actors.c.id).where(actors.c.gone_at.is_not(None))
    _drop(tx, remote_media.c.subject.in_(gone))
    _drop(tx, sa.and_(remote_media.c.name.is_(None), remote_media.c.fetched_at < tx.now - FAILURES_KEPT))
    policy = Policy()
    policy.load(tx)
    if not policy.is_empty:
        forget_hosts(tx, policy.blocked)


def forget_hosts(tx: Tx, blocked: Callable[[str], bool]) -> None:
    """Drop what such a host serves or names (SECURITY 150)."""
    kept = sa.select(remote_media.c.id, remote_media.c.subject, remote_media.c.url)
    rows = tx.rows(kept.where(remote_media.c.dropped_at.is_(None)))
    theirs = [row.id for row in rows if any(blocked(_host(address)) for address in (row.subject, row.url))]
    for start in range(0, len(theirs), CHUNK):
        _drop(tx, remote_media.c.id.in_(theirs[start : start + CHUNK]))


def _host(address: str) -> str:
    try:
        return host_of(address)
    except SchemaError:
        return ""


def _drop(tx: Tx, which: sa.ColumnElement[bool]) -> None:
    standing = sa.and_(which, remote_media.c.dropped_at.is_(None))
    if tx.execute(sa.update(remote_media).where(standing).values(dropped_at=tx.now)).rowcount:
        tx.notify(TOPIC)
