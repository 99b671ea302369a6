"""The connections of the web server: what a request that cannot be read at all is answered with, and leaves behind.

Such a request reaches no application of ours, so no middleware and no signal sees it. aiohttp would answer with its own
name and version, repeat what was sent, and log a traceback with it: twenty lines for each byte of nonsense.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import structlog
from aiohttp import web

from node.web.log import HEADERS, SERVER

KEEPALIVE_SECONDS = 30.0  # also the time in which a request's head must have come
UNREAD_SECONDS = 30.0  # how long an answer waits for somebody who reads nothing of it
SAID = "This request cannot be read.\n"

_OPTIONS: dict[str, Any] = {"access_log": None, "keepalive_timeout": KEEPALIVE_SECONDS}
_log = structlog.get_logger()


class Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the system end a connection on which nothing is read any more (RFC 5482), with all that waits for it."""
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT") and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_SECONDS * 1000))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer, after which the connection ends; a fault of ours keeps its traceback."""
        if status < 500:
            _log.info("request.unreadable", status=status, reason=type(exc).__name__)
        else:
            _log.error("request.failed", status=status, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer is sent already")
        headers = HEADERS | {"Server": SERVER, "Cache-Control": "no-store"}
        response = web.Response(status=status, text=SAID, headers=headers)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Protocol(self, loop=asyncio.get_running_loop(), **_OPTIONS)


class Runner(web.AppRunner):
    """Serves an application over such connections."""

    async def _make_server(self) -> web.Server:
        theirs = await super()._make_server()
        return _Server(theirs.request_handler, request_factory=theirs.request_factory)
