"""Passkeys and codes: added, and taken away, by somebody who has just proved who they are."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from node.accounts import codes, factors, passkeys
from node.accounts.factors import Passkey
from node.accounts.passkeys import FIELD
from node.accounts.proving import WRONG_CODE, party, proved, with_script
from node.accounts.queries import Viewer
from node.accounts.rules import parse_label
from node.accounts.throttle import THROTTLE
from node.errors import Invalid, NotAllowed, NotFound
from node.language import _
from node.web.forms import Form, read_form
from node.web.keys import GROUND, NODE
from node.web.render import page, see_other
from node.web.session import signed_in

NO_APP = _("There is no app to make recovery codes for. Set one up first.")


@signed_in
@proved
async def new_passkey_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/passkeys/new."""
    return await _new_passkey(request, viewer, {}, {})


async def _new_passkey(
    request: web.Request, viewer: Viewer, form: Form | dict[str, str], errors: dict[str, str]
) -> web.StreamResponse:
    known = await request.app[NODE].db.read(factors.passkeys_of, viewer.account_id)
    asked = party(request)
    challenge = asked.challenge("add", request.app[GROUND].clock.now())
    options = passkeys.options_to_add(asked, viewer.actor_id, viewer.username, viewer.name, known, challenge)
    return with_script(
        await page(
            request,
            "settings/passkey.html",
            status=422 if errors else 200,
            form=form,
            errors=errors,
            passkey_options=options,
        )
    )


@signed_in
@proved
async def add_passkey(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/passkeys/new."""
    form = await read_form(request)
    node = request.app[NODE]
    try:
        label = parse_label(form.get("label", ""))
        asked = party(request)
        answer = passkeys.read_answer(asked, form.get(FIELD, ""), "add", node.clock.now())
        made = await passkeys.check_new(asked, answer)
        await node.db.write(passkeys.add, viewer.account_id, label, made, answer.challenge)
    except Invalid as error:
        return await _new_passkey(request, viewer, form, error.errors)
    return see_other("/settings")


@signed_in
@proved
async def remove_passkey_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/passkeys/{name}/remove."""
    return await page(request, "settings/passkey-remove.html", passkey=await _own(request, viewer))


@signed_in
@proved
async def remove_passkey(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST the same."""
    await read_form(request)
    own = await _own(request, viewer)
    await request.app[NODE].db.write(passkeys.remove, viewer.account_id, own.name)
    return see_other("/settings")


async def _own(request: web.Request, viewer: Viewer) -> Passkey:
    mine = await request.app[NODE].db.read(factors.passkeys_of, viewer.account_id)
    name = request.match_info["name"]
    found = next((passkey for passkey in mine if passkey.name == name), None)
    if found is None:
        raise NotFound
    return found


# ---- the app, and what helps when it is lost


@signed_in
@proved
async def codes_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/codes: what an app is for; then its picture, and the first code."""
    return await _codes(request, viewer, {})


async def _codes(request: web.Request, viewer: Viewer, errors: dict[str, str]) -> web.Response:
    node = request.app[NODE]
    waiting = await node.db.read(
        lambda tx: codes.enrolment(
            tx, node.vault, viewer.account_id, account=viewer.username, server=node.ids.handle_domain
        )
    )
    return await page(
        request,
        "settings/codes.html",
        status=422 if errors else 200,
        form={},
        errors=errors,
        since=await node.db.read(factors.app_since, viewer.account_id),
        waiting=waiting,
        picture=Markup(codes.picture(waiting.uri)) if waiting else None,  # noqa: S704 - drawn by us
    )


@signed_in
@proved
async def begin_codes(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/codes/begin: a secret for a new app; nothing is asked for until its first code fits."""
    await read_form(request)
    node = request.app[NODE]
    await node.db.write(codes.begin, node.vault, viewer.account_id)
    return see_other("/settings/codes")


@signed_in
@proved
async def confirm_codes(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/codes. Answers with the recovery codes themselves: they are kept nowhere to be shown again."""
    form = await read_form(request)
    node = request.app[NODE]
    request.app[THROTTLE].take_code(viewer.account_id)
    typed = "".join(form.get("code", "")[:20].split())
    made = await node.db.write(codes.confirm, node.vault, viewer.account_id, typed)
    if made is None:
        return await _codes(request, viewer, {"code": WRONG_CODE})
    return await _shown(request, made)


@signed_in
@proved
async def renew_recovery(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/codes/renew: ten new recovery codes, shown once."""
    await read_form(request)
    node = request.app[NODE]
    if await node.db.read(factors.app_since, viewer.account_id) is None:
        raise NotAllowed(NO_APP)
    return await _shown(request, await node.db.write(codes.new_recovery_codes, viewer.account_id))


async def _shown(request: web.Request, made: list[str]) -> web.Response:
    response = await page(request, "settings/recovery.html", codes=made)
    response.headers["Cache-Control"] = "no-store"
    return response


@signed_in
@proved
async def remove_codes_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/codes/remove."""
    if await request.app[NODE].db.read(factors.app_since, viewer.account_id) is None:
        raise NotFound
    return await page(request, "settings/codes-remove.html")


@signed_in
@proved
async def remove_codes(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST the same."""
    await read_form(request)
    await request.app[NODE].db.write(codes.remove, viewer.account_id)
    return see_other("/settings")
