"""What every document has: ids, audiences, times, texts; and the envelope, all that may be read before verification.

These readers are total: for any JSON value they return, or raise Malformed where the docstring says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

from schemas.errors import Malformed
from schemas.terms import PUBLIC, PUBLIC_NAMES
from schemas.urls import parse_url, url_of

MAX_MANY = 1_000
MAX_TYPE = 64

_DATETIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d{2}:?\d{2})?\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What may be read of an activity before anybody has proven who sent it."""

    id: str
    type: str
    actor: str


def envelope_of(document: dict[str, Any]) -> Envelope:
    """Read id, type and actor of an activity; Malformed when one is missing or is not what it must be."""
    kind = document.get("type")
    if not isinstance(kind, str) or not 0 < len(kind) <= MAX_TYPE:
        raise Malformed("type", "an activity has one type")
    activity_id = document.get("id")
    actor = id_of(document.get("actor"))
    if not isinstance(activity_id, str):
        raise Malformed("id", "an activity has an id")
    if actor is None:
        raise Malformed("actor", "an activity has one actor")
    parse_url(activity_id)
    parse_url(actor)
    return Envelope(activity_id, kind, actor)


def many(value: Any) -> list[Any]:
    """One or many -> a list of at most 1,000; Malformed for more."""
    if value is None:
        return []
    if not isinstance(value, list):
        return [value]
    if len(value) > MAX_MANY:
        raise Malformed("", f"a list of more than {MAX_MANY}")
    return value


def id_of(value: Any) -> str | None:
    """The id behind a string, an object with an id, or a list of exactly one of them; else None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def ids_of(value: Any) -> tuple[str, ...]:
    """All ids in one or many values, in their order and once each; what has none is left out."""
    return tuple(dict.fromkeys(found for item in many(value) if (found := id_of(item)) is not None))


def first_object(value: Any) -> dict[str, Any] | None:
    """The first JSON object in one or many values."""
    return next((item for item in many(value) if isinstance(item, dict)), None)


def objects_of(value: Any) -> list[dict[str, Any]]:
    """All JSON objects in one or many values."""
    return [item for item in many(value) if isinstance(item, dict)]


Visibility = Literal["public", "unlisted", "followers", "direct"]


@dataclass(frozen=True, slots=True)
class Audience:
    """To whom something is addressed; the public collection always under its full IRI."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()

    @property
    def everybody(self) -> tuple[str, ...]:
        """Every recipient once, the public collection included."""
        return tuple(dict.fromkeys(self.to + self.cc))

    def visibility(self, followers: str | None) -> Visibility:
        """Public in `to` is public, in `cc` unlisted; else the author's followers collection; else direct."""
        if PUBLIC in self.to:
            return "public"
        if PUBLIC in self.cc:
            return "unlisted"
        return "followers" if followers and followers in self.everybody else "direct"


def audience_of(document: dict[str, Any]) -> Audience:
    """Read `to` and `cc` (never bto and bcc, which must not travel); Malformed for absurdly long lists."""
    return Audience(_recipients(document.get("to")), _recipients(document.get("cc")))


def _recipients(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(PUBLIC if found in PUBLIC_NAMES else found for found in ids_of(value)))


def text_of(value: Any, *, limit: int) -> str:
    """A string cut at `limit` characters; anything else is an empty text."""
    return value[:limit] if isinstance(value, str) else ""


def localised(document: dict[str, Any], name: str, *, limit: int) -> str:
    """A natural language value: `name`, else the first entry of `nameMap`."""
    value = document.get(name)
    if not isinstance(value, str):
        by_language = document.get(f"{name}Map")
        value = next(iter(by_language.values()), "") if isinstance(by_language, dict) else ""
    return text_of(value, limit=limit)


def datetime_of(value: Any) -> datetime | None:
    """An RFC 3339 time in UTC; no zone means UTC. None for what is no time, a leap second or an absurd year."""
    match = _DATETIME.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        zone = _zone(match[8])
        moment = datetime(year, month, day, hour, minute, second, micro, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year < 2200 else None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def link_of(value: Any) -> str | None:
    """The address in one or many `url` values: a string, or the href of a Link, a page before anything else."""
    links = [item for item in many(value) if isinstance(item, str | dict)]
    pages = [item for item in links if isinstance(item, dict) and item.get("mediaType") == "text/html"]
    for item in pages + links:
        found = url_of(item if isinstance(item, str) else item.get("href") or item.get("url"))
        if found is not None:
            return found
    return None
