"""Signing in and out, and the way in."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from node.accounts import codes, commands, factors, known, passkeys, passwords, queries, tickets
from node.accounts.passkeys import FIELD
from node.accounts.proving import WRONG_CODE, party, place, with_script
from node.accounts.rules import MAX_PASSWORD, safe_path
from node.accounts.sessions import LIFETIME, Way
from node.accounts.throttle import PER_ACCOUNT as PER_ACCOUNT
from node.accounts.throttle import PER_ADDRESS as PER_ADDRESS
from node.accounts.throttle import THROTTLE
from node.accounts.throttle import Throttle as Throttle
from node.errors import Invalid
from node.language import _
from node.web.cookies import FORM, SECOND, SESSION, clear_cookie, read_cookie, set_cookie
from node.web.forms import Form, read_form
from node.web.keys import GROUND, NODE, PROXIES
from node.web.render import page, see_other
from node.web.session import viewer

WRONG = _("That password does not fit this name. Try again.")


async def start(request: web.Request) -> web.StreamResponse:
    """GET /: home; for strangers the only person here, or all of them."""
    if await viewer(request) is not None:
        return see_other("/home")
    db = request.app[NODE].db
    accounts = await db.read(queries.accounts)
    if len(accounts) == 1:
        return see_other(f"/@{accounts[0].username}")
    left = not accounts and await db.read(queries.somebody_left)
    return await page(request, "directory.html", accounts=accounts, left=left)


async def sign_in_page(request: web.Request) -> web.StreamResponse:
    """GET /sign-in."""
    target = safe_path(request.query.get("next", ""))
    if await viewer(request) is not None:
        return see_other(target)
    return await _ask(request, {"next": target}, {})


async def _ask(request: web.Request, form: Form | dict[str, str], errors: dict[str, str]) -> web.StreamResponse:
    """The page with both ways in: a passkey, else the password."""
    asked = party(request)
    challenge = asked.challenge("sign in", request.app[GROUND].clock.now())
    options = passkeys.options_to_use(asked, challenge)
    status = 422 if errors else 200
    return with_script(
        await page(request, "sign-in.html", status=status, form=form, errors=errors, passkey_options=options)
    )


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in: the password; the second page asks for a code where there is an app for that."""
    form = await read_form(request)
    try:
        account_id = await _authenticated(request, form)
    except Invalid as error:
        return await _ask(request, form, error.errors)
    target = safe_path(form.get("next", ""))
    db = request.app[NODE].db
    if await db.read(factors.app_since, account_id) is None:
        return await _let_in(request, account_id, target, "password")
    secret = await db.write(tickets.issue, "code", account_id)
    response = see_other(f"/sign-in/code?next={quote(target, safe='')}")
    set_cookie(request, response, SECOND, secret, tickets.LIFETIMES["code"])
    return response


async def sign_in_with_passkey(request: web.Request) -> web.StreamResponse:
    """POST /sign-in/passkey: it says whose it is, and has asked for a finger or a PIN, so nothing else is needed."""
    form = await read_form(request)
    node = request.app[NODE]
    request.app[THROTTLE].take_passkey(request.app[PROXIES].peer(request))
    try:
        asked = party(request)
        answer = passkeys.read_answer(asked, form.get(FIELD, ""), "sign in", node.clock.now())
        held = await node.db.read(passkeys.find, answer.credential)
        used = await passkeys.check_use(asked, answer, held)
        account_id = await node.db.write(passkeys.use, used, answer.challenge)
    except Invalid as error:
        return await _ask(request, form, error.errors)
    return await _let_in(request, account_id, safe_path(form.get("next", "")), "passkey")


async def code_page(request: web.Request) -> web.StreamResponse:
    """GET /sign-in/code, for whoever has just given the password."""
    target = safe_path(request.query.get("next", ""))
    if await viewer(request) is not None:
        return see_other(target)
    ticket = await request.app[NODE].db.read(tickets.find, "code", read_cookie(request, SECOND) or "")
    if ticket is None:
        return see_other(f"/sign-in?next={quote(target, safe='')}")
    return await page(request, "sign-in-code.html", form={"next": target}, errors={})


async def enter_code(request: web.Request) -> web.StreamResponse:
    """POST /sign-in/code. Five wrong ones, or ten minutes, and the password is asked for again."""
    form = await read_form(request)
    node, secret = request.app[NODE], read_cookie(request, SECOND) or ""
    target = safe_path(form.get("next", ""))
    ticket = await node.db.read(tickets.find, "code", secret)
    if ticket is None:
        return see_other(f"/sign-in?next={quote(target, safe='')}")
    request.app[THROTTLE].take_code(ticket.account_id)
    way = await node.db.write(codes.prove, node.vault, ticket.account_id, form.get("code", ""))
    if way is None:
        await node.db.write(tickets.count_try, ticket)
        return await page(request, "sign-in-code.html", status=422, form=form, errors={"code": WRONG_CODE})
    if await node.db.write(tickets.take, "code", secret) is None:
        return see_other("/sign-in")
    response = await _let_in(request, ticket.account_id, target, way)
    clear_cookie(request, response, SECOND)
    return response


async def _let_in(request: web.Request, account_id: int, target: str, way: Way) -> web.StreamResponse:
    """A new session; whatever one the browser brought ends."""
    await end_session(request)
    secret = await request.app[NODE].db.write(commands.open_session, account_id, place(request), way)
    response = see_other(target)
    set_session(request, response, secret)
    await known.remember(request, response, account_id)
    return response


async def _authenticated(request: web.Request, form: Form) -> int:
    """Whose password it is; for a name that nobody has, the same words after the same work (SECURITY 123)."""
    name = form.get("name", "").removeprefix("@").partition("@")[0].lower()
    password = form.get("password", "")
    if not name or not password:
        missing = {"name": _("Write your handle."), "password": _("Write your password.")}
        raise Invalid({field: words for field, words in missing.items() if not form.get(field)})
    login = await request.app[NODE].db.read(queries.login, name)
    throttle, peer = request.app[THROTTLE], request.app[PROXIES].peer(request)
    if login is not None and known.is_known(request, login):
        throttle.take_own(peer, login.account_id)
    else:
        throttle.take(peer, name[:64])
    if len(password) > MAX_PASSWORD:
        raise Invalid({"password": WRONG})
    if not await passwords.fits(login.password if login else None, password) or login is None:
        raise Invalid({"password": WRONG})
    return login.account_id


def set_session(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """The cookie of a new session; forms of before it are worth nothing from now on."""
    set_cookie(request, response, SESSION, secret, LIFETIME)
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
