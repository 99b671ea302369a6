"""A request as both generations of HTTP signatures see it, and the checks that they share: digests and times.

What is signed is compared with our own origin and the raw target, never with a Host header, which anybody between may
have written, nor with a decoded path.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from keys import fields
from keys.canonical import sha256
from keys.errors import BadHeader, BadSignature, Expired
from keys.material import Algorithm, PublicKey
from schemas.errors import SchemaError
from schemas.urls import parse_url

Scheme = Literal["rfc9421", "cavage"]

MAX_AGE = timedelta(hours=1, minutes=5)
MAX_SKEW = timedelta(hours=1)
MAX_SIGNATURE = 1_024  # bytes: of the largest RSA key that is accepted
MAX_DIGESTS = 8
ALSO_SIGNED = ("collection-synchronization",)
"""Headers besides those of the signatures themselves that mean something only when they are covered (FEP-8fcf)."""

_URL = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?\Z", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT\Z")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Request(NamedTuple):
    """An HTTP request.

    url: absolute, the receiver's origin and the raw target. headers: names in lower case, repeated ones allowed.
    body: None where there is none.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Message(NamedTuple):
    """A request taken apart. `fields` holds each header once, repeated ones joined by a comma (RFC 9110 §5.3)."""

    method: str
    scheme: str
    authority: str
    path: str
    query: str | None
    fields: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def has_content(self) -> bool:
        """Whether a signature must cover a digest of the body."""
        return self.method not in ("GET", "HEAD") or bool(self.body)


def take_apart(request: Request) -> Message:
    """Request -> Message; BadHeader for a URL that is none."""
    match = _URL.match(request.url)
    if match is None:
        raise BadHeader("the request's URL is not an absolute http or https URL without a fragment")
    scheme = match[1].lower()
    authority = match[2].lower().removesuffix(_DEFAULT_PORTS[scheme])
    joined: dict[str, str] = {}
    for name, value in request.headers:
        text = value.strip(" \t")
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    return Message(request.method, scheme, authority, match[3] or "/", match[4], joined, request.body or b"")


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """What a signed request claims: that the holder of a key sent it, then. True once `verify` has returned.

    created: when it was signed, as far as that is signed. algorithm: what the request says about the key's kind, if
    anything. bases: the byte strings that may have been signed. covered: the names of what is signed.
    """

    key_id: str
    scheme: Scheme
    created: datetime | None
    algorithm: Algorithm | None
    signature: bytes
    bases: tuple[bytes, ...]
    covered: frozenset[str] = frozenset()

    def verify(self, public_key: PublicKey) -> None:
        """Return if this key signed the request; raises BadSignature. The key's kind decides the algorithm."""
        if self.algorithm not in (None, public_key.algorithm):
            raise BadSignature(f"signed with {self.algorithm}, it says, but the key is of kind {public_key.algorithm}")
        for base in self.bases[:-1]:
            try:
                return public_key.verify(self.signature, base)
            except BadSignature:
                continue
        return public_key.verify(self.signature, self.bases[-1])


def check_key_id(key_id: object) -> str:
    """A key id is a URL that `schemas.urls` reads; BadHeader."""
    if not isinstance(key_id, str):
        raise BadHeader("no key id")
    try:
        parse_url(key_id)
    except SchemaError as error:
        raise BadHeader("the key id is not a URL") from error
    return str(key_id)


def check_created(seconds: int, now: datetime) -> datetime:
    """The time of signing: at most 1 h 5 min ago, at most 1 h ahead; Expired."""
    age = now.timestamp() - seconds
    if age > MAX_AGE.total_seconds():
        raise Expired("signed more than an hour ago")
    if age < -MAX_SKEW.total_seconds():
        raise Expired("signed more than an hour in the future: one of the two clocks is wrong")
    return datetime.fromtimestamp(seconds, UTC)


def check_expires(seconds: int, now: datetime) -> None:
    """Raises Expired once the signer's own limit is over."""
    if now.timestamp() > seconds:
        raise Expired("the signer let it hold only until before now")


def parse_date(text: str) -> int:
    """An IMF-fixdate (RFC 9110 §5.6.7) as seconds since 1970; BadHeader for any other form."""
    match = _DATE.match(text)
    if match is None or match[2] not in _MONTHS:
        raise BadHeader("Date is not of the form 'Mon, 07 Dec 2026 10:00:00 GMT'")
    day, year, hour, minute, second = (int(match[part]) for part in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise BadHeader("Date is a day that cannot be") from error
    return int(moment.timestamp())


def write_date(moment: datetime) -> str:
    """The inverse of `parse_date`."""
    utc = moment.astimezone(UTC)
    day, month = _DAYS[utc.weekday()], _MONTHS[utc.month - 1]
    return f"{day}, {utc.day:02} {month} {utc.year:04} {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"


def digest(body: bytes) -> str:
    """`SHA-256=...`, the value of Digest (RFC 3230)."""
    return f"SHA-256={base64.b64encode(sha256(body)).decode('ascii')}"


def content_digest(body: bytes) -> str:
    """`sha-256=:...:`, the value of Content-Digest (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(sha256(body)).decode('ascii')}:"


def check_digests(message: Message) -> frozenset[str]:
    """The names of the digest headers that hold the body's SHA-256.

    Whether one is signed is for the caller to see. Raises BadSignature when any SHA-256 in any of them is of another
    body, signed or not: two readers must not see two bodies. BadHeader when one cannot be read.
    """
    claimed = {name: read(message.fields[name]) for name, read in _READERS.items() if name in message.fields}
    if not claimed:
        return frozenset()
    actual = sha256(message.body)
    for name, digests in claimed.items():
        if not all(hmac.compare_digest(actual, claim) for claim in digests):
            raise BadSignature(f"the body is not the one that {name} is of")
    return frozenset(name for name, digests in claimed.items() if digests)


def _read_digest(text: str) -> list[bytes]:
    """The SHA-256 values of a Digest header; its algorithms are named in any case."""
    parts = text.split(",", MAX_DIGESTS)
    if len(parts) > MAX_DIGESTS:
        raise BadHeader("too many digests")
    pairs = [part.strip(" \t").partition("=") for part in parts]
    return [_base64(value) for name, _, value in pairs if name.lower() == "sha-256"]


def _read_content_digest(text: str) -> list[bytes]:
    found = fields.parse_dictionary(text).get("sha-256")
    if found is None:
        return []
    if not isinstance(found, fields.Item) or not isinstance(found.value, bytes):
        raise BadHeader("Content-Digest is not a byte sequence")
    return [found.value]


_READERS = {"digest": _read_digest, "content-digest": _read_content_digest}


def read_signature(text: str) -> bytes:
    """The base64 of a signature; BadHeader when it is none or too long."""
    return check_signature(_base64(text))


def check_signature(signature: bytes) -> bytes:
    """A signature is not empty, and not longer than our largest key makes."""
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise BadHeader("a signature of an impossible length")
    return signature


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader("not base64") from error
