"""Pages for whoever runs the node: to everybody else there is nothing there (SECURITY 125)."""

from __future__ import annotations

from functools import wraps

from aiohttp import web

from node.accounts.queries import Viewer
from node.errors import NotFound
from node.web.session import Handler, ViewerHandler, signed_in


def owners_only(handler: ViewerHandler) -> Handler:
    """Somebody else who is signed in gets a 404; who is not signed in is led to sign in."""

    @wraps(handler)
    async def wrapper(request: web.Request, viewer: Viewer) -> web.StreamResponse:
        if not viewer.is_owner:
            raise NotFound
        return await handler(request, viewer)

    return signed_in(wrapper)
