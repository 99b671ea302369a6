"""The CV of whoever is signed in: its lines, section by section, and the form of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

from aiohttp import web

from node.errors import Invalid, NotFound
from node.media.pages import PICTURES
from node.media.pictures import FIELD, Made
from node.media.uploads import count_upload
from node.profiles import cv_commands as commands
from node.profiles.cv_commands import Direction
from node.profiles.entries import WORDS, form_of_entry, parse_entry, section_called
from node.profiles.rules import AUDIENCE_WORDS
from node.profiles.sources import OwnEntry, own_entries, own_entry
from node.web import words
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in
from schemas.cv import SECTIONS, Section

CV = "/profile/cv"
MAX_UPLOAD = 12_000_000  # bytes that are read at all


class Where(NamedTuple):
    """What the address of a page names: a section, and a line of it where there is one."""

    section: Section
    line: OwnEntry | None

    @property
    def path(self) -> str:
        """Where its form is sent."""
        return f"/profile/{self.section}/{f'{self.line.id}/edit' if self.line else 'new'}"


def _section(request: web.Request) -> Section:
    section = section_called(request.match_info["section"])
    if section is None:
        raise NotFound
    return section


async def _where(request: web.Request, somebody: Viewer) -> Where:
    section, name = _section(request), request.match_info["name"]
    return Where(section, await request.app[NODE].db.read(own_entry, somebody.actor_id, section, name))


async def _line(request: web.Request, somebody: Viewer) -> OwnEntry:
    return cast("OwnEntry", (await _where(request, somebody)).line)


@signed_in
async def show(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/cv: all lines, each with what can be done about it."""
    lines = await request.app[NODE].db.read(own_entries, somebody.actor_id)
    return await page(
        request,
        "profiles/cv.html",
        here="profile",
        tab="cv",
        sections=[
            (section, WORDS[section], [line for line in lines if line.section == section]) for section in SECTIONS
        ],
        audiences=AUDIENCE_WORDS,
        span=words.span,
    )


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/{section}/new."""
    return await _form_page(request, Where(_section(request), None), {"audience": "public"}, {})


@signed_in
async def add(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/{section}/new."""
    where = Where(_section(request), None)
    form = await read_form(request, files={FIELD: MAX_UPLOAD})
    node = request.app[NODE]
    try:
        draft = parse_entry(where.section, form)
        picture = await _picture(request, somebody, where.section, form)
        author = await node.author(somebody.actor_id)
        entry_id = await node.db.write(
            commands.add_entry, author, where.section, draft, picture=picture, alt=form.get("alt", "")
        )
    except Invalid as error:
        return await _form_page(request, where, form, error.errors)
    return see_other(f"{CV}#{entry_id}")


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/{section}/{name}/edit."""
    where = await _where(request, somebody)
    line = cast("OwnEntry", where.line)
    alt = {"alt": line.picture.alt} if line.picture else {}
    return await _form_page(request, where, form_of_entry(line.entry, line.audience) | alt, {})


@signed_in
async def edit(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/{section}/{name}/edit."""
    where = await _where(request, somebody)
    form = await read_form(request, files={FIELD: MAX_UPLOAD})
    node = request.app[NODE]
    try:
        draft = parse_entry(where.section, form)
        picture = await _picture(request, somebody, where.section, form)
        await node.db.write(
            commands.edit_entry,
            await node.author(somebody.actor_id),
            cast("OwnEntry", where.line),
            draft,
            picture=picture,
            alt=form.get("alt", ""),
            without_picture=form.get("remove_picture") == "yes",
        )
    except Invalid as error:
        return await _form_page(request, where, form, error.errors)
    return see_other(f"{CV}#{cast('OwnEntry', where.line).id}")


async def _picture(request: web.Request, somebody: Viewer, section: Section, form: Form) -> Made | None:
    upload = form.file(FIELD)
    if upload is None or section != "portfolio":
        return None
    count_upload(request, somebody.actor_id)
    made = await request.app[PICTURES].prepare(upload.body)
    await request.app[PICTURES].keep(made.files)
    return made


async def _form_page(
    request: web.Request, where: Where, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    return await page(
        request,
        "profiles/entry.html",
        status=422 if errors else 200,
        here="profile",
        where=where,
        words=WORDS[where.section],
        form=form,
        errors=errors,
        audiences=list(AUDIENCE_WORDS.items()),
    )


@signed_in
async def delete_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/{section}/{name}/delete: the question."""
    return await page(request, "profiles/entry-delete.html", here="profile", line=await _line(request, somebody))


@signed_in
async def delete(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/{section}/{name}/delete."""
    section, name = _section(request), request.match_info["name"]
    await read_form(request)
    node = request.app[NODE]
    await node.db.write(commands.delete_entry, await node.author(somebody.actor_id), section, name)
    return see_other(CV)


@signed_in
async def move(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/{section}/{name}/{direction}: up or down."""
    section, name = _section(request), request.match_info["name"]
    await read_form(request)
    node = request.app[NODE]
    direction: Direction = "up" if request.match_info["direction"] == "up" else "down"
    await node.db.write(commands.move_entry, await node.author(somebody.actor_id), section, name, direction)
    return see_other(f"{CV}#{name}")
