"""Feeds over HTTP: GET with a validator, so that whoever asks often gets little; nobody's cookie is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from federation.storage import Tx
from node.context import Node
from node.errors import NotFound
from node.feeds.atom import TYPE as ATOM
from node.feeds.atom import write_atom
from node.feeds.entries import MOST, Feed, Thing, items_of
from node.feeds.json_feed import TYPE as JSON
from node.feeds.json_feed import write_json_feed
from node.language import _
from node.learning import queries as learning
from node.market import queries as market
from node.market.queries import Filter
from node.profiles import queries as people
from node.search import queries as tags
from node.search.rules import hashtag
from node.social import queries as social
from node.web.keys import NODE
from schemas.market import Purpose
from schemas.urls import host_of

WRITERS: dict[str, tuple[str, Callable[[Feed], bytes]]] = {
    "atom": (ATOM, write_atom),
    "json": (JSON, write_json_feed),
}
MAX_AGE = 300
MAX_WORDS = 200
PURPOSES: dict[str, Purpose] = {"offer": "offer", "request": "request"}


async def person(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/feed.atom, feed.json: what somebody here has published for everybody."""
    node = request.app[NODE]
    return _answer(request, await node.db.read(_of_person, node, request.match_info["handle"], _address(request)))


def _of_person(tx: Tx, node: Node, handle: str, address: str) -> Feed:
    somebody = people.person_called(tx, handle)
    if not somebody.local:
        raise NotFound(_("Their own server has a feed of theirs, if there is one."))
    things: list[Thing] = [
        *social.posts_of(tx, somebody.id, limit=MOST),
        *market.board(tx, Filter(owner=somebody.id, over=True), limit=MOST),
        *learning.modules(tx, somebody.id, limit=MOST),
    ]
    return Feed(
        title=f"{somebody.name} (@{somebody.handle})",
        page=somebody.url,
        address=address,
        items=items_of(things, {somebody.id: somebody}, node.ids),
        icon=node.ids.origin + somebody.picture if somebody.picture else None,
    )


async def gigs(request: web.Request) -> web.StreamResponse:
    """GET /gigs/feed.atom?purpose=request|offer&words=...&over=yes: the board, with its filters."""
    node = request.app[NODE]
    wanted = Filter(
        PURPOSES.get(request.query.get("purpose", "")),
        (request.query.get("words") or request.query.get("q") or "")[:MAX_WORDS].strip(),
        over=request.query.get("over") == "yes",
    )
    return _answer(request, await node.db.read(_of_board, node, wanted, _address(request, wanted)))


def _of_board(tx: Tx, node: Node, wanted: Filter, address: str) -> Feed:
    found = [gig for gig in market.board(tx, wanted, limit=2 * MOST) if not node.policy.blocked(host_of(gig.owner))]
    owners = people.people(tx, [gig.owner for gig in found])
    words = f": {wanted.words}" if wanted.words else ""
    page = f"{node.ids.origin}/gigs{_query(wanted)}"
    return Feed(f"Gigs at {node.ids.handle_domain}{words}", page, address, items_of(found, owners, node.ids))


async def modules(request: web.Request) -> web.StreamResponse:
    """GET /learn/feed.atom, feed.json: the shelf."""
    node = request.app[NODE]
    return _answer(request, await node.db.read(_of_shelf, node, _address(request)))


def _of_shelf(tx: Tx, node: Node, address: str) -> Feed:
    found = [one for one in learning.modules(tx, limit=2 * MOST) if not node.policy.blocked(host_of(one.owner))]
    owners = people.people(tx, [one.owner for one in found])
    page = f"{node.ids.origin}/learn"
    return Feed(f"Modules at {node.ids.handle_domain}", page, address, items_of(found, owners, node.ids))


async def tag(request: web.Request) -> web.StreamResponse:
    """GET /tags/{name}/feed.atom, feed.json: what was published here with a hashtag."""
    node = request.app[NODE]
    name = hashtag(request.match_info["name"])
    if name is None:
        raise NotFound(_("This is not a hashtag."))
    return _answer(request, await node.db.read(_of_tag, node, name, _address(request)))


def _of_tag(tx: Tx, node: Node, name: str, address: str) -> Feed:
    found = tags.tagged(tx, name, limit=MOST, here=True)
    ids = {kind: [one.object_id for one in found if one.kind == kind] for kind in ("post", "gig", "module")}
    things: list[Thing] = [
        *social.posts(tx, ids["post"]).values(),
        *market.views(tx, ids["gig"]).values(),
        *learning.views(tx, ids["module"]).values(),
    ]
    owners = people.people(tx, [one.owner for one in found])
    page = address.rpartition("/")[0]
    return Feed(f"#{name} at {node.ids.handle_domain}", page, address, items_of(things, owners, node.ids))


def _address(request: web.Request, wanted: Filter | None = None) -> str:
    """Where the feed stands itself: of what was asked only what counts."""
    return request.app[NODE].ids.origin + request.rel_url.raw_path + (_query(wanted) if wanted else "")


def _query(wanted: Filter) -> str:
    named = {"purpose": wanted.purpose or "", "words": wanted.words, "over": "yes" if wanted.over else ""}
    query = urlencode({name: value for name, value in named.items() if value})
    return f"?{query}" if query else ""


def _answer(request: web.Request, feed: Feed) -> web.StreamResponse:
    """The feed, or 304 for whoever has it already (RFC 9110 §13.1.2)."""
    kind, write = WRITERS[request.match_info["form"]]
    body = write(feed)
    etag = hashlib.sha256(body).hexdigest()[:32]
    response = web.Response(body=body, content_type=kind, charset="utf-8")
    response.etag = etag
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Robots-Tag"] = "noindex"
    asked = request.if_none_match or ()
    if any(one.value in (etag, "*") for one in asked):
        return web.Response(status=304, headers={"ETag": f'"{etag}"', "Cache-Control": f"public, max-age={MAX_AGE}"})
    return response
