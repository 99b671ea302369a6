"""Six digits from an app (TOTP, RFC 6238), and the recovery codes for whoever lost it.

The shared secret is sealed under the master key. A code counts in its own half minute and one step to either side, and
none counts twice: the step of the last one is kept, and only a later one is taken (RFC 6238 §5.2). Recovery codes have
80 random bits, so that a plain digest of them keeps them.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa

from federation.storage import Tx
from keys.vault import Vault
from node.accounts.tables import code_apps, recovery_codes
from node.unguessable import digest_of

STEP = 30  # seconds
SKEW = 1  # steps
RECOVERY_CODES = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY = re.compile(f"[{_ALPHABET}]{{16}}")

Proof = Literal["code", "recovery"]


class Enrolment(NamedTuple):
    """An app that is to be confirmed. secret: base32, as people type it; uri: as an app reads it from a picture."""

    secret: str
    uri: str


def begin(tx: Tx, vault: Vault, account_id: int) -> None:
    """Make a secret for a new app; one that is confirmed already stays as it is."""
    import pyotp  # only who sets an app up needs it

    tx.execute(sa.delete(code_apps).where(code_apps.c.account_id == account_id, code_apps.c.confirmed_at.is_(None)))
    sealed = vault.seal(pyotp.random_base32().encode(), _context(account_id))
    values = {"account_id": account_id, "sealed": sealed, "created_at": tx.now}
    tx.execute(tx.insert_new(code_apps, "account_id"), values)


def enrolment(tx: Tx, vault: Vault, account_id: int, *, account: str, server: str) -> Enrolment | None:
    """The app that waits to be confirmed. account, server: what the app will call it."""
    import pyotp

    waiting = sa.and_(code_apps.c.account_id == account_id, code_apps.c.confirmed_at.is_(None))
    sealed = tx.scalar(sa.select(code_apps.c.sealed).where(waiting))
    if sealed is None:
        return None
    secret = vault.unseal(sealed, _context(account_id)).decode()
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=server))


def confirm(tx: Tx, vault: Vault, account_id: int, code: str) -> list[str] | None:
    """The first code of a new app: from now on it is asked for. Returns new recovery codes; None: it does not fit."""
    if not _use_code(tx, vault, account_id, code):
        return None
    waiting = sa.and_(code_apps.c.account_id == account_id, code_apps.c.confirmed_at.is_(None))
    if not tx.execute(sa.update(code_apps).where(waiting).values(confirmed_at=tx.now)).rowcount:
        return None
    return new_recovery_codes(tx, account_id)


def prove(tx: Tx, vault: Vault, account_id: int, code: str) -> Proof | None:
    """Use what somebody typed, a code or a recovery code; None when it does not fit, or did before."""
    typed = re.sub(r"[\s-]", "", code[:100]).lower()
    if _RECOVERY.fullmatch(typed):
        return "recovery" if _use_recovery(tx, account_id, typed) else None
    confirmed = sa.and_(code_apps.c.account_id == account_id, code_apps.c.confirmed_at.is_not(None))
    if tx.scalar(sa.select(code_apps.c.account_id).where(confirmed)) is None:
        return None
    return "code" if _use_code(tx, vault, account_id, typed) else None


def new_recovery_codes(tx: Tx, account_id: int) -> list[str]:
    """Ten codes, each good once; those of before are worth nothing. Only their digests are kept."""
    tx.execute(sa.delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    tx.execute(sa.insert(recovery_codes), [{"account_id": account_id, "digest": digest_of(code)} for code in made])
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in made]


def remove(tx: Tx, account_id: int) -> None:
    """The password alone opens the account again."""
    tx.execute(sa.delete(code_apps).where(code_apps.c.account_id == account_id))
    tx.execute(sa.delete(recovery_codes).where(recovery_codes.c.account_id == account_id))


def picture(uri: str) -> str:
    """A QR code as an SVG without styles, with the border that cameras need."""
    import segno

    return segno.make(uri, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")


def _use_code(tx: Tx, vault: Vault, account_id: int, code: str) -> bool:
    row = tx.row(sa.select(code_apps.c.sealed, code_apps.c.last_step).where(code_apps.c.account_id == account_id))
    if row is None:
        return False
    secret = vault.unseal(row.sealed, _context(account_id)).decode()
    step = _step_of(secret, code, tx.now, after=-1 if row.last_step is None else row.last_step)
    if step is None:
        return False
    unused = sa.or_(code_apps.c.last_step.is_(None), code_apps.c.last_step < step)
    mine = sa.and_(code_apps.c.account_id == account_id, unused)
    return tx.execute(sa.update(code_apps).where(mine).values(last_step=step)).rowcount == 1


def _step_of(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """Of the steps that may be meant, and that no code was taken of, the one whose code it is."""
    import pyotp

    app, here = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    for step in range(here - SKEW, here + SKEW + 1):
        if step > after and hmac.compare_digest(app.generate_otp(step).encode(), code.encode()):
            return step
    return None


def _use_recovery(tx: Tx, account_id: int, code: str) -> bool:
    mine = sa.and_(recovery_codes.c.account_id == account_id, recovery_codes.c.digest == digest_of(code))
    unused = sa.and_(mine, recovery_codes.c.used_at.is_(None))
    return tx.execute(sa.update(recovery_codes).where(unused).values(used_at=tx.now)).rowcount == 1


def _context(account_id: int) -> str:
    return f"code app of account {account_id}"
