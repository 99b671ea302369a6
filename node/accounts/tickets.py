"""Secrets that are good once, and not for long: a link to a new password, the step between password and code."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from node.accounts.tables import tickets
from node.unguessable import digest_of

Purpose = Literal["link", "code", "spent"]
"""A link to a new password; the step between password and code; the challenge of a passkey, once it was answered."""

LIFETIMES: dict[Purpose, timedelta] = {
    "link": timedelta(minutes=30),
    "code": timedelta(minutes=10),
    "spent": timedelta(minutes=10),
}
MAX_TRIES = 5


class Ticket(NamedTuple):
    """One that is still good."""

    digest: str
    account_id: int


def issue(tx: Tx, purpose: Purpose, account_id: int) -> str:
    """A new secret, of which only a digest is kept. Of each purpose an account has one: the one before ends."""
    tx.execute(sa.delete(tickets).where(tickets.c.purpose == purpose, tickets.c.account_id == account_id))
    secret = secrets.token_urlsafe(32)
    tx.execute(
        sa.insert(tickets).values(
            digest=digest_of(secret), purpose=purpose, account_id=account_id, expires_at=tx.now + LIFETIMES[purpose]
        )
    )
    return secret


def find(tx: Tx, purpose: Purpose, secret: str) -> Ticket | None:
    """The ticket of a secret while it is good; None for one that never was, is over, or was tried too often."""
    row = tx.row(
        sa.select(tickets.c.digest, tickets.c.account_id).where(
            tickets.c.digest == digest_of(secret),
            tickets.c.purpose == purpose,
            tickets.c.expires_at > tx.now,
            tickets.c.tries < MAX_TRIES,
        )
    )
    return None if row is None else Ticket(row.digest, row.account_id)


def count_try(tx: Tx, ticket: Ticket) -> None:
    """What came with it was wrong."""
    tx.execute(sa.update(tickets).where(tickets.c.digest == ticket.digest).values(tries=tickets.c.tries + 1))


def take(tx: Tx, purpose: Purpose, secret: str) -> Ticket | None:
    """The same as `find`, and it is good no more: of two who come at once, one gets it."""
    found = find(tx, purpose, secret)
    if found is None or not tx.execute(sa.delete(tickets).where(tickets.c.digest == found.digest)).rowcount:
        return None
    return found


def spend(tx: Tx, what: str) -> bool:
    """Note that something was used, for as long as it could be used again; False when it was used before."""
    values = {"digest": digest_of(what), "purpose": "spent", "expires_at": tx.now + LIFETIMES["spent"]}
    return tx.execute(tx.insert_new(tickets, "digest"), values).rowcount == 1
