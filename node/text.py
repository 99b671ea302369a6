"""Texts of people, made safe to show: Markdown of our own, HTML of strangers, plain words out of either.

Every function is total (any string gives a result) and takes time in proportion to its input. The rules:

- Tags, attributes, classes and URL schemes are lists of what may stay; nothing else does. No `style`, no `id`.
- Nothing is loaded from another server: of a picture its description stays, in brackets.
- A link shows where it leads: when its words name another host than the one behind it, that host is written after it.
- Characters that are not seen, or that turn the text around them, are taken out.
- Headings start below the page's own `h1` and skip no level.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING, Any, NamedTuple

import nh3

from schemas.errors import SchemaError
from schemas.urls import parse_url, url_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

TOP = 2
MAX_DEPTH = 50  # elements inside each other
MAX_TAG = 8_000  # characters of one tag that are searched for attributes
AMPERSAND = "\ue000"  # stands for `&amp;` where the parser would need quadratic time; taken out of every input
MAX_PARAGRAPH = 50_000  # characters that are read as Markdown in one go

INLINE = frozenset(
    ["a", "abbr", "b", "bdi", "br", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "rp", "rt", "ruby",
     "s", "samp", "small", "span", "strong", "sub", "sup", "u", "var", "wbr"]
)  # fmt: skip
BLOCKS = frozenset(
    ["blockquote", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
     "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"]
)  # fmt: skip
TAGS = INLINE | BLOCKS
ATTRIBUTES = {
    "a": {"href"},
    "img": {"alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "*": {"lang", "dir"},
}
CLASSES = {"a": {"mention", "hashtag", "u-url"}, "span": {"h-card", "mention"}}
SCHEMES = {"https", "http", "mailto"}
KEPT = TAGS | {"img"}  # a picture only until it has become its description
SILENT = {"script", "style", "template", "title", "textarea", "noscript", "iframe", "svg", "math", "object", "select"}
REL = "nofollow noopener noreferrer ugc"

_VALUES = {
    "lang": re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}\Z"),
    "dir": re.compile(r"(?:ltr|rtl|auto)\Z"),
    "start": re.compile(r"[0-9]{1,6}\Z"),
    "colspan": re.compile(r"[1-9][0-9]?\Z"),
    "rowspan": re.compile(r"[1-9][0-9]?\Z"),
    "scope": re.compile(r"(?:col|row)\Z"),
    "alt": re.compile(r""),
    "class": re.compile(r""),
}
_MAILTO = re.compile(r"mailto:[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\Z", re.IGNORECASE)

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ue000\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
    # joiners stay where scripts and emoji need them, between two characters that are not Latin
    "|(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])"
)
_LONE_AMPERSAND = re.compile(r"&(?!#?\w{1,31};)")
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^>="']++|=\s*+"[^"]*+"|=\s*+'[^']*+'|[="'])*+)>""")
_ATTRIBUTE = re.compile(r"""([a-zA-Z]{1,10})\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_ANY_TAG = re.compile(r"</?([a-zA-Z!?][a-zA-Z0-9]*)[^<>]*>")
_IMG = re.compile(r'<img(?: alt="([^"]*)")?>')
_LINK = re.compile(r"<a ([^>]*)>(.*?)</a>", re.DOTALL)
_HREF = re.compile(r'href="([^"]*)"')
_HEADING = re.compile(r"<(/?)h([1-6])([^>]*)>")
_BARE_URL = re.compile(r"https?://[^\s<>\"'`]{1,2000}")
_VOID = frozenset({"br", "hr", "img", "wbr"})
_SELF_CLOSING = frozenset({"p", "li", "dt", "dd", "td", "th", "tr", "rp", "rt"})
_INLINE = INLINE | {"img"}


class Heading(NamedTuple):
    """A heading of a text: its level on the page (2 to 6), the id that leads to it, its words."""

    level: int
    id: str
    words: str


class Outline(NamedTuple):
    """HTML whose headings have ids, and the list of them."""

    html: str
    headings: tuple[Heading, ...]


def markdown(text: str, *, top: int = TOP) -> str:
    """CommonMark with tables, strikethrough and bare addresses -> clean HTML; HTML inside stays text."""
    return _finished(_markdown().render(visible(text)), top)


def clean(html: str, *, top: int = TOP) -> str:
    """HTML of strangers -> clean HTML."""
    return _finished(_balanced(_LONE_AMPERSAND.sub("&amp;", visible(html))), top)


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
    """Clean HTML -> the same with an id on each heading, and what a table of contents is made of."""
    pieces: list[str] = []
    headings: list[Heading] = []
    taken: set[str] = set()
    levels: list[int] = []  # of the headings above the current one, as they were written
    open_at: list[tuple[int, int, int]] = []
    position = 0
    for match in _HEADING.finditer(html):
        pieces.append(html[position : match.start()])
        position = match.end()
        if match[1]:
            level, place, start = open_at.pop()
            words = plain(html[start : match.start()], 200)
            headings.append(Heading(level, _anchor(words, taken), words))
            pieces[place] = f'<h{level} id="{headings[-1].id}"{pieces[place]}>'
            pieces.append(f"</h{level}>")
        else:
            while levels and levels[-1] >= int(match[2]):
                levels.pop()
            levels.append(int(match[2]))
            open_at.append((min(6, top - 1 + len(levels)), len(pieces), match.end()))
            pieces.append(match[3])
    pieces.append(html[position:])
    return Outline("".join(pieces), tuple(headings))


def _anchor(words: str, taken: set[str]) -> str:
    """`t-first-words`, once on the page; the prefix keeps it apart from the page's own ids."""
    slug = "t-" + ("-".join(re.findall(r"\w+", words.lower()))[:60].strip("-") or "part")
    anchor, number = slug, 2
    while anchor in taken:
        anchor, number = f"{slug}-{number}", number + 1
    taken.add(anchor)
    return anchor


# ---- HTML


def _finished(html: str, top: int) -> str:
    html = _cleaner().clean(html.replace("&amp;", AMPERSAND))
    html = _IMG.sub(_description, html).replace(AMPERSAND, "&amp;")
    html = _UNSEEN.sub("", _LINK.sub(_honest, html))  # what a character reference hid comes out only now
    return _levelled(html, top).strip()


@lru_cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(KEPT),
        clean_content_tags=SILENT,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        allowed_classes=CLASSES,
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel=REL,
        strip_comments=True,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        value = value.replace(AMPERSAND, "&")
        return url_of(value) or (value if _MAILTO.match(value) else None)
    if name == "rel":
        return value
    pattern = _VALUES.get(name)
    return value if pattern is not None and pattern.match(value) else None


def _balanced(html: str) -> str:
    """The tags that may stay, each closed, at most MAX_DEPTH inside each other; everything else is gone.

    An HTML parser needs quadratic time, and worse, for elements that nest without end or that it must open again in
    each paragraph; what it reads after this has neither. What may stay in the end is still for the cleaner to say.
    """
    pieces: list[str] = []
    stack: list[str] = []
    position = 0
    lower = html.lower()
    while (start := html.find("<", position)) >= 0:
        pieces.append(html[position:start])
        match = _TAG.match(html, start)
        if match is None:
            position, text = _past_no_tag(html, start)
            pieces.append(text)
            continue
        position = match.end()
        name = match[2].lower()
        if name in SILENT and not match[1]:
            end = lower.find(f"</{name}", position)
            position = len(html) if end < 0 else end
        elif match[1]:
            pieces += _closed(stack, name) if name in stack else []
        elif name in KEPT:
            pieces += _opened(stack, name, match[3])
    pieces.append(html[position:])
    return "".join(pieces + [f"</{name}>" for name in reversed(stack)])


def _past_no_tag(html: str, start: int) -> tuple[int, str]:
    """After a comment or a declaration, a tag without an end, or a `<` that is only a character."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return (len(html), "") if end < 0 else (end + 3, "")
    if html[start + 1 : start + 2].isascii() and re.match(r"[a-zA-Z/!?]", html[start + 1 : start + 2]):
        end = -1 if html[start + 1] not in "/!?" else html.find(">", start)
        return (len(html), "") if end < 0 else (end + 1, "")
    return start + 1, "&lt;"


def _opened(stack: list[str], name: str, attributes: str) -> list[str]:
    pieces = []
    if stack and ((stack[-1] == name and name in _SELF_CLOSING) or (stack[-1] == "p" and name not in _INLINE)):
        pieces.append(f"</{stack.pop()}>")
    if len(stack) >= MAX_DEPTH:
        return pieces
    if name not in _VOID:
        stack.append(name)
    kept = [
        f' {match[1].lower()}="{_quoted(match[2])}"'
        for match in _ATTRIBUTE.finditer(attributes[:MAX_TAG])
        if match[1].lower() in _VALUES or match[1].lower() == "href"
    ]
    return [*pieces, f"<{name}{''.join(kept[:10])}>"]


def _quoted(value: str) -> str:
    bare = value[1:-1] if value[0] in "\"'" else value
    return bare.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _closed(stack: list[str], name: str) -> list[str]:
    pieces = []
    while True:
        pieces.append(f"</{stack[-1]}>")
        if stack.pop() == name:
            return pieces


def _description(match: re.Match[str]) -> str:
    words = escape(unescape(match[1] or "")).strip()
    return f"[{words}]" if words else ""


def _honest(match: re.Match[str]) -> str:
    """A link as it is, or with its true host after it (SECURITY 56)."""
    href = _HREF.search(match[1])
    host = _host(unescape(href[1])) if href else None
    if host is None or all(claim in (host, f"www.{host}") or f"www.{claim}" == host for claim in _claims(match[2])):
        return match[0]
    return f"{match[0]} ({escape(host)})"


def _host(href: str) -> str | None:
    if href[:7].lower() == "mailto:":
        return href.rpartition("@")[2].lower()
    try:
        return parse_url(href).host
    except SchemaError:
        return None


def _claims(inner: str) -> set[str]:
    """The host names that a link's words seem to name, as they look; of an address only the part before its path."""
    words = unicodedata.normalize("NFKC", unescape(_ANY_TAG.sub("", inner))).lower()
    claims = set()
    for word in words.split():
        authority = re.split(r"[/?#\\]", re.sub(r"\A\W*(?:\w+:/*)?", "", word, count=1), maxsplit=1)[0]
        for token in re.findall(r"[\w.-]+", authority):
            labels = token.strip(".-").split(".")
            if len(labels) > 1 and len(labels[-1]) > 1 and labels[-1].isalpha() and all(labels):
                claims.add(".".join(labels))
    return claims


def _words(html: str) -> str:
    """The text of HTML, blocks apart by a space."""
    spaced = _ANY_TAG.sub(lambda match: "" if match[1].lower() in _INLINE else " ", html)
    return " ".join(visible(unescape(_LONG_REFERENCE.sub("", spaced))).split())


def _levelled(html: str, top: int) -> str:
    """Headings from `top` downwards, none skipped."""
    levels: list[int] = []
    shown: list[int] = []

    def level(match: re.Match[str]) -> str:
        if match[1]:
            return f"</h{shown.pop()}>"
        while levels and levels[-1] >= int(match[2]):
            levels.pop()
        levels.append(int(match[2]))
        shown.append(min(6, top - 1 + len(levels)))
        return f"<h{shown[-1]}{match[3]}>"

    return _HEADING.sub(level, html)


# ---- Markdown


@lru_cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # heavy: only where somebody writes

    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "breaks": False})
    made.enable(["table", "strikethrough"])
    made.disable(["html_block", "html_inline"])
    made.core.ruler.before("inline", "long_paragraphs", _long_paragraphs)
    made.core.ruler.push("bare_urls", _bare_urls)
    return made


def _long_paragraphs(state: StateCore) -> None:
    """Nobody writes a paragraph of 50,000 characters by hand: it is shown as it is, not searched for Markdown."""
    from markdown_it.token import Token

    for token in state.tokens:
        if token.type == "inline" and len(token.content) > MAX_PARAGRAPH:
            words = Token("text", "", 0)
            words.content = token.content
            token.children, token.type = [words], "inline"
            token.content = ""


def _bare_urls(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = _linked(block.children)


def _linked(children: list[Token]) -> list[Token]:
    made: list[Token] = []
    inside = 0
    for token in children:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not inside and "://" in token.content:
            made.extend(_split(token))
        else:
            made.append(token)
    return made


def _split(token: Token) -> list[Token]:
    made: list[Token] = []
    position = 0
    for match in _BARE_URL.finditer(token.content):
        url = match[0].rstrip(".,;:!?…)]}*_")
        if url_of(url) is None:
            continue
        made += [
            _new("text", token.content[position : match.start()]),
            _new("link_open", "", 1, {"href": url}),
            _new("text", url),
            _new("link_close", "", -1),
        ]
        position = match.start() + len(url)
    return [*made, _new("text", token.content[position:])]


def _new(kind: str, content: str, nesting: Any = 0, attrs: dict[str, Any] | None = None) -> Token:
    from markdown_it.token import Token

    tag = "a" if kind.startswith("link") else ""
    return Token(kind, tag, nesting, attrs or {}, content=content)
