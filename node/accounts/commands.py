"""Writes."""

from __future__ import annotations

from typing import Literal, NamedTuple

import sqlalchemy as sa

from federation.authors import Authors, NewKeys, create_local_actor, ensure_instance_actor
from federation.ids import Ids
from federation.storage import Tx
from keys.vault import Vault
from node.accounts import factors, queries
from node.accounts.queries import OWNER, Account
from node.accounts.rules import Preferences, SetupDraft
from node.accounts.sessions import LIFETIME as SESSION
from node.accounts.sessions import close_session, end_others, open_session, renew
from node.accounts.tables import accounts, node
from node.errors import AlreadySetUp, SettingsError
from node.profiles import commands as profiles

TOPIC = "node"

__all__ = [
    "SESSION", "SetupKeys", "change_password", "check_master_key", "close_session", "open_session", "prefer",
    "remember_master_key", "reset_password", "set_up",
]  # fmt: skip


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
        .values(username=draft.username, actor_id=author.actor_id, password=password, created_at=tx.now, role=OWNER)
        .returning(accounts.c.id)
    )
    tx.notify(TOPIC)
    return Account(row.scalar_one(), draft.username, author.actor_id)


def change_password(tx: Tx, account_id: int, password: str, secret: str) -> str:
    """A new password; every other session ends, and this one gets a new secret, which is returned.

    password: its digest.
    """
    _set_password(tx, account_id, password)
    end_others(tx, account_id, secret)
    return renew(tx, secret)


def reset_password(tx: Tx, account_id: int, password: str, *, second_factors: Literal["keep", "drop"]) -> None:
    """A new password for somebody who could not sign in: every session ends. password: its digest.

    second_factors: whether passkeys, the app and the recovery codes stay.
    """
    _set_password(tx, account_id, password)
    end_others(tx, account_id, None)
    if second_factors == "drop":
        factors.drop_all(tx, account_id)


def _set_password(tx: Tx, account_id: int, password: str) -> None:
    tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(password=password))


def prefer(tx: Tx, account_id: int, preferences: Preferences) -> None:
    """In which language and colours somebody reads."""
    tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(preferences._asdict()))
