"""The inbox door: a POST is bounded, read, checked, authenticated and made durable, and then answered with 202.

Everything that costs something stands behind everything that is cheaper. Until the signer is known nothing leaves
the node but the request for its key, and nothing is written. A personal inbox and the shared inbox are one door:
whom an activity concerns is said by the activity, not by the URL.

Answers: 202 taken (also a duplicate, and the end of an actor whom we never met); 400 malformed; 401 the signature is
missing or does not hold; 403 not entitled, or blocked; 404 no such inbox; 408 too slow; 413 over 1 MiB; 415 not
ActivityPub; 429 too many; 503 could not be checked, or not be stored, for now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from federation import authority
from federation.authenticate import Authenticator
from federation.documents import Documents
from federation.errors import (
    FederationError,
    Forbidden,
    Gone,
    NotFound,
    Refused,
    Unacceptable,
    Unauthenticated,
)
from federation.handlers.actors import end_actor
from federation.ids import Ids
from federation.intake import FORWARDED, Intake, Message
from federation.media_type import is_activity
from federation.objects import ObjectsDeleted
from federation.policy import Policy
from federation.rates import Limiter, Rate, address_key
from federation.resolve import Resolver
from federation.storage import Database, Tx
from federation.tables import actors
from federation.types import Signer
from keys.requests import Request
from schemas.base import MAX_MANY, Envelope, envelope_of, id_of
from schemas.errors import SchemaError
from schemas.jsonld import normalise
from schemas.strict_json import dumps, loads_object
from schemas.urls import host_of

ACCEPT_SIGNATURE = (
    'sig1=("@method" "@target-uri" "@authority" "content-digest");created;keyid;alg="rsa-v1_5-sha256"'  # RFC 9421 §5.1
)
RETRY_SECONDS = 120
UNREAD = (b'"@graph"', b'"@included"', b'"@reverse"')

_log = structlog.get_logger()


HOST_RATE = Rate(per_second=50, burst=3_000)
FAILURE_RATE = Rate(per_second=5, burst=300)


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What one POST, one host and one address may cost.

    body: bytes, inflated. seconds: until the body is complete. host: verified activities of one host. failures:
    refused requests of one peer address, before it gets no hearing for a while.
    """

    body: int = 1_048_576
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


class TooMany(Refused):
    """More than one sender may ask for."""

    status = 429
    default_safe = "Too many requests."

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


def direct_peer(request: web.Request) -> str | None:
    """The address that the connection comes from. Behind a proxy, give the door a function that knows better."""
    return request.remote


class InboxDoor:
    """Handles POST to the shared inbox and to every personal one."""

    def __init__(
        self,
        db: Database,
        ids: Ids,
        resolver: Resolver,
        authenticator: Authenticator,
        policy: Policy,
        documents: Documents,
        *,
        limits: DoorLimits = DEFAULT_LIMITS,
        peer: Callable[[web.Request], str | None] = direct_peer,
        deleted: ObjectsDeleted | None = None,
    ) -> None:
        self._db = db
        self._ids = ids
        self._resolver = resolver
        self._authenticator = authenticator
        self._policy = policy
        self._documents = documents
        self._limits = limits
        self._peer = peer
        self._deleted = deleted
        self._intake = Intake(db)
        self._hosts = Limiter(limits.host)
        self._failures = Limiter(limits.failures)

    async def post(self, request: web.Request) -> web.Response:
        """One activity in, one status out; durable before a 202."""
        address = address_key(self._peer(request))
        try:
            self._hear(address)
            await self._take(request)
        except FederationError as error:
            return self._refusal(address, error)
        return web.Response(status=202)

    def _hear(self, address: str) -> None:
        wait = self._failures.wait(address, _monotonic())
        if wait:
            raise TooMany(f"{address} was refused too often", wait)

    def _refusal(self, address: str, error: FederationError) -> web.Response:
        if isinstance(error, Refused) and not isinstance(error, TooMany):
            self._failures.take(address, _monotonic())
        _log.info("inbox.refused", status=error.status, reason=str(error)[:500], peer=address)
        response = web.Response(status=error.status, body=dumps({"error": error.safe}), content_type="application/json")
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(int(error.wait) + 1)
        elif error.retry:
            response.headers["Retry-After"] = str(RETRY_SECONDS)
        if error.status == 401:
            response.headers["Accept-Signature"] = ACCEPT_SIGNATURE
        if error.status in (408, 413, 415):  # part of the body may still be on its way
            response.force_close()
        return response

    async def _take(self, request: web.Request) -> None:
        if not is_activity(request.headers.get("Content-Type", "")):
            raise NotActivity("the body is not of an ActivityPub media type")
        await self._check_address(request.match_info.get("username"))
        body = await read_body(request, self._limits)
        document = _parse(body, self._limits)
        view = _familiar(document)
        envelope = _envelope(view)
        authority.check_envelope(envelope, self._ids)
        _check_lists(view)
        self._check_host(envelope.actor)
        ends = _ends_itself(view, envelope)
        if ends and not await self._db.read(_knows, envelope.actor):
            return  # SECURITY 41: nothing to forget, and nobody is asked about it
        signer = await self._signer(request, document, envelope, body, ends=ends)
        if signer is None:
            return
        self._throttle(signer)
        await self._intake.put(Message(_key(envelope, signer), envelope.type, envelope.actor, signer, body))

    async def _check_address(self, username: str | None) -> None:
        if username is None:
            return
        known = await self._documents.actor(username)
        if known is None or known.gone:
            raise NotFound(f"there is no inbox of {username[:50]!r}")

    def _check_host(self, url: str) -> None:
        if self._policy.blocked(host_of(url)):
            raise Forbidden(f"{host_of(url)} is blocked")

    async def _signer(
        self, request: web.Request, document: dict[str, Any], envelope: Envelope, body: bytes, *, ends: bool
    ) -> Signer | None:
        """The signer; None when the activity said that its actor is gone, and the actor's origin confirmed it."""
        try:
            signer = await self._authenticator.signer_of(signed_request(request, self._ids, body), document, envelope)
        except (Gone, NotFound) as error:
            if ends and await self._confirm_end(envelope.actor):
                return None
            raise Unauthenticated(f"the key's owner is gone: {error}") from error
        if signer.actor_id != envelope.actor and "signature" not in document:
            raise Unauthenticated(f"signed by {signer.actor_id}, but the activity is {envelope.actor}'s")
        return signer

    async def _confirm_end(self, actor_id: str) -> bool:
        try:
            await self._resolver.actor(actor_id, refresh=True)
        except (Gone, NotFound):
            await self._db.write(end_actor, actor_id, self._deleted)
            return True
        return False

    def _throttle(self, signer: Signer) -> None:
        host = host_of(signer.actor_id)
        wait = self._hosts.take(host, _monotonic())
        if wait:
            raise TooMany(f"{host} sends too many activities", wait)


async def read_body(request: web.Request, limits: DoorLimits) -> bytes:
    """The body, inflated, counted while it arrives: TooLarge, TooSlow, or Unacceptable for a broken encoding."""
    if (request.content_length or 0) > limits.body:
        raise TooLarge("Content-Length is over the limit")
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.seconds):
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > limits.body:
                    raise TooLarge("the body is over the limit")
                chunks.append(chunk)
    except TimeoutError as error:
        raise TooSlow("the body did not arrive in time") from error
    except (HttpProcessingError, web.RequestPayloadError) as error:
        raise Unacceptable("the body's encoding is broken") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def signed_request(request: web.Request, ids: Ids, body: bytes | None) -> Request:
    """The request as its signature must cover it: at our own origin, with the path exactly as it was sent."""
    target = request.raw_path
    if not target.startswith("/"):
        raise Unacceptable("the request target is not a path")
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return Request(request.method, ids.origin + target, headers, body)


def _familiar(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the terms that are read here."""
    try:
        return normalise(document)
    except SchemaError as error:
        raise Unacceptable(f"the document: {error}") from error


def _parse(body: bytes, limits: DoorLimits) -> dict[str, Any]:
    if any(keyword in body for keyword in UNREAD):
        raise Unacceptable("@graph, @included and @reverse are not read")  # SECURITY 30: at no depth
    try:
        return loads_object(body, max_bytes=limits.body)
    except SchemaError as error:
        raise Unacceptable(f"the body is not a JSON object: {error}") from error


def _envelope(view: dict[str, Any]) -> Envelope:
    try:
        return envelope_of(view)
    except SchemaError as error:
        raise Unacceptable(f"the activity: {error}") from error


def _check_lists(view: dict[str, Any]) -> None:
    """SECURITY 81: what names 20,000 recipients is refused before anybody is asked about it."""
    for holder in (view, view.get("object")):
        if not isinstance(holder, dict):
            continue
        for name in ("to", "cc", "tag", "attachment", "object"):
            value = holder.get(name)
            if isinstance(value, list) and len(value) > MAX_MANY:
                raise Unacceptable(f"{name} lists more than {MAX_MANY}")


def _ends_itself(view: dict[str, Any], envelope: Envelope) -> bool:
    return envelope.type == "Delete" and id_of(view.get("object")) == envelope.actor


def _key(envelope: Envelope, signer: Signer) -> str:
    return envelope.id if signer.actor_id == envelope.actor else FORWARDED + envelope.id


def _knows(tx: Tx, actor_id: str) -> bool:
    return tx.scalar(sa.select(actors.c.id).where(actors.c.id == actor_id)) is not None


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
