"""Deleting the account: what it means, then the password and the handle, typed."""

from __future__ import annotations

from aiohttp import web

from federation.endings import everybody_who_got_something
from federation.storage import Tx
from node.accounts import factors
from node.accounts.proving import check_both
from node.accounts.queries import Viewer
from node.errors import Invalid
from node.language import _
from node.portability.commands import TOPIC
from node.portability.leaving import leave
from node.web.cookies import SESSION, clear_cookie
from node.web.forms import Form, read_form
from node.web.keys import NODE
from node.web.render import page, see_other
from node.web.session import signed_in

WRONG_HANDLE = _("Write your own handle here, so that nothing is deleted by mistake.")


@signed_in
async def show(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """GET /settings/delete."""
    return await _page(request, viewer, {}, {})


async def _page(
    request: web.Request, viewer: Viewer, form: Form | dict[str, str], errors: dict[str, str]
) -> web.Response:
    node = request.app[NODE]
    author = await node.author(viewer.actor_id)
    hosts = {target.host for target in await node.db.read(everybody_who_got_something, author)}
    return await page(
        request,
        "settings/delete.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        servers=len(hosts),
        asks_for_code=await node.db.read(factors.app_since, viewer.account_id) is not None,
    )


@signed_in
async def delete(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """POST /settings/delete: for ever."""
    form = await read_form(request)
    try:
        handle = form.get("handle", "").removeprefix("@").partition("@")[0].lower()
        if handle != viewer.username:
            raise Invalid({"handle": WRONG_HANDLE})
        await check_both(request, viewer, form)
    except Invalid as error:
        return await _page(request, viewer, form, error.errors)
    node = request.app[NODE]
    author = await node.author(viewer.actor_id)

    def work(tx: Tx) -> None:
        leave(tx, author)
        tx.notify(TOPIC)

    await node.db.write(work)
    response = see_other("/")
    clear_cookie(request, response, SESSION)
    return response
