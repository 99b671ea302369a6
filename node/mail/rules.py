"""How often a mail is tried, and what an answer of the mail server means (RFC 5321 §4.2.1). Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=4)
KEEP_TRYING = timedelta(days=3)


def wait(attempts: int) -> timedelta:
    """How long after a failed try the next one comes: a minute, then twice as long each time."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 12)), LONGEST_WAIT)


def is_final(code: int | None) -> bool:
    """Whether a mail server's answer is for good: 5yz is, 4yz and no answer at all are not."""
    return code is not None and 500 <= code < 600


def one_line(text: str) -> str:
    """A header's value: no line break gets into a header (SECURITY 110)."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
