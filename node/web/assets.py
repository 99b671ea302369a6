"""The files in `node/static`: found by content hash, so that a browser may keep them for ever; and the drawings."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from aiohttp import web
from markupsafe import Markup

from node.errors import NotFound

STATIC = Path(__file__).parents[1] / "static"
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
FOR_EVER = "public, max-age=31536000, immutable"
FLIPPED = frozenset({"right", "left", "reply"})  # arrows turn around in texts from right to left

_SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)" viewBox="([0-9 ]+)">(.*?)</symbol>', re.DOTALL)


@lru_cache
def static(name: str) -> str:
    """The URL of a file below `node/static`: `/static/style.css?v=1a2b3c4d5e6f`."""
    return f"/static/{name}?v={hashlib.sha256(_content(name)).hexdigest()[:12]}"


@lru_cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()


@lru_cache
def _names() -> frozenset[str]:
    files = (path for path in STATIC.rglob("*") if path.suffix in TYPES)
    return frozenset(str(path.relative_to(STATIC)) for path in files)


async def serve_static(request: web.Request) -> web.StreamResponse:
    """GET /static/{name}. Only what was there at the start: nothing that a request says becomes a path."""
    name = request.match_info["name"]
    if name not in _names():
        raise NotFound
    version = static(name).partition("?v=")[2]
    cache = FOR_EVER if request.query.get("v") == version else "public, max-age=300"
    headers = {"Content-Type": TYPES[Path(name).suffix], "Cache-Control": cache, "ETag": f'"{version}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=_content(name), headers=headers)


@lru_cache
def _symbols() -> dict[str, tuple[str, str]]:
    found = _SYMBOL.findall(_content("brand/icons.svg").decode())
    return {name: (box, drawing) for name, box, drawing in found}


@lru_cache
def icon(name: str) -> Markup:
    """A drawing of `brand/icons.svg` in the page; beside a word, so it is hidden from those who listen."""
    box, drawing = _symbols()[name]
    kind = "glyph" if name.startswith("avail-") else "icon flip" if name in FLIPPED else "icon"
    return Markup(f'<svg class="{kind}" viewBox="{box}" aria-hidden="true">{drawing}</svg>')  # noqa: S704 - our own file


@lru_cache
def mark() -> Markup:
    """The plot with its gate open."""
    return Markup(
        '<svg class="mark" viewBox="0 0 40 40" aria-hidden="true"><path d="M26 7H10.5A4.5 4.5 0 0 0 6 11.5v18A4.5 4.5 0'
        ' 0 0 10.5 34H26"/><path d="M26 7l9.5 7.5V34"/><circle class="dot" cx="17" cy="20.5" r="4"/></svg>'
    )
