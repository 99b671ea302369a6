"""Templates -> pages. Every page has the same frame, the same headers, and no way to run a script.

A template knows: `viewer` (or None), `csrf` (the form's token), `host`, `version`, `here` (which place of the main
navigation it belongs to), `now`, `language`, and what its handler gives it. Macros stand in `templates/parts.html`.
Its own sentences stand in `_()` or `{% trans %}`; a `node.language.Sentence` that it writes is said in the reader's
language by itself.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from node.language import ENGLISH, languages, preferred, say, translations
from node.media.names import small_path
from node.media.pages import REMOTE
from node.messages.counts import Unread, unread
from node.text import one_line, roomy
from node.web import words
from node.web.assets import icon, mark, static
from node.web.cookies import FORM, set_cookie
from node.web.csrf import form_token
from node.web.keys import FORM_SECRET, GROUND, NODE, VIEWER
from node.web.session import viewer
from node.web.settings_tabs import tabs

TEMPLATES = Path(__file__).parents[1] / "templates"
VERSION = version("freehold")


class _Token:
    """The form's token, made only when a template writes it: a page without a form sets no cookie."""

    def __init__(self, request: web.Request) -> None:
        self._request = request

    def __str__(self) -> str:
        return form_token(self._request)


@lru_cache
def environment() -> Environment:
    """Jinja, escaping everything; a name that is not there is a fault and not an empty string."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_said,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext, _n=_ngettext)
    made.globals.update(icon=icon, mark=mark, static=static, version=VERSION, unguessable=_unguessable)
    made.filters.update(
        day=words.day,
        instant=words.instant,
        ago=words.ago,
        time=words.time_tag,
        money=words.money,
        name=words.name,
        prose=_prose,
        local_path=lambda url: urlsplit(url).path,
        line=lambda text: one_line(text, len(text)),
        small=small_path,
    )
    made.globals.update(rate=words.rate)
    return made


def _unguessable() -> str:
    return token_urlsafe(16)


@pass_context
def _said(context: Context, value: Any) -> Any:
    """What a template writes, in its reader's language."""
    return say(value, context.get("language", ENGLISH))


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> str:
    language = context.get("language", ENGLISH)
    return _filled(context, translations(language).gettext(message), values)


@pass_context
def _ngettext(context: Context, one: str, many: str, count: int, /, **values: Any) -> str:
    language = context.get("language", ENGLISH)
    return _filled(context, translations(language).ngettext(one, many, count), {"num": count} | values)


def _filled(context: Context, text: str, values: dict[str, Any]) -> str:
    """A sentence of a template with its values, each in the reader's language, and escaped where the page is."""
    language = context.get("language", ENGLISH)
    whole = Markup(text) if context.eval_ctx.autoescape else text  # noqa: S704 - the template's own words
    return whole % {name: say(value, language) for name, value in values.items()}


def _unknown(picture: str, subject: str, shape: str = "shown") -> str:
    """Before set-up there are no pictures of others."""
    return picture


def language_of(request: web.Request) -> str:
    """In which language a page is written for whoever asks: the one that they chose, else what the browser likes."""
    if VIEWER in request and request[VIEWER].language in languages():
        return str(request[VIEWER].language)
    return preferred(request.headers.get("Accept-Language", ""))


def _prose(html: str) -> Markup:
    """What `node.text` has cleaned, as it stands on a page."""
    return Markup(roomy(html))  # noqa: S704 - clean already


async def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """Render a template as the answer to a request."""
    node = request.app.get(NODE)
    somebody = await viewer(request)
    context = {
        "viewer": somebody,
        "unread": await node.db.read(unread, somebody.actor_id) if node and somebody else Unread(),
        "csrf": _Token(request),
        "host": node.ids.handle_domain if node else None,
        "now": request.app[GROUND].clock.now(),
        "here": None,
        "path": request.path,
        "settings_tabs": lambda: tabs(request),
        "language": language_of(request),
        "shown": request.app[REMOTE].addresses.of if REMOTE in request.app else _unknown,
    }
    text = environment().get_template(template).render(context | values)
    response = web.Response(status=status, text=text, content_type="text/html")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Accept-Language, Signature, Cookie"
    if FORM_SECRET in request:
        set_cookie(request, response, FORM, request[FORM_SECRET])
    return response


def see_other(location: str) -> web.Response:
    """After a form: 303 to a page of ours."""
    return web.Response(status=303, headers={"Location": location, "Cache-Control": "no-store"})
