"""Questions with answers to choose from (ActivityStreams 2.0 vocabulary §3.3, as Mastodon and its kin write them)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from schemas.base import datetime_of, localised, objects_of
from schemas.errors import Malformed

MAX_OPTIONS = 20
MAX_VOTES = 10**9


class Option(msgspec.Struct, frozen=True):
    """One answer, and how many have chosen it."""

    name: str
    votes: int


class Poll(msgspec.Struct, frozen=True):
    """What can be chosen. several: more than one. ends: when no vote counts any more; closed: it says that it is over.

    voters: how many have voted, where that is said (with several answers it is less than the votes).
    """

    options: tuple[Option, ...]
    several: bool
    ends: datetime | None
    closed: bool
    voters: int | None

    def is_over(self, now: datetime) -> bool:
        """Whether it can be answered no more."""
        return self.closed or (self.ends is not None and self.ends <= now)

    @property
    def votes(self) -> int:
        """Of all options together."""
        return sum(option.votes for option in self.options)


def parse_poll(document: dict[str, Any]) -> Poll | None:
    """The poll of a Question; None for what is none, or offers nothing to choose from."""
    if document.get("type") != "Question":
        return None
    try:
        several = "anyOf" in document
        offered = objects_of(document.get("anyOf" if several else "oneOf"))
    except Malformed:
        return None
    options = tuple(_option(item) for item in offered[:MAX_OPTIONS])
    if not options:
        return None
    closed = document.get("closed")
    return Poll(
        options=options,
        several=several,
        ends=datetime_of(closed) or datetime_of(document.get("endTime")),
        closed=closed is True,
        voters=_count(document.get("votersCount")),
    )


def _option(item: dict[str, Any]) -> Option:
    replies = item.get("replies")
    votes = _count(replies.get("totalItems")) if isinstance(replies, dict) else None
    return Option(localised(item, "name", limit=200), votes or 0)


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return min(max(0, value), MAX_VOTES)
