"""Signing in and out, and the way in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aiohttp import web

from federation.rates import Limiter, Rate, address_key
from node.accounts import commands, passwords, queries
from node.accounts.rules import MAX_PASSWORD, safe_path
from node.errors import Invalid, TooMany
from node.web.cookies import FORM, SESSION, clear_cookie, read_cookie, set_cookie
from node.web.forms import Form, read_form
from node.web.keys import NODE, PROXIES
from node.web.render import page, see_other
from node.web.session import viewer

WRONG = "That password does not fit this name. Try again."
PER_ADDRESS = Rate(per_second=1 / 20, burst=10)
# An account's limit is high, and refills fast enough for its owner: nobody may lock somebody else out by guessing.
PER_ACCOUNT = Rate(per_second=1 / 10, burst=100)


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often a password may be guessed, from one network and for one name."""

    addresses: Limiter = field(default_factory=lambda: Limiter(PER_ADDRESS))
    names: Limiter = field(default_factory=lambda: Limiter(PER_ACCOUNT))

    def take(self, peer: str | None, name: str) -> None:
        """Raises TooMany."""
        now = time.monotonic()
        wait = max(self.addresses.take(address_key(peer), now), self.names.take(name, now))
        if wait:
            minutes = max(1, round(wait / 60))
            unit = "minute" if minutes == 1 else "minutes"
            raise TooMany(f"There were too many attempts to sign in. Try again in {minutes} {unit}.", wait)


THROTTLE = web.AppKey("throttle", Throttle)


async def start(request: web.Request) -> web.StreamResponse:
    """GET /: home; for strangers the only person here, or all of them."""
    if await viewer(request) is not None:
        return see_other("/home")
    accounts = await request.app[NODE].db.read(queries.accounts)
    if len(accounts) == 1:
        return see_other(f"/@{accounts[0].username}")
    return await page(request, "directory.html", accounts=accounts)


async def sign_in_page(request: web.Request) -> web.StreamResponse:
    """GET /sign-in."""
    target = safe_path(request.query.get("next", ""))
    if await viewer(request) is not None:
        return see_other(target)
    return await page(request, "sign-in.html", form={"next": target}, errors={})


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in."""
    form = await read_form(request)
    try:
        account_id = await _authenticated(request, form)
    except Invalid as error:
        return await page(request, "sign-in.html", status=422, form=form, errors=error.errors)
    await end_session(request)
    secret = await request.app[NODE].db.write(commands.open_session, account_id)
    response = see_other(safe_path(form.get("next", "")))
    set_session(request, response, secret)
    return response


async def _authenticated(request: web.Request, form: Form) -> int:
    """Whose password it is; for a name that nobody has, the same words after the same work (SECURITY 123)."""
    name = form.get("name", "").removeprefix("@").partition("@")[0].lower()
    password = form.get("password", "")
    if not name or not password:
        missing = {"name": "Write your handle.", "password": "Write your password."}
        raise Invalid({field: words for field, words in missing.items() if not form.get(field)})
    request.app[THROTTLE].take(request.app[PROXIES].peer(request), name[:64])
    if len(password) > MAX_PASSWORD:
        raise Invalid({"password": WRONG})
    login = await request.app[NODE].db.read(queries.login, name)
    if not await passwords.fits(login.password if login else None, password) or login is None:
        raise Invalid({"password": WRONG})
    return login.account_id


def set_session(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """The cookie of a new session; forms of before it are worth nothing from now on."""
    set_cookie(request, response, SESSION, secret, commands.SESSION)
    clear_cookie(request, response, FORM)


async def end_session(request: web.Request) -> None:
    """Whatever session the browser has, it ends on the server too."""
    old = read_cookie(request, SESSION)
    if old is not None:
        await request.app[NODE].db.write(commands.close_session, old)


async def sign_out_page(request: web.Request) -> web.StreamResponse:
    """GET /sign-out: a link cannot sign anybody out, a button can."""
    return see_other("/") if await viewer(request) is None else await page(request, "sign-out.html")


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /sign-out."""
    await read_form(request)
    await end_session(request)
    response = see_other("/")
    clear_cookie(request, response, SESSION)
    return response
