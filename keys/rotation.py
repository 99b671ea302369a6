"""Which key signs at a time, which stay published, and what a signature by an old one is worth: pure policy.

A key that is replaced stays published for a while, so that peers who have it cached go on until they ask again
(SECURITY 183). A key that was stolen is revoked as of a time: what it signed before stands (SECURITY 184).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

OVERLAP = timedelta(days=7)
"""How long a replaced key stays published."""


@dataclass(frozen=True, slots=True)
class KeyPeriod:
    """The life of one key: in use since, replaced at, revoked as of."""

    key_id: str
    since: datetime
    retired: datetime | None = None
    revoked: datetime | None = None


Standing = Literal["in force", "not yet", "retired", "revoked"]


def standing(period: KeyPeriod, at: datetime) -> Standing:
    """What the key is at a time. A revocation counts before everything else."""
    if period.revoked is not None and period.revoked <= at:
        return "revoked"
    if at < period.since:
        return "not yet"
    return "retired" if period.retired is not None and period.retired <= at else "in force"


def signing_key(periods: Iterable[KeyPeriod], at: datetime) -> KeyPeriod | None:
    """The key to sign with: the youngest in force."""
    able = [period for period in periods if standing(period, at) == "in force"]
    return max(able, key=lambda period: period.since, default=None)


def published_keys(periods: Iterable[KeyPeriod], at: datetime) -> tuple[KeyPeriod, ...]:
    """The keys to list, youngest first: those in force, and those replaced less than `OVERLAP` ago."""
    listed = [period for period in periods if _is_listed(period, at)]
    return tuple(sorted(listed, key=lambda period: period.since, reverse=True))


def _is_listed(period: KeyPeriod, at: datetime) -> bool:
    match standing(period, at):
        case "in force":
            return True
        case "retired":
            return period.retired is not None and at < period.retired + OVERLAP
        case _:
            return False


def counts(period: KeyPeriod, signed_at: datetime) -> bool:
    """Whether what this key signed at that time still counts: not if it was revoked, or not made, by then."""
    return standing(period, signed_at) in ("in force", "retired")
