"""Who somebody is, proved again: the password behind every change of it, and the page before anything dangerous."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from urllib.parse import quote

from aiohttp import web

from node.accounts import codes, factors, passwords, queries
from node.accounts.agents import Place, place_of
from node.accounts.passkeys import Party
from node.accounts.queries import Viewer
from node.accounts.rules import MAX_PASSWORD
from node.accounts.sessions import PROOF
from node.accounts.throttle import THROTTLE
from node.errors import Invalid
from node.language import _
from node.web.csrf import form_token
from node.web.keys import GROUND, NODE, PROXIES
from node.web.log import SCRIPTED
from node.web.render import see_other
from node.web.session import ViewerHandler

WRONG_PASSWORD = _("That is not your password. Try again.")
WRONG_CODE = _("That code does not fit, or was used before. Wait for the next one, or write a recovery code.")
NO_PASSWORD = _("Write your password.")


def place(request: web.Request) -> Place:
    """From where a request comes."""
    return place_of(request.headers.get("User-Agent", ""), request.app[PROXIES].peer(request))


def party(request: web.Request) -> Party:
    """What passkeys know of this node, in one browser."""
    node = request.app[NODE]
    return Party(node.ids, node.vault, form_token(request))


def with_script(response: web.StreamResponse) -> web.StreamResponse:
    """A page that carries the one script of ours may run it."""
    response.headers["Content-Security-Policy"] = SCRIPTED
    return response


def proved(handler: ViewerHandler) -> ViewerHandler:
    """Only for somebody who has proved who they are within the last ten minutes: others do so first."""

    @wraps(handler)
    async def wrapper(request: web.Request, viewer: Viewer) -> web.StreamResponse:
        if not has_proved(request, viewer):
            back = request.path_qs if request.method == "GET" else request.path
            return see_other(f"/settings/proof?next={quote(back, safe='')}")
        return await handler(request, viewer)

    return wrapper


def has_proved(request: web.Request, viewer: Viewer) -> bool:
    """Whether that was within the last ten minutes."""
    return viewer.proved_at is not None and request.app[GROUND].clock.now() - viewer.proved_at < PROOF


async def check_password(request: web.Request, viewer: Viewer, password: str, field: str = "password") -> None:
    """Invalid for `field` unless it is the viewer's password."""
    if not password:
        raise Invalid({field: NO_PASSWORD})
    request.app[THROTTLE].take_own(request.app[PROXIES].peer(request), viewer.account_id)
    held = await request.app[NODE].db.read(queries.password_of, viewer.account_id)
    if len(password) > MAX_PASSWORD or not await passwords.fits(held, password):
        raise Invalid({field: WRONG_PASSWORD})


async def check_both(request: web.Request, viewer: Viewer, form: Mapping[str, str], field: str = "password") -> None:
    """Invalid unless the password (in `field`) fits, and the code of the app where there is one."""
    await check_password(request, viewer, form.get(field, ""), field)
    node = request.app[NODE]
    if await node.db.read(factors.app_since, viewer.account_id) is None:
        return
    request.app[THROTTLE].take_code(viewer.account_id)
    if await node.db.write(codes.prove, node.vault, viewer.account_id, form.get("code", "")) is None:
        raise Invalid({"code": WRONG_CODE})
