"""GET /healthz: whether the process answers and its database can be read, for containers and proxies."""

from __future__ import annotations

from aiohttp import web

from node.accounts import queries
from node.web.keys import GROUND


async def healthz(request: web.Request) -> web.StreamResponse:
    """200 `ok`, also while it waits to be set up; what goes wrong is a 503."""
    await request.app[GROUND].db.read(queries.address)
    return web.Response(text="ok\n", headers={"Cache-Control": "no-store"})
