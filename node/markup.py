"""HTML of strangers -> HTML that nobody can do harm with.

- Tags, attributes, classes and URL schemes are lists of what may stay; nothing else does. No `style`, no `id`.
- Nothing is loaded from another server: of a picture its description stays, in brackets.
- A link shows where it leads: when its words name another host than the one behind it, that host is written after it.

Two steps. `balanced` is a reader of ours, whose time grows with the length of its input and nothing else: it leaves a
tree that an HTML parser can read in the same time. `safe` lets nh3 read that tree and keep what is on the lists.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import escape, unescape

import nh3

from schemas.errors import SchemaError
from schemas.urls import parse_url, url_of

MAX_DEPTH = 50  # elements inside each other
MAX_TAG = 8_000  # characters of one tag that are searched for attributes
AMPERSAND = "\ue000"  # stands for `&amp;` where the parser would need quadratic time; taken out of every input

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

ANY_TAG = re.compile(r"</?([a-zA-Z!?][a-zA-Z0-9]*)[^<>]*>")

_LONE_AMPERSAND = re.compile(r"&(?!#?\w{1,31};)")
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^>="']++|=\s*+"[^"]*+"|=\s*+'[^']*+'|[="'])*+)>""")
_ATTRIBUTE = re.compile(r"""([a-zA-Z]{1,10})\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_IMG = re.compile(r'<img(?: alt="([^"]*)")?>')
_LINK = re.compile(r"<a ([^>]*)>(.*?)</a>(?:(?= \(([^()<>\s]{1,253})\)))?", re.DOTALL)
_HREF = re.compile(r'href="([^"]*)"')
_VOID = frozenset({"br", "hr", "img", "wbr"})
_SELF_CLOSING = frozenset({"p", "li", "dt", "dd", "td", "th", "tr", "rp", "rt"})
_INLINE = INLINE | {"img"}
_ALONE = (frozenset({"a"}), frozenset({"h1", "h2", "h3", "h4", "h5", "h6"}))
"""What stands in none of its own kind, however deep: a parser would take the outer one apart."""
_ROWS = frozenset({"table", "tbody", "tfoot", "thead", "tr"})
_IN_ROWS = frozenset({"caption", "tbody", "td", "tfoot", "th", "thead", "tr"}) | _VOID


def safe(html: str) -> str:
    """HTML that is balanced already, without what is not on the lists; no text of it is lost."""
    html = _cleaner().clean(html.replace("&amp;", AMPERSAND)).replace(' class=""', "")
    html = _IMG.sub(_description, html).replace(AMPERSAND, "&amp;")
    return _LINK.sub(_honest, html)


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
    pattern = _VALUES.get(name) if tag != "img" or name == "alt" else None
    return value if pattern is not None and pattern.match(value) else None


def balanced(html: str) -> str:
    """The tags that may stay, each closed, at most MAX_DEPTH inside each other; everything else is gone.

    An HTML parser needs quadratic time, and worse, for elements that nest without end or that it must open again in
    each paragraph; what it reads after this has neither. What may stay in the end is still for the cleaner to say.
    """
    html = _LONE_AMPERSAND.sub("&amp;", html)
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
    pieces: list[str] = []
    if stack and stack[-1] in _ROWS and name not in _IN_ROWS:
        return pieces  # a parser would move it out of the table, into something that it may not stand in
    if stack and ((stack[-1] == name and name in _SELF_CLOSING) or (stack[-1] == "p" and name not in _INLINE)):
        pieces.append(f"</{stack.pop()}>")
    for outer in [one for one in stack for kind in _ALONE if one in kind and name in kind]:
        pieces += _closed(stack, outer)
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
    """A link as it is, or with its true host after it (SECURITY 56), once however often it is cleaned."""
    href = _HREF.search(match[1])
    host = _host(unescape(href[1])) if href else None
    if (
        host is None
        or match[3] == escape(host)
        or all(claim in (host, f"www.{host}") or f"www.{claim}" == host for claim in _claims(match[2]))
    ):
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
    words = unicodedata.normalize("NFKC", unescape(ANY_TAG.sub("", inner))).lower()
    claims = set()
    for word in words.split():
        authority = re.split(r"[/?#\\]", re.sub(r"\A\W*(?:\w+:/*)?", "", word, count=1), maxsplit=1)[0]
        for token in re.findall(r"[\w.-]+", authority):
            labels = token.strip(".-").split(".")
            if len(labels) > 1 and len(labels[-1]) > 1 and labels[-1].isalpha() and all(labels):
                claims.add(".".join(labels))
    return claims
