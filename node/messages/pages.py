"""Messages: all conversations, one of them, and a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from federation.authors import Author
from federation.storage import Tx
from federation.tables import actors
from node.accounts.once import once
from node.errors import Gone, Invalid, NotFound
from node.language import _
from node.mail.commands import queue
from node.messages import asking, commands, letters, queries, rules
from node.messages.queries import Line, Thread
from node.profiles import queries as profiles
from node.social import commands as social
from node.social.finding import find
from node.social.rules import PostDraft
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in
from schemas.actors import Actor, parse_actor
from schemas.strict_json import loads_object

MAX_TO = 500
MAX_ID = 18
TABS = (("", _("Messages")), ("enquiries", _("Enquiries")))


@dataclass(frozen=True, slots=True)
class Inbox:
    """The list, and the conversation that is open."""

    lines: list[Line]
    thread: Thread | None
    new_enquiries: int


def _listed(tx: Tx, reader: str, show: str, before: str | None) -> Inbox:
    return Inbox(
        queries.lines(tx, reader, enquiries=show == "enquiries", before=before), None, queries.new_enquiries(tx, reader)
    )


def _opened(tx: Tx, reader: str, conversation_id: str, before: int | None) -> Inbox:
    thread = queries.thread(tx, reader, conversation_id, before=before)
    return Inbox(queries.lines(tx, reader, enquiries=thread.line.is_enquiry), thread, queries.new_enquiries(tx, reader))


@signed_in
async def show(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /messages?show=enquiries&before=ID."""
    show = "enquiries" if request.query.get("show") == "enquiries" else ""
    found = await request.app[NODE].db.read(_listed, somebody.actor_id, show, request.query.get("before"))
    return await _page(request, found, {}, {}, which=show)


@signed_in
async def thread(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /messages/{id}?before=NUMBER: whoever opens it has read it."""
    return await _thread_page(request, somebody, {}, {})


async def _thread_page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    db, reader, conversation_id = request.app[NODE].db, somebody.actor_id, request.match_info["id"]
    if await db.read(queries.is_new, reader, conversation_id):
        await db.write(commands.read, reader, conversation_id)
    text = request.query.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID else None
    found = await db.read(_opened, reader, conversation_id, before)
    which = "enquiries" if found.thread and found.thread.line.is_enquiry else ""
    return await _page(request, found, form, errors, which=which)


async def _page(
    request: web.Request, found: Inbox, form: Mapping[str, str], errors: Mapping[str, str], *, which: str
) -> web.Response:
    return await page(
        request,
        "messages/list.html",
        status=422 if errors else 200,
        here="messages",
        lines=found.lines,
        thread=found.thread,
        new_enquiries=found.new_enquiries,
        tabs=TABS,
        which=which,
        earlier=_earlier(found, which),
        form=form,
        errors=errors,
        can_ask=bool(request.app[NODE].settings.mail.smtp_url),
    )


def _earlier(found: Inbox, which: str) -> str | None:
    """Where the list goes on, if it may."""
    if len(found.lines) < queries.MAX_LISTED:
        return None
    return f"/messages?{urlencode({'show': which, 'before': found.lines[-1].id})}"


@signed_in
async def answer(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /messages/{id}: to the people of a conversation, or to a visitor by mail."""
    node = request.app[NODE]
    form = await read_form(request)
    found = await node.db.read(queries.thread, somebody.actor_id, request.match_info["id"])
    try:
        text = rules.parse_message(form)
        if found.line.via == "mail":
            me, origin, talk = somebody.actor_id, node.ids.origin, found.line.id
            await node.db.write(once, me, form.sent, _write_to_visitor, origin, somebody, talk, text)
        else:
            author = await node.author(somebody.actor_id)
            line = await node.db.write(once, somebody.actor_id, form.sent, _write, author, found, text)
            return see_other(f"/messages/{line}#new")
    except Invalid as error:
        sentence = next(iter(error.errors.values()))
        return await _thread_page(request, somebody, form, {"text": sentence})
    return see_other(f"/messages/{found.line.id}#new")


def _write(tx: Tx, author: Author, thread: Thread, text: str) -> str:
    """A direct post to everybody who takes part, also to whoever answered a gig for all to read; the conversation."""
    people = {person.handle: _actor(tx, person.id) for person in thread.line.people}
    if not people:
        raise NotFound
    if len(people) > 1:  # whoever is not named gets nothing
        text = f"{' '.join('@' + handle for handle in people)}\n\n{text}"
    alone = next(iter(people.values())) if len(people) == 1 else None
    post_id = social.post(tx, author, PostDraft(text, "direct", in_reply_to=thread.last or ""), alone, people)
    return queries.of_post(tx, author.actor_id, post_id) or thread.line.id


def _actor(tx: Tx, actor_id: str) -> Actor:
    document = tx.scalar(actors.select().with_only_columns(actors.c.document).where(actors.c.id == actor_id))
    if document is None:
        raise NotFound
    return parse_actor(loads_object(document))


def _write_to_visitor(tx: Tx, origin: str, somebody: Viewer, conversation_id: str, text: str) -> None:
    held, secret = asking.answer_visitor(tx, somebody.actor_id, conversation_id, text)
    made = letters.answered(origin, held.name, somebody.name, text, secret, held.language)
    queue(tx, held.address, made.subject, made.text)


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /messages/new?to=HANDLE: the conversation that there is already, else an empty form."""
    wanted = request.query.get("to", "")[:MAX_TO].strip()
    talk = await request.app[NODE].db.read(_talk_with, somebody.actor_id, wanted) if wanted else None
    return see_other(f"/messages/{talk}#new") if talk else await _new(request, {"to": wanted}, {})


def _talk_with(tx: Tx, reader: str, handle: str) -> str | None:
    """The conversation with somebody by handle, where there is one; nobody else's server is asked."""
    try:
        person = profiles.person_called(tx, handle.removeprefix("@"))
    except (NotFound, Gone):
        return None
    return queries.with_person(tx, reader, person.id)


async def _new(request: web.Request, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    status = 422 if errors else 200
    return await page(request, "messages/new.html", status=status, here="messages", form=form, errors=errors)


@signed_in
async def write(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /messages/new: to, text."""
    node = request.app[NODE]
    form = await read_form(request)
    try:
        text = rules.parse_message(form)
        person = await find(node, form.get("to", ""), "to")
        author = await node.author(somebody.actor_id)
        conversation_id = await node.db.write(once, author.actor_id, form.sent, _begin, author, person, text)
    except Invalid as error:
        return await _new(
            request, form, {"text" if key == "body" else key: words for key, words in error.errors.items()}
        )
    return see_other(f"/messages/{conversation_id}#new" if conversation_id else "/messages")


def _begin(tx: Tx, author: Author, person: Actor, text: str) -> str | None:
    if person.id == author.actor_id:
        raise Invalid({"to": _("That is you. Write to somebody else.")})
    social.post(tx, author, PostDraft(text, "direct"), person)
    return queries.with_person(tx, author.actor_id, person.id)


@signed_in
async def close_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /messages/{id}/close: end a visitor's enquiry, or block their address too."""
    found = await request.app[NODE].db.read(queries.thread, somebody.actor_id, request.match_info["id"])
    if found.line.via != "mail":
        raise NotFound
    return await page(request, "messages/close.html", here="messages", line=found.line)


@signed_in
async def close(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /messages/{id}/close: block=yes to hear no more from this address."""
    form = await read_form(request)
    block = form.get("block") == "yes"
    await request.app[NODE].db.write(commands.close, somebody.actor_id, request.match_info["id"], block=block)
    return see_other("/messages?show=enquiries")
