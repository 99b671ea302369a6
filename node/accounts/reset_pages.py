"""A new password for somebody who cannot sign in: by a link that the server's owner prints (`freehold user reset`)."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from federation.storage import Tx
from node.accounts import commands, factors, passwords, tickets
from node.accounts.rules import parse_password
from node.accounts.throttle import THROTTLE
from node.accounts.tickets import Ticket
from node.errors import NotAllowed
from node.language import _
from node.web.cookies import SESSION, clear_cookie
from node.web.forms import read_form
from node.web.keys import NODE, PROXIES
from node.web.render import page, see_other

NO_LINK = _("This link was used, or is older than 30 minutes. Ask whoever runs this server for a new one.")


async def show(request: web.Request) -> web.StreamResponse:
    """GET /reset?token=: looking at the page does not use the link up."""
    token = request.query.get("token", "")
    ticket = await _ticket(request, token)
    return await _page(request, ticket, token, {})


async def _page(request: web.Request, ticket: Ticket, token: str, errors: dict[str, str]) -> web.Response:
    held = await request.app[NODE].db.read(factors.factors_of, ticket.account_id)
    response = await page(
        request,
        "reset.html",
        status=422 if errors else 200,
        form={},
        errors=errors,
        token=token,
        more=bool(held.passkeys or held.app_since),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def submit(request: web.Request) -> web.StreamResponse:
    """POST /reset: the new password; every session ends."""
    form = await read_form(request)
    token = form.get("token", "")
    ticket = await _ticket(request, token)
    try:
        password = parse_password(form.get("password", ""))
    except ValueError as error:
        return await _page(request, ticket, token, {"password": error.args[0]})
    digest = await passwords.hash_password(password)
    what: Literal["keep", "drop"] = "drop" if form.get("drop") else "keep"

    def work(tx: Tx) -> bool:
        taken = tickets.take(tx, "link", token)
        if taken is not None:
            commands.reset_password(tx, taken.account_id, digest, second_factors=what)
        return taken is not None

    if not await request.app[NODE].db.write(work):
        raise NotAllowed(NO_LINK)
    response = see_other("/sign-in")
    clear_cookie(request, response, SESSION)
    return response


async def _ticket(request: web.Request, token: str) -> Ticket:
    request.app[THROTTLE].take_link(request.app[PROXIES].peer(request))
    found = await request.app[NODE].db.read(tickets.find, "link", token)
    if found is None:
        raise NotAllowed(NO_LINK)
    return found
