"""Sessions: opened, shown to their owner, renewed when something important changes, and ended."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from node.accounts.agents import NOWHERE, Place
from node.accounts.tables import sessions, sign_ins, tickets
from node.unguessable import digest_of

LIFETIME = timedelta(days=30)
PROOF = timedelta(minutes=10)
"""How long somebody who has proved who they are need not do it again before something dangerous."""
SEEN = timedelta(hours=1)
KEEP_NETWORK = timedelta(days=14)
KEEP_LOG = timedelta(days=90)
SHORT = 20
"""How much of its digest names a session on its owner's page: enough to find it, useless to become it."""

Way = Literal["setup", "password", "code", "recovery", "passkey", "link"]


class Session(NamedTuple):
    """A browser in which somebody is signed in. name: of this session in a form."""

    name: str
    browser: str | None
    system: str | None
    network: str | None
    created_at: datetime
    seen_at: datetime
    current: bool


def open_session(tx: Tx, account_id: int, place: Place = NOWHERE, way: Way = "password") -> str:
    """A new session; returns the secret for the cookie, of which only a digest is kept."""
    secret = secrets.token_urlsafe(32)
    times = {"created_at": tx.now, "seen_at": tx.now, "proved_at": tx.now, "expires_at": tx.now + LIFETIME}
    whose = {"account_id": account_id} | place._asdict()
    tx.execute(sa.insert(sessions).values(digest=digest_of(secret), **whose, **times))
    tx.execute(sa.insert(sign_ins).values(at=tx.now, way=way, **whose))
    return secret


def close_session(tx: Tx, secret: str) -> None:
    """End it, wherever the cookie still is."""
    tx.execute(sa.delete(sessions).where(sessions.c.digest == digest_of(secret)))


def renew(tx: Tx, secret: str) -> str:
    """The same session under a new secret, its owner having proved who they are; the old secret is worth nothing."""
    fresh = secrets.token_urlsafe(32)
    held = sessions.c.digest == digest_of(secret)
    tx.execute(sa.update(sessions).where(held).values(digest=digest_of(fresh), proved_at=tx.now))
    return fresh


def seen(tx: Tx, secret: str) -> None:
    """It is in use."""
    tx.execute(sa.update(sessions).where(sessions.c.digest == digest_of(secret)).values(seen_at=tx.now))


def sessions_of(tx: Tx, account_id: int, secret: str) -> list[Session]:
    """Everywhere that somebody is signed in, this browser first, then the latest. secret: of this browser."""
    here = digest_of(secret)
    rows = tx.rows(
        sa.select(sessions)
        .where(sessions.c.account_id == account_id, sessions.c.expires_at > tx.now)
        .order_by((sessions.c.digest == here).desc(), sessions.c.created_at.desc(), sessions.c.digest)
    )
    return [
        Session(
            name=row.digest[:SHORT],
            browser=row.browser,
            system=row.system,
            network=row.network,
            created_at=row.created_at,
            seen_at=row.seen_at or row.created_at,
            current=row.digest == here,
        )
        for row in rows
    ]


def end_session(tx: Tx, account_id: int, name: str) -> bool:
    """End one's own session by its short name; False when there is none of that name."""
    if len(name) != SHORT:
        return False
    mine = sa.and_(sessions.c.account_id == account_id, sa.func.substr(sessions.c.digest, 1, SHORT) == name)
    return tx.execute(sa.delete(sessions).where(mine)).rowcount > 0


def end_others(tx: Tx, account_id: int, secret: str | None) -> int:
    """End every session but that of `secret`, and every link that would open one; returns how many sessions ended."""
    tx.execute(sa.delete(tickets).where(tickets.c.account_id == account_id))
    mine = sessions.c.account_id == account_id
    others = mine if secret is None else sa.and_(mine, sessions.c.digest != digest_of(secret))
    return tx.execute(sa.delete(sessions).where(others)).rowcount


def forget_old(tx: Tx) -> None:
    """Sessions and tickets that are over, networks after two weeks, the log of sign-ins after three months."""
    tx.execute(sa.delete(sessions).where(sessions.c.expires_at < tx.now))
    tx.execute(sa.delete(tickets).where(tickets.c.expires_at < tx.now))
    tx.execute(sa.delete(sign_ins).where(sign_ins.c.at < tx.now - KEEP_LOG))
    long_ago = tx.now - KEEP_NETWORK
    for table, since in ((sessions, sessions.c.created_at), (sign_ins, sign_ins.c.at)):
        tx.execute(sa.update(table).where(since < long_ago, table.c.network.is_not(None)).values(network=None))
