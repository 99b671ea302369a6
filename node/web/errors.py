"""The one place where an error becomes an answer: exception -> status and page, or status and JSON.

The table says which page; the sentences are in the templates and in the errors themselves. What nobody expected is
logged with its traceback under a number that the page shows, and is a 500: one of the two broad `except` of the
project, the other being the workers' loop.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple
from urllib.parse import quote

import structlog
from aiohttp import web

from federation.errors import FederationError, Unreachable
from node.errors import (
    AlreadySetUp,
    BadRequest,
    Gone,
    Invalid,
    NodeError,
    NotAllowed,
    NotFound,
    NotSetUp,
    NotSignedIn,
    TooMany,
)
from node.language import _
from node.web.keys import FACTS, NOBODY
from node.web.negotiate import wants_json
from node.web.render import page, see_other
from node.web.session import Handler, viewer
from schemas.errors import SchemaError
from schemas.strict_json import dumps

RETRY_SECONDS = 30

OF_FEDERATION = (
    _("Something went wrong here."),
    _("This was refused."),
    _("The signature is missing or does not hold."),
    _("Not allowed."),
    _("The message is malformed."),
    _("Could not be checked for now. Try again later."),
    _("Too busy for now. Try again later."),
    _("Gone."),
    _("Not found."),
    _("That address cannot be used."),
)
"""What `federation.errors` says to strangers: that package knows no languages, so its sentences are listed here."""

_log = structlog.get_logger()


class Answer(NamedTuple):
    """A status and the page that explains it."""

    status: int
    template: str


TABLE: dict[type[Exception], Answer] = {
    NotFound: Answer(404, "errors/404.html"),
    Gone: Answer(410, "errors/410.html"),
    NotAllowed: Answer(403, "errors/403.html"),
    AlreadySetUp: Answer(409, "errors/set-up-already.html"),
    NotSetUp: Answer(503, "errors/503.html"),
    TooMany: Answer(429, "errors/429.html"),
    Invalid: Answer(422, "errors/400.html"),
    BadRequest: Answer(400, "errors/400.html"),
    NodeError: Answer(400, "errors/400.html"),
    SchemaError: Answer(400, "errors/400.html"),
    Unreachable: Answer(503, "errors/503.html"),
    FederationError: Answer(400, "errors/400.html"),
}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into an answer."""
    try:
        response = await handler(request)
        return await _answer(request, NotFound(), TABLE[NotFound]) if _is_bare(request, response) else response
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return await _answer(request, error, _of_status(error.status))
    except NotSignedIn:
        if request.method == "GET" and not wants_json(request):
            return see_other(f"/sign-in?next={quote(request.path_qs, safe='')}")
        return await _answer(request, NotAllowed(_("Sign in first.")), TABLE[NotAllowed])
    except (NodeError, FederationError, SchemaError) as error:
        return await _answer(request, error, _of_error(error))
    except Exception as error:  # noqa: BLE001 - the last place where a fault can be said
        number = f"req-{secrets.token_hex(5)}"
        request.setdefault(FACTS, {})["fault"] = number
        _log.error("request.failed", fault=number, path=request.path, exc_info=error)
        return await _answer(request, error, Answer(500, "errors/500.html"), number=number)


def _is_bare(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether a person gets the answer that servers get for what is not there."""
    return (
        response.status == 404
        and response.content_type == "application/json"
        and request.method == "GET"
        and "text/html" in request.headers.get("Accept", "")
    )


def _of_error(error: Exception) -> Answer:
    answer = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    if isinstance(error, BadRequest | FederationError) and error.status < 500:
        return _of_status(error.status)
    return answer


def _of_status(status: int) -> Answer:
    known = {answer.status: answer for answer in TABLE.values()}
    return known.get(status, Answer(status, "errors/400.html" if status < 500 else "errors/503.html"))


async def _answer(request: web.Request, error: Exception, answer: Answer, *, number: str = "") -> web.StreamResponse:
    sentence = _sentence(error)
    if wants_json(request):
        response = web.Response(
            status=answer.status, body=dumps({"error": str(sentence)}), content_type="application/json"
        )
    else:
        await _know_viewer(request)
        response = await page(
            request, answer.template, status=answer.status, code=answer.status, sentence=sentence, number=number
        )
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(max(1, round(error.wait)))
    elif answer.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return response


async def _know_viewer(request: web.Request) -> None:
    """The page names who is signed in; where the database is what failed, it does without."""
    try:
        await viewer(request)
    except FederationError:
        request[NOBODY] = True


def _sentence(error: Exception) -> str:
    """What a stranger may read of it."""
    if isinstance(error, FederationError):
        return _(error.safe)
    if isinstance(error, NodeError):
        return error.sentence
    if isinstance(error, SchemaError):
        return str(error)
    if isinstance(error, web.HTTPNotFound):
        return _("There is nothing at this address.")
    if isinstance(error, web.HTTPMethodNotAllowed):
        return _("This address does not take that kind of request.")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _("This is too large. Make it smaller and send it again.")
    if isinstance(error, web.HTTPException):
        return _("This request cannot be read.")
    return _("Something broke here.")
