"""What a feed is made of, whatever it is written as: things that anybody may read, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from federation.ids import Ids
from node.learning.queries import ModuleView
from node.market.queries import GigView
from node.market.wire import PURPOSES, price_words
from node.profiles.queries import Person
from node.social.views import PostView

MOST = 30
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing. html is clean; url is the page for people, author the name of whoever published it."""

    id: str
    url: str
    title: str
    html: str
    author: str
    author_url: str
    published: datetime
    updated: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its page, where it stands itself, and what is in it."""

    title: str
    page: str
    address: str
    items: tuple[Item, ...]
    icon: str | None = None

    @property
    def updated(self) -> datetime:
        """When the last of it changed."""
        return max((item.updated for item in self.items), default=NEVER)


Thing = PostView | GigView | ModuleView


def items_of(things: Iterable[Thing], owners: Mapping[str, Person], ids: Ids) -> tuple[Item, ...]:
    """The newest of several things; those whose owner is not known are left out."""
    newest = sorted(things, key=lambda thing: (thing.published, thing.id), reverse=True)[:MOST]
    return tuple(_item(thing, owners[thing.owner], ids) for thing in newest if thing.owner in owners)


def _item(thing: Thing, owner: Person, ids: Ids) -> Item:
    title, html, tags = _said(thing)
    page = thing.page if thing.local else None  # of others' pages only their word is known
    return Item(
        id=thing.id,
        url=page or f"{ids.origin}{thing.path}",
        title=title,
        html=html,
        author=owner.name,
        author_url=owner.url if owner.local else f"{ids.origin}{owner.page}",
        published=thing.published,
        updated=max(thing.updated, thing.published),
        tags=tags,
    )


def _said(thing: Thing) -> tuple[str, str, tuple[str, ...]]:
    """Title, text and tags."""
    if isinstance(thing, GigView):
        terms = f"{PURPOSES[thing.purpose]}: {price_words(thing.price, thing.currency, thing.unit)}."
        return thing.title, f"<p>{escape(str(terms))}</p>\n{thing.body_html}", _names(thing)
    if isinstance(thing, ModuleView):
        summary = f"<p>{escape(thing.summary)}</p>\n" if thing.summary else ""
        return thing.title, summary + thing.body_html, _names(thing)
    warning = f"<p><strong>{escape(thing.warning)}</strong></p>\n" if thing.warning else ""
    return str(thing.title), warning + thing.html, ()


def _names(thing: GigView | ModuleView) -> tuple[str, ...]:
    return tuple(skill.name for skill in thing.skills)
