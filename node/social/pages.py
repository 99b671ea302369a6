"""Home, posts, the people whom one follows, and whatever of others stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlencode

from aiohttp import web

from federation.errors import FederationError
from federation.storage import Tx
from node.context import Node
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from node.evidence import Evidence
from node.learning import pages as learning_pages
from node.learning import queries as learning
from node.learning.queries import ModuleView
from node.learning.rules import licence_name
from node.market import pages as market_pages
from node.market import queries as market
from node.market.queries import GigView
from node.market.wire import quantity_words
from node.profiles import queries as people
from node.profiles.queries import Person
from node.profiles.rules import Answer, answer
from node.profiles.wire import link_words
from node.social import commands, queries, rules
from node.social.finding import find
from node.social.queries import PAGE_SIZE, Entry, PostView, Relation
from node.web import negotiate
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.actors import Actor
from schemas.urls import host_of

MAX_LISTED = 200
MAX_TO = 500
TABS = (("", "All"), ("gig", "Gigs"), ("module", "Learning"), ("post", "Posts"))
REACHES = [("public", "Everybody"), ("followers", "Followers")]


@dataclass(frozen=True, slots=True)
class Home:
    """A page of the timeline with all that is shown of it, and where its reader stands."""

    entries: list[Entry]
    people: dict[str, Person]
    gigs: dict[str, GigView]
    modules: dict[str, ModuleView]
    posts: dict[str, PostView]
    me: Person
    following: int
    followers: int
    own_gigs: int


def _home(tx: Tx, reader: str, before: str | None, kind: str | None) -> Home:
    entries = queries.home(tx, reader, limit=PAGE_SIZE, before=before, kind=kind)
    ids = {name: [entry.object_id for entry in entries if entry.kind == name] for name in queries.KINDS}
    following, followers = queries.count_relations(tx, reader)
    return Home(
        entries=entries,
        people=people.people(tx, [entry.owner for entry in entries]),
        gigs=market.views(tx, ids["gig"]),
        modules=learning.views(tx, ids["module"]),
        posts=queries.posts(tx, ids["post"]),
        me=people.person(tx, reader),
        following=following,
        followers=followers,
        own_gigs=market.count(tx, market.Filter(owner=reader, over=True)),
    )


@signed_in
async def home(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /home?show=gig|module|post&before=CURSOR. to=HANDLE: the form is for them alone."""
    return await _home_page(request, somebody, {"to": request.query.get("to", "")[:MAX_TO]}, {})


async def _home_page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    node = request.app[NODE]
    kind = request.query.get("show") or ""
    kind = kind if kind in queries.KINDS else ""
    found = await node.db.read(_home, somebody.actor_id, request.query.get("before"), kind or None)
    last = found.entries[-1].cursor if len(found.entries) == PAGE_SIZE else None
    return await page(
        request,
        "social/home.html",
        status=422 if errors else 200,
        here="home",
        found=found,
        entries=[entry for entry in found.entries if not node.policy.blocked(host_of(entry.owner))],
        kind=kind,
        tabs=TABS,
        earlier=f"/home?{urlencode({'show': kind, 'before': last})}" if last else None,
        first="before" not in request.query,
        answer=answer(found.me.availability, node.clock.now().date()),
        form=form,
        errors=errors,
        reaches=REACHES,
        quantity_words=quantity_words,
        licence_name=licence_name,
    )


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /home: a post."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        draft = rules.parse_post(form)
        person = await find(node, draft.to, "to") if draft.to else None
        await node.db.write(commands.post, author, draft, person)
    except Invalid as error:
        return await _home_page(request, somebody, form, error.errors)
    return see_other("/home")


# ---- one post


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/posts/{name}: a post of ours, as a page or as its document."""
    node = request.app[NODE]
    post_id = f"{node.ids.actor(request.match_info['handle'])}/posts/{request.match_info['name']}"
    if negotiate.wants_document(request):
        return await negotiate.object_document(request, post_id)
    return await _post_page(request, post_id)


async def _post_page(request: web.Request, post_id: str) -> web.StreamResponse:
    somebody = await viewer(request)
    found = await request.app[NODE].db.read(_post, post_id, somebody.actor_id if somebody else None)
    return await page(
        request,
        "social/post.html",
        here="home",
        post=found.post,
        owner=found.owner,
        evidence=found.evidence,
        mine=found.post.local and somebody is not None and somebody.actor_id == found.post.owner,
        link_words=link_words,
    )


class OnePost(NamedTuple):
    """A post with who it is from."""

    post: PostView
    owner: Person | None
    evidence: Evidence | None


def _post(tx: Tx, post_id: str, reader: str | None) -> OnePost:
    post = queries.post(tx, post_id, reader)
    return OnePost(post, people.people(tx, [post.owner]).get(post.owner), queries.evidence(tx, post))


@signed_in
async def delete_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /posts/{name}/delete: the question, the consequences, the verb."""
    return await page(request, "social/delete.html", here="home", post=await _mine(request, somebody))


@signed_in
async def delete(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/{name}/delete."""
    node = request.app[NODE]
    await read_form(request)
    post = await _mine(request, somebody)
    await node.db.write(commands.delete_post, await node.author(somebody.actor_id), post.id)
    return see_other("/home")


async def _mine(request: web.Request, somebody: Viewer) -> PostView:
    post_id = f"{somebody.actor_id}/posts/{request.match_info['name']}"
    return await request.app[NODE].db.read(queries.post, post_id, somebody.actor_id)


# ---- what others published, as it stands here


async def seen(request: web.Request) -> web.StreamResponse:
    """GET /seen?id=: a gig, a module or a post of another server, for whoever may see it."""
    node = request.app[NODE]
    object_id = request.query.get("id", "")
    somebody = await viewer(request)
    found = await node.db.read(queries.kind_of, object_id, somebody.actor_id if somebody else None)
    if found is None or node.policy.blocked(host_of(object_id)):
        raise NothingHere
    kind, local = found
    if local:
        return see_other(node.ids.object_page(object_id).removeprefix(node.ids.origin))
    if kind == "gig":
        return await market_pages.view(request, (await node.db.read(market.views, [object_id]))[object_id])
    if kind == "module":
        return await learning_pages.view(request, (await node.db.read(learning.views, [object_id]))[object_id])
    return await _post_page(request, object_id)


# ---- people


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
        raise NothingHere("You follow nobody of this address.") from error
    await node.db.write(commands.unfollow, author, target)
    return see_other(await _page_of(node, target))


async def _page_of(node: Node, actor: Actor) -> str:
    person = await node.db.read(people.person, actor.id)
    return quote(person.page, safe="/@:[]")
