"""Texts of people, made fit to show: Markdown of our own, HTML of strangers, plain words out of either.

Every function is total (any string gives a result) and takes time in proportion to its input. What may stay in HTML
is said in `node.markup`. Besides, characters that are not seen, or that turn the text around them, are taken out, and
headings start below the page's own `h1` and skip no level.
"""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple

from node.linking import Links, Piece
from node.markup import ANY_TAG, INLINE, balanced, safe

TOP = 2
MAX_HEADINGS = 300  # of one text, that can be linked to

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ue000\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
    # joiners stay where scripts and emoji need them, between two characters that are not Latin
    "|(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])"
)
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")
_HEADING = re.compile(r"<(/?)h([1-6])([^>]*)>")
_TABLE = re.compile(r"<(/?)table\b[^>]*>")
_HASHTAG = re.compile(r'(<a [^<>]*class="mention hashtag") rel="[^"]*"')
_JOINED = INLINE | {"img"}


class Heading(NamedTuple):
    """A heading of a text: its level on the page (2 to 6), the id that leads to it, its words."""

    level: int
    id: str
    words: str


class Outline(NamedTuple):
    """HTML whose headings have ids, and the list of them."""

    html: str
    headings: tuple[Heading, ...]


class Linked(NamedTuple):
    """HTML of a text of ours, and the names and hashtags in it that became links."""

    html: str
    found: tuple[Piece, ...]


def markdown(text: str, *, top: int = TOP) -> str:
    """CommonMark with tables, strikethrough and bare addresses -> clean HTML; HTML inside stays text."""
    from node.markdown import render  # heavy: only where somebody writes

    return _finished(render(visible(text))[0], top)


def linked(text: str, links: Links, *, top: int = TOP) -> Linked:
    """The same, with names and hashtags as links; a hashtag's says what it is (`rel=tag`, as microformats have it)."""
    from node.markdown import render

    html, found = render(visible(text), links)
    return Linked(_HASHTAG.sub(r'\1 rel="tag"', _finished(html, top)), tuple(dict.fromkeys(found)))


def clean(html: str, *, top: int = TOP) -> str:
    """HTML of strangers -> clean HTML."""
    return _finished(balanced(visible(html)), top)


def plain(html: str, limit: int) -> str:
    """The words of HTML on one line, at most `limit` characters, cut between words; to be escaped where shown."""
    return shorten(_words(html[: limit * 20 + 2_000]), limit)


def one_line(text: str, limit: int) -> str:
    """A name or a title: on one line, no character that is not seen, at most `limit` characters."""
    return " ".join(visible(text[: limit * 4]).split())[:limit].rstrip()


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words where there are any."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    return (head[: head.rfind(" ")] if " " in head[limit // 2 :] else head).rstrip() + "…"


def visible(text: str) -> str:
    """Without control characters, bidirectional overrides, zero-width characters and lone surrogates."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def outline(html: str, *, top: int = TOP) -> Outline:
    """Clean HTML -> the same with an id on its first 300 headings, and what a table of contents is made of."""
    pieces: list[str] = []
    headings: list[Heading] = []
    anchors: dict[str, int] = {}
    levels = _Levels(top)
    open_at: list[tuple[int, int, int]] = []
    position = 0
    for match in _HEADING.finditer(html):
        pieces.append(html[position : match.start()])
        position = match.end()
        if not match[1]:
            open_at.append((levels.below(int(match[2])), len(pieces), match.end()))
            pieces.append(match[3])
            continue
        level, place, start = open_at.pop()
        anchor = ""
        if len(headings) < MAX_HEADINGS:
            words = plain(html[start : match.start()], 200)
            anchor = _anchor(words, anchors)
            headings.append(Heading(level, anchor, words))
        mark = f' id="{anchor}"' if anchor else ""
        pieces[place] = f"<h{level}{mark}{pieces[place]}>"
        pieces.append(f"</h{level}>")
    pieces.append(html[position:])
    return Outline("".join(pieces), tuple(headings))


def roomy(html: str) -> str:
    """Clean HTML -> the same, each table in a box that scrolls sideways on a phone, by keyboard too."""
    return _TABLE.sub(_boxed, html)


def _boxed(match: re.Match[str]) -> str:
    if match[1]:
        return f"{match[0]}</div>"
    return f'<div class="table-wrap" role="group" aria-label="Table" tabindex="0">{match[0]}'


class _Levels:
    """Headings as they were written -> levels from `top` downwards, none skipped."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._above: list[int] = []

    def below(self, written: int) -> int:
        while self._above and self._above[-1] >= written:
            self._above.pop()
        self._above.append(written)
        return min(6, self._top - 1 + len(self._above))


def _anchor(words: str, anchors: dict[str, int]) -> str:
    """`t-first-words`, once on the page; the prefix keeps it apart from the page's own ids."""
    slug = "t-" + ("-".join(re.findall(r"\w+", words.lower()))[:60].strip("-") or "part")
    anchor = slug
    while anchor in anchors:
        anchors[slug] += 1
        anchor = f"{slug}-{anchors[slug]}"
    anchors[anchor] = 1
    return anchor


def _finished(html: str, top: int) -> str:
    return _levelled(visible(safe(html)), top).strip()  # what a character reference hid comes out only now


def _words(html: str) -> str:
    """The text of HTML, blocks apart by a space."""
    spaced = ANY_TAG.sub(lambda match: "" if match[1].lower() in _JOINED else " ", html)
    return " ".join(visible(unescape(_LONG_REFERENCE.sub("", spaced))).split())


def _levelled(html: str, top: int) -> str:
    levels = _Levels(top)
    shown: list[int] = []

    def level(match: re.Match[str]) -> str:
        if match[1]:
            return f"</h{shown.pop()}>"
        shown.append(levels.below(int(match[2])))
        return f"<h{shown[-1]}{match[3]}>"

    return _HEADING.sub(level, html)
