"""Writes."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from federation.authors import Authors, NewKeys, create_local_actor, ensure_instance_actor
from federation.ids import Ids
from federation.storage import Tx
from keys.vault import Vault
from node.accounts import queries
from node.accounts.queries import Account, digest
from node.accounts.rules import SetupDraft
from node.accounts.tables import accounts, node, sessions
from node.errors import AlreadySetUp, SettingsError
from node.profiles import commands as profiles

SESSION = timedelta(days=30)
TOPIC = "node"


class SetupKeys(NamedTuple):
    """The keys that set-up needs, made beforehand: it takes long, and a write scope must not."""

    instance: NewKeys
    person: NewKeys


def remember_master_key(tx: Tx, fingerprint: str) -> None:
    """At the first start: this key, and no other, opens this database. SettingsError when it is another one."""
    tx.execute(tx.insert(node).values(id=1, master_key=fingerprint, created_at=tx.now).on_conflict_do_nothing())
    check_master_key(queries.master_key(tx), fingerprint)


def check_master_key(known: str | None, fingerprint: str) -> None:
    """SettingsError unless the key is the one that the database knows, or it knows none yet."""
    if known not in (None, fingerprint):
        raise SettingsError(
            f"the master key is not the one that this database is sealed with (it is {fingerprint}, and should be "
            f"{known}). Restore `master.key`, or FREEHOLD_MASTER_KEY, from your backup. Nothing was changed."
        )


def set_up(tx: Tx, vault: Vault, draft: SetupDraft, password: str, keys: SetupKeys) -> Account:
    """Give the node its address and its first inhabitant; AlreadySetUp. password: its digest."""
    claimed = tx.execute(
        sa.update(node)
        .where(node.c.origin.is_(None))
        .values(origin=draft.origin, handle_domain=draft.handle_domain, set_up_at=tx.now)
    )
    if not claimed.rowcount:
        address = queries.address(tx)
        raise AlreadySetUp(address.origin if address else "another node")
    authors = Authors(vault, Ids(draft.origin, draft.handle_domain))
    ensure_instance_actor(tx, authors, keys.instance)
    first = profiles.first_profile(tx, draft.name, draft.kind)
    author = create_local_actor(tx, authors, draft.username, keys.person, first)
    row = tx.execute(
        sa.insert(accounts)
        .values(username=draft.username, actor_id=author.actor_id, password=password, created_at=tx.now)
        .returning(accounts.c.id)
    )
    tx.notify(TOPIC)
    return Account(row.scalar_one(), draft.username, author.actor_id)


def open_session(tx: Tx, account_id: int) -> str:
    """A new session; returns the secret for the cookie, of which only a digest is kept."""
    secret = secrets.token_urlsafe(32)
    tx.execute(
        sa.insert(sessions).values(
            digest=digest(secret), account_id=account_id, created_at=tx.now, expires_at=tx.now + SESSION
        )
    )
    return secret


def close_session(tx: Tx, secret: str) -> None:
    """End it, wherever the cookie still is."""
    tx.execute(sa.delete(sessions).where(sessions.c.digest == digest(secret)))
