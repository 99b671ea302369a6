"""Starter packs: those that one publishes, one of them, those that one has brought; and the first follows."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from federation.documents import Document, read_document
from node.errors import Invalid
from node.language import _
from node.packs import bringing, commands, queries, rules
from node.packs.bringing import Brought
from node.packs.queries import PackView
from node.profiles import queries as people
from node.search.pages import tag_path
from node.search.views import suggested_tags
from node.social import queries as social
from node.web import negotiate
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.packs import MAX_BYTES, MAX_MEMBERS, Member
from schemas.urls import host_of

FILE = "file"
NO_SOURCE = _("Give the address of a pack, or choose its file.")


@signed_in
async def show_all(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /packs: one's own, those that were brought, and the way to more."""
    return await _all_page(request, somebody, {}, {})


async def _all_page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    node = request.app[NODE]
    return await page(
        request,
        "packs/list.html",
        status=422 if errors else 200,
        here="people",
        mine=await node.db.read(queries.packs_of, somebody.actor_id),
        visits=await node.db.read(queries.visits, somebody.actor_id),
        form=form,
        errors=errors,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/packs/{name}: a pack of somebody here, as a page or as its document; as=file: to be kept."""
    node = request.app[NODE]
    pack_id = f"{node.ids.actor(request.match_info['handle'])}/packs/{request.match_info['name']}"
    if negotiate.wants_document(request):
        return await negotiate.object_document(request, pack_id)
    pack = await node.db.read(queries.pack, pack_id)
    if request.query.get("as") == "file":
        return _file(pack, await node.db.read(read_document, pack_id))
    somebody = await viewer(request)
    found = await node.db.read(queries.recommended, pack, somebody.actor_id if somebody else None)
    return await page(
        request,
        "packs/pack.html",
        here="people",
        pack=pack,
        owner=found.owner,
        found=found,
        mine=somebody is not None and somebody.actor_id == pack.owner,
        host_of=host_of,
    )


def _file(pack: PackView, document: Document | None) -> web.Response:
    """The signed document, never shown as one: its address is another (SECURITY 10)."""
    assert document is not None
    headers = {"Content-Disposition": f'attachment; filename="pack-{pack.short_name}.json"'}
    return web.Response(body=document.body, content_type="application/json", headers=headers)


# ---- publish


@signed_in
async def new_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /packs/new?from=following: everybody whom one follows is in the form already."""
    form = {}
    if request.query.get("from") == "following":
        node = request.app[NODE]
        followed = await node.db.read(social.following, somebody.actor_id, limit=MAX_MEMBERS)
        form = rules.form_of("", "", [Member(one.id, one.handle) for one in followed if one.state == "accepted"])
    return await _form_page(request, form, {})


@signed_in
async def publish(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /packs/new."""
    node = request.app[NODE]
    form = await read_form(request)
    author = await node.author(somebody.actor_id)
    try:
        draft = rules.parse_pack_form(form)
        members = await bringing.members(node, draft)
        pack_id = await node.db.write(commands.publish_pack, author, draft.name, draft.summary, members)
    except Invalid as error:
        return await _form_page(request, form, error.errors)
    return see_other(f"/@{somebody.username}/packs/{pack_id.rpartition('/')[2]}")


@signed_in
async def edit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /packs/{name}/edit."""
    pack = await _mine(request, somebody)
    return await _form_page(request, rules.form_of(pack.name, pack.summary, pack.members), {}, pack)


@signed_in
async def edit(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /packs/{name}/edit."""
    node = request.app[NODE]
    form = await read_form(request)
    pack = await _mine(request, somebody)
    author = await node.author(somebody.actor_id)
    try:
        draft = rules.parse_pack_form(form)
        members = await bringing.members(node, draft)
        await node.db.write(commands.edit_pack, author, pack.short_name, draft.name, draft.summary, members)
    except Invalid as error:
        return await _form_page(request, form, error.errors, pack)
    return see_other(pack.path)


@signed_in
async def delete_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /packs/{name}/delete: the question, the consequences, the verb."""
    return await page(request, "packs/delete.html", here="people", pack=await _mine(request, somebody))


@signed_in
async def delete(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /packs/{name}/delete."""
    node = request.app[NODE]
    await read_form(request)
    author = await node.author(somebody.actor_id)
    await node.db.write(commands.delete_pack, author, request.match_info["name"])
    return see_other("/packs")


async def _mine(request: web.Request, somebody: Viewer) -> PackView:
    return await request.app[NODE].db.read(queries.own_pack, somebody.actor_id, request.match_info["name"])


async def _form_page(
    request: web.Request, form: Mapping[str, str], errors: Mapping[str, str], pack: PackView | None = None
) -> web.Response:
    return await page(
        request,
        "packs/edit.html",
        status=422 if errors else 200,
        here="people",
        pack=pack,
        form=form,
        errors=errors,
        most=MAX_MEMBERS,
    )


# ---- take over


@signed_in
async def bring(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /packs/bring: url or file. Shows who is in it; nobody is followed yet."""
    node = request.app[NODE]
    form = await read_form(request, files={FILE: MAX_BYTES})
    try:
        found = await _brought(request, form)
    except Invalid as error:
        first = form.get("from") == "hello"
        return await (_hello_page if first else _all_page)(request, somebody, form, error.errors)
    visit = await node.db.write(commands.bring, somebody.actor_id, found.document, found.signature, found.sentence)
    return see_other(f"/packs/visits/{visit}")


async def _brought(request: web.Request, form: Form) -> Brought:
    upload = form.file(FILE)
    if upload is not None:
        return await bringing.from_file(request.app[NODE], upload.body)
    if not form.get("url"):
        raise Invalid({"url": NO_SOURCE})
    return await bringing.from_address(request.app[NODE], form["url"])


@signed_in
async def visit_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /packs/visits/{id}: who is in a pack that was brought, and who says so."""
    return await _visit_page(request, somebody, {})


async def _visit_page(request: web.Request, somebody: Viewer, errors: Mapping[str, str]) -> web.Response:
    node = request.app[NODE]
    visit = await node.db.read(queries.visit, somebody.actor_id, request.match_info["id"])
    found = await node.db.read(queries.recommended, visit.pack, somebody.actor_id)
    return await page(
        request,
        "packs/visit.html",
        status=422 if errors else 200,
        here="people",
        visit=visit,
        pack=visit.pack,
        owner=found.owner,
        found=found,
        errors=errors,
        host_of=host_of,
    )


@signed_in
async def follow(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /packs/visits/{id}: who, once for each. They are asked one after the other, in the background."""
    node = request.app[NODE]
    form = await read_form(request)
    visit = await node.db.read(queries.visit, somebody.actor_id, request.match_info["id"])
    author = await node.author(somebody.actor_id)
    try:
        list_id = await node.db.write(commands.follow_some, author, visit, form.many("who"))
    except Invalid as error:
        return await _visit_page(request, somebody, error.errors)
    return see_other(f"/settings/lists/{list_id}")


# ---- the first day


@signed_in
async def hello(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /setup/hello: whom to follow first."""
    return await _hello_page(request, somebody, {}, {})


async def _hello_page(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    node = request.app[NODE]
    me = await node.db.read(people.person, somebody.actor_id)
    tags = await node.db.read(suggested_tags, somebody.actor_id)
    following, _followers = await node.db.read(social.count_relations, somebody.actor_id)
    return await page(
        request,
        "packs/hello.html",
        status=422 if errors else 200,
        me=me,
        following=following,
        tags=tags,
        tag_path=tag_path,
        form=form,
        errors=errors,
    )
