"""New signing keys: as planned, or because somebody may have had the old ones; what it costs, then the button."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time

import sqlalchemy as sa
import structlog
from aiohttp import web

from federation.authors import Author, NewKeys, make_keys
from federation.clock import iso
from federation.endings import everybody_who_got_something
from federation.storage import Tx
from federation.tables import objects
from federation.types import OPEN
from node.accounts.proving import proved
from node.accounts.queries import Viewer
from node.context import Node
from node.credentials.renewing import rotate
from node.errors import Invalid
from node.language import _
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import signed_in

_log = structlog.get_logger()

NO_DAY = _("Write the day as 2026-11-23, or leave it empty.")
NOT_YET = _("That day is still to come. Leave it empty if you do not know.")


@signed_in
@proved
async def change_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/keys/change."""
    return await _page(request, viewer, "settings/keys-change.html", {}, {})


@signed_in
@proved
async def change(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/keys/change: planned; the old keys stay good for what they signed."""
    await read_form(request)
    await _rotate(request.app[NODE], [viewer.actor_id], None)
    return see_other("/settings?done=keys#keys")


@signed_in
@proved
async def stolen_page(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/keys/stolen."""
    return await _page(request, viewer, "settings/keys-stolen.html", {"server": "yes"}, {})


@signed_in
@proved
async def stolen(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/keys/stolen: the old keys count for nothing any more, since now or since a day."""
    form = await read_form(request)
    node = request.app[NODE]
    try:
        since = _since(form.get("since", ""), node.clock.now())
    except Invalid as error:
        return await _page(request, viewer, "settings/keys-stolen.html", form, error.errors)
    whose = [viewer.actor_id]
    if viewer.is_owner and form.get("server"):
        whose.append(node.ids.instance_actor)
    await _rotate(node, whose, since)
    return see_other("/settings?done=stolen#keys")


def _since(text: str, now: datetime) -> datetime:
    """The beginning of the day that was written; now, where there is none."""
    if not text.strip():
        return now
    try:
        since = datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
    except ValueError as error:
        raise Invalid({"since": NO_DAY}) from error
    if since > now:
        raise Invalid({"since": NOT_YET})
    return since


async def _rotate(node: Node, whose: list[str], compromised: datetime | None) -> None:
    """New keys for all of these, or for none."""
    made = [(await node.author(actor_id), await asyncio.to_thread(make_keys)) for actor_id in whose]
    await node.db.write(_rotate_all, node, made, compromised)
    for actor_id in whose:
        _log.warning("keys.changed", actor=actor_id, compromised=compromised and iso(compromised))


def _rotate_all(tx: Tx, node: Node, made: list[tuple[Author, NewKeys]], compromised: datetime | None) -> None:
    for author, keys in made:
        rotate(tx, node.authors, author, keys, compromised=compromised)


async def _page(
    request: web.Request, viewer: Viewer, template: str, form: Form | dict[str, str], errors: dict[str, str]
) -> web.Response:
    node = request.app[NODE]
    author = await node.author(viewer.actor_id)
    servers = {target.host for target in await node.db.read(everybody_who_got_something, author)}
    return await page(
        request,
        template,
        status=422 if errors else 200,
        form=form,
        errors=errors,
        servers=len(servers),
        signed=await node.db.read(_signed, viewer.actor_id),
        today=node.clock.now().date().isoformat(),
    )


def _signed(tx: Tx, actor_id: str) -> int:
    """How many things of somebody anybody may read, and so carry a signature."""
    mine = (
        objects.c.owner == actor_id,
        objects.c.local,
        objects.c.deleted_at.is_(None),
        objects.c.visibility.in_(OPEN),
    )
    return int(tx.scalar(sa.select(sa.func.count()).select_from(objects).where(*mine)))
