"""Against requests that another site makes a browser send (SECURITY 113).

Two questions, both asked of every POST that is not for servers. Where does it come from: `Sec-Fetch-Site` and
`Origin`, compared with the request's own Host, so that it works from any address. And does it carry the form's token:
an HMAC under the secret in the session's cookie, or, where nobody is signed in, in a cookie made for the form; both
are out of reach of scripts and of other sites, and the server keeps nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from aiohttp import web

from node.errors import NotAllowed
from node.language import _
from node.web.cookies import FORM, read_cookie
from node.web.keys import FORM_SECRET, VIEWER
from schemas.errors import SchemaError
from schemas.urls import parse_url

FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG_PLACE = _("This was sent from another site, so nothing was done. Open the page here and send it again.")
WRONG_TOKEN = _("This form is too old, or your browser keeps no cookies. Nothing was done. Load the page anew.")


def form_token(request: web.Request) -> str:
    """The token for a form in the answer to this request; makes the form's own secret when there is none yet."""
    if VIEWER in request:
        return _token(request[VIEWER].session)
    if FORM_SECRET not in request:
        request[FORM_SECRET] = read_cookie(request, FORM) or secrets.token_urlsafe(32)
    return _token(request[FORM_SECRET])


def check_source(request: web.Request) -> None:
    """NotAllowed unless the request comes from a page of ours, or from something that is no browser."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise NotAllowed(WRONG_PLACE)
    origin = request.headers.get("Origin")
    if origin is not None and not _same_host(origin, request.host):
        raise NotAllowed(WRONG_PLACE)


def check_token(request: web.Request, given: str) -> None:
    """NotAllowed unless `given` is what `form_token` wrote. Needs `viewer(request)` to have been asked before."""
    secret = request[VIEWER].session if VIEWER in request else read_cookie(request, FORM)
    if secret is None or not hmac.compare_digest(_token(secret).encode(), given.encode()):
        raise NotAllowed(WRONG_TOKEN)


def _token(secret: str) -> str:
    return hmac.new(secret.encode(), b"freehold form", hashlib.sha256).hexdigest()


def _same_host(origin: str, host: str) -> bool:
    try:
        sender = parse_url(origin)
        return sender.authority == parse_url(f"{sender.scheme}://{host}/").authority
    except SchemaError:
        return False
