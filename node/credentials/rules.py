"""States and limits of credentials, the form behind them, and the order of entries in a status list. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal, get_args

import msgspec

from node.errors import Invalid
from node.language import _

Side = Literal["issued", "held", "seen"]
State = Literal["issued", "revoked", "offered", "held", "seen"]
Audience = Literal["nobody", "address", "profile"]
"""Who may see a credential that is held: its holder, whoever has its address, or everybody on the holder's profile."""

AUDIENCES: tuple[Audience, ...] = get_args(Audience)

MAX_NAME = 200
MAX_TEXT = 2_000
MAX_BYTES = 64_000
MAX_FILE = 256_000
"""Of what is brought to be checked; a credential that is kept may have `MAX_BYTES`."""
MAX_HELD = 500
MAX_OFFERED = 100
OFFERED_FROM_ONE = 20
MAX_STAPLED = 3
MAX_CARRIED = 50
"""Status lists of where somebody lived before that they carry on."""
KEEP_OFFERED = timedelta(days=90)
KEEP_SEEN = timedelta(days=30)
MAX_SEEN = 5_000
"""Of profiles elsewhere; whoever looks at one later has it fetched anew."""

ENTRIES = 131_072
"""Of one status list, the least that the standard allows (Bitstring Status List 1.0 §2.1): it hides who is in it."""
RENEWED = timedelta(hours=12)
LIST_VALID = timedelta(days=3)
"""A list is signed anew twice a day, and counts for three: as long as its issuer's server may be away."""

CHECK_EVERY = timedelta(hours=12)
SAID_FOR = timedelta(days=2)
"""How old a check may be that is shown as "valid": a server that was switched off says so only after the next one."""
CHECK_AGAIN = timedelta(hours=1)
CHECK_SELDOM = timedelta(days=7)


def skill_key(name: str) -> str:
    """By what two skills of one name are the same, however they are written."""
    return " ".join(name.split()).casefold()[:MAX_NAME]


class GiveDraft(msgspec.Struct, frozen=True):
    """What somebody says of somebody else. until: the last day on which it counts, None for ever."""

    name: str
    description: str
    criteria: str
    to: str
    until: date | None = None


class Found(msgspec.Struct, frozen=True):
    """What the last check of a held credential said. rows: the step, its outcome, and its sentence as `packed`."""

    overall: str
    rows: list[tuple[str, str, list[object]]] = []


def parse_give(form: Mapping[str, str], today: date) -> GiveDraft:
    """The form with which a credential is given; raises Invalid."""
    errors: dict[str, str] = {}
    fields = ("name", "description", "criteria", "to")
    name, description, criteria, to = (form.get(field, "").strip() for field in fields)
    if not to:
        errors["to"] = _("Name whom this is about, such as @name@server.")
    if not 0 < len(name) <= MAX_NAME:
        errors["name"] = _("Say in at most {most} characters what they have shown.", most=MAX_NAME)
    for field, text in (("description", description), ("criteria", criteria)):
        if not 0 < len(text) <= MAX_TEXT:
            errors[field] = _("Write something here, in at most {most} characters.", most=MAX_TEXT)
    until = _until(form.get("until", "").strip(), today, errors)
    if errors:
        raise Invalid(errors)
    return GiveDraft(name, description, criteria, to, until)


def _until(text: str, today: date, errors: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError:
        errors["until"] = _("This is not a day. Write it as 2029-07-14, or leave it empty.")
        return None
    if not today < until <= today.replace(year=today.year + 50, day=1):
        errors["until"] = _("Choose a day that is still to come, or leave it empty.")
        return None
    return until


def overall_now(found: Found | None, checked: datetime | None, until: datetime | None, now: datetime) -> str:
    """What may be said of a held credential now: what the last check said, unless that is old, or its time is over."""
    if found is None or checked is None:
        return "unknown"
    if until is not None and until <= now:
        return "fails"
    return "unknown" if found.overall == "holds" and now - checked > SAID_FOR else found.overall


def next_check(now: datetime, overall: str, failures: int) -> datetime:
    """When a held credential is looked at again: soon after one that could not be asked, less often the longer."""
    if overall == "unknown":
        return now + min(CHECK_AGAIN * (1 << min(failures, 8)), CHECK_SELDOM)
    return now + CHECK_EVERY


# ---- which entry of a list comes next


def entry(seed: bytes, number: int) -> int:
    """The number-th entry that is given away: a permutation of all entries that only who has the seed can follow.

    A Feistel network over 18 bits, walked until it falls among the 17 that there are.
    """
    value = number
    while True:
        value = _shuffled(seed, value)
        if value < ENTRIES:
            return value


def _shuffled(seed: bytes, value: int) -> int:
    left, right = value >> 9, value & 511
    for turn in range(6):
        digest = hmac.digest(seed, bytes((turn, right >> 8, right & 255)), hashlib.sha256)
        left, right = right, left ^ (digest[0] << 8 | digest[1]) & 511
    return left << 9 | right
