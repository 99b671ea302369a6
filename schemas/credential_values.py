"""The values in a credential, read as JSON-LD means them: a thing or a list of it, a thing or its id, texts.

A proof over RDF holds for each of these spellings, so all of them have to be read in the same way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schemas.base import datetime_of, many
from schemas.errors import Malformed

MAX_ID = 2_048
MAX_LISTED = 50


def plain(value: Any) -> Any:
    """One spelling for what JSON-LD takes for the same: a thing and a list of it; in a short list, twice and once."""
    if isinstance(value, list):
        items: list[Any] = []
        for item in map(plain, many(value)):
            if item is not None and (len(value) > MAX_LISTED or item not in items):
                items.append(item)
        return items[0] if len(items) == 1 else items or None
    return {name: plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def id_at(value: Any, path: str) -> str | None:
    """An id as it stands: a URL, a did:key or a URN; it is compared, and fetched only by who checks it as a URL."""
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not value.isprintable() or " " in value:
        raise Malformed(path, "not an id")
    return value


def text_at(holder: dict[str, Any], name: str, limit: int) -> str:
    """A text; of several (VC Data Model 2.0 §11.1), whose order no proof over RDF covers, always the same one."""
    value = holder.get(name)
    if isinstance(value, str):
        return value[:limit]
    texts = [_in_language(item) for item in many(value)]
    return min((text for text in texts if text is not None), default=("", ""))[1][:limit]


def _in_language(value: Any) -> tuple[str, str] | None:
    """A language, empty where none is named, and a text in it."""
    if isinstance(value, dict):
        language, value = value.get("@language"), value.get("@value")
        return (language if isinstance(language, str) else "", value) if isinstance(value, str) else None
    return ("", value) if isinstance(value, str) else None


def time_at(document: dict[str, Any], name: str) -> datetime | None:
    """A time that is there and cannot be read is refused: it must not pass for one that is not there."""
    if document.get(name) is None:
        return None
    moment = datetime_of(document[name])
    if moment is None:
        raise Malformed(name, "not a time")
    return moment


def nodes_at(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The things under a name; of one that is only named, its id."""
    values = [{"id": value} if isinstance(value, str) else value for value in many(holder.get(name))]
    return [value for value in values if isinstance(value, dict)]


def node_at(holder: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A thing that may stand there once: of several nobody knows which is meant, since RDF has no order."""
    nodes = nodes_at(holder, name)
    if len(nodes) > 1:
        raise Malformed(name, "more than one")
    return nodes[0] if nodes else None
