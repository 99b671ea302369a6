"""What is true of every input: readers return or refuse, writers and readers agree, what is clean stays clean."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keys.canonical import jcs
from node.text import clean, markdown, one_line, plain, visible
from schemas import actors, attachments, collections, cv, jsonld, learning, market, notes, packs, polls, profiles
from schemas.base import audience_of, envelope_of
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads
from tests.node.test_text import XSS, check
from tests.schemas.shapes import documents

READERS = [
    envelope_of, audience_of, jsonld.normalise, notes.parse_note, notes.tags_of, polls.parse_poll,
    attachments.attachments_of, market.is_gig, market.parse_gig, learning.parse_module, learning.is_announcement,
    actors.parse_actor, profiles.profile_of, profiles.parse_card, cv.cv_of, packs.parse_pack, collections.items_of,
]  # fmt: skip
KINDS = ("Note", "Article", "Question", "Person", "Profile", "Collection", "OrderedCollection", "Image", "Proposal")
FIELDS = (
    "oneOf", "anyOf", "closed", "votersCount", "items", "orderedItems", "first", "describes", "portfolio", "quote",
    "image", "schema:worksFor", "schema:sameAs", "schema:abstract", "totalItems", "teaches", "replies",
)  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_174_every_reader_returns_or_refuses(reader: Any) -> None:
    odd = (
        st.none()
        | st.booleans()
        | st.integers(-3, 3)
        | st.text(max_size=4)
        | documents
        | st.lists(documents, max_size=3)
    )

    @settings(max_examples=60, deadline=None)
    @given(documents, st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), odd, max_size=4))
    def holds(document: dict[str, Any], kind: str, more: dict[str, Any]) -> None:
        named = {"id": "https://a.example/1", "type": kind, "attributedTo": "https://a.example/u"}
        for one in (document, named | document, document | more | named):
            try:
                reader(one)
            except SchemaError:
                pass

    holds()


# ---- JSON


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != 0 and len(repr(number)) < 40)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), inner)
    ),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=200)
def test_026_what_is_written_is_read_back(value: Any) -> None:
    assert loads(dumps(value)) == value
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert loads(text.encode()) == value


@given(
    JSON.map(json.dumps) | st.text(max_size=30) | st.sampled_from(['{"a":1e5}', '"\\ud83d\\ude02"', "1E+2", "[1.0]"])
)
@example('{"a":"\\u0061"}')
@example("1e-7")
@settings(max_examples=300)
def test_026_the_worker_reads_what_the_door_has_read(text: str) -> None:
    """The door reads strictly, and the same bytes are read again by a faster parser: there are not two readings."""
    body = text.encode("utf-8", "surrogatepass")
    try:
        value = loads(body)
    except SchemaError:
        return
    again = msgspec.json.decode(body)
    assert again == value
    assert json.dumps(again) == json.dumps(value), "of the same types, in the same order"


@given(JSON)
@settings(max_examples=200)
def test_021_what_is_signed_is_what_the_standard_says(value: Any) -> None:
    try:
        wanted = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        return
    assert jcs(value) == wanted


# ---- texts


PIECES = st.sampled_from(
    [*XSS, "<p>", "</p>", "<b>", "<a href='https://a.example/'>", "</a>", "<a href=https://b.example>a.example",
     "<ul><li>", "<table><tr>", "<h1>", "</h1>", "&amp;", "&lt;", "&#x202e;", "&", "<", ">", '"', "'", "\u202e",
     "a.example", "<img alt=x>", "<!--", "-->", "<br/>", "</ul>", "<span class=mention>", "<td>", "<pre><code>",
     "<blockquote>", "<q cite=x>"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=14).map("".join)


@given(TEXTS)
@example("<a href='https://b.example'>a.example</a>" * 3)
@example("<h1><h3><h1>")
@example("<h1><table><tr><h1>")
@example("<h1><a href='https://a.example'><h1>x<a href='https://b.example'>y")
@example("<li><table><li>x<table><a href='https://a.example'><tr><a href='https://b.example'>y")
@settings(max_examples=400, deadline=None)
def test_088_what_is_clean_stays_as_it_is(text: str) -> None:
    once = clean(text)
    check(once)
    assert clean(once) == once
    assert visible(once) == once


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_088_markdown_and_plain_words_are_total(text: str) -> None:
    check(markdown(text))
    assert clean(markdown(text)) == markdown(text)
    assert len(plain(text, 50)) <= 50
    assert one_line(one_line(text, 40), 40) == one_line(text, 40)


GROWING = [
    "<b>", "</b>", "<a href='", "<p title='", "&lt;", "&", "<table><tr><td>", "<ul><li>", "a.b ", "@a@b.example ",
    "#a ", "<a href=https://b.example>a.example</a> ", "<h1>x</h1>", "<!--", "]]>", "\u202e", "<img alt='x'>", "<q>",
    "<<",
]  # fmt: skip


@pytest.mark.parametrize("piece", GROWING)
def test_088_twice_the_text_takes_about_twice_the_time(piece: str) -> None:
    def spent(size: int) -> float:
        text = piece * (size // len(piece))
        return min(_timed(text) for _ in range(3))

    small, large = spent(40_000), spent(320_000)
    assert large < 8 * 4 * max(small, 0.002), "eight times the text: quadratic would be sixty-four times the time"


def _timed(text: str) -> float:
    began = time.process_time()
    clean(text)
    plain(text, 500)
    return time.process_time() - began
