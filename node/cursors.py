"""Where a list goes on: the time and the id of the last thing on a page, in one text that its links carry.

Newest first, by time, then by id: a thing that comes in meanwhile moves nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

_CURSOR = re.compile(r"([0-9]{1,17})-(https?://[^\s]{1,2000})\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 10**16  # microseconds: what a date can still hold


def cursor_of(at: datetime, object_id: str) -> str:
    """What `before` takes for all that comes after this."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{object_id}"


def before(text: str | None, at: sa.Column[Any], object_id: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """What comes after the thing of a cursor; everything, for none and for one that cannot be read."""
    match = _CURSOR.match(text or "")
    if match is None:
        return sa.true()
    moment = _EPOCH + timedelta(microseconds=min(int(match[1]), _LATEST))
    return sa.or_(at < moment, sa.and_(at == moment, object_id < match[2]))
