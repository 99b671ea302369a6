"""Who may say what about which id: the origin rules of FEP-fe34, as pure functions.

An id is an URL, and the server at its origin (scheme, host, port) is the authority over it. So an activity speaks
only for an actor of its own origin, an object belongs to the actor that it names if that actor is of the object's
origin, and only that actor changes it. `https://a.example` and `https://a.example:8443` are two origins.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urldefrag

from federation.errors import Forbidden, Unacceptable
from federation.ids import Ids
from schemas.actors import is_actor
from schemas.base import Envelope, id_of, ids_of
from schemas.errors import SchemaError
from schemas.urls import origin_of, parse_url

MAX_ID = 2048


def origin(url: str) -> str | None:
    """The origin of an URL, or None if it is not one that may be an id."""
    if len(url) > MAX_ID:
        return None
    try:
        return origin_of(url)
    except SchemaError:
        return None


def same_origin(left: str, right: str) -> bool:
    """Whether two ids are under one authority; an URL that is not one is under none."""
    mine = origin(left)
    return mine is not None and mine == origin(right)


def check_envelope(envelope: Envelope, ids: Ids) -> None:
    """What can be refused before anything is verified.

    Raises Unacceptable for what is not an id, Forbidden for an id of ours or an activity that is of another origin
    than its actor. Plain http is for a node that is itself on plain http: a test or a demonstration.
    """
    actor = _origin_of_id(envelope.actor, ids)
    activity = _origin_of_id(envelope.id, ids)
    if ids.origin in (actor, activity):
        raise Forbidden(f"{envelope.id} by {envelope.actor} comes from outside under our own origin")
    if actor != activity:
        raise Forbidden(f"{envelope.id} is not of the origin of its actor {envelope.actor}")


def _origin_of_id(url: str, ids: Ids) -> str:
    if len(url) > MAX_ID:
        raise Unacceptable("an id is longer than 2,048 characters")
    try:
        parsed = parse_url(url)
    except SchemaError as error:
        raise Unacceptable(f"not an id: {error}") from error
    if parsed.scheme != "https" and not ids.origin.startswith("http://"):
        raise Unacceptable(f"an id must be an https URL: {url}")
    return parsed.origin


def owner_of(document: dict[str, Any]) -> str | None:
    """Whose a document is: an actor is its own, an activity its actor's, an object its attributedTo's.

    None when it names nobody, or more than one: an object with two owners is nobody's to change.
    """
    if is_actor(document):
        return id_of(document)
    if "actor" in document:
        return id_of(document["actor"])
    owners = ids_of(document.get("attributedTo"))
    return owners[0] if len(owners) == 1 else None


def belongs_to(document: dict[str, Any], actor_id: str) -> bool:
    """Whether a document has an id under its owner's authority, and that owner is `actor_id`."""
    document_id = id_of(document)
    return document_id is not None and owner_of(document) == actor_id and same_origin(document_id, actor_id)


def without_fragment(url: str) -> str:
    """The document in which an URL stands."""
    return urldefrag(url).url
