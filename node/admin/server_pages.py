"""Rules about other servers: seen, set with what they cost in view, and taken back."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from federation import host_rules
from federation.errors import Unsafe
from federation.host_rules import RULES, Rule
from node.accounts.queries import Viewer
from node.errors import Invalid, NotFound
from node.language import Sentence, _
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.owner import owners_only
from node.web.render import page, see_other

NO_HOST = _("Write the name of another server, such as cheap.example.")
NO_RULE = _("Choose block, limit or allow.")
WORDS: dict[str, tuple[Sentence, Sentence]] = {
    "block": (_("Block"), _("Nothing comes from it, nothing is asked of it or sent to it, and follows end.")),
    "limit": (_("Limit"), _("What comes from it is only for people who follow its author.")),
    "allow": (_("Allow"), _("Takes it out of a rule for the names above it.")),
}


@owners_only
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /admin/servers."""
    return await _page(request, {"rule": "block", "host": request.query.get("host", "")[:300]}, {})


async def _page(request: web.Request, form: Form | dict[str, str], errors: dict[str, str]) -> web.Response:
    status = 422 if errors else 200
    found = await request.app[NODE].db.read(host_rules.rules)
    return await page(
        request, "admin/servers.html", status=status, tab="servers", rules=found, form=form, errors=errors, words=WORDS
    )


def _read(request: web.Request, form: Form) -> tuple[str, Rule, str]:
    errors: dict[str, str] = {}
    host = ""
    try:
        host = host_rules.parse_host(form.get("host", ""), request.app[NODE].ids.host)
    except Unsafe:
        errors["host"] = NO_HOST
    if form.get("rule") not in RULES:
        errors["rule"] = NO_RULE
    if errors:
        raise Invalid(errors)
    return host, cast(Rule, form["rule"]), form.get("reason", "")[: host_rules.MAX_REASON]


@owners_only
async def submit(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /admin/servers: a block asks once more, and says whom it would part."""
    node = request.app[NODE]
    form = await read_form(request)
    try:
        host, rule, reason = _read(request, form)
    except Invalid as error:
        return await _page(request, form, error.errors)
    if rule == "block" and form.get("sure") != "yes":
        parted = await node.db.read(host_rules.would_sever, host)
        return await page(request, "admin/block.html", tab="servers", name=host, reason=reason, parted=parted)
    await node.db.write(host_rules.set_rule, host, rule, reason)
    return see_other(f"/admin/servers/{host}" if rule == "block" else "/admin/servers")


@owners_only
async def one(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /admin/servers/{host}: its rule, and whom it parted."""
    node, host = request.app[NODE], request.match_info["host"]
    rule = await node.db.read(host_rules.rule_of, host)
    parted = await node.db.read(host_rules.severed, host)
    if rule is None and not parted:
        raise NotFound
    return await page(request, "admin/server.html", tab="servers", name=host, rule=rule, parted=parted, words=WORDS)


@owners_only
async def forget(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /admin/servers/{host}: take its rule back."""
    await read_form(request)
    if not await request.app[NODE].db.write(host_rules.forget_rule, request.match_info["host"]):
        raise NotFound
    return see_other("/admin/servers")
