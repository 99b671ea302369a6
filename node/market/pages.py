"""The board of gigs, a gig, and the forms behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from federation.storage import Tx
from node import skills
from node.accounts.once import once
from node.errors import Invalid, NotAllowed
from node.evidence import Evidence
from node.language import Sentence, _
from node.market import commands, queries, rules, structured, wire
from node.market.queries import MAX_PAGES, PAGE_SIZE, Filter, GigView
from node.media.came import NOTHING, Came, came_with
from node.profiles import queries as people
from node.profiles.queries import Person
from node.profiles.rules import audience_sentence
from node.profiles.wire import link_words
from node.vocabularies import currencies
from node.web import negotiate
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.paging import page_number
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from node.web.words import rate_words
from schemas.market import Purpose
from schemas.urls import host_of

TABS = (("", _("All")), ("request", _("Wanted")), ("offer", _("Offered")), ("mine", _("Mine")))
HEADINGS = {
    "": _("Newest first"),
    "request": _("Looking for somebody"),
    "offer": _("Offered work"),
    "mine": _("Your gigs"),
}
MAX_SEARCH = 200


class Tab(NamedTuple):
    """A kind of gig, with how many there are."""

    url: str
    label: str
    found: int
    here: bool


class Search(NamedTuple):
    """What is looked for on the board. purpose: which tab. mine: who looks. over: also closed ones."""

    purpose: str
    words: str
    over: bool
    number: int
    mine: str | None

    @property
    def tabs(self) -> list[str]:
        """Their names, for whoever looks."""
        return [name for name, _label in TABS if self.mine or name != "mine"]

    def filter(self, purpose: str) -> Filter:
        """The same words in one tab."""
        purposes: dict[str, Purpose] = {"request": "request", "offer": "offer"}
        mine = purpose == "mine"
        owner = self.mine if mine else None
        return Filter(purposes.get(purpose), self.words, owner, over=self.over or mine, reader=self.mine)

    def link(self, purpose: str, number: int = 1) -> str:
        """The address of the same words in one tab."""
        page_number = str(number) if number > 1 else ""
        wanted = {"purpose": purpose, "words": self.words, "over": "yes" if self.over else "", "page": page_number}
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"/gigs?{query}" if query else "/gigs"


def _search(query: Mapping[str, str], somebody: Viewer | None) -> Search:
    """Whatever a query says, it is a search."""
    search = Search(
        purpose=query.get("purpose", ""),
        words=(query.get("words") or query.get("q") or "")[:MAX_SEARCH].strip(),
        over=query.get("over") == "yes",
        number=page_number(query.get("page"), MAX_PAGES),
        mine=somebody.actor_id if somebody else None,
    )
    return search if search.purpose in search.tabs else search._replace(purpose="")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the board. counts: how many there are in each tab."""

    gigs: list[GigView]
    owners: dict[str, Person]
    counts: dict[str, int]


def _found(tx: Tx, search: Search) -> Found:
    gigs = queries.board(tx, search.filter(search.purpose), offset=(search.number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    counts = {name: queries.count(tx, search.filter(name)) for name in search.tabs}
    return Found(gigs, people.people(tx, [gig.owner for gig in gigs]), counts)


async def board(request: web.Request) -> web.StreamResponse:
    """GET /gigs?purpose=request|offer|mine&words=...&over=yes&page=2. Also `q` for words, as hashtags have it."""
    node = request.app[NODE]
    search = _search(request.query, await viewer(request))
    found = await node.db.read(_found, search)
    labels = dict(TABS)
    return await page(
        request,
        "market/board.html",
        here="gigs",
        gigs=[gig for gig in found.gigs if not node.policy.blocked(host_of(gig.owner))],
        owners=found.owners,
        tabs=[
            Tab(search.link(name), labels[name], count, name == search.purpose) for name, count in found.counts.items()
        ],
        search=search,
        heading=HEADINGS[search.purpose],
        form={"words": search.words, "over": "yes" if search.over else ""},
        filtered=bool(search.words) or search.over,
        pages=min(MAX_PAGES, -(-found.counts[search.purpose] // PAGE_SIZE)),
        skill_names=skills.names(),
        quantity_words=wire.quantity_words,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/gigs/{name}: a gig of ours, as a page or as its document."""
    node = request.app[NODE]
    gig_id = f"{node.ids.actor(request.match_info['handle'])}/gigs/{request.match_info['name']}"
    if negotiate.wants_document(request):
        return await negotiate.object_document(request, gig_id)
    return await view(request, await node.db.read(queries.gig, gig_id))


async def view(request: web.Request, gig: GigView) -> web.StreamResponse:
    """The page of a gig, ours or another's; whoever calls has made sure that this reader may see it."""
    node = request.app[NODE]
    owner, evidence, came = await node.db.read(_around, gig)
    somebody = await viewer(request)
    return await page(
        request,
        "market/gig.html",
        here="gigs",
        gig=gig,
        owner=owner,
        evidence=evidence,
        came=came,
        mine=gig.local and somebody is not None and somebody.actor_id == gig.owner,
        description=_described(gig),
        data=structured.gig_ld(gig, owner),
        origin=node.ids.origin,
        quantity_words=wire.quantity_words,
        link_words=link_words,
    )


def _described(gig: GigView) -> Sentence:
    """What a link to it says elsewhere."""
    price: Sentence = _("price to be agreed")
    if gig.price is not None and gig.currency is not None:
        price = rate_words(gig.price, gig.currency, gig.unit)
    if gig.purpose == "request":
        return _("Looking for somebody: {price}.", price=price)
    return _("Offered: {price}.", price=price)


def _around(tx: Tx, gig: GigView) -> tuple[Person | None, Evidence | None, Came]:
    owner = people.people(tx, [gig.owner]).get(gig.owner)
    return owner, queries.evidence(tx, gig), came_with(tx, [gig.id]).get(gig.id, NOTHING)


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /gigs/new?purpose=offer|request."""
    purpose = request.query.get("purpose", "")
    person = await request.app[NODE].db.read(people.person, somebody.actor_id)
    form = {"purpose": purpose if purpose in rules.PURPOSES else "", "unit": "hour", "currency": "EUR"}
    if person.rate:
        form |= {"currency": person.rate.currency, "unit": person.rate.unit}
    return await _form_page(request, somebody, form, {})


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /gigs/new."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        draft = rules.parse_gig(form, node.clock.now().date())
        gig_id = await node.db.write(once, author.actor_id, form.sent, commands.publish_gig, author, draft)
    except Invalid as error:
        return await _form_page(request, somebody, form, error.errors)
    return see_other(f"/@{somebody.username}/gigs/{str(gig_id).rpartition('/')[2]}")


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /gigs/{name}/edit."""
    node = request.app[NODE]
    gig = await _mine(request, somebody)
    return await _form_page(request, somebody, rules.form_of(gig, node.clock.now().date()), {}, gig)


@signed_in
async def edit(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /gigs/{name}/edit."""
    node = request.app[NODE]
    form = await read_form(request)
    gig = await _mine(request, somebody)
    author = await node.author(somebody.actor_id)
    try:
        draft = rules.parse_gig({**form, "purpose": gig.purpose}, node.clock.now().date())
        await node.db.write(commands.edit_gig, author, gig.id, draft)
    except Invalid as error:
        return await _form_page(request, somebody, form, error.errors, gig)
    return see_other(gig.path)


@signed_in
async def close_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /gigs/{name}/close: the question, the consequences, the verb."""
    return await page(request, "market/close.html", here="gigs", gig=await _mine(request, somebody))


@signed_in
async def close(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /gigs/{name}/close."""
    node = request.app[NODE]
    await read_form(request)
    gig = await _mine(request, somebody)
    await node.db.write(commands.close_gig, await node.author(somebody.actor_id), gig.id)
    return see_other(gig.path)


async def _mine(request: web.Request, somebody: Viewer) -> GigView:
    """A gig of whoever is signed in that may still be changed."""
    node = request.app[NODE]
    gig = await node.db.read(queries.own_gig, somebody.actor_id, request.match_info["name"])
    if gig.state(node.clock.now()) == "closed":
        raise NotAllowed(commands.CLOSED)
    return gig


async def _form_page(
    request: web.Request,
    somebody: Viewer,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    gig: GigView | None = None,
) -> web.Response:
    values: dict[str, Any] = {"gig": gig, "form": form, "errors": errors, "skill_names": skills.names()}
    reached = await request.app[NODE].db.read(people.audience, somebody.actor_id)
    return await page(
        request,
        "market/edit.html",
        status=422 if errors else 200,
        here="gigs",
        audience=audience_sentence(*reached),
        currencies=[(code, f"{code}, {known.name}") for code, known in currencies().items()],
        **values,
    )
