"""What a POST may bring: so many bytes in so much time, and JSON that can be read in one way only.

Nothing here costs more than a few milliseconds for a mebibyte, since all of it runs before anybody is known.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from federation.errors import Busy, Refused, Unacceptable
from federation.rates import Rate
from schemas.base import MAX_MANY, Envelope, envelope_of
from schemas.errors import SchemaError
from schemas.jsonld import FORBIDDEN
from schemas.strict_json import loads_object

_UNREAD = tuple(keyword.encode() for keyword in FORBIDDEN)
_LISTS = ("to", "cc", "bto", "bcc", "audience", "tag", "attachment", "object")

HOST_RATE = Rate(per_second=50, burst=3_000)
FAILURE_RATE = Rate(per_second=5, burst=300)


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What one POST, one host and one address may cost.

    body: bytes, inflated. together: bytes of all bodies in hand at once. address: of those from one peer address.
    seconds: until the body is complete. host: verified activities of one host. failures: refused requests of one
    peer address, before it gets no hearing for a while.
    """

    body: int = 1_048_576
    together: int = 67_108_864
    address: int = 16_777_216
    seconds: float = 10.0
    host: Rate = HOST_RATE
    failures: Rate = FAILURE_RATE


DEFAULT_LIMITS = DoorLimits()


class TooLarge(Refused):
    """The body exceeds the limit."""

    status = 413
    default_safe = "The body is larger than 1 MiB."


class NotActivity(Refused):
    """The body is of another media type."""

    status = 415
    default_safe = "Post application/activity+json."


class TooSlow(Refused):
    """The body did not arrive in time."""

    status = 408
    default_safe = "The body did not arrive in time."


@dataclass(slots=True)
class Hand:
    """How much of one body is here."""

    size: int = 0


class Bodies:
    """Reads bodies, and knows how many bytes of them are in hand, together and from each address."""

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._together = 0
        self._from: Counter[str] = Counter()

    @contextmanager
    def hand(self, address: str) -> Iterator[Hand]:
        """A hand for one body: while its activity is looked into, its bytes count."""
        hand = Hand()
        try:
            yield hand
        finally:
            self._together -= hand.size
            self._from[address] -= hand.size
            if not self._from[address]:
                del self._from[address]

    async def read(self, request: web.Request, address: str, hand: Hand) -> bytes:
        """The body, inflated, counted while it arrives.

        Raises TooLarge, TooSlow, Unacceptable for a broken encoding, Busy when too much is in hand already.
        """
        if (request.content_length or 0) > self._limits.body:
            raise TooLarge("Content-Length is over the limit")
        chunks: list[bytes] = []
        try:
            if request.content.is_eof():  # it came with its head, as most do
                body = request.content.read_nowait()
                self._take(len(body), address, hand)
                return body
            async with asyncio.timeout(self._limits.seconds):
                while chunk := await request.content.readany():
                    chunks.append(chunk)
                    self._take(len(chunk), address, hand)
        except TimeoutError as error:
            raise TooSlow("the body did not arrive in time") from error
        except (HttpProcessingError, web.RequestPayloadError) as error:
            raise Unacceptable("the body's encoding is broken") from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _take(self, size: int, address: str, hand: Hand) -> None:
        hand.size += size
        self._together += size
        self._from[address] += size
        if hand.size > self._limits.body:
            raise TooLarge("the body is over the limit")
        if self._from[address] > self._limits.address or self._together > self._limits.together:
            raise Busy("the bodies of all requests together take too much memory")


def parse(body: bytes, limits: DoorLimits) -> dict[str, Any]:
    """Bytes -> document. Unacceptable for what is not strict JSON, or holds what is not read (SECURITY 30)."""
    try:
        document = loads_object(body, max_bytes=limits.body)
    except SchemaError as error:
        raise Unacceptable(f"the body is not a JSON object: {error}") from error
    if b"\\u" in body or any(keyword in body for keyword in _UNREAD):  # an escape may hide the word
        refuse_unread(document)
    return document


def refuse_unread(value: Any) -> None:
    """@graph, @included and @reverse are members of nothing, at no depth."""
    if isinstance(value, dict):
        if not FORBIDDEN.isdisjoint(value):
            raise Unacceptable("@graph, @included and @reverse are not read")
        for item in value.values():
            refuse_unread(item)
    elif isinstance(value, list):
        for item in value:
            refuse_unread(item)


def envelope(document: dict[str, Any]) -> Envelope:
    """Who says what under which id; Unacceptable when that does not stand there in plain words."""
    try:
        return envelope_of(document)
    except SchemaError as error:
        raise Unacceptable(f"the activity: {error}") from error


def check_lists(document: dict[str, Any]) -> None:
    """SECURITY 81: what names 20,000 recipients is refused before anybody is asked about it."""
    inner = document.get("object")
    holders = [document, *(inner[:MAX_MANY] if isinstance(inner, list) else [inner])]
    for holder in holders:
        if not isinstance(holder, dict):
            continue
        for name in _LISTS:
            value = holder.get(name)
            if isinstance(value, list) and len(value) > MAX_MANY:
                raise Unacceptable(f"{name} lists more than {MAX_MANY}")
