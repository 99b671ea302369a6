"""The set-up page: what a node serves until it has an address.

Whoever holds the link's token may set it up, once; the terminal shows it to nobody else.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from node.accounts import commands, setup
from node.accounts.pages import set_session
from node.accounts.proving import place
from node.accounts.rules import is_local, parse_setup
from node.errors import AlreadySetUp, Invalid, NotAllowed
from node.language import _
from node.web.forms import Form, read_form
from node.web.keys import GROUND, NODE, PROXIES
from node.web.render import page, see_other
from node.web.session import Handler
from schemas.urls import parse_url

if TYPE_CHECKING:
    from node.backup.reading import Unpacked

NOT_SURE = _("Say that you mean to keep this address: it can never change.")
NOT_THE_LINK = _(
    "This is not the link that the server printed when it started, so nothing was changed. "
    "Copy the whole link from the terminal or the log: each start prints a new one."
)


@dataclass(slots=True)
class Setting:
    """One set-up under way. done: called when the node has its address. over: it has, and is served elsewhere.

    unpacked: a backup that was looked at, and waits for its owner's word. restore: they have given it.
    """

    token: str
    done: Callable[[], None]
    over: bool = False
    unpacked: Unpacked | None = None
    restore: bool = False


SETTING = web.AppKey("setting", Setting)


def new_setting(done: Callable[[], None]) -> Setting:
    """With a token of its own; a restart makes another."""
    return Setting(secrets.token_urlsafe(32), done)


@web.middleware
async def lead_on(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Once it is over, lead whoever is still connected to the node, by a connection of its own.

    A browser opens connections before it needs them; one that it opened before the node was there must not fail it.
    """
    if not request.app[SETTING].over:
        return await handler(request)
    target = request.path_qs if not request.path_qs.startswith("//") else "/"
    response = web.Response(status=307, headers={"Location": target, "Cache-Control": "no-store"})
    response.force_close()
    return response


async def waiting(request: web.Request) -> web.StreamResponse:
    """GET anything else: not set up yet."""
    return await page(request, "setup-waiting.html", status=503)


async def show(request: web.Request) -> web.StreamResponse:
    """GET /setup?token=..."""
    check_link(request, request.query.get("token", ""))
    settings = request.app[GROUND].settings.node
    guess = request.app[PROXIES].origin_of(request) or ""
    form = {"kind": "person", "origin": settings.origin or guess, "handle_domain": settings.handle_domain}
    return await _page(request, form, {})


async def submit(request: web.Request) -> web.StreamResponse:
    """POST /setup."""
    form = await read_form(request)
    check_link(request, form.get("token", ""))
    ground = request.app[GROUND]
    errors: dict[str, str] = {} if form.get("sure") == "yes" else {"sure": NOT_SURE}
    try:
        draft = parse_setup(form)
        setup.agree(ground.settings.node, draft)
    except Invalid as error:
        return await _page(request, form, error.errors | errors)
    if errors:
        return await _page(request, form, errors)
    account = await setup.set_up(ground.db, ground.vault, draft)
    secret = await ground.db.write(commands.open_session, account.id, place(request), "setup")
    if request.app[PROXIES].origin_of(request) == draft.origin:
        response: web.StreamResponse = see_other("/setup/keys")
    else:
        local = is_local(parse_url(draft.origin))
        response = await page(
            request, "setup-done.html", draft=draft, local=local, by=request.host, host=draft.handle_domain
        )
    set_session(request, response, secret)
    response.force_close()  # the next request is for the node, which takes this application's place
    request.app[SETTING].over = True
    request.app[SETTING].done()
    return response


async def _page(request: web.Request, form: Form | dict[str, str], errors: dict[str, str]) -> web.Response:
    token = request.app[SETTING].token
    return await page(request, "setup.html", status=422 if errors else 200, form=form, errors=errors, token=token)


def check_link(request: web.Request, token: str) -> None:
    """NotAllowed unless the token is the one that this start has printed."""
    if not hmac.compare_digest(token.encode(), request.app[SETTING].token.encode()):
        raise NotAllowed(NOT_THE_LINK)


async def already(request: web.Request) -> web.StreamResponse:
    """GET and POST /setup of a node that has its address."""
    raise AlreadySetUp(request.app[NODE].ids.origin)
