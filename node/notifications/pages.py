"""What happened, and what of it is mailed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from federation.storage import Tx
from node.errors import Invalid, NotFound
from node.language import _
from node.mail.commands import queue
from node.notifications import commands, queries, rules
from node.notifications.letters import confirmation, sentence
from node.web.forms import is_one_click, read_form
from node.web.keys import NODE
from node.web.render import language_of, page, see_other
from node.web.session import Viewer, signed_in

HOWS = [("now", _("At once")), ("daily", _("Once a day")), ("never", _("Never"))]
MAX_ID = 18


@signed_in
async def show(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /notifications?show=people|words|server&before=ID."""
    node = request.app[NODE]
    which = request.query.get("show", "")
    which = which if which in rules.TABS else ""
    text = request.query.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID else None
    news, last = await node.db.read(queries.page, somebody.actor_id, rules.TABS[which][1], before=before)
    days = [(day, list(lines)) for day, lines in groupby(news, key=lambda line: line.at.date())]
    return await page(
        request,
        "notifications/list.html",
        here="notifications",
        days=days,
        today=node.clock.now().date(),
        which=which,
        tabs=[(key, label) for key, (label, _kinds) in rules.TABS.items()],
        newest=news[0].id if news else 0,
        anything_new=any(line.unread for line in news),
        earlier=f"/notifications?{urlencode({'show': which, 'before': last})}" if last else None,
        first=before is None,
        sentence=sentence,
    )


@signed_in
async def mark_read(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /notifications/read: everything up to what the page showed."""
    form = await read_form(request)
    text = form.get("until", "")
    until = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID else None
    await request.app[NODE].db.write(commands.mark_read, somebody.actor_id, until=until)
    return see_other("/notifications")


# ---- mail


@signed_in
async def notices_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/notices."""
    return await _notices(request, somebody, {}, {})


async def _notices(
    request: web.Request, somebody: Viewer, form: Mapping[str, str], errors: Mapping[str, str]
) -> web.Response:
    node = request.app[NODE]
    held = await node.db.read(queries.mail_settings, somebody.actor_id)
    return await page(
        request,
        "settings/notices.html",
        status=422 if errors else 200,
        tab="notices",
        held=held,
        form={"address": held.address} | held.how | dict(form),
        errors=errors,
        choices=rules.CHOICES,
        hows=HOWS,
        can_mail=bool(node.settings.mail.smtp_url),
        sent=request.query.get("sent") == "yes",
    )


@signed_in
async def save_notices(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/notices: what is mailed, and how often."""
    form = await read_form(request)
    try:
        chosen = rules.parse_choices(form)
    except Invalid as error:
        return await _notices(request, somebody, form, error.errors)
    await request.app[NODE].db.write(commands.choose, somebody.actor_id, chosen)
    return see_other("/settings/notices")


@signed_in
async def save_address(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/notices/address: a mail with a link goes there; an empty field ends all mail."""
    node = request.app[NODE]
    form = await read_form(request)
    if not form.get("address"):
        await node.db.write(commands.drop_address, somebody.actor_id)
        return see_other("/settings/notices")
    try:
        address = rules.parse_address(form["address"])
        if not node.settings.mail.smtp_url:
            raise ValueError(_("This server sends no mail yet. Whoever runs it has to name a mail server first."))
    except ValueError as error:
        return await _notices(request, somebody, form, {"address": error.args[0]})
    await node.db.write(_give_address, node.ids.origin, somebody, address, language_of(request))
    return see_other("/settings/notices?sent=yes")


def _give_address(tx: Tx, origin: str, somebody: Viewer, address: str, language: str) -> None:
    secret = commands.give_address(tx, somebody.actor_id, address)
    letter = confirmation(origin, somebody.username, secret, language)
    queue(tx, address, letter.subject, letter.text)


@signed_in
async def confirm_page(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """GET /settings/notices/confirm/{secret}: a mail program that looks at links confirms nothing."""
    return await page(request, "settings/confirm-address.html", tab="notices", secret=request.match_info["secret"])


@signed_in
async def confirm(request: web.Request, somebody: Viewer) -> web.StreamResponse:
    """POST /settings/notices/confirm/{secret}."""
    await read_form(request)
    secret = request.match_info["secret"]
    if not await request.app[NODE].db.write(commands.confirm_address, somebody.actor_id, secret):
        raise NotFound(_("This link was used before, or is too old. Save your address again to get a new one."))
    return see_other("/settings/notices")


async def unsubscribe_page(request: web.Request) -> web.StreamResponse:
    """GET /unsubscribe/{secret}: works for whoever has the mail, signed in or not."""
    values: dict[str, Any] = {"secret": request.match_info["secret"]}
    return await page(request, "notifications/unsubscribe.html", **values)


async def unsubscribe(request: web.Request) -> web.StreamResponse:
    """POST /unsubscribe/{secret}: by the button of the page, or by a mail program; the secret is all that it takes."""
    if not await is_one_click(request):
        await read_form(request)
    await request.app[NODE].db.write(commands.unsubscribe, request.match_info["secret"])
    return await page(request, "notifications/unsubscribed.html")
