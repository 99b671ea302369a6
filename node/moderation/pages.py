"""Reporting somebody, and the reports that came in, for whoever runs the node."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from federation.storage import Tx
from node.errors import Invalid, NotFound
from node.moderation import commands, queries, rules
from node.profiles import queries as people
from node.profiles.queries import Person
from node.social import queries as social
from node.social.views import PostView
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.owner import owners_only
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in

MAX_SHOWN = 10


def _about(tx: Tx, who: str) -> tuple[Person, list[PostView]]:
    """Somebody, and what of theirs a report may name."""
    return people.person(tx, who), social.posts_of(tx, who, limit=MAX_SHOWN)


@signed_in
async def report_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /people/report?who=: which posts, in which words, and whether their server is told."""
    return await _report_page(request, somebody, request.query.get("who", ""), {}, {})


async def _report_page(
    request: web.Request, somebody: Viewer, who: str, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    if who == somebody.actor_id:
        raise NotFound
    person, posts = await request.app[NODE].db.read(_about, who)
    chosen = form.many("post") if isinstance(form, Form) else [request.query.get("post", "")]
    return await page(
        request,
        "moderation/report.html",
        status=422 if errors else 200,
        here="people",
        person=person,
        posts=posts,
        chosen=chosen,
        form=form,
        errors=errors,
    )


@signed_in
async def report(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /people/report: who, words, post (several), forward."""
    node = request.app[NODE]
    form = await read_form(request)
    who = form.get("who", "")
    instance = await node.author(node.ids.instance_actor)
    try:
        draft = rules.parse_report(form, form.many("post"))
        await node.db.write(commands.report, instance, somebody.actor_id, who, draft)
    except Invalid as error:
        return await _report_page(request, somebody, who, form, error.errors)
    return await page(request, "moderation/reported.html", here="people", person=await node.db.read(people.person, who))


@owners_only
async def listed(request: web.Request, _owner: Viewer) -> web.StreamResponse:
    """GET /admin/reports: for whoever runs the node; there is no such page for anybody else."""
    reports = await request.app[NODE].db.read(queries.listed)
    return await page(request, "moderation/reports.html", tab="reports", reports=reports)


@owners_only
async def settle(request: web.Request, _owner: Viewer) -> web.StreamResponse:
    """POST /admin/reports/settle: report, its number."""
    form = await read_form(request)
    number = form.get("report", "")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise NotFound
    await request.app[NODE].db.write(commands.settle, int(number))
    return see_other("/admin/reports")
