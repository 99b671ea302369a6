"""Browsers in which somebody was signed in before: those who guess from elsewhere do not use up their limit.

The cookie is a MAC over whose it is and their password's digest. It opens nothing; a new password ends it.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

from aiohttp import web

from node.accounts import queries
from node.accounts.queries import Login
from node.web.cookies import KNOWN, read_cookie, set_cookie
from node.web.keys import NODE

LIFETIME = timedelta(days=365)


def is_known(request: web.Request, login: Login) -> bool:
    """Whether the browser has been let in with the password that holds."""
    shown = read_cookie(request, KNOWN)
    return shown is not None and hmac.compare_digest(shown, _mark(request, login.account_id, login.password))


async def remember(request: web.Request, response: web.StreamResponse, account_id: int) -> None:
    """From now on it is."""
    password = await request.app[NODE].db.read(queries.password_of, account_id)
    if password is not None:
        set_cookie(request, response, KNOWN, _mark(request, account_id, password), LIFETIME)


def _mark(request: web.Request, account_id: int, password: str) -> str:
    key = request.app[NODE].vault.derived("browsers that are known")
    return hmac.new(key, f"{account_id}\n{password}".encode(), "sha256").hexdigest()
