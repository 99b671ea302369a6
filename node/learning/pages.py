"""Modules: the shelf, one to read, and the forms behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from federation.storage import Tx
from node import skills
from node.accounts.once import once
from node.errors import Invalid
from node.evidence import Evidence
from node.learning import commands, queries, rules, structured
from node.learning.queries import PAGE_SIZE, ModuleView
from node.media.came import NOTHING, Came, came_with
from node.profiles import queries as people
from node.profiles.queries import Person
from node.profiles.rules import audience_sentence
from node.profiles.wire import link_words
from node.text import outline, plain
from node.web import negotiate
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.paging import page_number
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.urls import host_of

MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the shelf, with how many there are."""

    modules: list[ModuleView]
    owners: dict[str, Person]
    count: int


def _found(tx: Tx, owner: str | None, reader: str | None, number: int) -> Found:
    modules = queries.modules(tx, owner, reader=reader, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    owners = people.people(tx, [module.owner for module in modules])
    return Found(modules, owners, queries.count(tx, owner, reader=reader))


async def shelf(request: web.Request) -> web.StreamResponse:
    """GET /learn?show=mine&page=2."""
    node = request.app[NODE]
    somebody = await viewer(request)
    mine = somebody is not None and request.query.get("show") == "mine"
    number = page_number(request.query.get("page"), MAX_PAGES)
    reader = somebody.actor_id if somebody else None
    found = await node.db.read(_found, reader if mine else None, reader, number)
    return await page(
        request,
        "learning/shelf.html",
        here="learn",
        modules=[module for module in found.modules if not node.policy.blocked(host_of(module.owner))],
        owners=found.owners,
        mine=mine,
        number=number,
        pages=min(MAX_PAGES, -(-found.count // PAGE_SIZE)),
        licence_name=rules.licence_name,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/learn/{name}: a module of ours, as a page or as its document."""
    node = request.app[NODE]
    module_id = f"{node.ids.actor(request.match_info['handle'])}/learn/{request.match_info['name']}"
    if negotiate.wants_document(request):
        return await negotiate.object_document(request, module_id)
    return await view(request, await node.db.read(queries.module, module_id))


async def view(request: web.Request, module: ModuleView) -> web.StreamResponse:
    """The page of a module, ours or another's; whoever calls has made sure that this reader may see it."""
    node = request.app[NODE]
    owner, evidence, came = await node.db.read(_around, module)
    somebody = await viewer(request)
    return await page(
        request,
        "learning/module.html",
        here="learn",
        module=module,
        owner=owner,
        evidence=evidence,
        came=came,
        text=outline(module.body_html),
        mine=module.local and somebody is not None and somebody.actor_id == module.owner,
        description=module.summary or plain(module.body_html, 200),
        data=structured.module_ld(module, owner),
        origin=node.ids.origin,
        licence_name=rules.licence_name,
        link_words=link_words,
    )


def _around(tx: Tx, module: ModuleView) -> tuple[Person | None, Evidence | None, Came]:
    owner = people.people(tx, [module.owner]).get(module.owner)
    return owner, queries.evidence(tx, module), came_with(tx, [module.id]).get(module.id, NOTHING)


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /learn/new."""
    return await _form_page(request, somebody, {"licence": rules.LICENCES[0].code}, {})


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /learn/new."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        draft = await asyncio.to_thread(rules.parse_module, form)
        module_id = await node.db.write(once, author.actor_id, form.sent, commands.publish_module, author, draft)
    except Invalid as error:
        return await _form_page(request, somebody, form, error.errors)
    return see_other(f"/@{somebody.username}/learn/{str(module_id).rpartition('/')[2]}")


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /learn/{name}/edit."""
    module = await _mine(request, somebody)
    return await _form_page(request, somebody, rules.form_of(module), {}, module)


@signed_in
async def edit(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /learn/{name}/edit."""
    node = request.app[NODE]
    form = await read_form(request)
    module = await _mine(request, somebody)
    author = await node.author(somebody.actor_id)
    try:
        draft = await asyncio.to_thread(rules.parse_module, form)
        await node.db.write(commands.edit_module, author, module.id, draft)
    except Invalid as error:
        return await _form_page(request, somebody, form, error.errors, module)
    return see_other(module.path)


@signed_in
async def delete_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /learn/{name}/delete: the question, the consequences, the verb."""
    return await page(request, "learning/delete.html", here="learn", module=await _mine(request, somebody))


@signed_in
async def delete(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /learn/{name}/delete."""
    node = request.app[NODE]
    await read_form(request)
    module = await _mine(request, somebody)
    await node.db.write(commands.delete_module, await node.author(somebody.actor_id), module.id)
    return see_other("/learn?show=mine")


async def _mine(request: web.Request, somebody: Viewer) -> ModuleView:
    return await request.app[NODE].db.read(queries.own_module, somebody.actor_id, request.match_info["name"])


async def _form_page(
    request: web.Request,
    somebody: Viewer,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    module: ModuleView | None = None,
) -> web.Response:
    reached = await request.app[NODE].db.read(people.audience, somebody.actor_id)
    return await page(
        request,
        "learning/edit.html",
        status=422 if errors else 200,
        here="learn",
        module=module,
        form=form,
        errors=errors,
        audience=audience_sentence(*reached),
        licences=[(licence.code, licence.name) for licence in rules.LICENCES],
        skill_names=skills.names(),
    )
