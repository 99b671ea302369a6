"""Starter packs: a signed list of people that anybody can publish and take over, in ActivityStreams' own terms.

A pack is a `Collection` (ActivityStreams 2.0 §2.6) with a name, a summary and an author, whose `items` are `Link`s: the
id of an actor as `href`, `@name@host` as `name`. It carries its author's proof (FEP-8b32), so that it can travel as a
file. The names are what the author wrote: whoever follows somebody asks their own server who they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from schemas.base import datetime_of, link_of, localised, objects_of, text_of
from schemas.errors import Malformed
from schemas.notes import object_identity
from schemas.terms import PUBLIC, object_context
from schemas.urls import url_of

MAX_MEMBERS = 150
MAX_NAME = 200
MAX_SUMMARY = 2_000
MAX_BYTES = 200_000
TYPES = ("Collection", "OrderedCollection")


class Member(msgspec.Struct, frozen=True):
    """Somebody in a pack. handle: `name@host` as the pack says, empty where it says none."""

    id: str
    handle: str = ""


class Pack(msgspec.Struct, frozen=True):
    """A list of people that somebody recommends."""

    id: str
    owner: str
    name: str
    summary: str
    members: tuple[Member, ...]
    updated: datetime | None = None
    url: str | None = None


def parse_pack(document: dict[str, Any]) -> Pack:
    """Read a pack; Malformed when it is none, names nobody, or more than 150."""
    if document.get("type") not in TYPES:
        raise Malformed("type", "not a collection")
    pack_id, owner = object_identity(document)
    items = document.get("items") or document.get("orderedItems") or []
    items = items if isinstance(items, list) else [items]
    if len(items) > MAX_MEMBERS:
        raise Malformed("items", f"more than {MAX_MEMBERS}")
    members = {member.id: member for member in map(_member, items) if member is not None}
    if not members:
        raise Malformed("items", "names nobody")
    return Pack(
        id=pack_id,
        owner=owner,
        name=localised(document, "name", limit=MAX_NAME),
        summary=localised(document, "summary", limit=MAX_SUMMARY),
        members=tuple(members.values()),
        updated=datetime_of(document.get("updated")) or datetime_of(document.get("published")),
        url=link_of(document.get("url")),
    )


def _member(item: Any) -> Member | None:
    """A Link, or the bare id of an actor."""
    if isinstance(item, str):
        found = url_of(item)
        return None if found is None else Member(found)
    for link in objects_of(item):
        found = url_of(link.get("href")) or url_of(link.get("id"))
        if found is not None:
            return Member(found, text_of(link.get("name"), limit=320).strip().removeprefix("@"))
    return None


def write_pack(pack: Pack, *, published: str, updated: str | None) -> dict[str, Any]:
    """The Collection, without its proof; for everybody."""
    document: dict[str, Any] = {
        "@context": object_context({}, set()),
        "type": "Collection",
        "id": pack.id,
        "attributedTo": pack.owner,
        "name": pack.name,
        "summary": pack.summary,
        "url": pack.url,
        "to": [PUBLIC],
        "published": published,
        "updated": updated,
        "totalItems": len(pack.members),
        "items": [{"type": "Link", "href": member.id, "name": f"@{member.handle}"} for member in pack.members],
    }
    return {name: value for name, value in document.items() if value or name == "totalItems"}
