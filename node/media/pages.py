"""The addresses of pictures. Whatever they hold, a browser may only look at it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from aiohttp import web

from federation.errors import Busy
from node.errors import NotFound
from node.language import _
from node.media.avatars import MAX_NAME, MAX_SEED, avatar
from node.media.names import media_type
from node.media.pictures import Pictures
from node.media.remote import RemotePictures

PICTURES = web.AppKey("pictures", Pictures)
REMOTE = web.AppKey("remote_pictures", RemotePictures)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=31536000, immutable",
}


NOT_LONG = {"Cache-Control": "public, max-age=300"}  # as long as a server that is away is left alone


async def picture(request: web.Request) -> web.StreamResponse:
    """GET /media/{name}."""
    name = request.match_info["name"]
    body = await request.app[PICTURES].read(name)
    if body is None:
        raise NotFound(_("This picture is not here any more."))
    return web.Response(
        body=body, headers=HEADERS | {"Content-Type": media_type(name), "Content-Disposition": "inline"}
    )


async def remote(request: web.Request) -> web.StreamResponse:
    """GET /media/remote/{signature}/{shape}/{subject}/{url}: a picture of another server, made anew by this one.

    A portrait that cannot be had leads, for a while, to the stripes of whom it shows.
    """
    parts = (request.match_info[name] for name in ("signature", "shape", "subject", "url"))
    wanted = request.app[REMOTE].addresses.read(*parts)
    if wanted is None:
        raise NotFound(_("This picture is not here any more."))
    try:
        name, body = await request.app[REMOTE].picture(wanted)
    except (NotFound, Busy):
        if wanted.shape != "square":
            raise
        seed, named = await request.app[REMOTE].named(wanted)
        return web.Response(status=303, headers=NOT_LONG | {"Location": stripes_of(seed, named)})
    return web.Response(
        body=body, headers=HEADERS | {"Content-Type": media_type(name), "Content-Disposition": "inline"}
    )


def stripes_of(seed: str, name: str) -> str:
    """Where somebody's stripes stand."""
    return f"/avatars/{quote(seed[:MAX_SEED], safe='')}.svg?{urlencode({'name': name[:MAX_NAME]})}"


async def stripes(request: web.Request) -> web.StreamResponse:
    """GET /avatars/{seed}.svg?name=..."""
    seed, name = request.match_info["seed"], request.query.get("name", "")
    if len(seed) > MAX_SEED or len(name) > 4 * MAX_NAME:
        raise NotFound
    return web.Response(text=avatar(seed, name), headers=HEADERS | {"Content-Type": "image/svg+xml; charset=utf-8"})
