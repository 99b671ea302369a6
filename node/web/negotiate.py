"""One URL for people and for servers: who asks for ActivityPub gets the document, anybody else the page."""

from __future__ import annotations

from aiohttp import web

from federation.media_type import wanted
from node.web.keys import DOORS

VARY = "Accept, Accept-Language, Signature, Cookie"


def wants_document(request: web.Request) -> bool:
    """Whether the request prefers an ActivityPub document to a page."""
    return wanted(request.headers.get("Accept", "")) == "activity"


async def actor_document(request: web.Request, username: str) -> web.StreamResponse:
    """The document behind `/@alice`, as this request may see it."""
    return await request.app[DOORS].serve.actor_document(request, username)


async def object_document(request: web.Request, object_id: str) -> web.StreamResponse:
    """The document behind `/@alice/gigs/ID`, as this request may see it."""
    return await request.app[DOORS].serve.object_document(request, object_id)


def wants_json(request: web.Request) -> bool:
    """Whether an error is better told to a program than to a person."""
    accept = request.headers.get("Accept", "")
    return "text/html" not in accept and ("json" in accept or wants_document(request))
