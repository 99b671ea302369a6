"""The overview: what is wrong, what waits for which server, and what it all takes."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from aiohttp import web

from federation import operate
from node.accounts.queries import Viewer
from node.admin import queries
from node.backup import commands as backups
from node.doctor.examining import examine
from node.doctor.rules import worst
from node.errors import NotFound
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.owner import owners_only
from node.web.render import page, see_other
from node.web.words import Figure

TURNS = {"pause": operate.pause, "resume": operate.resume, "retry": operate.retry}
"""What can be done about one host in the queue."""


@owners_only
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /admin."""
    node = request.app[NODE]
    found = await node.db.read(queries.overview)
    size = await node.db.read(queries.database_size)
    stores = await asyncio.to_thread(queries.stores, node.settings, size)
    findings = found.report.findings if found.report else ()
    return await page(
        request,
        "admin/overview.html",
        tab="overview",
        found=found,
        health=worst(findings) if findings else "",
        fine=sum(finding.health == "ok" for finding in findings),
        wrong=[finding for finding in findings if finding.health != "ok"],
        findings=findings,
        stores=stores,
        whole=max(1, sum(store.size for store in stores)),
        megabytes=_megabytes,
        engine="SQLite" if node.db.is_sqlite else "PostgreSQL",
        nightly=bool(found.recovery and (found.recovery.nightly or node.settings.storage.backup_dir)),
        kept_days=node.settings.storage.keep_remote_days,
    )


def _megabytes(size: int) -> Figure:
    """size: in bytes."""
    return Figure(Decimal(size).scaleb(-6), places=1 if size < 10_000_000 else 0)


@owners_only
async def look_again(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /admin/doctor."""
    await read_form(request)
    await examine(request.app[NODE])
    return see_other("/admin")


@owners_only
async def back_up(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /admin/backup: the worker makes one behind the page."""
    await read_form(request)
    await request.app[NODE].db.write(backups.ask_for_one)
    return see_other("/admin#backups")


@owners_only
async def turn(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /admin/queue: pause, resume or try one host."""
    form = await read_form(request)
    node = request.app[NODE]
    host, act = form.get("host", ""), form.get("act", "")
    if act not in TURNS or not await node.db.read(queries.is_known_host, host):
        raise NotFound
    await node.db.write(TURNS[act], host)
    return see_other("/admin#queue")
