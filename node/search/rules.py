"""Texts -> the terms by which they are found; what somebody typed -> a query; what fits best comes first. Pure.

A term is a run of letters and digits, in small letters and without accents. Scripts that put no spaces between words
(Chinese, Japanese, Thai) are cut into pairs of characters instead. The same is done to a text and to a query, so that
neither engine's own way of cutting words matters, and nothing that anybody types is an operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from node.linking import pieces

Kind = Literal["people", "gig", "module", "post"]
KINDS: tuple[Kind, ...] = get_args(Kind)

VERSION = 1
"""Of the terms: whoever changes how they are made raises it, and every node writes its index anew."""
MAX_TEXT = 20_000  # characters of a text that are looked through
MAX_TERMS = 600  # of one thing
MAX_TERM = 40  # characters
MAX_QUERY = 200
MAX_WORDS = 8  # of a query
MIN_BEGINNING = 3  # so many letters may stand for a longer word

_ACCENTS = re.compile("[\u0300-\u036f]")
_MARKS = "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0e3a\u0e40-\u109f\u1780-\u17d3"
_TERM = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_HANDLE = re.compile(r"@?[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?@[a-z0-9][a-z0-9.-]{0,251}(?::[0-9]{1,5})?\Z", re.I)


def terms(text: str) -> Iterator[str]:
    """The terms of a text in their order, as often as they stand in it."""
    for match in _TERM.finditer(_folded(text[:MAX_TEXT])):
        yield from _parts(match[0])


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", apart))


def _parts(word: str) -> Iterator[str]:
    """A word, but for the runs of characters that know no words."""
    if word.isascii():
        yield word[:MAX_TERM]
        return
    position = 0
    for run in _UNSPACED.finditer(word):
        if position < run.start():
            yield word[position : run.start()][:MAX_TERM]
        yield from _pairs(run[0])
        position = run.end()
    if position < len(word):
        yield word[position:][:MAX_TERM]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def distinct(texts: Iterable[str], most: int = MAX_TERMS) -> list[str]:
    """The different terms of several texts, the first ones first."""
    found: dict[str, None] = {}
    for text in texts:
        for term in terms(text):
            found[term] = None
            if len(found) >= most:
                return list(found)
    return list(found)


class Query(NamedTuple):
    """What somebody looks for. terms: all of them must be there; none where nothing can be looked for."""

    text: str
    terms: tuple[str, ...]


def parse_query(text: str) -> Query:
    """Whatever is typed is a query: at most 200 characters and 8 words of it count."""
    text = " ".join(text[: 4 * MAX_QUERY].split())[:MAX_QUERY]
    return Query(text, tuple(distinct([text], MAX_WORDS)))


def is_somebody(text: str) -> bool:
    """Whether this is written as the handle of somebody, `@name@host` or `name@host`."""
    return _HANDLE.match(text) is not None


def is_address(text: str) -> bool:
    """Whether this is written as an address."""
    return text.startswith(("https://", "http://")) and " " not in text


@lru_cache(4096)
def hashtag(name: str) -> str | None:
    """`#Contract_Law` or `Contract_Law` -> `contract_law`, as a hashtag is known; None for what is none."""
    name = f"#{name.strip().removeprefix('#')}"
    found = list(pieces(name))
    return found[0].key if len(found) == 1 and found[0].kind == "hashtag" else None


class Candidate(NamedTuple):
    """Something that has all the terms of a query. title: its name or title, as terms with spaces between."""

    subject: str
    kind: Kind
    owner: str
    title: str
    at: datetime


def ranked(found: Iterable[Candidate], query: Query) -> list[Candidate]:
    """What has more of the words in its name or title first; of several that are alike, the newest."""
    return sorted(found, key=lambda one: (_fitting(one.title, query.terms), one.at), reverse=True)


def _fitting(title: str, wanted: Sequence[str]) -> int:
    """3: the title is the query; 2: has all of it; 1: some; 0: nothing."""
    if not title:
        return 0
    words = title.split()
    there = sum(any(word.startswith(term) for word in words) for term in wanted)
    if there < len(wanted):
        return min(there, 1)
    return 3 if len(words) == len(wanted) else 2
