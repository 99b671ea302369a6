"""A profile, and the form behind it.

The page of a person shows what they say in every slice. It asks the others' queries; they never ask it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import web

from federation import known_keys
from federation.ids import HANDLE
from federation.known_identities import actors_of, identity_of
from federation.storage import Tx
from node import skills
from node.credentials import queries as credentials
from node.credentials import showing
from node.credentials.queries import View
from node.credentials.report import rows_of, seal_class, short
from node.endorsements.queries import Endorsed, endorsed
from node.errors import Invalid
from node.evidence import Evidence
from node.learning import queries as learning
from node.learning.queries import ModuleView
from node.learning.rules import licence_name
from node.market import queries as market
from node.market.queries import Filter, GigView
from node.market.wire import quantity_words
from node.media.pages import PICTURES
from node.media.pictures import FIELD
from node.media.uploads import count_upload
from node.profiles import commands, links, queries, rules, structured, weeks, wire
from node.profiles.answers import answer as answer_of
from node.profiles.queries import Person
from node.profiles.rules import LEVEL_WORDS, ProfileDraft
from node.profiles.seen import Seen, cv_shown, seen_by
from node.profiles.sources import own_person
from node.social import lookups
from node.social import queries as social
from node.social.views import PostView
from node.vocabularies import currency_names, language_name, languages
from node.web import negotiate
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer

MAX_UPLOAD = 12_000_000  # bytes that are read at all; a picture may have fewer, and then its field says so
SHOWN = 10  # gigs, modules, posts
MAX_SAME = 5


class NewKey(NamedTuple):
    """Somebody elsewhere signs with a key that no older one confirms: since when, and what else is known of it.

    revoked: since when an older key was in other hands, as their server says. whole_server: others there, too.
    """

    since: datetime
    revoked: datetime | None
    whole_server: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a person is made of. person: as everybody sees them; seen: as whoever looks does.

    follow: None, requested or accepted, by whoever looks. checked: links that link back, with the day of that. same:
    other accounts of theirs, as their identity key says. unseen: where credentials that they show are to be had.
    """

    person: Person
    seen: Seen
    evidence: Evidence | None
    gigs: list[GigView]
    modules: list[ModuleView]
    posts: list[PostView]
    credentials: list[View]
    follow: str | None
    checked: dict[str, datetime]
    new_key: NewKey | None
    same: list[Person]
    unseen: list[str]
    endorsed: list[Endorsed]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}: somebody here, or `name@host` elsewhere."""
    node = request.app[NODE]
    handle = request.match_info["handle"]
    name, at, host = handle.partition("@")
    if at and host == node.ids.handle_domain and HANDLE.match(name):
        return see_other(f"/@{name}")
    if not at and negotiate.wants_document(request):
        return await negotiate.actor_document(request, name)
    visitor = await viewer(request)
    shown = await node.db.read(_shown, handle, visitor.actor_id if visitor else None)
    if visitor is not None and shown.seen.missing and not shown.person.local:
        await node.db.write(lookups.ask, "card", shown.seen.missing, "")
    if visitor is not None and shown.unseen:
        await node.db.write(lookups.ask, "credentials", shown.person.id, "")
    return await page(request, "profiles/profile.html", **_context(request, shown, visitor))


def _context(request: web.Request, shown: Shown, visitor: Viewer | None) -> dict[str, Any]:
    node, person = request.app[NODE], shown.seen.person
    today = node.clock.now().date()
    mine = visitor is not None and visitor.actor_id == person.id
    return {
        "here": "profile" if mine else "people",
        "person": person,
        "seen": shown.seen,
        "has_cv": cv_shown(shown.seen.lines),
        "evidence": shown.evidence,
        "new_key": shown.new_key,
        "same": shown.same,
        "endorsed": shown.endorsed,
        "gigs": shown.gigs,
        "modules": shown.modules,
        "posts": shown.posts,
        "credentials": [(one, rows_of(one.found) if one.found else []) for one in shown.credentials],
        "short": short,
        "seal_class": seal_class,
        "follow": shown.follow,
        "checked": shown.checked,
        "answer": answer_of(person.availability, today),
        "open_answer": shown.person.availability is not None,
        "open_links": shown.person.links,
        "weeks": weeks.coming(person.availability, today),
        "mine": mine,
        "data": structured.person_ld(shown.person, node.ids.origin),
        "origin": node.ids.origin,
        "spoken": [(language_name(code), LEVEL_WORDS.get(person.levels.get(code))) for code in person.languages],
        "rows": person.rows,
        "rate_words": wire.rate_words,
        "quantity_words": quantity_words,
        "licence_name": licence_name,
        "link_words": wire.link_words,
    }


def _shown(tx: Tx, handle: str, reader: str | None) -> Shown:
    person = queries.person_called(tx, handle)
    listed = None if person.local else person.credentials
    return Shown(
        person=person,
        seen=seen_by(tx, person, reader),
        evidence=queries.evidence(tx, person.id),
        gigs=market.board(tx, Filter(owner=person.id), limit=SHOWN),
        modules=learning.modules(tx, person.id, limit=SHOWN),
        posts=social.posts_of(tx, person.id, limit=SHOWN),
        credentials=credentials.shown_by(tx, person.id, listed),
        follow=social.follow_state(tx, reader, person.id) if reader else None,
        checked=links.checked(tx, person.id) if person.local else {},
        new_key=None if person.local else _new_key(tx, person),
        same=_same(tx, person.id),
        unseen=showing.unseen(tx, person.id, listed or ()),
        endorsed=endorsed(tx, person, reader),
    )


def _same(tx: Tx, actor_id: str) -> list[Person]:
    did = identity_of(tx, actor_id)
    others = [other for other in actors_of(tx, did) if other != actor_id][:MAX_SAME] if did is not None else []
    return list(queries.people(tx, others).values())


def _new_key(tx: Tx, person: Person) -> NewKey | None:
    key = known_keys.last_unconfirmed(tx, person.id)
    if key is None:
        return None
    revoked = known_keys.last_revoked(tx, person.id)
    return NewKey(key.first_seen, revoked, known_keys.has_new_owner(tx, person.host))


async def card_page(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/cv/{name}: what a server can fetch there stands on the profile for people."""
    return see_other(f"/@{quote(request.match_info['handle'])}")


class Editing(NamedTuple):
    """Whose form it is, what of it everybody sees, and who will hear of it."""

    person: Person
    shown: Person
    people: int
    servers: int


def _editing(tx: Tx, actor_id: str) -> Editing:
    own, shown = own_person(tx, actor_id), queries.person(tx, actor_id)
    return Editing(own, shown, *queries.audience(tx, actor_id))


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/edit."""
    node = request.app[NODE]
    editing = await node.db.read(_editing, somebody.actor_id)
    form = rules.form_of(editing.person, node.clock.now().date())
    return await _form_page(request, editing, form, {})


@signed_in
async def save(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/edit. Nothing is saved unless everything is right."""
    node = request.app[NODE]
    form = await read_form(request, files={FIELD: MAX_UPLOAD})
    try:
        draft = rules.parse_profile(form, node.clock.now().date())
        await _save(request, somebody.actor_id, draft, await _picture(request, somebody.actor_id, form))
    except Invalid as error:
        editing = await node.db.read(_editing, somebody.actor_id)
        return await _form_page(request, editing, form, error.errors)
    return see_other(f"/@{somebody.username}")


async def _picture(request: web.Request, actor_id: str, form: Form) -> str | None:
    """What `commands.save_profile` takes: a new name, nothing, or None for the picture that is there."""
    upload = form.file(FIELD)
    if upload is not None:
        count_upload(request, actor_id)
        return await request.app[PICTURES].take_in(upload.body)
    return "" if form.get("remove_picture") == "yes" else None


async def _save(request: web.Request, actor_id: str, draft: ProfileDraft, picture: str | None) -> None:
    node = request.app[NODE]
    author = await node.author(actor_id)
    before = await node.db.read(queries.picture_name, actor_id)
    try:
        await node.db.write(commands.save_profile, author, draft, picture=picture)
    finally:
        for name in filter(None, {before, picture}):
            if not await node.db.read(queries.picture_is_used, name):
                await request.app[PICTURES].drop(name)


async def _form_page(
    request: web.Request, editing: Editing, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    return await page(
        request,
        "profiles/edit.html",
        status=422 if errors else 200,
        here="profile",
        tab="edit",
        person=editing.person,
        open_part=editing.shown,
        audience=rules.audience_sentence(editing.people, editing.servers),
        form=form,
        errors=errors,
        answer=answer_of(editing.shown.availability, request.app[NODE].clock.now().date()),
        audiences=list(rules.AUDIENCE_WORDS.items()),
        currencies=currency_names(),
        skill_names=skills.names(),
        language_names=sorted(name for name, _own in languages().values()),
    )


@signed_in
async def confirm(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/confirm: the answer to "are you free yet?" still holds."""
    await read_form(request)
    node = request.app[NODE]
    await node.db.write(commands.confirm_availability, await node.author(somebody.actor_id))
    return see_other(f"/@{somebody.username}")
