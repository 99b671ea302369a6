"""Who asks to follow, and who is not wanted: requests, blocks and mutes, each change behind a page that asks first."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from node.errors import Invalid, NotFound
from node.language import _
from node.profiles import queries as people
from node.profiles.queries import Person
from node.relations import commands, queries, rules
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in

HOW_LONG = (
    ("", _("Until I take it back")),
    ("day", _("For a day")),
    ("week", _("For a week")),
    ("month", _("For thirty days")),
)


@signed_in
async def requests(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people/requests: who asks to follow."""
    asking = await request.app[NODE].db.read(queries.requests, somebody.actor_id)
    return await page(request, "relations/requests.html", here="people", asking=asking)


@signed_in
async def accept(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/accept: who, the id of somebody who asks."""
    await _do(request, somebody, commands.accept_follower)
    return see_other("/people/requests")


@signed_in
async def reject(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/reject: who, the id of somebody who asks."""
    await _do(request, somebody, commands.turn_away)
    return see_other("/people/requests")


@signed_in
async def remove_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people/remove?who=: the question."""
    return await page(request, "relations/remove.html", here="people", person=await _asked(request, somebody))


@signed_in
async def remove(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/remove: who, the id of a follower."""
    await _do(request, somebody, commands.turn_away)
    return see_other("/people?show=followers")


@signed_in
async def block_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people/block?who=: the question, the consequences, the verb."""
    return await page(request, "relations/block.html", here="people", person=await _asked(request, somebody))


@signed_in
async def block(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/block: who."""
    await _do(request, somebody, commands.block)
    return see_other("/settings/blocks")


@signed_in
async def unblock(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/unblock: who."""
    await _do(request, somebody, commands.unblock)
    return see_other("/settings/blocks")


@signed_in
async def mute_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people/mute?who=: the question, and for how long."""
    person = await _asked(request, somebody)
    return await page(
        request, "relations/mute.html", here="people", person=person, form={}, errors={}, how_long=HOW_LONG
    )


@signed_in
async def mute(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/mute: who, for (one of rules.DURATIONS)."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        until = rules.parse_until(form.get("for", ""), node.clock.now())
        await node.db.write(commands.mute, author, form.get("who", ""), until)
    except Invalid as error:
        raise NotFound from error  # no page of ours sends that
    return see_other("/settings/blocks")


@signed_in
async def unmute(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/unmute: who."""
    await _do(request, somebody, commands.unmute)
    return see_other("/settings/blocks")


@signed_in
async def blocks(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/blocks: whom one blocks, and whom one mutes."""
    db = request.app[NODE].db
    return await page(
        request,
        "relations/blocks.html",
        tab="blocks",
        blocked=await db.read(queries.blocked, somebody.actor_id),
        muted=await db.read(queries.muted, somebody.actor_id),
    )


async def _do(request: web.Request, somebody: Viewer, command: Any) -> None:
    """Run `command(tx, author, who)`; what cannot be of one's own making is not there."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        await node.db.write(command, author, form.get("who", ""))
    except Invalid as error:
        raise NotFound(next(iter(error.errors.values()))) from error


async def _asked(request: web.Request, somebody: Viewer) -> Person:
    """Whom a page is about; NotFound for nobody, and for oneself."""
    who = request.query.get("who", "")
    if who == somebody.actor_id:
        raise NotFound
    return await request.app[NODE].db.read(people.person, who)
