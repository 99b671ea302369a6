"""One line for each request, and the headers that every answer carries.

The line says what was asked and how it ended, never a body, a cookie or an address. The headers forbid scripts,
frames, foreign pictures and foreign forms altogether: Freehold's pages need none of them, but for the one script that
talks to passkeys.
"""

from __future__ import annotations

import time

import structlog
from aiohttp import web

from node.web.keys import FACTS, MEASURES, PROXIES
from node.web.session import Handler

MAX_LOGGED = 200
QUIET = frozenset({"/healthz", "/metrics"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser would hide a form's Origin too
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SCRIPTED = HEADERS["Content-Security-Policy"] + "; script-src 'self'"
"""For the few pages that carry a script: a file of ours, and nothing else."""
SERVER = "Freehold"  # which library of which version is nobody's business
HSTS = "max-age=31536000"

_log = structlog.get_logger()


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: what a handler has set itself (a stricter policy for media) stays."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
    if request.app[PROXIES].is_https(request):
        response.headers.setdefault("Strict-Transport-Security", HSTS)


@web.middleware
async def log_line(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware."""
    begin = time.perf_counter()
    status = 499  # the other side went away
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        seconds = time.perf_counter() - begin
        request.app[MEASURES].count(status, seconds)
        if request.path not in QUIET:
            milliseconds = round(seconds * 1000, 1)
            facts = request.get(FACTS, {})
            _log.info(
                "request",
                method=request.method,
                path=request.path[:MAX_LOGGED],
                status=status,
                ms=milliseconds,
                **facts,
            )
