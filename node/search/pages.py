"""Search, and hashtags."""

from __future__ import annotations

from typing import NamedTuple, cast
from urllib.parse import quote, urlencode

from aiohttp import web

from federation.storage import Tx
from node.errors import Invalid, NotFound
from node.language import Sentence, _, _n
from node.learning.rules import licence_name
from node.market.wire import quantity_words
from node.search import commands, queries, rules
from node.search.queries import PAGE_SIZE, RANKED, TITLED, Allowed, Found
from node.search.reaching import reach
from node.search.rules import KINDS, Kind, Query
from node.search.views import Shown, shown, suggested_tags
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.paging import page_number
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.urls import host_of

MAX_PAGES = len(KINDS) * (RANKED + TITLED + 1) // PAGE_SIZE
TABS: tuple[tuple[str, Sentence], ...] = (
    ("", _("All")),
    ("people", _("People")),
    ("gig", _("Gigs")),
    ("module", _("Modules")),
    ("post", _("Posts")),
)
IN_QUERIES = {"people": "people", "gigs": "gig", "modules": "module", "posts": "post"}


class Tab(NamedTuple):
    """A kind of thing, with how many there are: as a figure, and in words."""

    url: str
    label: Sentence
    found: str
    here: bool


class Page(NamedTuple):
    """A page of what was found."""

    found: Found
    shown: Shown


def _page(tx: Tx, query: Query, reader: str, allowed: Allowed, kind: str, number: int) -> Page:
    kinds: tuple[Kind, ...] = (cast(Kind, kind),) if kind else KINDS
    found = queries.search(tx, query, reader, allowed, kinds=kinds)
    return Page(found, shown(tx, found.found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], reader))


@signed_in
async def search(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /search?q=WORDS&kind=people|gigs|modules|posts&page=2. A handle, an address or a hashtag leads there."""
    node = request.app[NODE]
    query = rules.parse_query(request.query.get("q", ""))
    kind = IN_QUERIES.get(request.query.get("kind", ""), "")
    number = page_number(request.query.get("page"), MAX_PAGES)
    errors: dict[str, str] = {}
    if query.text.startswith("#") and (tag := rules.hashtag(query.text)):
        return see_other(tag_path(tag))
    try:
        path = await reach(node, query.text, somebody.actor_id)
        if path is not None:
            return see_other(path)
    except Invalid as error:
        errors = error.errors
    found = await node.db.read(_page, query, somebody.actor_id, allowed(request), kind, number)
    listed = len(found.found.found)
    return await page(
        request,
        "search/results.html",
        status=422 if errors else 200,
        query=query,
        kind=kind,
        errors=errors,
        views=found.shown,
        answers=found.shown.answers(node.clock.now().date()),
        total=_how_many(found.found, kind),
        tabs=_tabs(query, kind, found.found),
        number=number,
        pages=-(-listed // PAGE_SIZE),
        link=lambda number: _link(query, kind, number),
        quantity_words=quantity_words,
        licence_name=licence_name,
    )


def allowed(request: web.Request) -> Allowed:
    """Nothing of a server that is blocked here is shown or counted."""
    policy = request.app[NODE].policy
    return lambda owner: not policy.blocked(host_of(owner))


def _link(query: Query, kind: str, number: int = 1) -> str:
    name = next((name for name, value in IN_QUERIES.items() if value == kind), "")
    wanted = {"q": query.text, "kind": name, "page": str(number) if number > 1 else ""}
    return f"/search?{urlencode({key: value for key, value in wanted.items() if value})}"


def _tabs(query: Query, kind: str, found: Found) -> list[Tab]:
    return [Tab(_link(query, name), label, _figure(found, name), name == kind) for name, label in TABS]


def _counted(found: Found, kind: str) -> tuple[int, bool]:
    """How many of a kind ("" for all), and whether there are more."""
    if kind:
        return found.counts[cast(Kind, kind)], kind in found.more
    return found.total, bool(found.more)


def _figure(found: Found, kind: str) -> str:
    number, more = _counted(found, kind)
    return f"{number:,}+" if more else f"{number:,}"


def _how_many(found: Found, kind: str) -> Sentence:
    number, more = _counted(found, kind)
    if more:
        return _("More than {count:,} found", count=number)
    return _n("{count} found", "{count:,} found", number)


# ---- hashtags


class Tagged(NamedTuple):
    """A page of a hashtag. earlier: where the next one begins. suggested: of whoever looks, by their skills."""

    shown: Shown
    earlier: str | None
    follows: bool
    followed: list[str]
    suggested: list[str]


def tag_path(tag: str) -> str:
    """The page of a hashtag."""
    return f"/tags/{quote(tag, safe='')}"


def _tagged(tx: Tx, tag: str, reader: str | None, before: str | None) -> Tagged:
    found = queries.tagged(tx, tag, reader=reader, before=before)
    followed = queries.followed_tags(tx, reader) if reader else []
    return Tagged(
        shown=shown(tx, found, reader),
        earlier=found[-1].cursor if len(found) == PAGE_SIZE else None,
        follows=tag in followed,
        followed=followed,
        suggested=suggested_tags(tx, reader, but=(*followed, tag)) if reader else [],
    )


async def tag(request: web.Request) -> web.StreamResponse:
    """GET /tags/{name}?before=CURSOR: what anybody may read and carries a hashtag."""
    return await _tag_page(request, {})


async def _tag_page(request: web.Request, errors: dict[str, str]) -> web.StreamResponse:
    node = request.app[NODE]
    typed = request.match_info["name"]
    name = rules.hashtag(typed)
    if name is None:
        raise NotFound(_("This is not a hashtag."))
    if typed != name:
        return see_other(tag_path(name))
    somebody = await viewer(request)
    before = request.query.get("before")
    found = await node.db.read(_tagged, name, somebody.actor_id if somebody else None, before)
    may = allowed(request)
    return await page(
        request,
        "search/tag.html",
        status=422 if errors else 200,
        tag=name,
        views=found.shown,
        things=[thing for thing in found.shown.things if may(thing[2])],
        errors=errors,
        follows=found.follows,
        followed=found.followed,
        suggested=found.suggested,
        first=before is None,
        earlier=f"{tag_path(name)}?{urlencode({'before': found.earlier})}" if found.earlier else None,
        tag_path=tag_path,
        quantity_words=quantity_words,
        licence_name=licence_name,
    )


@signed_in
async def follow_tag(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /tags/{name}/follow: what carries the hashtag comes home from now on."""
    node = request.app[NODE]
    await read_form(request)
    try:
        name = await node.db.write(commands.follow_tag, somebody.actor_id, request.match_info["name"])
    except Invalid as error:
        return await _tag_page(request, error.errors)
    return see_other(tag_path(name))


@signed_in
async def unfollow_tag(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /tags/{name}/unfollow."""
    node = request.app[NODE]
    await read_form(request)
    name = request.match_info["name"]
    await node.db.write(commands.unfollow_tag, somebody.actor_id, name)
    return see_other(tag_path(rules.hashtag(name) or name))
