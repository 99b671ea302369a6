"""What other programs ask for: a credential at its id, and the lists on which credentials are taken back.

A credential's address cannot be guessed, and stands in no list; whoever was given it may read it. A status list is for
everybody, or nobody could check anything. Both are bytes that were signed long before they are asked for, and a list is
read each time: whoever asks right after something was taken back must hear of it.
"""

from __future__ import annotations

import hashlib

from aiohttp import web

from federation.media_type import wants_credential
from federation.serve import not_found, see_other
from node.credentials import lists, queries
from node.web.keys import NODE
from schemas.terms import VC_JSON

OPEN = {"Access-Control-Allow-Origin": "*", "Vary": "Accept", "Cache-Control": "no-cache", "X-Robots-Tag": "noindex"}


async def credential(request: web.Request) -> web.StreamResponse:
    """GET /users/{username}/credentials/{name}: its bytes, or for a browser its page."""
    node, accept = request.app[NODE], request.headers.get("Accept", "")
    if wants_credential(accept) is None and "text/html" in accept:
        username, name = request.match_info["username"], request.match_info["name"]
        return see_other(f"{node.ids.page(username)}/credentials/{name}")
    body = await node.db.read(queries.issued_body, node.ids.origin + request.path)
    return not_found() if body is None else answer(request, body)


async def status_list(request: web.Request) -> web.StreamResponse:
    """GET /users/{username}/status/{number}."""
    node = request.app[NODE]
    body = await node.db.read(lists.served, node.ids.origin + request.path)
    return not_found() if body is None else answer(request, body)


def answer(request: web.Request, body: bytes, kind: str = VC_JSON) -> web.Response:
    """Signed bytes; 304 when the asker has them."""
    headers = OPEN | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    accept = request.headers.get("Accept", "")
    spoken = next((name for name in (kind, "application/ld+json", "application/json") if name in accept), kind)
    return web.Response(body=body, content_type=spoken, headers=headers)
