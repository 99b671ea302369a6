"""What an answer to a delivery means, and when to try again: pure policy (FEDERATION §4).

Two things can be wrong, and they are told apart. A *host* that cannot be reached is left alone for longer and longer,
and with it everything that waits for it. An *item* that its host will not take is that item's affair: the others go
on. A 5xx, or a connection that is closed in the middle, may be either; it is the item's when the host takes others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=12)
LONGEST_RETRY_AFTER = timedelta(hours=24)
KEEP_TRYING = timedelta(days=14)
KEEP_TRYING_ACTORS = timedelta(days=35)
"""For what an actor says of itself, above all that it has ended (SECURITY 136)."""

ABSENT_FOR = timedelta(days=7)
"""How long an actor may answer 404 before it is no follower any more: an hour of proxy trouble erases nobody."""

MAX_STRIKES = 5
"""How often a host that takes other items may choke on one, or deny it, before that one is given up."""

OPENS_AFTER = 2
"""How many answers in a row that may be the host's fault open its circuit."""

JITTER = 0.2


class Verdict(Enum):
    """What came of one try."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # this item, for good
    DENIED = "denied"  # 401, 403 or a redirect: perhaps only for now, so a few times
    LATER = "later"  # this item, later
    MISSING = "missing"  # there is no such inbox, or not any more
    SLOW_DOWN = "slow down"  # the host asks for time
    CHOKED = "choked"  # 5xx, or closed instead of an answer: the host or the item
    UNREACHABLE = "unreachable"  # the host
    UNTRIED = "untried"  # taken in hand and put back


ALIVE = frozenset({Verdict.DELIVERED, Verdict.REFUSED, Verdict.DENIED, Verdict.LATER, Verdict.MISSING})
"""Verdicts by which a host shows that it is there and works."""

STOPS_HOST = frozenset({Verdict.SLOW_DOWN, Verdict.UNREACHABLE})
"""Verdicts after which the rest of what is in hand for the host is put back."""


def judge(status: int, *, asks_for_time: bool) -> Verdict:
    """What a status says. asks_for_time: it came with Retry-After."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status == 429 or (status == 503 and asks_for_time):
        return Verdict.SLOW_DOWN
    if status >= 500:
        return Verdict.CHOKED
    if status in (404, 410):
        return Verdict.MISSING
    if status in (401, 403) or status < 400:
        return Verdict.DENIED
    return Verdict.LATER if status in (408, 425) else Verdict.REFUSED


def delay(failures: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row: doubling, at most 12 hours. chance: in [0, 1), spreads them."""
    doubled = FIRST_DELAY * 2.0 ** min(max(failures - 1, 0), 20)
    return min(LONGEST_DELAY, min(LONGEST_DELAY, doubled) * (1 + JITTER * chance))


def delay_by_age(age: timedelta) -> timedelta:
    """How long to wait where nothing is counted: a quarter of the time that it took so far, at most 12 hours."""
    return max(FIRST_DELAY, min(LONGEST_DELAY, age / 4))


def respected(retry_after: timedelta | None) -> timedelta:
    """How much of the time that a host asks for it gets: at least our shortest wait, at most 24 hours."""
    if retry_after is None:
        return FIRST_DELAY
    return max(FIRST_DELAY, min(LONGEST_RETRY_AFTER, retry_after))


def is_over(created_at: datetime, now: datetime, keep: timedelta = KEEP_TRYING) -> bool:
    """Whether an item has been tried for long enough."""
    return now - created_at >= keep


def is_open(retry_at: datetime | None, now: datetime) -> bool:
    """Whether a host is left alone for now. A time beyond every wait comes from a clock that was wrong."""
    return retry_at is not None and now < retry_at <= now + LONGEST_RETRY_AFTER
