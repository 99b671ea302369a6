"""Modules, and the Notes that announce them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Audience
from schemas.errors import Malformed, SchemaError
from schemas.jsonld import normalise
from schemas.learning import (
    Module,
    is_module,
    minutes_of,
    parse_module,
    write_announcement,
    write_duration,
    write_module,
)
from schemas.money import Skill
from schemas.notes import parse_note
from schemas.strict_json import dumps, loads_object
from schemas.terms import LD_JSON_AS, PUBLIC
from tests.schemas.shapes import NAMES, WRONG, documents
from tests.vectors import load

MODULE = Module(
    id="https://a.example/learn/1",
    owner="https://a.example/u",
    title="Advanced aiohttp",
    content="<h2>Advanced aiohttp</h2><p>Chapter one</p>",
    summary="<p>Servers and clients.</p>",
    licence="https://creativecommons.org/licenses/by/4.0/",
    skills=(
        Skill("Python", "http://data.europa.eu/esco/skill/ccd0a1d9-afda-43d9-b901-96344886e14d"),
        Skill("Tea", None),
    ),
    minutes=360,
    url="https://a.example/@u/learn/1",
)
TO = Audience((PUBLIC,), ("https://a.example/u/followers",))


def written(module=MODULE, updated=None):
    return loads_object(dumps(write_module(module, audience=TO, published="2026-12-07T10:00:00Z", updated=updated)))


@pytest.mark.parametrize("module", [MODULE, Module(MODULE.id, MODULE.owner, "Tea", "<h2>Tea</h2>")])
def test_what_we_write_is_what_we_read(module):
    document = written(module, updated="2026-12-08T10:00:00Z")
    assert normalise(document) is document
    assert is_module(document)
    read = parse_module(document)
    for name in set(MODULE.__struct_fields__) - {"published", "updated"}:
        assert getattr(read, name) == getattr(module, name), name
    assert read.updated.day == 8


def test_an_announcement_links_its_module():
    document = write_announcement(
        MODULE, note_id="https://a.example/notes/2", content="<p>New</p>", audience=TO, published="2026-12-07T10:00:00Z"
    )
    note = parse_note(document)
    assert note.tags[0].href == MODULE.id
    assert document["tag"][0]["mediaType"] == LD_JSON_AS
    assert normalise(document) is document


def test_the_example_is_read():
    module = parse_module(normalise(load("examples/module-article.json")))
    assert (module.title, module.minutes, module.licence) == (
        "Advanced aiohttp",
        360,
        "https://creativecommons.org/licenses/by/4.0/",
    )
    assert len(module.skills) == 1


@pytest.mark.parametrize("name", ["id", "attributedTo", "type"])
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_what_a_module_needs_is_of_the_right_type(name, value):
    with pytest.raises(Malformed):
        parse_module(written() | {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_086_what_a_module_may_have_is_read_or_refused(name):
    for value in WRONG:
        for inside in (value, [value], {"id": value}):
            try:
                parse_module(written() | {name: inside})
            except SchemaError:
                continue


def test_an_article_is_no_module_unless_it_says_so():
    assert not is_module({"type": "Article"})
    assert is_module({"type": "Article", "schema:teaches": []})
    assert not is_module({"type": "Note", "teaches": []})


@pytest.mark.parametrize(
    ("text", "minutes"), [("PT6H", 360), ("PT45M", 45), ("PT1H30M", 90), ("P1D", 1440), ("P1DT1M", 1441)]
)
def test_durations(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    "value",
    [*WRONG, "P", "PT", "PT0M", "P1Y", "P1W", "PT1S", "PT-5M", "PT1.5H", "PT" + "9" * 50 + "M", "PT٥M", "PT5M\n"],
    ids=repr,
)
def test_089_odd_durations_are_none(value):
    assert minutes_of(value) is None


@given(st.integers(1, 10_000))
def test_durations_survive_a_journey(minutes):
    assert minutes_of(write_duration(minutes)) == minutes


@given(documents)
def test_174_the_reader_is_total(document):
    for value in (document, written() | document):
        try:
            parse_module(value)
        except SchemaError:
            continue
