"""A feed as JSON Feed 1.1."""

from __future__ import annotations

from typing import Any

from federation.clock import iso
from node.feeds.entries import Feed, Item
from schemas.strict_json import dumps

TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def write_json_feed(feed: Feed) -> bytes:
    """The document, in UTF-8."""
    document: dict[str, Any] = {
        "version": VERSION,
        "title": str(feed.title),
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "icon": feed.icon,
        "items": [_item(item) for item in feed.items],
    }
    return dumps({name: value for name, value in document.items() if value is not None})


def _item(item: Item) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "content_html": item.html,
        "date_published": iso(item.published),
        "date_modified": iso(item.updated),
        "authors": [{"name": item.author, "url": item.author_url}],
    }
    return written | ({"tags": list(item.tags)} if item.tags else {})
