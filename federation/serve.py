"""What we answer when other servers ask: actors, objects, activities, collections.

One URL serves programs and people: who asks for ActivityPub gets the document, anybody else is sent to the page. What
is private answers exactly as what does not exist, unless the request is signed by somebody who may read it. Every
answer varies with Accept and Signature.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from federation import pages
from federation.authenticate import Authenticator
from federation.authority import origin
from federation.blocks import BlockedReaders, has_blocked
from federation.documents import Document, Documents
from federation.errors import FederationError, Forbidden
from federation.ids import INSTANCE_USERNAME, Ids
from federation.media_type import wanted
from federation.policy import Policy
from federation.readers import document_for
from federation.receive import RETRY_SECONDS, signed_request
from federation.storage import Database
from federation.synchronise import partial_collection
from schemas.errors import SchemaError
from schemas.strict_json import dumps
from schemas.terms import ACTIVITY_JSON
from schemas.urls import host_of

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = f"{ACTIVITY_JSON}; charset=utf-8"
REACTIONS = {"likes": "like", "shares": "boost"}
ACCEPT_SIGNATURE = 'sig1=("@method" "@target-uri" "@authority");created;keyid;alg="rsa-v1_5-sha256"'  # RFC 9421 §5.1
NOT_FOUND = b'{"error":"Not found."}'
_KEY_ID = re.compile(r'keyid="([^"]{1,2048})"', re.IGNORECASE)


class Serve:
    """See the module's docstring."""

    def __init__(
        self,
        db: Database,
        ids: Ids,
        documents: Documents,
        authenticator: Authenticator,
        policy: Policy,
        *,
        authorised: bool = False,
    ) -> None:
        self._db = db
        self._ids = ids
        self._documents = documents
        self._authenticator = authenticator
        self._policy = policy
        self._authorised = authorised
        self._blocked = BlockedReaders(db)

    async def actor(self, request: web.Request) -> web.StreamResponse:
        """GET /users/{username}. The instance actor has no page: it is always its document, signed or not."""
        username = request.match_info["username"]
        for_people = wanted(request.headers.get("Accept", "")) == "page"
        if for_people and username != INSTANCE_USERNAME:
            return await self._to_page(username, self._ids.page(username))
        return await self.actor_document(request, username)

    async def actor_document(self, request: web.Request, username: str) -> web.Response:
        """The document of a local actor, also for the product's own page of it."""
        refusal = await self._refusal(request, username)
        if refusal is not None:
            return refusal
        found = await self._documents.actor(username)
        return not_found() if found is None else answer(request, found)

    async def object(self, request: web.Request) -> web.StreamResponse:
        """GET /users/{username}/{kind}/{name}: an object, its tombstone, or an activity."""
        object_id = self._ids.origin + request.path
        try:
            _, kind, _ = self._ids.split_object(object_id)
        except ValueError:
            return not_found()
        if kind != "activities" and wanted(request.headers.get("Accept", "")) == "page":
            return see_other(self._ids.object_page(object_id))
        return await self.object_document(request, object_id)

    async def object_document(self, request: web.Request, object_id: str) -> web.Response:
        """The document at a local id, as this request may see it; also for the product's own page of it."""
        refusal = await self._refusal(request, object_id.removeprefix(self._ids.actor("")).partition("/")[0])
        if refusal is not None:
            return refusal
        found = await self._documents.object(object_id)
        if found is None or not found.public:
            found = await self._for_reader(request, object_id)
        return not_found() if found is None else answer(request, found)

    async def _for_reader(self, request: web.Request, object_id: str) -> Document | None:
        """What is not public, for those who may read it. Absent and forbidden take the same path and time."""
        if "Signature" not in request.headers:
            return None
        try:
            reader = await self._authenticator.requester(signed_request(request, self._ids, None))
        except FederationError:
            return None
        return await self._db.read(document_for, object_id, reader.actor_id)

    async def outbox(self, request: web.Request) -> web.Response:
        """GET /users/{username}/outbox."""
        return await self._collection(request, pages.outbox, pages.outbox_page, (), "before")

    async def followers(self, request: web.Request) -> web.Response:
        """GET /users/{username}/followers."""
        return await self._collection(request, pages.relations, pages.relations_page, ("followers",), "after")

    async def following(self, request: web.Request) -> web.Response:
        """GET /users/{username}/following."""
        return await self._collection(request, pages.relations, pages.relations_page, ("following",), "after")

    async def featured(self, request: web.Request) -> web.Response:
        """GET /users/{username}/featured."""
        username = request.match_info["username"]
        refusal = await self._refusal(request, username, alive=True)
        if refusal is not None:
            return refusal
        return collection(await self._db.read(pages.featured, self._ids.actor(username)))

    async def about_object(self, request: web.Request) -> web.Response:
        """GET /users/{username}/{kind}/{name}/{collection}: replies, likes or shares of what anybody may read."""
        path, _, name = request.path.rpartition("/")
        object_id = self._ids.origin + path
        refusal = await self._refusal(request, request.match_info["username"])
        if refusal is not None:
            return refusal
        found = await self._documents.object(object_id)
        if found is None or not found.public or found.gone or request.match_info["kind"] == "activities":
            return not_found()
        if name in REACTIONS:
            return collection(await self._db.read(pages.reacted, object_id, REACTIONS[name], name))
        if "page" not in request.query and "after" not in request.query:
            return collection(await self._db.read(pages.replies, object_id))
        try:
            return collection(await self._db.read(pages.replies_page, object_id, request.query.get("after")))
        except pages.BadCursor:
            return problem(400, "This page does not exist.")

    async def _collection(
        self,
        request: web.Request,
        whole: Callable[..., dict[str, Any]],
        page: Callable[..., dict[str, Any]],
        arguments: tuple[str, ...],
        cursor: str,
    ) -> web.Response:
        username = request.match_info["username"]
        refusal = await self._refusal(request, username, alive=True)
        if refusal is not None:
            return refusal
        actor_id = self._ids.actor(username)
        if "page" not in request.query and cursor not in request.query:
            return collection(await self._db.read(whole, actor_id, *arguments))
        try:
            return collection(await self._db.read(page, actor_id, *arguments, request.query.get(cursor)))
        except pages.BadCursor:
            return problem(400, "This page does not exist.")

    async def _to_page(self, username: str, url: str) -> web.Response:
        found = await self._documents.actor(username)
        return not_found() if found is None else see_other(url)

    async def followers_synchronization(self, request: web.Request) -> web.Response:
        """GET /users/{username}/followers_synchronization: the part that is of the signer's host (SECURITY 142)."""
        username = request.match_info["username"]
        found = await self._documents.actor(username)
        if found is None or found.gone or await self._is_blocked(request, username):
            return not_found()
        try:
            reader = await self._authenticator.requester(signed_request(request, self._ids, None))
        except FederationError as error:
            return unsigned(error)
        where = origin(reader.actor_id)
        if where is None:
            return not_found()
        return collection(await self._db.read(partial_collection, self._ids.actor(username), where), private=True)

    async def _refusal(self, request: web.Request, username: str, *, alive: bool = False) -> web.Response | None:
        """The answer for whoever may not ask: blocked (SECURITY 134), or unsigned where a signature is required.

        alive: also where there is no such actor, or no more.
        The instance actor is never refused for want of a signature: its key is what others need to check ours
        (SECURITY 45).
        """
        if await self._is_blocked(request, username):
            return not_found()
        if alive:
            found = await self._documents.actor(username)
            if found is None or found.gone:
                return not_found()
        if not self._authorised or username == INSTANCE_USERNAME:
            return None
        try:
            reader = await self._authenticator.requester(signed_request(request, self._ids, None))
        except Forbidden:
            return not_found()
        except FederationError as error:
            return unsigned(error)
        refused = await self._db.read(has_blocked, self._ids.actor(username), reader.actor_id)
        return not_found() if refused else None

    async def _is_blocked(self, request: web.Request, username: str) -> bool:
        """Whether a request says that it comes from somebody who is blocked: nobody lies about that."""
        signature = request.headers.get("Signature-Input") or request.headers.get("Signature")
        match = _KEY_ID.search(signature) if signature else None
        if match is None:
            return False
        try:
            if self._policy.blocked(host_of(match[1])):
                return True
        except SchemaError:
            return False
        return await self._blocked.refuses(self._ids.actor(username), match[1])


def answer(request: web.Request, found: Document) -> web.Response:
    """A document; 304 when the asker has it; 410 with the tombstone when it is gone."""
    headers = CIMultiDict(
        {
            "Content-Type": CONTENT_TYPE,
            "Vary": "Accept, Signature",
            "Cache-Control": "no-cache" if found.public else "private, no-store",
            "ETag": found.etag,
        }
    )
    if not found.gone and found.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(status=410 if found.gone else 200, body=found.body, headers=headers)


def collection(document: dict[str, Any], *, private: bool = False) -> web.Response:
    """A collection or one of its pages. private: for its reader alone."""
    kept = "private, no-store" if private else "no-cache"
    headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept, Signature", "Cache-Control": kept}
    return web.Response(body=dumps(document), headers=headers)


def not_found() -> web.Response:
    """The same bytes for what is absent and for what is not for this reader (SECURITY, rule 8)."""
    headers = {"Content-Type": "application/json", "Vary": "Accept, Signature", "Cache-Control": "no-store"}
    return web.Response(status=404, body=NOT_FOUND, headers=headers)


def unsigned(error: FederationError) -> web.Response:
    """A signature is missing, does not hold, or cannot be checked for now."""
    response = problem(error.status if error.retry else 401, error.safe)
    if error.retry:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    else:
        response.headers["Accept-Signature"] = ACCEPT_SIGNATURE
    response.headers["Vary"] = "Accept, Signature"
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(status: int, text: str) -> web.Response:
    """An error in a sentence."""
    return web.Response(status=status, body=dumps({"error": text}), content_type="application/json")


def see_other(url: str) -> web.Response:
    """To the page for people."""
    return web.Response(status=303, headers={"Location": url, "Vary": "Accept, Signature"})
