"""A feed as Atom (RFC 4287)."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from federation.clock import iso
from node.feeds.entries import Feed, Item

TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

register_namespace("", NAMESPACE)


def write_atom(feed: Feed) -> bytes:
    """The document, in UTF-8; whatever stands in the texts is escaped, or left out where XML has no way to say it."""
    root = Element(f"{{{NAMESPACE}}}feed")
    _text(root, "id", feed.address)
    _text(root, "title", feed.title)
    _text(root, "updated", iso(feed.updated))
    _link(root, "self", feed.address, TYPE)
    _link(root, "alternate", feed.page, "text/html")
    if feed.icon:
        _text(root, "icon", feed.icon)
    _text(root, "generator", "Freehold")
    for item in feed.items:
        _entry(root, item)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _entry(root: Element, item: Item) -> None:
    entry = SubElement(root, f"{{{NAMESPACE}}}entry")
    _text(entry, "id", item.id)
    _text(entry, "title", item.title)
    _text(entry, "published", iso(item.published))
    _text(entry, "updated", iso(item.updated))
    _link(entry, "alternate", item.url, "text/html")
    author = SubElement(entry, f"{{{NAMESPACE}}}author")
    _text(author, "name", item.author)
    _text(author, "uri", item.author_url)
    for tag in item.tags:
        SubElement(entry, f"{{{NAMESPACE}}}category", {"term": _clean(tag)})
    _text(entry, "content", item.html).set("type", "html")


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = _clean(text)
    return element


def _link(parent: Element, rel: str, href: str, kind: str) -> None:
    SubElement(parent, f"{{{NAMESPACE}}}link", {"rel": rel, "href": _clean(href), "type": kind})


def _clean(text: str) -> str:
    return _NO_XML.sub("", str(text))
