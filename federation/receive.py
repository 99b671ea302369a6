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
from typing import Any

import sqlalchemy as sa
import structlog
from aiohttp import web

from federation import authority, bodies, synchronise
from federation.authenticate import Authenticator, KeyGone
from federation.bodies import DEFAULT_LIMITS, Bodies, DoorLimits, NotActivity
from federation.documents import Documents
from federation.effects import Effects
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
from federation.prepare import Preparer, draft_of
from federation.rates import Limiter, address_key
from federation.resolve import Resolver
from federation.storage import Database, Tx
from federation.tables import actors
from federation.types import Received, Signer
from keys.requests import Request
from schemas.base import Envelope, id_of
from schemas.errors import SchemaError
from schemas.jsonld import normalise
from schemas.strict_json import dumps
from schemas.urls import host_of

ACCEPT_SIGNATURE = (
    'sig1=("@method" "@target-uri" "@authority" "content-digest");created;keyid;alg="rsa-v1_5-sha256"'  # RFC 9421 §5.1
)
RETRY_SECONDS = 120
UNUSUAL_TOKENS = 20.0
"""What a document in unfamiliar JSON-LD counts of its host's rate: reading one costs as much as twenty others."""

_log = structlog.get_logger()


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
        effects: Effects | None = None,
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
        self._bodies = Bodies(limits)
        self._intake = Intake(db, effects)
        self._preparer = Preparer(db, ids, resolver, authenticator)
        self._hosts = Limiter(limits.host)
        self._failures = Limiter(limits.failures)

    async def post(self, request: web.Request) -> web.Response:
        """One activity in, one status out; durable before a 202."""
        address = address_key(self._peer(request))
        try:
            self._hear(address)
            await self._take(request, address)
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

    async def _take(self, request: web.Request, address: str) -> None:
        if not is_activity(request.headers.get("Content-Type", "")):
            raise NotActivity("the body is not of an ActivityPub media type")
        await self._check_address(request.match_info.get("username"))
        with self._bodies.hand(address) as hand:
            await self._take_body(request, await self._bodies.read(request, address, hand))

    async def _take_body(self, request: web.Request, body: bytes) -> None:
        document = bodies.parse(body, self._limits)
        envelope = bodies.envelope(document)
        authority.check_envelope(envelope, self._ids)
        bodies.check_lists(document)
        self._check_host(envelope.actor)
        ends = _ends_itself(document, envelope)
        if ends and not await self._db.read(_knows, envelope.actor):
            return  # SECURITY 41: nothing to forget, and nobody is asked about it
        signer = await self._signer(request, document, envelope, body, ends=ends)
        if signer is None:
            return
        self._throttle(signer)
        view = self._familiar(document, envelope, signer)
        received = self._at_once(view, envelope, signer, body) if view is document else None
        await self._intake.put(_message(signer, envelope, view, body, received))
        if synchronise.HEADER in request.headers and signer.actor_id == envelope.actor:
            await self._compare_followers(request, signer, body)

    def _at_once(self, document: dict[str, Any], envelope: Envelope, signer: Signer, body: bytes) -> Received | None:
        """What its handler takes, where nobody has to be asked; whatever is wrong with it, the worker records."""
        try:
            return self._preparer.at_once(draft_of(document, envelope, body, signer))
        except (FederationError, SchemaError):
            return None

    async def _compare_followers(self, request: web.Request, signer: Signer, body: bytes) -> None:
        """What is said beside a message counts only under its sender's signature; it never costs the message."""
        signed = signed_request(request, self._ids, body)
        if not await self._authenticator.covers(signed, synchronise.HEADER.lower(), signer):
            return
        try:
            claim = synchronise.read_header(", ".join(request.headers.getall(synchronise.HEADER)))
        except Unacceptable as error:
            _log.info("inbox.followers_not_compared", actor=signer.actor_id, reason=str(error)[:200])
            return
        await self._db.write(synchronise.consider, self._ids, signer.actor_id, claim)

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
        except KeyGone as error:
            if ends and authority.same_origin(error.key_id, envelope.actor) and await self._confirm_end(envelope.actor):
                return None
            raise
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

    def _throttle(self, signer: Signer, tokens: float = 1.0) -> None:
        host = host_of(signer.actor_id)
        wait = self._hosts.take(host, _monotonic(), tokens)
        if wait:
            raise TooMany(f"{host} sends too many activities", wait)

    def _familiar(self, document: dict[str, Any], envelope: Envelope, signer: Signer) -> dict[str, Any]:
        """The document in the terms that are read here.

        Unfamiliar JSON-LD costs something, so it is looked into only now that somebody answers for it; then it must
        say about itself what it said in plain words before.
        """
        try:
            view = normalise(document)
        except SchemaError as error:
            raise Unacceptable(f"the document: {error}") from error
        if view is not document:
            self._throttle(signer, UNUSUAL_TOKENS)
            bodies.refuse_unread(view)
            bodies.check_lists(view)
            if bodies.envelope(view) != envelope:
                raise Unacceptable("as JSON-LD the activity is another than as JSON")
        return view


def signed_request(request: web.Request, ids: Ids, body: bytes | None) -> Request:
    """The request as its signature must cover it: at our own origin, with the path exactly as it was sent."""
    target = request.raw_path
    if not target.startswith("/"):
        raise Unacceptable("the request target is not a path")
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return Request(request.method, ids.origin + target, headers, body)


def _ends_itself(view: dict[str, Any], envelope: Envelope) -> bool:
    return envelope.type == "Delete" and id_of(view.get("object")) == envelope.actor


def _message(
    signer: Signer, envelope: Envelope, view: dict[str, Any], body: bytes, received: Received | None
) -> Message:
    """A forward takes neither the id nor the place in the order of what its actor signs."""
    forwarded = signer.actor_id != envelope.actor
    return Message(
        key=FORWARDED + envelope.id if forwarded else envelope.id,
        type=envelope.type,
        actor_id=envelope.actor,
        subject=None if forwarded else _subject(view, envelope.type),
        signer=signer,
        body=body,
        received=received,
    )


def _subject(view: dict[str, Any], verb: str) -> str | None:
    """What an activity is about: its object, or what the activity that it takes back was about."""
    obj = view.get("object")
    if verb == "Undo" and isinstance(obj, dict) and id_of(obj.get("object")):
        return id_of(obj.get("object"))
    return id_of(obj)


def _knows(tx: Tx, actor_id: str) -> bool:
    """Whether there is anything to end."""
    return tx.scalar(sa.select(actors.c.id).where(actors.c.id == actor_id, actors.c.gone_at.is_(None))) is not None


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
