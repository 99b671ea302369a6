"""Home, and whatever of others stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from federation.known_identities import identity_of
from federation.storage import Tx
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from node.language import _
from node.learning import pages as learning_pages
from node.learning import queries as learning
from node.learning.queries import ModuleView
from node.learning.rules import licence_name
from node.market import pages as market_pages
from node.market import queries as market
from node.market.queries import GigView
from node.market.wire import quantity_words
from node.media.attachments import Media
from node.media.came import Came, came_with
from node.media.uploads import FILES, take_in
from node.profiles import queries as people
from node.profiles.answers import answer
from node.profiles.queries import Person
from node.social import queries, reactions
from node.social.post_pages import REACHES, conversation_page, unknown_names
from node.social.queries import PAGE_SIZE, Entry
from node.social.reactions import Tally
from node.social.views import PostView
from node.social.writing_pages import place_of, with_unknown, write
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.urls import host_of

MAX_TO = 500
TABS = (("", _("All")), ("gig", _("Gigs")), ("module", _("Learning")), ("post", _("Posts")))


@dataclass(frozen=True, slots=True)
class Home:
    """A page of the timeline with all that is shown of it, and where its reader stands."""

    entries: list[Entry]
    people: dict[str, Person]
    gigs: dict[str, GigView]
    modules: dict[str, ModuleView]
    posts: dict[str, PostView]
    came: dict[str, Came]
    tallies: dict[str, Tally]
    me: Person
    following: int
    followers: int
    own_gigs: int
    identity: str | None


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
        came=came_with(tx, ids["gig"] + ids["module"]),
        tallies=reactions.tallies(tx, [entry.object_id for entry in entries], reader),
        me=people.person(tx, reader),
        following=following,
        followers=followers,
        own_gigs=market.count(tx, market.Filter(owner=reader, over=True)),
        identity=identity_of(tx, reader),
    )


@signed_in
async def home(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /home?show=gig|module|post&before=CURSOR. to=HANDLE: the form is for them alone."""
    return await _home_page(request, somebody, {"to": request.query.get("to", "")[:MAX_TO]}, {})


async def _home_page(
    request: web.Request,
    somebody: Viewer,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    pictures: Sequence[Media] = (),
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
        kept=pictures,
        reaches=REACHES,
        unknown=unknown_names(request),
        back=f"/home?{urlencode({'show': kind})}" if kind else "/home",
        quantity_words=quantity_words,
        licence_name=licence_name,
    )


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /home: a post."""
    taken = await take_in(request, await read_form(request, files=FILES), somebody.actor_id)
    try:
        taken.check()
        post_id, unknown = await write(request, somebody, taken.form)
    except Invalid as error:
        return await _home_page(request, somebody, taken.form, error.errors, taken.media)
    return see_other(with_unknown(await place_of(request, somebody, post_id), unknown))


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
    return await conversation_page(request, object_id)
