"""What besides the password proves who somebody is: passkeys, an app that shows codes, recovery codes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from node.accounts.tables import code_apps, passkeys, recovery_codes


class Passkey(NamedTuple):
    """One of somebody's passkeys. name: in our addresses; label: what its owner calls it."""

    name: str
    label: str
    credential: str
    created_at: datetime
    used_at: datetime | None


class Factors(NamedTuple):
    """All of somebody. app_since: when the app was confirmed, None without one. codes_left: unused recovery codes."""

    passkeys: list[Passkey]
    app_since: datetime | None
    codes_left: int


def factors_of(tx: Tx, account_id: int) -> Factors:
    """What somebody has."""
    unused = sa.and_(recovery_codes.c.account_id == account_id, recovery_codes.c.used_at.is_(None))
    return Factors(
        passkeys_of(tx, account_id),
        app_since(tx, account_id),
        tx.scalar(sa.select(sa.func.count()).select_from(recovery_codes).where(unused)),
    )


def passkeys_of(tx: Tx, account_id: int) -> list[Passkey]:
    """In the order in which they were added."""
    mine = passkeys.c.account_id == account_id
    rows = tx.rows(sa.select(passkeys).where(mine).order_by(passkeys.c.created_at, passkeys.c.name))
    return [Passkey(row.name, row.label, row.credential, row.created_at, row.used_at) for row in rows]


def app_since(tx: Tx, account_id: int) -> datetime | None:
    """Since when signing in with the password asks for a code too; None: it does not."""
    mine = code_apps.c.account_id == account_id
    since: datetime | None = tx.scalar(sa.select(code_apps.c.confirmed_at).where(mine))
    return since


def drop_all(tx: Tx, account_id: int) -> None:
    """From now on the password alone opens the account."""
    for table in (passkeys, code_apps, recovery_codes):
        tx.execute(sa.delete(table).where(table.c.account_id == account_id))
