"""The form of the coming weeks: how many hours of each are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web
from msgspec.structs import replace as replaced

from node.errors import Invalid
from node.language import _
from node.profiles import commands, weeks
from node.profiles.queries import Person
from node.profiles.sources import draft_of, own_person
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in


@signed_in
async def weeks_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /profile/weeks."""
    node = request.app[NODE]
    own = await node.db.read(own_person, somebody.actor_id)
    known = weeks.coming(own.availability, node.clock.now().date())
    return await _form_page(request, own, {f"week{number}": str(week.hours) for number, week in enumerate(known)}, {})


@signed_in
async def save_weeks(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /profile/weeks. Weeks without any hour say nothing any more."""
    node = request.app[NODE]
    form, own = await read_form(request), await node.db.read(own_person, somebody.actor_id)
    try:
        if own.availability is None:
            raise Invalid({"week0": _("Say on your profile first whether you are free.")})
        hours, today = weeks.parse_form(form), node.clock.now().date()
        said = replaced(own.availability, weeks=hours, weeks_from=weeks.monday(today) if hours else None)
        author = await node.author(somebody.actor_id)
        await node.db.write(commands.save_profile, author, replace(draft_of(own), availability=said))
    except Invalid as error:
        return await _form_page(request, own, form, error.errors)
    return see_other(f"/@{somebody.username}")


async def _form_page(
    request: web.Request, own: Person, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    return await page(
        request,
        "profiles/weeks.html",
        status=422 if errors else 200,
        here="profile",
        tab="weeks",
        person=own,
        weeks=weeks.blank(request.app[NODE].clock.now().date()),
        form=form,
        errors=errors,
    )
