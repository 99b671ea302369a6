"""What stands before every page: where a POST comes from, whatever its handler does."""

from __future__ import annotations

from aiohttp import web

from node.errors import BadRequest
from node.language import _
from node.web.csrf import SAFE_METHODS, check_source
from node.web.keys import FOR_SERVERS
from node.web.session import Handler


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site makes a browser send (SECURITY 113); servers' own routes have no cookies to abuse.

    And whatever holds a NUL, which no name has and PostgreSQL takes in no text.
    """
    if "\0" in request.path or "\0" in request.query_string:
        raise BadRequest(_("This address holds a character that no address has."))
    if request.method not in SAFE_METHODS and not _for_servers(request):
        check_source(request)
    return await handler(request)


def _for_servers(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return resource is not None and resource.canonical in request.app[FOR_SERVERS]
