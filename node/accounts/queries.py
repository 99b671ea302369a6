"""Reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from federation.tables import actors
from node.accounts.tables import accounts as account_rows
from node.accounts.tables import node, sessions
from node.errors import NotFound
from node.unguessable import digest_of

OWNER = "owner"


class Address(NamedTuple):
    """Where the node lives, and where its handles do."""

    origin: str
    handle_domain: str


class Account(NamedTuple):
    """Somebody who can sign in here."""

    id: int
    username: str
    actor_id: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, in one browser."""

    account_id: int
    actor_id: str
    username: str
    name: str
    picture: str | None  # a path on this node
    session: str = field(repr=False)  # the secret in the cookie: forms are bound to it
    language: str | None = None  # None: whatever the browser asks for
    theme: str | None = None
    seen_at: datetime | None = None
    proved_at: datetime | None = None
    is_owner: bool = False  # of the node


class Login(NamedTuple):
    """What a password is checked against."""

    account_id: int
    password: str


def address(tx: Tx) -> Address | None:
    """None before set-up."""
    row = tx.row(sa.select(node.c.origin, node.c.handle_domain).where(node.c.origin.is_not(None)))
    return None if row is None else Address(row.origin, row.handle_domain)


def master_key(tx: Tx) -> str | None:
    """The fingerprint of the key that this database is sealed with; None at the very first start."""
    fingerprint: str | None = tx.scalar(sa.select(node.c.master_key))
    return fingerprint


_ACCOUNT = sa.select(account_rows.c.id, account_rows.c.username, account_rows.c.actor_id)


def accounts(tx: Tx) -> list[Account]:
    """Everybody, in the order of their coming."""
    return [Account(row.id, row.username, row.actor_id) for row in tx.rows(_ACCOUNT.order_by(account_rows.c.id))]


def account_of(tx: Tx, actor_id: str) -> Account:
    """The account behind a local actor; NotFound."""
    row = tx.row(_ACCOUNT.where(account_rows.c.actor_id == actor_id))
    if row is None:
        raise NotFound(f"Nobody here signs in as {actor_id}.")
    return Account(row.id, row.username, row.actor_id)


def login(tx: Tx, username: str) -> Login | None:
    """What somebody who wants in must know."""
    row = tx.row(sa.select(account_rows.c.id, account_rows.c.password).where(account_rows.c.username == username))
    return None if row is None else Login(row.id, row.password)


def password_of(tx: Tx, account_id: int) -> str | None:
    """The digest of somebody's password."""
    password: str | None = tx.scalar(sa.select(account_rows.c.password).where(account_rows.c.id == account_id))
    return password


def somebody_left(tx: Tx) -> bool:
    """Whether this server was somebody's home, and is no more."""
    left = sa.and_(actors.c.local, actors.c.gone_at.is_not(None))
    return tx.row(sa.select(actors.c.id).where(left).limit(1)) is not None


def is_owner() -> sa.ColumnElement[bool]:
    """Of a row of accounts, whether it runs the node. Before there were roles it was whoever set-up had made."""
    by_set_up = sa.exists().where(node.c.set_up_at == account_rows.c.created_at)
    return sa.or_(account_rows.c.role == OWNER, sa.and_(account_rows.c.role.is_(None), by_set_up))


def owner(tx: Tx) -> Account | None:
    """Who runs the node; None before set-up, and when they have left."""
    row = tx.row(_ACCOUNT.where(is_owner()).order_by(account_rows.c.id).limit(1))
    return None if row is None else Account(row.id, row.username, row.actor_id)


def viewer(tx: Tx, secret: str) -> Viewer | None:
    """Who holds a session that has not ended."""
    row = tx.row(
        sa.select(
            account_rows.c.id,
            account_rows.c.actor_id,
            account_rows.c.username,
            account_rows.c.language,
            account_rows.c.theme,
            actors.c.name,
            actors.c.icon,
            sessions.c.seen_at,
            sessions.c.proved_at,
            is_owner().label("is_owner"),
        )
        .join(sessions, sessions.c.account_id == account_rows.c.id)
        .join(actors, actors.c.id == account_rows.c.actor_id)
        .where(sessions.c.digest == digest_of(secret), sessions.c.expires_at > tx.now)
    )
    if row is None:
        return None
    return Viewer(
        account_id=row.id,
        actor_id=row.actor_id,
        username=row.username,
        name=row.name,
        picture=_path(row.icon),
        session=secret,
        language=row.language,
        theme=row.theme,
        seen_at=row.seen_at,
        proved_at=row.proved_at,
        is_owner=bool(row.is_owner),
    )


def _path(url: str | None) -> str | None:
    """A picture of ours without our origin: pages work from any address that leads here."""
    return None if url is None else "/" + url.split("/", 3)[-1]
