"""What somebody holds and has issued; one credential; what its holder does with it."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from federation.errors import FederationError
from federation.media_type import wants_credential
from node.context import Node
from node.credentials import commands, queries, showing
from node.credentials.checking import bytes_at
from node.credentials.queries import Bytes
from node.credentials.report import rows_of, seal_class, short
from node.credentials.rules import AUDIENCES, MAX_FILE
from node.credentials.serving import answer
from node.credentials.working import PATIENCE, bring_in, look_after
from node.errors import BadRequest, Invalid
from node.language import _
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.negotiate import VARY
from node.web.render import page, see_other
from node.web.session import Viewer, signed_in, viewer
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object
from schemas.terms import CREDENTIALS_V2, VC_JSON, VP_JSON

FILE = "file"
NO_ADDRESS = _("Give the address of a credential, beginning with https://, or choose its file.")
NOT_THERE = _("No credential is to be had at this address. Look whether it is right, or try again later.")


@signed_in
async def show_all(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /credentials: what waits to be taken, what one holds, what one has issued."""
    return await _all(request, somebody, {}, {})


async def _all(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    db = request.app[NODE].db
    held = await db.read(queries.of_owner, somebody.actor_id, "held")
    return await page(
        request,
        "credentials/list.html",
        status=422 if errors else 200,
        here="profile",
        offered=[one for one in held if one.state == "offered"],
        held=[one for one in held if one.state == "held"],
        issued=await db.read(queries.of_owner, somebody.actor_id, "issued"),
        form=form,
        errors=errors,
        short=short,
        seal_class=seal_class,
    )


@signed_in
async def bring(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/bring: url or file; what was brought is kept as it is, and checked at once."""
    node = request.app[NODE]
    form = await read_form(request, files={FILE: MAX_FILE})
    try:
        name = await bring_in(node, somebody.actor_id, await _bytes(node, form))
    except Invalid as error:
        return await _all(request, somebody, form, error.errors)
    return see_other(f"/@{somebody.username}/credentials/{name}")


async def _bytes(node: Node, form: Form) -> bytes:
    upload, url = form.file(FILE), form.get("url", "")
    if upload is not None:
        return upload.body
    if not url.startswith(("https://", "http://")):
        raise Invalid({"url": NO_ADDRESS})
    try:
        return await bytes_at(node, url)
    except (FederationError, SchemaError) as error:
        raise Invalid({"url": NOT_THERE}) from error


async def show(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/credentials/{name}: the page, or for programs the credential.

    as=file: to be saved; as=presentation: with the newest list on which it is not taken back.
    """
    node, somebody = request.app[NODE], await viewer(request)
    reader = somebody.actor_id if somebody else None
    names = (request.match_info["handle"], request.match_info["name"])
    wanted = request.query.get("as") or wants_credential(request.headers.get("Accept", ""))
    if wanted:
        return _file(request, await node.db.read(queries.bytes_of, *names, reader), wanted)
    found = await node.db.read(queries.one, *names, reader)
    return await page(
        request,
        "credentials/credential.html",
        here="profile" if found.owner == reader else "people",
        one=found,
        mine=found.owner == reader,
        rows=rows_of(found.found) if found.found else [],
        short=short,
        seal_class=seal_class,
        address=f"{node.ids.origin}{found.path}",
    )


def _file(request: web.Request, held: Bytes, wanted: str) -> web.Response:
    if wanted in (VP_JSON, "presentation"):
        response = answer(request, _presented(held), VP_JSON)
    else:
        response = answer(request, held.body, VC_JSON)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = VARY
    if "as" in request.query:
        name = request.match_info["name"]
        response.headers["Content-Disposition"] = f'attachment; filename="credential-{name}.json"'
    return response


def _presented(held: Bytes) -> bytes:
    """A presentation (VC Data Model 2.0 §4.13), without a proof of its own: each part carries its own."""
    inside = [loads_object(part) for part in (held.body, *held.kept)]
    document = {"@context": [CREDENTIALS_V2], "type": ["VerifiablePresentation"], "verifiableCredential": inside}
    return dumps(document | ({"holder": held.holder} if held.holder else {}))


# ---- what its holder does


@signed_in
async def take(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/{name}/take: accept what was offered."""
    node, name = request.app[NODE], request.match_info["name"]
    await read_form(request)
    try:
        await node.db.write(commands.take, somebody.actor_id, name)
    except Invalid as error:
        return await _all(request, somebody, {}, error.errors)
    await look_after(node, name, within=PATIENCE)
    return see_other(f"/@{somebody.username}/credentials/{name}")


@signed_in
async def let_see(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/{name}/see: audience, who may see it."""
    node, name = request.app[NODE], request.match_info["name"]
    form = await read_form(request)
    audience = next((one for one in AUDIENCES if one == form.get("audience")), None)
    if audience is None:
        raise BadRequest(_("Choose who may see it."))
    await node.db.write(showing.let_see, await node.author(somebody.actor_id), name, audience)
    return see_other(f"/@{somebody.username}/credentials/{name}")


@signed_in
async def drop_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /credentials/{name}/drop: the question, the consequences, the verb."""
    found = await request.app[NODE].db.read(queries.own, somebody.actor_id, request.match_info["name"], "held")
    return await page(request, "credentials/drop.html", here="profile", one=found)


@signed_in
async def drop(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /credentials/{name}/drop."""
    node = request.app[NODE]
    await read_form(request)
    await node.db.write(showing.drop, await node.author(somebody.actor_id), request.match_info["name"])
    return see_other("/credentials")
