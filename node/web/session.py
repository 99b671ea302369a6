"""Who is signed in, learnt from the cookie once a request; and the two ways of requiring it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps

from aiohttp import web

from federation.errors import FederationError
from node.accounts import queries, sessions
from node.accounts.queries import Viewer as Viewer
from node.errors import NotSignedIn
from node.web.cookies import SESSION, read_cookie
from node.web.keys import GROUND, NOBODY, NODE, VIEWER

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
        await _touch(request, found)
    return found


async def _touch(request: web.Request, somebody: Viewer) -> None:
    """Once an hour, for their list of sessions; the page comes even when nothing can be written."""
    if somebody.seen_at is None or request.app[GROUND].clock.now() - somebody.seen_at > sessions.SEEN:
        with suppress(FederationError):
            await request.app[NODE].db.write(sessions.seen, somebody.session)


def signed_in(handler: ViewerHandler) -> Handler:
    """A page for somebody who is signed in: the handler gets them, anybody else is led to the sign-in page."""

    @wraps(handler)
    async def wrapper(request: web.Request) -> web.StreamResponse:
        somebody = await viewer(request)
        if somebody is None:
            raise NotSignedIn
        return await handler(request, somebody)

    return wrapper
