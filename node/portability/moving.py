"""Ids of an archive -> ids of this node, in every place of a document where one may stand. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from federation.ids import Ids

MAX_DEPTH = 40
_TEXTS = frozenset({"content", "summary", "name"})
UNWANTED = ("proof", "signature", "bto", "bcc", "likes", "shares")
"""A proof and counts of the old address; whom bto and bcc name is nobody's business."""


@dataclass(frozen=True, slots=True)
class Former:
    """Who somebody was."""

    actor_id: str
    origin: str
    username: str

    @property
    def page(self) -> str:
        """Of the person."""
        return f"{self.origin}/@{self.username}"


@dataclass(slots=True)
class Map:
    """What became of what. objects: ids of documents; pictures: names in the media folder."""

    former: Former
    ids: Ids
    actor_id: str
    objects: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def document(self, document: dict[str, Any]) -> dict[str, Any]:
        """The same document as this node's own."""
        kept = {name: value for name, value in document.items() if name not in UNWANTED}
        moved: dict[str, Any] = self._value(kept, 0)
        return moved

    def _value(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            return None
        if isinstance(value, dict):
            return {name: self._member(name, one, depth) for name, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, depth + 1) for one in value]
        return self.url(value) if isinstance(value, str) else value

    def _member(self, name: str, value: Any, depth: int) -> Any:
        if isinstance(value, str) and name in _TEXTS:
            return self.text(value)
        return value if name == "@context" else self._value(value, depth + 1)

    def text(self, text: str) -> str:
        """A text in which addresses of before may stand."""
        return re.sub(rf"{re.escape(self.former.origin)}/[^\s\"'<>]{{1,200}}", lambda found: self.url(found[0]), text)

    def url(self, url: str) -> str:
        """The address here of what had one there; any other address stays."""
        former = self.former
        if url in self.objects:
            return self.objects[url]
        if url == former.actor_id:
            return self.actor_id
        if url.startswith(f"{former.origin}/media/"):
            name = url.rpartition("/")[2]
            return f"{self.ids.origin}/media/{self.pictures[name]}" if name in self.pictures else url
        if url.startswith((f"{former.origin}/tags/", f"{former.origin}/gigs?")):
            return self.ids.origin + url[len(former.origin) :]
        for prefix, page in ((former.actor_id, False), (former.page, True)):
            if url.startswith(f"{prefix}/") or url == prefix:
                return self._below(url[len(prefix) :], page=page)
        return url

    def _below(self, rest: str, *, page: bool) -> str:
        """What stands below the actor, or below their page."""
        kind, _, name = rest.lstrip("/").partition("/")
        name, slash, more = name.partition("/")
        target = self.objects.get(f"{self.former.actor_id}/{kind}/{name}")
        username = self.ids.username(self.actor_id) or ""
        if target is None:
            return (self.ids.page(username) if page else self.actor_id) + rest
        return (self.ids.object_page(target) if page else target) + slash + more
