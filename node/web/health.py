"""GET /healthz: whether the process answers and its database can be used, for containers and proxies."""

from __future__ import annotations

import msgspec
from aiohttp import web

from node.accounts import queries
from node.doctor import queries as doctor
from node.doctor.rules import Seen
from node.web.keys import GROUND, PROXIES

MAX_WORD = 100


async def healthz(request: web.Request) -> web.StreamResponse:
    """200 `ok`, also while it waits to be set up; what goes wrong is a 503.

    To the node's own doctor, who shows the word that it was given, how the request arrived instead.
    """
    db = request.app[GROUND].db
    await db.read(queries.address)
    await db.check()
    headers = {"Cache-Control": "no-store"}
    word = request.query.get("doctor", "")
    if 0 < len(word) <= MAX_WORD and await db.read(doctor.knows, word):
        return web.Response(body=msgspec.json.encode(_seen(request)), content_type="application/json", headers=headers)
    return web.Response(text="ok\n", headers=headers)


def _seen(request: web.Request) -> Seen:
    proxies = request.app[PROXIES]
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Via", "Forwarded"))
    return Seen(
        host=request.host,
        path=request.path,
        https=proxies.is_https(request),
        direct=not forwarded and request.secure,
        told="X-Forwarded-Proto" in request.headers and "X-Forwarded-For" in request.headers,
        trusted=proxies.trusts(request.remote),
    )
