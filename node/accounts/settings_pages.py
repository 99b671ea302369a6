"""The first page of the settings: what opens the account, where it is open, in which language it is read."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from aiohttp import web
from sqlalchemy.engine import Row

from federation import operate
from node.accounts import commands, factors, known, passkeys, passwords, sessions
from node.accounts.pages import set_session
from node.accounts.passkeys import FIELD
from node.accounts.proving import check_both, party, with_script
from node.accounts.queries import Viewer
from node.accounts.rules import parse_password, parse_preferences, safe_path
from node.accounts.throttle import THROTTLE
from node.errors import Invalid, NotFound
from node.language import _, languages
from node.vocabularies import language_name
from node.web.forms import Form, read_form
from node.web.keys import GROUND, NODE, PROXIES
from node.web.render import page, see_other
from node.web.session import signed_in

SAME = _("This is the password that you have. Choose another one.")


@signed_in
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings."""
    return await _page(request, viewer, {}, {})


async def _page(
    request: web.Request, viewer: Viewer, form: Form | dict[str, str], errors: dict[str, str]
) -> web.Response:
    db = request.app[NODE].db
    return await page(
        request,
        "settings/security.html",
        status=422 if errors else 200,
        tab="security",
        form=form,
        errors=errors,
        factors=await db.read(factors.factors_of, viewer.account_id),
        sessions=await db.read(sessions.sessions_of, viewer.account_id, viewer.session),
        request_done=request.query.get("done"),
        keys=[_line(key) for key in await db.read(operate.local_keys) if key.actor_id == viewer.actor_id],
        languages=[(code, language_name(code)) for code in languages()],
    )


class KeyLine(NamedTuple):
    """A signing key in the table. short: the ends of its public half, by which people compare it."""

    short: str
    first_seen: datetime
    state: str
    retired: datetime | None
    revoked: datetime | None


def _line(key: Row[Any]) -> KeyLine:
    short = f"{key.public[:6]}…{key.public[-4:]}"
    if key.algorithm == "rsa":
        short = f"RSA {hashlib.sha256(key.public.encode()).hexdigest()[:8]}"
    return KeyLine(short, key.first_seen, key.state, key.retired_at, key.revoked_at)


@signed_in
async def change_password(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/password: every other session ends, and this one goes on under a new secret."""
    form = await read_form(request)
    try:
        password = _new_password(form)
        await check_both(request, viewer, form, "old")
    except Invalid as error:
        return await _page(request, viewer, {}, error.errors)
    digest = await passwords.hash_password(password)
    secret = await request.app[NODE].db.write(commands.change_password, viewer.account_id, digest, viewer.session)
    response = see_other("/settings?done=password")
    set_session(request, response, secret)
    await known.remember(request, response, viewer.account_id)
    return response


def _new_password(form: Form) -> str:
    try:
        password = parse_password(form.get("new", ""))
    except ValueError as error:
        raise Invalid({"new": error.args[0]}) from error
    if password == form.get("old"):
        raise Invalid({"new": SAME})
    return password


@signed_in
async def end_session(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/sessions/end: one of one's own, by its short name."""
    form = await read_form(request)
    if not await request.app[NODE].db.write(sessions.end_session, viewer.account_id, form.get("session", "")):
        raise NotFound
    return see_other("/settings")


@signed_in
async def end_others(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/sessions/end-others."""
    await read_form(request)
    await request.app[NODE].db.write(sessions.end_others, viewer.account_id, viewer.session)
    return see_other("/settings")


@signed_in
async def prefer(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/reading: the language and the colours of one's own pages."""
    form = await read_form(request)
    try:
        preferences = parse_preferences(form)
    except Invalid as error:
        return await _page(request, viewer, form, error.errors)
    await request.app[NODE].db.write(commands.prefer, viewer.account_id, preferences)
    return see_other("/settings")


# ---- before anything dangerous


@signed_in
async def proof_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/proof?next=: is it really you?"""
    return await _proof(request, viewer, {"next": safe_path(request.query.get("next", ""))}, {})


async def _proof(
    request: web.Request, viewer: Viewer, form: Form | dict[str, str], errors: dict[str, str]
) -> web.StreamResponse:
    held = await request.app[NODE].db.read(factors.factors_of, viewer.account_id)
    asked = party(request)
    challenge = asked.challenge("prove", request.app[GROUND].clock.now())
    options = passkeys.options_to_use(asked, challenge, tuple(held.passkeys)) if held.passkeys else None
    return with_script(
        await page(
            request,
            "settings/proof.html",
            status=422 if errors else 200,
            form=form,
            errors=errors,
            factors=held,
            passkey_options=options,
        )
    )


@signed_in
async def prove(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/proof: by password, and code where there is an app."""
    form = await read_form(request)
    try:
        await check_both(request, viewer, form)
    except Invalid as error:
        return await _proof(request, viewer, form, error.errors)
    return await _believed(request, viewer, form)


@signed_in
async def prove_with_passkey(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/proof/passkey."""
    form = await read_form(request)
    node = request.app[NODE]
    request.app[THROTTLE].take_passkey(request.app[PROXIES].peer(request))
    try:
        asked = party(request)
        answer = passkeys.read_answer(asked, form.get(FIELD, ""), "prove", node.clock.now())
        held = await node.db.read(passkeys.find, answer.credential)
        own = held if held is not None and held.account_id == viewer.account_id else None
        used = await passkeys.check_use(asked, answer, own)
        await node.db.write(passkeys.use, used, answer.challenge)
    except Invalid as error:
        return await _proof(request, viewer, form, error.errors)
    return await _believed(request, viewer, form)


async def _believed(request: web.Request, viewer: Viewer, form: Form) -> web.StreamResponse:
    """Ten minutes of trust, under a new secret of the session (SECURITY 114)."""
    secret = await request.app[NODE].db.write(sessions.renew, viewer.session)
    response = see_other(safe_path(form.get("next", "")))
    set_session(request, response, secret)
    return response
