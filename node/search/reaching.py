"""A handle or an address that somebody typed -> the page here of whoever, or whatever, that is.

Who is not known yet is asked for at their own server, and what anybody may read there is kept here like what others
pass on: it is news for nobody.
"""

from __future__ import annotations

from urllib.parse import quote

from federation.authenticate import Authenticator
from federation.errors import FederationError, Forbidden, Unacceptable
from federation.prepare import Preparer
from federation.types import Received
from node.context import Node
from node.errors import Invalid
from node.inboxes import on_object
from node.language import _
from node.profiles import queries as people
from node.search.rules import is_address, is_somebody
from node.social.finding import find
from node.social.queries import kind_of
from schemas.actors import is_actor
from schemas.errors import SchemaError
from schemas.terms import NOTE_TYPES, PUBLIC
from schemas.urls import parse_url

FIELD = "q"
NOT_TO_BE_HAD = _("Nothing that this server can show is to be had at this address. Look whether it is right.")


async def reach(node: Node, text: str, reader: str) -> str | None:
    """The path of the page of what a text names; None when it is no handle and no address, but words.

    Raises Invalid, with a sentence for the field `q`, when nobody and nothing is to be had there.
    """
    if is_somebody(text):
        return await _somebody(node, text)
    if not is_address(text):
        return None
    if node.ids.is_local(text):
        return _own(node, text)
    if await node.db.read(kind_of, text, reader) is not None:
        return _seen(text)
    return await _elsewhere(node, text)


async def _somebody(node: Node, text: str) -> str:
    actor = await find(node, text, FIELD)
    person = await node.db.read(people.person, actor.id)
    return quote(person.page, safe="/@:[]")


def _own(node: Node, text: str) -> str:
    """A page or an id of ours, as a path of this site and of no other."""
    path = text.removeprefix(node.ids.origin) or "/"
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path else "/"


def _seen(object_id: str) -> str:
    return f"/seen?id={quote(object_id, safe='')}"


async def _elsewhere(node: Node, text: str) -> str:
    try:
        url = parse_url(text)
        fetched = await node.resolver.object(url.origin + url.target)
        if is_actor(fetched.document):
            return await _somebody(node, text)
        authenticator = Authenticator(node.ids, node.resolver, node.policy, node.clock)
        preparer = Preparer(node.db, node.ids, node.resolver, authenticator)
        found = await preparer.found(str(fetched.document["id"]))
        _check(found)
        await node.db.write(on_object, found, node.authors)
    except (FederationError, SchemaError) as error:
        raise Invalid({FIELD: NOT_TO_BE_HAD}) from error
    return _seen(str(found.object_id))


def _check(found: Received) -> None:
    """Only what anybody may read, and only what is read as a text, a gig or a module."""
    if PUBLIC not in found.audience.everybody:
        raise Forbidden(f"{found.object_id} is not for everybody")
    if (found.object or {}).get("type") not in (*NOTE_TYPES, "Proposal"):
        raise Unacceptable(f"{found.object_id} is nothing that is shown here")
