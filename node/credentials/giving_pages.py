"""Somebody gives a credential to somebody, and takes one back."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from node.credentials import commands, queries
from node.credentials.giving import give_to
from node.credentials.rules import parse_give
from node.errors import Invalid
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /credentials/new?to=@name@server."""
    return await _form(request, {"to": request.query.get("to", "")[:320]}, {})


async def _form(request: web.Request, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    status = 422 if errors else 200
    return await page(request, "credentials/new.html", status=status, here="profile", form=form, errors=errors)


@signed_in
async def give(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/new."""
    node, form = request.app[NODE], await read_form(request)
    try:
        name = await give_to(node, somebody.actor_id, parse_give(form, node.clock.now().date()))
    except Invalid as error:
        return await _form(request, form, error.errors)
    return see_other(f"/@{somebody.username}/credentials/{name}")


@signed_in
async def revoke_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /credentials/{name}/revoke: the question, the consequences, the verb."""
    one = await request.app[NODE].db.read(queries.own, somebody.actor_id, request.match_info["name"], "issued")
    return await page(request, "credentials/revoke.html", here="profile", one=one)


@signed_in
async def revoke(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/{name}/revoke: reason, a note for oneself."""
    node, name = request.app[NODE], request.match_info["name"]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    await node.db.write(commands.revoke, author, name, form.get("reason", ""))
    return see_other(f"/@{somebody.username}/credentials/{name}")
