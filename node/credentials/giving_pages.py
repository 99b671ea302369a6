"""Somebody gives a credential to somebody, and takes one back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time

from aiohttp import web

from node.context import Node
from node.credentials import commands, queries
from node.credentials.rules import GiveDraft, parse_give
from node.credentials.signing import Statement
from node.errors import Invalid
from node.language import _
from node.social.finding import find
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in

ONESELF = _("Nobody gives credentials to themselves. Name somebody else.")


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


async def give_to(node: Node, actor_id: str, draft: GiveDraft) -> str:
    """Find whom it is about, and issue it; returns the last part of its address. Invalid."""
    person = await find(node, draft.to, "to")
    if person.id == actor_id:
        raise Invalid({"to": ONESELF})
    until = None if draft.until is None else datetime.combine(draft.until, time(23, 59, 59), UTC)
    statement = Statement("badge", draft.name, draft.description, draft.criteria, until)
    return await node.db.write(commands.issue, await node.author(actor_id), person, statement)


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
