"""The status lists of people here: entries are given away in an order that says nothing, and marked (in a scope).

A list is signed anew when an entry is marked, and twice a day: a list without a recent date says nothing of today.
Whoever moved here carries on the lists of where they lived before (`moving`); nothing new is entered in those.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.authors import Author, Authors
from federation.errors import NotFound
from federation.storage import Tx
from federation.tables import actors
from node.credentials import signing
from node.credentials.rules import ENTRIES, RENEWED, entry
from node.credentials.tables import status_lists
from node.credentials.wire import list_url

AT_ONCE = 20
MAX_QUERY = 4_000


class Entry(NamedTuple):
    """Where a credential would be taken back: the number of its entry in a list."""

    url: str
    number: int


def reserve(tx: Tx, author: Author) -> Entry:
    """An entry that nobody has yet, of the newest list of an author; a new list once that is full."""
    newest = _newest(tx, author.actor_id)
    if newest is None or newest.used >= ENTRIES:
        newest = _begin(tx, author, 1 if newest is None else newest.number + 1)
    used = tx.scalar(
        sa.update(status_lists)
        .where(_this(author.actor_id, newest.number))
        .values(used=status_lists.c.used + 1)
        .returning(status_lists.c.used)
    )
    return Entry(list_url(author.actor_id, newest.number), entry(newest.seed, used - 1))


def _newest(tx: Tx, issuer: str) -> Row[Any] | None:
    theirs = sa.select(status_lists).where(status_lists.c.issuer == issuer)
    return tx.row(theirs.order_by(status_lists.c.number.desc()).limit(1).with_for_update())


def _begin(tx: Tx, author: Author, number: int) -> Row[Any]:
    bits = bytes(ENTRIES // 8)
    values = {"issuer": author.actor_id, "number": number, "used": 0, "seed": secrets.token_bytes(32), "bits": bits}
    body = signing.signed_list(tx, author, list_url(author.actor_id, number), bits)
    insert = tx.insert(status_lists).values(values | {"body": body, "signed_at": tx.now})
    tx.execute(insert.on_conflict_do_nothing(index_elements=["issuer", "number"]))
    row = _newest(tx, author.actor_id)
    assert row is not None
    return row


def mark(tx: Tx, author: Author, url: str, index: int) -> None:
    """Take back what has an entry, for ever: the list is signed anew. NotFound for a list that is not the author's."""
    row = list_at(tx, author.actor_id, url)
    if row is None:
        raise NotFound(f"{url} is no list of {author.actor_id}")
    bits = bytearray(row.bits)
    bits[index >> 3] |= 128 >> (index & 7)  # the first entry is the leftmost bit (Bitstring Status List §2.1)
    sign(tx, author, row, bytes(bits))


def list_at(tx: Tx, actor_id: str, url: str) -> Row[Any] | None:
    """The list of somebody here that has an address, or carries on the one that had it; nobody else writes it now."""
    head, _, number = url.rpartition("/")
    this = sa.and_(_of(actor_id), status_lists.c.formerly == url)
    if head == f"{actor_id}/status" and number.isdecimal():
        this = _this(actor_id, int(number))
    return tx.row(sa.select(status_lists).where(this).with_for_update())


def sign(tx: Tx, author: Author, row: Row[Any], bits: bytes) -> None:
    """Let a list say this from now on."""
    body = signing.signed_list(tx, author, list_url(author.actor_id, row.number), bits, row.formerly)
    values = {"bits": bits, "body": body, "signed_at": tx.now}
    tx.execute(sa.update(status_lists).where(_this(author.actor_id, row.number)).values(values))


def sign_anew(tx: Tx, author: Author) -> None:
    """All lists of an author, with the key of now."""
    for row in tx.rows(sa.select(status_lists).where(_of(author.actor_id))):
        sign(tx, author, row, bytes(row.bits))


def renew(tx: Tx, authors: Authors) -> int:
    """Sign those anew that grow old, a few at once; returns how many were."""
    old = (
        sa.select(status_lists)
        .join(actors, actors.c.id == status_lists.c.issuer)
        .where(actors.c.gone_at.is_(None), status_lists.c.signed_at < tx.now - RENEWED)
    )
    rows = tx.rows(old.order_by(status_lists.c.signed_at).limit(AT_ONCE))
    for row in rows:
        sign(tx, authors.load(tx, row.issuer), row, bytes(row.bits))
    return len(rows)


def served(tx: Tx, url: str) -> bytes | None:
    """The signed list at an id of ours, or that which carries on another; None when there is none."""
    if "?" in url:
        return _carrying_on(tx, url)
    issuer, _, number = url.rpartition("/")
    if not issuer.endswith("/status") or not number.isdecimal() or len(number) > 9:
        return None
    this = _this(issuer.removesuffix("/status"), int(number))
    body: bytes | None = tx.scalar(sa.select(status_lists.c.body).where(this))
    return body


def _carrying_on(tx: Tx, url: str) -> bytes | None:
    bare, _, query = url.partition("?")
    former = parse_qs(query, max_num_fields=4).get("formerly", [""])[0] if len(query) <= MAX_QUERY else ""
    if not bare.endswith("/status") or not former:
        return None
    this = (_of(bare.removesuffix("/status")), status_lists.c.formerly == former)
    body: bytes | None = tx.scalar(sa.select(status_lists.c.body).where(*this))
    return body


def _of(issuer: str) -> sa.ColumnElement[bool]:
    return status_lists.c.issuer == issuer


def _this(issuer: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(_of(issuer), status_lists.c.number == number)
