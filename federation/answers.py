"""What a host answered: in which shapes it is handed on, and what its status and its headers mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from federation.errors import Gone, NotFound, Refused, Unreachable
from keys.requests import Scheme

TEMPORARY = frozenset({408, 425, 429})
KNOCK_AGAIN = frozenset({400, 401, 403})
CHUNK = 16_384
MAX_WORDS = 200
MAX_ANSWER = 65_536


@dataclass(frozen=True, slots=True)
class Fetched:
    """A JSON document, the URL where it was found in the end, and its exact bytes."""

    url: str
    document: dict[str, Any]
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A body of any kind, the URL where it was found in the end, and what its host says that it is."""

    url: str
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Looked:
    """An answer as it came, whatever it is. location: where it redirects to; date: what its host's clock says."""

    status: int
    body: bytes
    location: str | None
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said to a POST. words: the beginning of what it said, for the operator."""

    status: int
    retry_after: timedelta | None = None
    accept_signature: Scheme | None = None
    words: str = ""


class NotLiked(Refused):
    """A 400, 401 or 403: perhaps only because of the kind of signature."""


def check_status(url: str, status: int) -> None:
    """Raise what a status other than 2xx means: NotFound, Gone, Unreachable (for now), NotLiked or Refused."""
    if 200 <= status < 300:
        return
    message = f"{url} answers {status}"
    if status == 404:
        raise NotFound(message)
    if status == 410:
        raise Gone(message)
    if status >= 500 or status in TEMPORARY:
        raise Unreachable(message)
    raise NotLiked(message) if status in KNOCK_AGAIN else Refused(message)


async def words_of(response: aiohttp.ClientResponse) -> str:
    """Read an answer to its end, so that its connection can be used again, and keep how it begins if it is a no."""
    size, first = 0, b""
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        first = first or chunk[:MAX_WORDS]
        if size > MAX_ANSWER:
            response.close()
            break
    if response.status < 300:
        return ""
    return "".join(char if char.isprintable() else " " for char in first.decode("utf-8", "replace")).strip()


def date_of(text: str | None) -> datetime | None:
    """A Date header (RFC 9110 §6.6.1); None when there is none that can be read."""
    try:
        moment = parsedate_to_datetime((text or "")[:64])
    except (ValueError, TypeError, IndexError, OverflowError):  # the library raises each of them for some text
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """A Retry-After in seconds or as a date (RFC 9110 §10.2.3); None when there is none that can be read."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:12]), 10**9))
    moment = date_of(text)
    return None if moment is None else moment - now
