"""Somebody endorses a skill, accepts or hides what others say of theirs; and all who say it, with what is known."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from federation.storage import Tx
from node.credentials.report import seal_class, short
from node.credentials.rules import skill_key
from node.credentials.showing import unseen
from node.endorsements import commands, giving
from node.endorsements.queries import Endorsed, endorsed, offer
from node.endorsements.rules import parse_endorse
from node.errors import Invalid, NotFound
from node.language import _
from node.profiles import queries as people
from node.profiles.queries import Person
from node.social import lookups
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer

FIELDS = ("to", "skill")


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /endorsements/new?to=@name@server&skill=."""
    return await _form(request, {name: request.query.get(name, "")[:320] for name in FIELDS}, {})


async def _form(request: web.Request, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    person = await request.app[NODE].db.read(_called, form.get("to", ""))
    names = [skill.name for skill in person.skills] if person else []
    asked = skill_key(form.get("skill", ""))
    return await page(
        request,
        "endorsements/new.html",
        status=422 if errors else 200,
        here="people",
        person=person,
        names=names,
        choices=[("", _("Choose a skill")), *((name, name) for name in names)],
        form=dict(form) | {"skill": next((name for name in names if skill_key(name) == asked), form.get("skill", ""))},
        errors=errors,
    )


def _called(tx: Tx, handle: str) -> Person | None:
    """Whom this node knows already; anybody else is found when the form is sent."""
    try:
        return people.person_called(tx, handle.strip().removeprefix("@"))
    except NotFound:
        return None


@signed_in
async def give(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /endorsements/new."""
    form = await read_form(request)
    try:
        name = await giving.endorse(request.app[NODE], somebody.actor_id, parse_endorse(form))
    except Invalid as error:
        return await _form(request, form, error.errors)
    return see_other(f"/@{somebody.username}/credentials/{name}")


@signed_in
async def accept_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /endorsements/{name}/accept: who says it, what is known of them, and what accepting it says."""
    return await _question(request, somebody, {})


async def _question(request: web.Request, somebody: Viewer, errors: Mapping[str, str]) -> web.Response:
    one = await request.app[NODE].db.read(offer, somebody.actor_id, request.match_info["name"])
    status = 422 if errors else 200
    return await page(request, "endorsements/accept.html", status=status, here="profile", one=one, errors=errors)


@signed_in
async def accept(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /endorsements/{name}/accept."""
    await read_form(request)
    try:
        await giving.accept(request.app[NODE], somebody.actor_id, request.match_info["name"])
    except Invalid as error:
        return await _question(request, somebody, error.errors)
    return see_other(f"/@{somebody.username}/endorsements")


@signed_in
async def hide(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /endorsements/{name}/hide."""
    node = request.app[NODE]
    await read_form(request)
    await node.db.write(commands.hide, await node.author(somebody.actor_id), request.match_info["name"])
    return see_other(f"/@{somebody.username}/endorsements")


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/endorsements?skill=: by whom, when, how they know each other, and what this node knows of each."""
    node, somebody = request.app[NODE], await viewer(request)
    reader, skill = somebody.actor_id if somebody else None, request.query.get("skill", "")[:200]
    person, found, more = await node.db.read(_shown, request.match_info["handle"], reader, skill)
    if somebody is not None and more:
        await node.db.write(lookups.ask, "credentials", person.id, "")
    return await page(
        request,
        "endorsements/list.html",
        here="profile" if reader == person.id else "people",
        person=person,
        endorsed=found,
        skill=skill,
        mine=reader == person.id,
        short=short,
        seal_class=seal_class,
    )


def _shown(tx: Tx, handle: str, reader: str | None, skill: str) -> tuple[Person, list[Endorsed], bool]:
    """Whose they are, all of them, and whether more stands elsewhere."""
    person = people.person_called(tx, handle)
    more = not person.local and bool(unseen(tx, person.id, person.credentials))
    return person, endorsed(tx, person, reader, skill=skill or None), more
