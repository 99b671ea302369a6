"""Moving: other accounts of one's own, the way out, and lists of people as files."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from node.accounts.proving import proved
from node.errors import Invalid
from node.relations import lists, moving, queries, rules
from node.social.finding import find
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in
from schemas.actors import Actor


@signed_in
async def show(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/move."""
    return await _page(request, somebody, {}, {})


async def _page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    db = request.app[NODE].db
    return await page(
        request,
        "relations/move.html",
        status=422 if errors else 200,
        tab="move",
        there=await db.read(queries.whereabouts, somebody.actor_id),
        progress=await db.read(queries.progress, somebody.actor_id),
        form=form,
        errors=errors,
        kinds=rules.KINDS,
    )


@signed_in
async def add_alias(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/move/aliases: alias, a handle or an address."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        actor = await find(node, form.get("alias", ""), "alias")
        there = await node.db.read(queries.whereabouts, somebody.actor_id)
        aliases = list(dict.fromkeys((*there.aliases, actor.id)))
        await node.db.write(moving.set_aliases, author, aliases)
    except Invalid as error:
        return await _page(request, somebody, form, error.errors)
    return see_other("/settings/move")


@signed_in
async def remove_alias(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/move/aliases/remove: alias, an id."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    there = await node.db.read(queries.whereabouts, somebody.actor_id)
    await node.db.write(moving.set_aliases, author, [one for one in there.aliases if one != form.get("alias")])
    return see_other("/settings/move")


@signed_in
@proved
async def away_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/move/away?target=: the question, once that account names this one."""
    try:
        actor = await find(request.app[NODE], request.query.get("target", ""), "target")
    except Invalid as error:
        return await _page(request, somebody, {"target": request.query.get("target", "")}, error.errors)
    return await page(request, "relations/away.html", target=actor, handle=_handle(actor))


@signed_in
@proved
async def away(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/move/away: target."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        actor = await find(node, form.get("target", ""), "target")
        await node.db.write(moving.move_away, author, actor, node.authors)
    except Invalid as error:
        return await _page(request, somebody, form, error.errors)
    return see_other("/settings/move")


def _handle(actor: Actor) -> str:
    return actor.webfinger or actor.id


# ---- lists


@signed_in
async def export(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/lists/{kind}.csv."""
    node = request.app[NODE]
    kind = rules.parse_kind(request.match_info["kind"])
    found = await node.db.read(queries.addresses, somebody.actor_id, kind, node.ids.handle_domain)
    headers = {
        "Content-Disposition": f'attachment; filename="{kind}.csv"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=rules.write_list(kind, found), content_type="text/csv", charset="utf-8", headers=headers)


@signed_in
async def bring(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/lists: kind, file."""
    node = request.app[NODE]
    form = await read_form(request, files={"file": rules.MAX_FILE})
    author = await node.author(somebody.actor_id)
    try:
        import_id = await node.db.write(lists.begin, author, rules.parse_kind(form.get("kind", "")), _lines(form))
    except Invalid as error:
        return await _page(request, somebody, form, error.errors)
    return see_other(f"/settings/lists/{import_id}")


def _lines(form: Form) -> list[rules.Line]:
    upload = form.file("file")
    return rules.read_list(b"" if upload is None else upload.body)


@signed_in
async def progress(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/lists/{id}: how far the reading of a list has come, and what failed."""
    found = await request.app[NODE].db.read(queries.progress, somebody.actor_id, request.match_info["id"])
    return await page(request, "relations/progress.html", tab="move", progress=found)
