"""Cookies: bound to this host and to https wherever the browser came by it (`__Host-`), out of reach of scripts."""

from __future__ import annotations

import re
from datetime import timedelta

from aiohttp import web

from node.web.keys import PROXIES

SESSION = "freehold"
FORM = "freehold-form"
SECOND = "freehold-second"  # between password and code
KNOWN = "freehold-known"  # a browser in which its owner was signed in before
_OURS = re.compile(r"[0-9A-Za-z_-]{1,200}")  # as `secrets.token_urlsafe` writes them


def read_cookie(request: web.Request, name: str) -> str | None:
    """Its value; None when there is none, or one that is not ours."""
    value = request.cookies.get(_full_name(request, name), "")
    return value if _OURS.fullmatch(value) else None


def set_cookie(
    request: web.Request, response: web.StreamResponse, name: str, value: str, lifetime: timedelta | None = None
) -> None:
    """Without a lifetime it ends with the browser."""
    response.set_cookie(
        _full_name(request, name),
        value,
        max_age=int(lifetime.total_seconds()) if lifetime else None,
        path="/",
        secure=request.app[PROXIES].is_https(request),
        httponly=True,
        samesite="Lax",
    )


def clear_cookie(request: web.Request, response: web.StreamResponse, name: str) -> None:
    """Take it back."""
    secure = request.app[PROXIES].is_https(request)
    response.del_cookie(_full_name(request, name), path="/", secure=secure, httponly=True, samesite="Lax")


def _full_name(request: web.Request, name: str) -> str:
    """Over https only `__Host-` counts: nobody can have planted it over http or from a sibling domain."""
    return f"__Host-{name}" if request.app[PROXIES].is_https(request) else name
