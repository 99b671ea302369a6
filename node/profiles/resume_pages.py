"""A profile as a file: JSON Resume out and in, and a calendar of when somebody is free."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from federation.storage import Tx
from node.errors import Invalid, NotFound
from node.language import _
from node.profiles import queries, resume_commands
from node.profiles.calendars import calendar
from node.profiles.entries import WORDS
from node.profiles.queries import Person
from node.profiles.resume import FIELD, MAX_BYTES, Taken, parse_resume
from node.profiles.resume_out import to_resume, words_of
from node.profiles.rules import AUDIENCE_WORDS, Audience, audience
from node.profiles.seen import whole_cv
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in
from schemas.cv import SECTIONS, Cv
from schemas.strict_json import dumps

TEXT = "resume"
FILE_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*"}
LABELS = {
    "name": _("Name"),
    "headline": _("Headline"),
    "summary": _("About you"),
    "skills": _("Skills"),
    "languages": _("Languages"),
    "links": _("Links"),
}


async def resume_json(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/resume.json: what is for everybody, of somebody here."""
    node = request.app[NODE]
    person, cv = await node.db.read(_public, request.match_info["handle"])
    document = to_resume(person, cv, summary=words_of(person.summary_html), origin=node.ids.origin)
    return _file(dumps(document), "application/json", "resume.json")


async def availability_ics(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/availability.ics, if that is for everybody and anything was said."""
    node = request.app[NODE]
    person, _cv = await node.db.read(_public, request.match_info["handle"])
    if person.availability is None:
        raise NotFound
    return _file(calendar(person, node.clock.now(), node.ids.host), "text/calendar", "availability.ics")


def _public(tx: Tx, handle: str) -> tuple[Person, Cv]:
    person = queries.person_called(tx, handle)
    if not person.local:
        raise NotFound
    return person, whole_cv(tx, person)


def _file(body: bytes, media_type: str, name: str) -> web.Response:
    disposition = {"Content-Disposition": f'inline; filename="{name}"'}
    response = web.Response(body=body, headers=FILE_HEADERS | disposition)
    response.content_type, response.charset = media_type, "utf-8"
    return response


@signed_in
async def import_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/import."""
    return await _upload_page(request, somebody, {})


async def _upload_page(request: web.Request, somebody: Viewer, errors: Mapping[str, str]) -> web.Response:
    return await page(
        request,
        "profiles/import.html",
        status=422 if errors else 200,
        here="profile",
        tab="import",
        username=somebody.username,
        errors=errors,
        field=FIELD,
    )


@signed_in
async def preview(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/import: what would be taken of a file; nothing is changed yet."""
    form = await read_form(request, files={FIELD: MAX_BYTES})
    upload = form.file(FIELD)
    try:
        if upload is None:
            raise Invalid({FIELD: _("Choose a file first.")})
        taken = parse_resume(upload.body)
    except Invalid as error:
        return await _upload_page(request, somebody, error.errors)
    return await _preview_page(request, taken, upload.body.decode(), {}, {})


async def _preview_page(
    request: web.Request, taken: Taken, text: str, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    return await page(
        request,
        "profiles/import-preview.html",
        status=422 if errors else 200,
        here="profile",
        fields=[(LABELS[name], value) for name, value in taken.form.items()],
        sections=[(WORDS[name], taken.of(name)) for name in SECTIONS if taken.of(name)],
        skipped=taken.skipped,
        text=text,
        audiences=list(AUDIENCE_WORDS.items()),
        form=form,
        errors=errors,
    )


@signed_in
async def take(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/import/take: all of it, or nothing."""
    form = await read_form(request)
    node = request.app[NODE]
    try:
        taken = parse_resume(form.get(TEXT, "").encode())
        author = await node.author(somebody.actor_id)
        await node.db.write(resume_commands.take_in, author, taken, _audience(form))
    except Invalid as error:
        return await _upload_page(request, somebody, {FIELD: next(iter(error.errors.values()))})
    return see_other("/profile/cv")


def _audience(form: Form) -> Audience:
    try:
        return audience(form.get("audience", "public"))
    except ValueError as error:
        raise Invalid({"audience": error.args[0]}) from error
