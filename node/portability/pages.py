"""Taking everything along, and bringing it in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from federation.ids import new_id
from node.accounts.proving import proved
from node.accounts.queries import Viewer
from node.accounts.throttle import THROTTLE
from node.errors import Invalid, NotFound
from node.language import _
from node.portability import bringing, commands
from node.portability.archive import FIELD, Reader
from node.portability.commands import folder
from node.web.forms import read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import signed_in

MAX_UPLOAD = 32_000_000  # bytes; what is larger comes in by `freehold import`

NO_FILE = _("Choose the archive first.")
SECTIONS = {
    "account": _("Language and colours"),
    "identity": _("Identity key"),
    "cv": _("Lines of your CV"),
    "media": _("Pictures"),
    "posts": _("Posts"),
    "gigs": _("Gigs"),
    "modules": _("Modules"),
    "featured": _("Pinned posts"),
    "status-lists": _("Lists on which you take back what you have given"),
    "credentials": _("Credentials you hold and have given"),
    "kept-lists": _("Lists that say whether what you hold still stands"),
    "blocks": _("Blocks"),
    "mutes": _("Mutes"),
    "tags": _("Hashtags you follow"),
    "mail-choices": _("What comes by mail"),
    "messages": _("Messages from others"),
    "reactions": _("Likes and boosts"),
    "followers": _("Followers"),
    "profile": _("Profile"),
    "following": _("People you follow"),
}
REASONS = {
    bringing.HERE: _("here already"),
    bringing.UNREADABLE: _("could not be read"),
    bringing.NOT_THEIRS: _("written by somebody else"),
    bringing.NOT_HERE: _("not in the archive, or not possible here"),
    bringing.UNREACHABLE: _("could not be reached"),
    bringing.NOT_OURS_TO_SAY: _("stay in your archive: only others can say them anew"),
}


class Line(NamedTuple):
    """A section of a report, in words. skipped: how many, and why."""

    name: str
    restored: int
    skipped: list[tuple[int, str]]


@signed_in
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/export."""
    return await _page(request, viewer, {})


async def _page(request: web.Request, viewer: Viewer, errors: dict[str, str]) -> web.Response:
    found = await request.app[NODE].db.read(commands.archives_of, viewer.actor_id)
    brought = [archive for archive in found if archive.kind == "in"]
    return await page(
        request,
        "settings/export.html",
        status=422 if errors else 200,
        tab="export",
        errors=errors,
        exports=[archive for archive in found if archive.kind == "out"],
        imports=[(archive, [_line(entry) for entry in archive.report]) for archive in brought],
        most=MAX_UPLOAD // 1_000_000,
        size=_size,
    )


def _size(count: int) -> str:
    """12 KB, 3.4 MB."""
    return f"{max(1, count // 1000)} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _line(entry: dict[str, Any]) -> Line:
    skipped = [(count, REASONS.get(reason, reason)) for reason, count in entry["skipped"].items()]
    return Line(SECTIONS.get(entry["section"], entry["section"]), entry["restored"], skipped)


@signed_in
@proved
async def ask(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/export."""
    await read_form(request)
    request.app[THROTTLE].take_archive(viewer.account_id)
    await request.app[NODE].db.write(commands.ask_for_export, viewer.actor_id)
    return see_other("/settings/export")


@signed_in
@proved
async def download(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/export/{name}: the file, for its owner alone, for seven days."""
    node = request.app[NODE]
    archive = await node.db.read(commands.own, viewer.actor_id, request.match_info["name"])
    path = folder(node.settings.data) / archive.file
    if archive.kind != "out" or archive.state != "ready" or not await asyncio.to_thread(path.is_file):
        raise NotFound
    name = f"freehold-{viewer.username}-{archive.created_at:%Y-%m-%d}.zip"
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return web.FileResponse(path, headers=headers)


@signed_in
async def drop(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/export/{name}: remove it now."""
    await read_form(request)
    node = request.app[NODE]
    archive = await node.db.read(commands.own, viewer.actor_id, request.match_info["name"])
    await node.db.write(commands.drop, viewer.actor_id, archive.id)
    await asyncio.to_thread((folder(node.settings.data) / archive.file).unlink, missing_ok=True)
    return see_other("/settings/export")


@signed_in
@proved
async def bring(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/import: looked at now, taken in behind the page."""
    form = await read_form(request, files={FIELD: MAX_UPLOAD})
    upload = form.file(FIELD)
    if upload is None:
        return await _page(request, viewer, {FIELD: NO_FILE})
    request.app[THROTTLE].take_archive(viewer.account_id)
    node = request.app[NODE]
    archive_id = new_id(node.clock.now())
    path = folder(node.settings.data) / f"{archive_id}.zip"
    try:
        await asyncio.to_thread(_keep, path, upload.body)
    except Invalid as error:
        return await _page(request, viewer, error.errors)
    await node.db.write(commands.ask, viewer.actor_id, "in", archive_id)
    return see_other("/settings/export")


def _keep(path: Path, body: bytes) -> None:
    """Write it down, unless it is no archive of ours."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_bytes(body)
    try:
        with Reader(path) as reader:
            reader.text("actor")
    except Invalid:
        path.unlink()
        raise
