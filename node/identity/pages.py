"""The identity key: made and tried at set-up, looked at in the settings, brought along, and changed for another."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from keys.phrases import new_phrase
from node.accounts.proving import has_proved, proved
from node.accounts.queries import Viewer
from node.accounts.throttle import THROTTLE
from node.backup.pages import ORDINALS, place_of
from node.errors import Invalid
from node.identity import opening, queries
from node.identity.queries import Identities
from node.identity.rules import WRONG_WORD, parse_code, parse_sealed, shown_code, text_of
from node.profiles.queries import people
from node.social.queries import count_relations
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import signed_in

Fields = Mapping[str, str]
PROVE_FIRST = "/settings/proof?next=/setup/identity?new=1"


async def _found(request: web.Request, viewer: Viewer) -> Identities:
    return await request.app[NODE].db.read(queries.identities_here, viewer.actor_id)


# ---- set-up


@signed_in
async def setup_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /setup/identity: a code that nobody has seen yet, or the question for the one that was shown.

    new: another one, also in the place of an identity that counts.
    """
    found = await _found(request, viewer)
    if "new" in request.query:
        if found.claimed is not None and not has_proved(request, viewer):
            return see_other(PROVE_FIRST)
        return await _setup(request, viewer, found, new_phrase(), {}, {})
    if found.untried is None and found.claimed is not None:
        return see_other("/settings/identity")
    return await _setup(request, viewer, found, "" if found.untried is not None else new_phrase(), {}, {})


async def _setup(
    request: web.Request, viewer: Viewer, found: Identities, code: str, form: Fields, errors: Fields
) -> web.Response:
    following, _followers = await request.app[NODE].db.read(count_relations, viewer.actor_id)
    response = await page(
        request,
        "identity/setup.html",
        status=422 if errors else 200,
        code=code,
        found=found,
        first=not following,
        form=form,
        errors=errors,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@signed_in
async def make(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /setup/identity: the code was written down; it comes back with the form, since nobody here has kept it."""
    node = request.app[NODE]
    form = await read_form(request)
    code = shown_code(form)
    if (await _found(request, viewer)).claimed is not None and not has_proved(request, viewer):
        return see_other(PROVE_FIRST)
    request.app[THROTTLE].take_identity(viewer.account_id)
    await opening.make(node, await node.author(viewer.actor_id), code)
    return see_other("/setup/identity")


@signed_in
async def try_first(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /setup/identity/try: the code opens the key, and from now on others know of it."""
    form = await read_form(request)
    following, _followers = await request.app[NODE].db.read(count_relations, viewer.actor_id)
    try:
        await _try(request, viewer, form)
    except Invalid as error:
        found = await _found(request, viewer)
        if found.untried is None:
            return see_other("/setup/identity")
        return await _setup(request, viewer, found, "", {}, error.errors)
    return see_other("/settings/identity?done=claimed" if following else "/setup/hello")


async def _try(request: web.Request, viewer: Viewer, form: Fields) -> None:
    node = request.app[NODE]
    code = parse_code(form.get("code", ""))
    request.app[THROTTLE].take_identity(viewer.account_id)
    await opening.try_code(node, await node.author(viewer.actor_id), code)


# ---- settings


@signed_in
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/identity."""
    return await _page(request, viewer, {})


async def _page(request: web.Request, viewer: Viewer, errors: Fields) -> web.Response:
    db = request.app[NODE].db
    found = await _found(request, viewer)
    others: list[str] = []
    if found.claimed is not None:
        known = await db.read(queries.actors_of, found.claimed.did)
        others = [actor_id for actor_id in known if actor_id != viewer.actor_id]
    named = await db.read(people, others)
    return await page(
        request,
        "identity/settings.html",
        status=422 if errors else 200,
        tab="identity",
        found=found,
        sealed=text_of(found.claimed.sealed) if found.claimed else "",
        others=[named.get(actor_id) or actor_id for actor_id in others],
        done=request.query.get("done"),
        form={},
        errors=errors,
    )


@signed_in
async def try_again(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/identity/try: does the paper still open the key?"""
    form = await read_form(request)
    try:
        await _try(request, viewer, form)
    except Invalid as error:
        return await _page(request, viewer, error.errors)
    return see_other("/settings/identity?done=tried")


@signed_in
@proved
async def change_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/identity/change: another key in the place of the one that counts, named by it."""
    if (await _found(request, viewer)).claimed is None:
        return see_other("/settings/identity")
    return await _change(request, new_phrase(), {})


async def _change(request: web.Request, code: str, errors: Fields) -> web.Response:
    asked = ORDINALS[place_of(code) - 1]
    status = 422 if errors else 200
    response = await page(
        request, "identity/change.html", status=status, code=code, asked=asked, form={}, errors=errors
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@signed_in
@proved
async def change(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/identity/change: the old code, and a word of the new one."""
    node = request.app[NODE]
    form = await read_form(request)
    new_code = shown_code(form)
    try:
        if form.get("word", "").strip().lower() != new_code.split()[place_of(new_code) - 1]:
            raise Invalid({"word": WRONG_WORD})
        old_code = parse_code(form.get("code", ""))
        request.app[THROTTLE].take_identity(viewer.account_id)
        await opening.succeed(node, await node.author(viewer.actor_id), old_code, new_code)
    except Invalid as error:
        return await _change(request, new_code, error.errors)
    return see_other("/settings/identity?done=changed")


@signed_in
@proved
async def claim_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/identity/claim: one that was made on another server."""
    return await _claim(request, viewer, {}, {})


async def _claim(request: web.Request, viewer: Viewer, form: Fields, errors: Fields) -> web.Response:
    return await page(
        request,
        "identity/claim.html",
        status=422 if errors else 200,
        found=await _found(request, viewer),
        form={"sealed": form.get("sealed", "")},
        errors=errors,
    )


@signed_in
@proved
async def claim(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/identity/claim: the sealed key as text, and its code."""
    node = request.app[NODE]
    form = await read_form(request)
    try:
        sealed, code = parse_sealed(form.get("sealed", "")), parse_code(form.get("code", ""))
        request.app[THROTTLE].take_identity(viewer.account_id)
        await opening.claim(node, await node.author(viewer.actor_id), sealed, code)
    except Invalid as error:
        return await _claim(request, viewer, form, error.errors)
    return see_other("/settings/identity?done=claimed")
