"""A post with the conversation around it; likes, boosts and pins, each a small form.

Every form leads back to where it was sent from: `back` is a path of ours, and may end in the place on its page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from federation import featured
from federation.storage import Tx
from node.accounts.rules import safe_path
from node.evidence import Evidence
from node.language import _
from node.linking import handles_in
from node.profiles import queries as people
from node.profiles.queries import Person
from node.profiles.wire import link_words
from node.social import commands, lookups, queries, reactions, rules, structured, threads, voting
from node.social.reactions import Reaction, Tally
from node.social.rules import Reach
from node.social.threads import Thread
from node.social.views import PostView
from node.web import negotiate
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.urls import host_of

MAX_ID = rules.MAX_ID
MAX_UNKNOWN = 5
REACHES: tuple[tuple[Reach, str], ...] = (
    ("public", _("Everybody")),
    ("unlisted", _("Everybody, in no list")),
    ("followers", _("Followers")),
    ("direct", _("Only people I name")),
)


def reaches_within(widest: Reach) -> list[tuple[Reach, str]]:
    """What an answer may choose from: nothing wider than what it answers."""
    return [one for one in REACHES if rules.narrower(one[0], widest) == one[0]]


def unknown_names(request: web.Request) -> list[str]:
    """Of those whom a post has just named, who could not be found; what the query says may be anybody's."""
    return handles_in(request.query.get("unknown", "")[:1_000], MAX_UNKNOWN)


# ---- one post


@dataclass(frozen=True, slots=True)
class Conversation:
    """A post, what stands around it, the people who speak in it, and what came of each part.

    reactions: who liked and passed on a post of one's own. more_comes: what is missing is being looked for. ask: it
    was not looked for yet.
    """

    post: PostView
    thread: Thread
    people: dict[str, Person]
    tallies: dict[str, Tally]
    evidence: Evidence | None
    reactions: list[Reaction]
    mentioned: list[str]
    pinned: bool
    chosen: list[str]
    ask: bool
    more_comes: bool


def conversation(tx: Tx, post_id: str, reader: str | None) -> Conversation:
    """What stands here of it, for whoever may read the post itself; raises as `queries.post`."""
    post = queries.post(tx, post_id, reader)
    thread = threads.thread(tx, post, reader)
    shown = [*thread.above, post, *(answer.post for answer in thread.below)]
    mine = post.local and reader == post.owner
    given = reactions.who(tx, post.id) if mine else []
    incomplete = reader is not None and (thread.missing is not None or not post.local)
    return Conversation(
        post=post,
        thread=thread,
        people=people.people(tx, [one.owner for one in shown] + [one.actor for one in given]),
        tallies=reactions.tallies(tx, [one.id for one in shown], reader),
        evidence=queries.evidence(tx, post),
        reactions=given,
        mentioned=queries.mentioned(tx, post_id, (post.owner, reader)) if reader else [],
        pinned=mine and post.id in featured.pinned(tx, post.owner),
        chosen=voting.chosen(tx, post_id, reader) if reader and post.poll else [],
        ask=incomplete and not lookups.was_asked(tx, "context", post_id, reader or ""),
        more_comes=incomplete and lookups.is_under_way(tx, "context", post_id, reader or ""),
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/posts/{name}: a post of ours, as a page or as its document."""
    node = request.app[NODE]
    post_id = f"{node.ids.actor(request.match_info['handle'])}/posts/{request.match_info['name']}"
    if negotiate.wants_document(request):
        return await negotiate.object_document(request, post_id)
    return await conversation_page(request, post_id)


async def conversation_page(request: web.Request, post_id: str) -> web.StreamResponse:
    """A post of anybody who is known here, for whoever may read it; what is missing around it is asked for."""
    node = request.app[NODE]
    somebody = await viewer(request)
    reader = somebody.actor_id if somebody else None
    found = await node.db.read(conversation, post_id, reader)
    asked = found.ask and await node.db.write(lookups.ask, "context", post_id, reader or "")
    owner = found.people.get(found.post.owner)
    return await page(
        request,
        "social/post.html",
        here="home",
        found=found,
        post=found.post,
        owner=owner,
        evidence=found.evidence,
        described=structured.description(found.post),
        data=_told(found, owner),
        mine=found.post.local and reader == found.post.owner,
        pinned=found.pinned,
        views={one.id: one for one in _shown(found)},
        hidden={one.id for one in _shown(found) if node.policy.blocked(host_of(one.owner))},
        more_comes=found.more_comes or asked,
        link_words=link_words,
        form=answer_form(found),
        errors={},
        reaches=reaches_within(found.post.visibility),
        unknown=unknown_names(request),
    )


def _told(found: Conversation, owner: Person | None) -> dict[str, Any] | None:
    """What search engines are told of a post, if anything."""
    if owner is None or not structured.is_offered(found.post, owner):
        return None
    return structured.post_ld(found.post, owner, found.tallies[found.post.id])


def _shown(found: Conversation) -> list[PostView]:
    return [*found.thread.above, *(answer.post for answer in found.thread.below)]


def answer_form(found: Conversation) -> dict[str, str]:
    """Those whom the post mentions are named in the answer; its author is anyway."""
    return {
        "body": " ".join([*found.mentioned, ""]) if found.mentioned else "",
        "warning": found.post.warning,
        "audience": found.post.visibility,
        "in_reply_to": found.post.id,
    }


# ---- likes, boosts, pins


async def _react(request: web.Request, somebody: Viewer, command: commands.Verb) -> web.StreamResponse:
    """Run a command about one object (field id), and go back to where the form stood."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    await node.db.write(command, author, form.get("id", "")[:MAX_ID])
    return see_other(safe_path(form.get("back", "")))


@signed_in
async def like(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/like: id."""
    return await _react(request, somebody, commands.like)


@signed_in
async def unlike(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/unlike: id."""
    return await _react(request, somebody, commands.unlike)


@signed_in
async def boost(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/boost: id."""
    return await _react(request, somebody, commands.boost_out)


@signed_in
async def unboost(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/unboost: id."""
    return await _react(request, somebody, commands.unboost_out)


@signed_in
async def vote(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/vote: id of a poll, and each choice."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    await node.db.write(voting.vote, author, form.get("id", "")[:MAX_ID], form.many("choice"))
    return see_other(safe_path(form.get("back", "")))


@signed_in
async def pin(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/{name}/pin."""
    return await _pinned(request, somebody, commands.pin)


@signed_in
async def unpin(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /posts/{name}/unpin."""
    return await _pinned(request, somebody, commands.unpin)


async def mine(request: web.Request, somebody: Viewer) -> PostView:
    """The post of whoever is signed in that a URL names; NotFound for anybody else's."""
    post_id = f"{somebody.actor_id}/posts/{request.match_info['name']}"
    return await request.app[NODE].db.read(queries.post, post_id, somebody.actor_id)


async def _pinned(request: web.Request, somebody: Viewer, command: commands.Verb) -> web.StreamResponse:
    node = request.app[NODE]
    await read_form(request)
    post = await mine(request, somebody)
    await node.db.write(command, await node.author(somebody.actor_id), post.id)
    return see_other(post.path)
