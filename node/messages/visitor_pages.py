"""A visitor without an account asks: the form, the link that confirms it, and the conversation behind that link."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from federation.rates import Limiter, Rate, address_key
from federation.storage import Tx
from node.accounts.once import once
from node.errors import Invalid, NotFound, TooMany
from node.language import _
from node.mail.commands import queue
from node.market import queries as market
from node.messages import asking, letters, queries, rules
from node.profiles import queries as profiles
from node.profiles.queries import Person
from node.web.forms import read_form
from node.web.keys import NODE, PROXIES
from node.web.render import language_of, page, see_other

PER_NETWORK = Rate(per_second=1 / 900, burst=5)
PER_ADDRESS = Rate(per_second=1 / 3600, burst=3)  # nobody's mailbox is filled through us
EVERYBODY = Rate(per_second=1 / 30, burst=60)
QUIET = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class AskThrottle:
    """How often may be asked: from one network, with one address, and by everybody together (SECURITY 120)."""

    networks: Limiter = field(default_factory=lambda: Limiter(PER_NETWORK))
    addresses: Limiter = field(default_factory=lambda: Limiter(PER_ADDRESS))
    everybody: Limiter = field(default_factory=lambda: Limiter(EVERYBODY, 1))

    def take(self, peer: str | None, address: str) -> None:
        """Raises TooMany. What one network asks too often takes nothing from everybody else."""
        now = time.monotonic()
        wait = (
            self.networks.take(address_key(peer), now)
            or self.addresses.take(address.lower(), now)
            or self.everybody.take("all", now)
        )
        if wait:
            raise TooMany(_("Many questions were asked from here just now. Try again in an hour."), wait)


ASK_THROTTLE = web.AppKey("ask_throttle", AskThrottle)


def _reader(tx: Tx, handle: str) -> Person:
    person = profiles.person_called(tx, handle)
    if not person.local or "@" in handle:
        raise NotFound
    return person


async def ask_page(request: web.Request) -> web.StreamResponse:
    """GET /@{handle}/ask?about=GIG."""
    return await _ask(request, {"about": request.query.get("about", "")[:2048]}, {})


async def _ask(request: web.Request, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    node = request.app[NODE]
    person = await node.db.read(_reader, request.match_info["handle"])
    gigs = await node.db.read(market.views, [form.get("about", "")])
    gig = next((one for one in gigs.values() if one.owner == person.id), None)
    values: dict[str, Any] = {"person": person, "gig": gig, "form": form, "errors": errors, "trap": rules.TRAP}
    can_mail = bool(node.settings.mail.smtp_url)
    status = 422 if errors else 200
    return await page(request, "messages/ask.html", status=status, here="people", can_mail=can_mail, **values)


async def ask(request: web.Request) -> web.StreamResponse:
    """POST /@{handle}/ask: nothing is sent to anybody here until the address is confirmed."""
    node = request.app[NODE]
    form = await read_form(request)
    if not node.settings.mail.smtp_url:
        return await _ask(request, form, {"text": _("This server sends no mail, so it cannot take questions.")})
    try:
        question = rules.parse_question(form)
    except Invalid as error:
        return await _ask(request, form, error.errors)
    request.app[ASK_THROTTLE].take(request.app[PROXIES].peer(request), question.address)
    language, handle = language_of(request), request.match_info["handle"]
    about, origin = form.get("about", "")[:2048], node.ids.origin
    await node.db.write(once, question.address, form.sent, _keep, origin, handle, question, about, language)
    return await page(request, "messages/asked.html", address=question.address)


def _keep(tx: Tx, origin: str, handle: str, question: rules.Question, about: str, language: str) -> None:
    person = _reader(tx, handle)
    gig = market.views(tx, [about]).get(about)
    mine = about if gig is not None and gig.owner == person.id else None
    secret = asking.ask(tx, person.id, question, mine, language)
    if secret is not None:
        letter = letters.confirm_question(origin, question.name, person.name, secret, language)
        queue(tx, question.address, letter.subject, letter.text)


async def confirm_page(request: web.Request) -> web.StreamResponse:
    """GET /enquiries/confirm/{secret}: a mail program that looks at links sends nothing."""
    return _quiet(await page(request, "messages/confirm.html", secret=request.match_info["secret"]))


async def confirm(request: web.Request) -> web.StreamResponse:
    """POST /enquiries/confirm/{secret}."""
    await read_form(request)
    secret = request.match_info["secret"]
    if not await request.app[NODE].db.write(asking.confirm_question, secret):
        raise NotFound(_("This link was used before, or is older than two days. Ask again."))
    return see_other(f"/enquiries/{secret}")


async def show(request: web.Request) -> web.StreamResponse:
    """GET /enquiries/{secret}: what the visitor asked, and what was answered."""
    return await _thread(request, {}, {})


async def _thread(request: web.Request, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    db, secret = request.app[NODE].db, request.match_info["secret"]
    thread = await db.read(queries.of_visitor, secret)
    person = await db.read(queries.reader_of, secret)
    values: dict[str, Any] = {"thread": thread, "person": person, "secret": secret, "form": form, "errors": errors}
    return _quiet(await page(request, "messages/visitor.html", status=422 if errors else 200, **values))


async def write(request: web.Request) -> web.StreamResponse:
    """POST /enquiries/{secret}: the visitor writes more."""
    node = request.app[NODE]
    form = await read_form(request)
    secret = request.match_info["secret"]
    try:
        text = rules.parse_message(form)
    except Invalid as error:
        return await _thread(request, form, error.errors)
    request.app[ASK_THROTTLE].take(request.app[PROXIES].peer(request), secret)
    await node.db.write(once, secret, form.sent, asking.write_as_visitor, secret, text)
    return see_other(f"/enquiries/{secret}#new")


def _quiet(response: web.Response) -> web.Response:
    """The address is a key: no search engine keeps it, and no other site learns it (`node.web.log`: same-origin)."""
    response.headers.update(QUIET)
    return response
