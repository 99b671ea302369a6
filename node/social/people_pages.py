"""The people whom one follows, and who follow one; and the way to more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web

from federation.errors import FederationError
from federation.storage import Tx
from node.context import Node
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from node.language import _
from node.profiles import queries as people
from node.profiles.answers import Answer, answer
from node.profiles.queries import Person
from node.social import commands, queries
from node.social.finding import find
from node.social.queries import Relation
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in
from schemas.actors import Actor

MAX_LISTED = 200


class Row(NamedTuple):
    """Somebody in a list, with their answer and where the follow stands."""

    person: Person
    answer: Answer
    state: str


@dataclass(frozen=True, slots=True)
class Circle:
    """Whom somebody follows, who follows them, and all that is shown of one of the two."""

    shown: list[Relation]
    people: dict[str, Person]
    following: int
    followers: int


def _circle(tx: Tx, actor_id: str, which: str) -> Circle:
    query = queries.followers if which == "followers" else queries.following
    shown = [one for one in query(tx, actor_id, limit=MAX_LISTED) if one.state != "rejected"]
    return Circle(shown, people.people(tx, [one.id for one in shown]), *queries.count_relations(tx, actor_id))


@signed_in
async def circle(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people?show=following|followers, or ?find=HANDLE (q in the bar) to look for somebody and see their page."""
    wanted = (request.query.get("find") or request.query.get("q") or "").strip()
    if not wanted:
        return await _circle_page(request, somebody, {}, {})
    node = request.app[NODE]
    try:
        actor = await find(node, wanted, "find")
    except Invalid as error:
        return await _circle_page(request, somebody, {"find": wanted}, error.errors)
    return see_other(await _page_of(node, actor))


async def _circle_page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    node = request.app[NODE]
    which = "followers" if request.query.get("show") == "followers" else "following"
    found = await node.db.read(_circle, somebody.actor_id, which)
    today = node.clock.now().date()
    rows = [
        Row(person, answer(person.availability, today), one.state)
        for one in found.shown
        if (person := found.people.get(one.id)) is not None
    ]
    return await page(
        request,
        "social/people.html",
        status=422 if errors else 200,
        here="people",
        rows=sorted(rows, key=_soonest) if which == "following" else rows,
        which=which,
        found=found,
        form=form,
        errors=errors,
    )


def _soonest(row: Row) -> tuple[int, str, str]:
    """Who is free comes first, the soonest before the others; who has not said comes last."""
    order = {"open": 0, "limited": 1, "busy": 2}.get(row.answer.status or "", 3)
    availability = row.person.availability
    start = availability.from_date.isoformat() if availability and availability.from_date else ""
    return order, start, row.person.name.casefold()


@signed_in
async def follow(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/follow: who, a handle or an address."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        target = await find(node, form.get("who", ""), "find")
        await node.db.write(commands.follow, author, target)
    except Invalid as error:
        sentence = next(iter(error.errors.values()))
        return await _circle_page(request, somebody, {"find": form.get("who", "")}, {"find": sentence})
    return see_other(await _page_of(node, target))


@signed_in
async def unfollow(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/unfollow: who, the id of somebody who is known here. Asks nobody."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        target = await node.resolver.actor(form.get("who", ""))
    except FederationError as error:
        raise NothingHere(_("You follow nobody of this address.")) from error
    await node.db.write(commands.unfollow, author, target)
    return see_other(await _page_of(node, target))


async def _page_of(node: Node, actor: Actor) -> str:
    person = await node.db.read(people.person, actor.id)
    return quote(person.page, safe="/@:[]")
