"""The tabs of the settings, in one list: one is shown once its page exists."""

from __future__ import annotations

from typing import NamedTuple

from aiohttp import web

from node.language import _
from node.web.keys import VIEWER


class Tab(NamedTuple):
    """A page of the settings. key: what the page calls itself (`tab` in its template's context)."""

    key: str
    url: str
    label: str


TABS = (
    Tab("profile", "/profile/edit", _("Profile")),
    Tab("security", "/settings", _("Security")),
    Tab("identity", "/settings/identity", _("Identity")),
    Tab("notices", "/settings/notices", _("Notices and mail")),
    Tab("blocks", "/settings/blocks", _("Blocks")),
    Tab("export", "/settings/export", _("Export")),
    Tab("move", "/settings/move", _("Move")),
    Tab("server", "/admin", _("Server")),
)


def tabs(request: web.Request) -> list[Tab]:
    """Those whose page this node has; that of the server only for whoever runs it."""
    pages = {resource.canonical for resource in request.app.router.resources()}
    is_owner = VIEWER in request and request[VIEWER].is_owner
    return [tab for tab in TABS if tab.url in pages and (is_owner or tab.key != "server")]
