"""Anybody checks a file or an address, without an account. What was brought is looked at and not kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web

from federation.errors import FederationError
from federation.rates import Limiter, Rate, address_key
from node.context import Node
from node.credentials.checking import bytes_at, judge
from node.credentials.report import Report, report_of
from node.credentials.rules import MAX_FILE
from node.errors import BadRequest, Invalid, TooMany
from node.language import _
from node.web.forms import Form, read_form
from node.web.keys import NODE, PROXIES
from node.web.render import page
from node.web.session import viewer
from schemas.errors import SchemaError
from schemas.strict_json import loads_object

PER_NETWORK = Rate(per_second=1 / 6, burst=20)
EVERYBODY = Rate(per_second=2, burst=60)
FILE = "file"
NOTHING_CHOSEN = _("Give the address of a signed document, beginning with https://, or choose its file.")
NOT_READ = _("This file is not a document that can be signed: {reason}. It has to be JSON, at most 256 KB.")
NOT_THERE = _("Nothing that can be checked is to be had at this address. Look whether it is right, or try again later.")
MAX_ADDRESS = 2_048


@dataclass(frozen=True, slots=True)
class CheckThrottle:
    """How often may be checked: from one network, and by everybody together. Each check asks other servers."""

    networks: Limiter = field(default_factory=lambda: Limiter(PER_NETWORK))
    everybody: Limiter = field(default_factory=lambda: Limiter(EVERYBODY, 1))

    def take(self, peer: str | None) -> None:
        """Raises TooMany."""
        now = time.monotonic()
        wait = self.networks.take(address_key(peer), now) or self.everybody.take("all", now)
        if wait:
            raise TooMany(_("Many checks were asked for just now. Try again in a minute."), wait)


CHECK_THROTTLE = web.AppKey("check_throttle", CheckThrottle)


class Brought(NamedTuple):
    """What is to be checked: a document, and the bytes as which it came."""

    body: bytes
    url: str


async def show(request: web.Request) -> web.StreamResponse:
    """GET /check?url=ADDRESS: the form. Nothing is asked for before somebody presses the button."""
    return await _page(request, {"url": request.query.get("url", "")[:MAX_ADDRESS]}, {}, None)


async def check(request: web.Request) -> web.StreamResponse:
    """POST /check: url or file."""
    node = request.app[NODE]
    try:
        form = await read_form(request, files={FILE: MAX_FILE})
    except BadRequest as error:
        if error.status != 413:
            raise
        return await _page(request, {}, {"file": _("This file is larger than 256 KB. It was not read.")}, None)
    request.app[CHECK_THROTTLE].take(request.app[PROXIES].peer(request))
    try:
        brought = await _brought(node, form)
        document = loads_object(brought.body)
    except Invalid as error:
        return await _page(request, form, error.errors, None)
    except SchemaError as error:
        name = "url" if form.get("url") and form.file(FILE) is None else "file"
        return await _page(request, form, {name: _(NOT_READ, reason=str(error))}, None)
    verdicts = await judge(node, document, brought.body)
    return await _page(request, {"url": brought.url}, {}, report_of(verdicts, node.clock.now()))


async def _brought(node: Node, form: Form) -> Brought:
    upload, url = form.file(FILE), form.get("url", "")[:MAX_ADDRESS]
    if upload is not None:
        return Brought(upload.body, "")
    if not url.startswith(("https://", "http://")):
        raise Invalid({"url": NOTHING_CHOSEN})
    try:
        return Brought(await bytes_at(node, url), url)
    except (FederationError, SchemaError) as error:
        raise Invalid({"url": NOT_THERE}) from error


async def _page(
    request: web.Request, form: Mapping[str, str], errors: Mapping[str, str], report: Report | None
) -> web.Response:
    somebody = await viewer(request)
    return await page(
        request,
        "credentials/check.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        report=report,
        signed_in=somebody is not None,
    )
