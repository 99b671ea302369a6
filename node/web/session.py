"""Who is signed in, learnt from the cookie once a request; and the two ways of requiring it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

from node.accounts import queries
from node.accounts.queries import Viewer as Viewer
from node.errors import NotSignedIn
from node.web.cookies import SESSION, read_cookie
from node.web.keys import NOBODY, NODE, VIEWER

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ViewerHandler = Callable[[web.Request, Viewer], Awaitable[web.StreamResponse]]


async def viewer(request: web.Request) -> Viewer | None:
    """Who is signed in, or None."""
    if VIEWER in request:
        return request[VIEWER]
    secret = read_cookie(request, SESSION)
    if secret is None or NOBODY in request or NODE not in request.app:
        return None
    found = await request.app[NODE].db.read(queries.viewer, secret)
    if found is None:
        request[NOBODY] = True
    else:
        request[VIEWER] = found
    return found


def signed_in(handler: ViewerHandler) -> Handler:
    """A page for somebody who is signed in: the handler gets them, anybody else is led to the sign-in page."""

    @wraps(handler)
    async def wrapper(request: web.Request) -> web.StreamResponse:
        somebody = await viewer(request)
        if somebody is None:
            raise NotSignedIn
        return await handler(request, somebody)

    return wrapper
