"""Markdown -> HTML, not yet clean: CommonMark with tables, strikethrough and bare addresses. HTML inside stays text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from node.linking import Links, Piece, pieces
from schemas.urls import url_of

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore

MAX_PARAGRAPH = 50_000  # characters that are read as Markdown in one go

_BARE_URL = re.compile(r"https?://[^\s<>\"'`]{1,2000}")


def render(text: str, links: Links | None = None) -> tuple[str, list[Piece]]:
    """What a text in Markdown means, and the names and hashtags in it that became links."""
    env: dict[str, Any] = {"links": links, "linked": []}
    html: str = _renderer().render(text, env)
    return html, env["linked"]


@lru_cache
def _renderer() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False, "breaks": False})
    made.enable(["table", "strikethrough"])
    made.disable(["html_block", "html_inline"])
    made.core.ruler.before("inline", "long_paragraphs", _long_paragraphs)
    made.core.ruler.push("bare_urls", _bare_urls)
    made.core.ruler.push("names", _names)
    return made


def _long_paragraphs(state: StateCore) -> None:
    """Nobody writes a paragraph of 50,000 characters by hand: it is shown as it is, not searched for Markdown."""
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
    return _replaced(children, lambda token: _split(token) if "://" in token.content else [token])


def _replaced(children: list[Token], split: Callable[[Token], list[Token]]) -> list[Token]:
    """Each text that is not inside a link, as the tokens that it becomes."""
    made: list[Token] = []
    inside = 0
    for token in children:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        made += split(token) if token.type == "text" and not inside else [token]
    return made


def _names(state: StateCore) -> None:
    links: Links | None = state.env.get("links")
    if links is None:
        return
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = _replaced(block.children, lambda token: _named(token, links, state.env["linked"]))


def _named(token: Token, links: Links, linked: list[Piece]) -> list[Token]:
    made: list[Token] = []
    for piece in pieces(token.content):
        href = links.href(piece)
        if href is None:
            made.append(_new("text", piece.words))
            continue
        linked.append(piece)
        kind = "u-url mention" if piece.kind == "mention" else "mention hashtag"
        made += [_new("link_open", "", 1, {"href": href, "class": kind}), _new("text", piece.words)]
        made.append(_new("link_close", "", -1))
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
    tag = "a" if kind.startswith("link") else ""
    return Token(kind, tag, nesting, attrs or {}, content=content)
