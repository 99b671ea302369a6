"""Which links of a page say that it belongs to who is behind them (rel=me, microformats.org/wiki/rel-me). Pure.

The page is a stranger's and may be made to cost time: everything here takes time in proportion to its length, and no
more than a fixed number of links is looked at (SECURITY 70).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from urllib.parse import urljoin

from schemas.urls import parse_url, url_of

MAX_LINKS = 2_000
MAX_ATTRIBUTES = 30
HIDDEN = ("script", "style", "textarea", "template", "noscript", "title", "xmp", "iframe")

_TAG = re.compile(r"<(?:a|link|area)[\s/]([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,20})\s{0,10}=\s{0,10}("[^"]*"|'[^']*'|[^\s"'>]+)""")


def links_back(html: str, page: str, wanted: frozenset[str]) -> bool:
    """Whether a page, found at `page`, has a link with rel=me to one of these addresses."""
    plain = {_bare(address) for address in wanted}
    return any(_bare(address) in plain for address in me_links(html, page))


def me_links(html: str, page: str) -> Iterator[str]:
    """The addresses behind the links with rel=me, of the first 2,000 links and the first 30 attributes of each."""
    for number, tag in enumerate(_TAG.finditer(_visible(html))):
        if number >= MAX_LINKS:
            return
        given: dict[str, str] = {}
        for found in islice(_ATTRIBUTE.finditer(tag[1]), MAX_ATTRIBUTES):
            given.setdefault(found[1].lower(), unescape(found[2].strip("\"'")))
        if "me" not in given.get("rel", "").lower().split():
            continue
        address = _resolved(page, given.get("href", ""))
        if address is not None:
            yield address


def _resolved(page: str, href: str) -> str | None:
    try:
        return url_of(urljoin(page, href.strip()))
    except ValueError:  # of urllib, for an address in brackets that is none
        return None


def _bare(address: str) -> str:
    """Without what makes no difference: a fragment, a slash at the end."""
    url = parse_url(address)
    return (url.origin + url.target).rstrip("/")


def _visible(html: str) -> str:
    """Without comments, and without elements whose text is not a part of the page: one step forward for each."""
    lower, kept, position = html.lower(), [], 0
    if len(lower) != len(html):  # a letter whose small form is longer would shift every place
        html = lower
    for match in _HIDING.finditer(lower):
        if match.start() < position:
            continue
        kept.append(html[position : match.start()])
        end = "-->" if match[0] == "<!--" else f"</{match[1]}"
        found = lower.find(end, match.end())
        if found < 0:
            return "".join(kept)
        position = found + len(end)
    return "".join((*kept, html[position:]))


_HIDING = re.compile(r"<!--|<(" + "|".join(HIDDEN) + r")(?=[\s/>])")
