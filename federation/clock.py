"""The one clock of a node: UTC, and movable by a fixed offset so that tests and operators can try other times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time; `offset` moves it (setting `FREEHOLD_CLOCK_OFFSET`, in seconds)."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """The present, as an aware datetime in UTC."""
        return datetime.now(UTC) + self.offset


def iso(moment: datetime) -> str:
    """`2026-11-23T14:15:42Z`: the form in which every time of ours travels (RFC 3339, whole seconds, UTC)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
