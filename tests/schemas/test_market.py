"""Gigs, and the numbers in them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Audience
from schemas.errors import Malformed, SchemaError
from schemas.jsonld import normalise
from schemas.market import Gig, is_gig, parse_gig, write_gig
from schemas.money import MAX_SKILLS, Skill, currency_of, decimal_of, skills_of, text_number, unit_of
from schemas.notes import Tag, parse_note
from schemas.strict_json import dumps, loads_object
from schemas.terms import PUBLIC
from tests.schemas.shapes import NAMES, WRONG, documents
from tests.vectors import load

PYTHON = Skill("Python", "http://data.europa.eu/esco/skill/ccd0a1d9-afda-43d9-b901-96344886e14d")
GIG = Gig(
    id="https://a.example/gigs/1",
    owner="https://a.example/u",
    purpose="offer",
    title="API audit, 3 days",
    content="<p><strong>API audit, 3 days</strong></p>",
    unit="day",
    skills=(PYTHON, Skill("Audit", None)),
    price=Decimal("650.00"),
    currency="EUR",
    available=Decimal(20),
    minimum=Decimal(3),
    url="https://a.example/@u/gigs/1",
    tags=(Tag("Hashtag", "#python", "https://a.example/tags/python"),),
)
TO = Audience((PUBLIC,), ())


def written(gig=GIG, **more):
    times = {"published": "2026-12-07T10:00:00Z", "updated": None, "end_time": None} | more
    return loads_object(dumps(write_gig(gig, audience=TO, **times)))


def changed(**changes):
    return Gig(**{name: getattr(GIG, name) for name in GIG.__struct_fields__} | changes)


@pytest.mark.parametrize(
    "gig",
    [
        GIG,
        changed(purpose="request", unit="hour"),
        changed(unit="one", price=None, currency=None, available=None, minimum=None, skills=(), tags=()),
        changed(price=Decimal("0.50"), skills=(Skill("Tea", None),)),
    ],
)
def test_what_we_write_is_what_we_read(gig):
    document = written(gig, updated="2026-12-08T10:00:00Z", end_time="2027-01-01T00:00:00Z")
    assert normalise(document) is document
    assert is_gig(document)
    read = parse_gig(document)
    for name in set(GIG.__struct_fields__) - {"published", "updated", "end_time"}:
        assert getattr(read, name) == getattr(gig, name), name
    assert (read.updated.day, read.end_time.year) == (8, 2027)


def test_a_gig_is_a_note_that_everybody_can_read():
    document = written()
    note = parse_note(document)
    assert (document["type"], note.content, note.name, note.summary) == ("Note", GIG.content, "", "")


def test_the_example_is_read():
    document = load("examples/gig-note.json")
    gig = parse_gig(normalise(document))
    assert (gig.purpose, gig.unit, gig.price, gig.currency) == ("offer", "day", Decimal("650.00"), "EUR")
    assert gig.skills[0].uri == PYTHON.uri


def test_a_proposal_of_another_dialect_is_a_gig():
    document = {
        "type": "Proposal",
        "id": "https://b.example/p/1",
        "attributedTo": "https://b.example/u",
        "name": "Bike",
        "vf:purpose": "request",
        "vf:publishes": [{"vf:resourceQuantity": {"om2:hasUnit": "vf:hour", "om2:hasNumericalValue": 2}}],
        "vf:reciprocal": {
            "vf:resourceConformsTo": "urn:iso:std:iso:4217:USD",
            "vf:resourceQuantity": {"hasNumericalValue": 9.5},
        },
    }
    assert is_gig(document)
    gig = parse_gig(document)
    assert (gig.title, gig.purpose, gig.unit, gig.price, gig.currency) == (
        "Bike",
        "request",
        "hour",
        Decimal("9.5"),
        "USD",
    )


@pytest.mark.parametrize("name", ["id", "attributedTo", "purpose", "publishes"])
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_what_a_gig_needs_is_of_the_right_type(name, value):
    if name == "publishes" and value in ([{}], {}, {"id": None}, {"id": ["x"]}, {"type": "x"}):
        assert parse_gig(written() | {name: value}).unit == "one"  # an intent that says nothing
        return
    with pytest.raises(Malformed):
        parse_gig(written() | {name: value})


@pytest.mark.parametrize("name", NAMES)
def test_086_what_a_gig_may_have_is_read_or_refused(name):
    for value in WRONG:
        for where in (
            {name: value},
            {"publishes": {name: value}},
            {"reciprocal": {name: {"hasNumericalValue": value}}},
        ):
            try:
                parse_gig(written() | where)
            except SchemaError:
                continue


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-0",
        "+5",
        " 5",
        "5 ",
        "1_000",
        "1,000",
        "٥",
        "NaN",
        "Infinity",
        "1e400",
        "1e-999999",
        "",
        ".5",
        "5.",
        "0x5",
        "1" * 5_000,
        "1000000000000",
        "1e13",
        "0." + "1" * 13,
    ],
)
def test_089_prices_that_are_none_are_refused(text):
    assert decimal_of(text) is None
    document = written()
    document["reciprocal"]["resourceQuantity"]["hasNumericalValue"] = text
    assert parse_gig(document).price is None


@pytest.mark.parametrize("value", [True, None, [], {}, -1, -0.5, float("inf"), float("nan"), 10**12, 1e12])
def test_089_numbers_that_are_none_are_refused(value):
    assert decimal_of(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [("0", "0"), ("12.50", "12.50"), (7, "7"), (0.1, "0.1"), ("1e3", "1000"), ("999999999999", "999999999999")],
)
def test_089_usual_numbers_are_read_exactly(value, number):
    assert decimal_of(value) == Decimal(number)


@given(st.decimals(0, 10**11, places=2))
def test_money_survives_a_journey(amount):
    assert decimal_of(text_number(amount)) == amount


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("EUR", "EUR"),
        ("urn:iso:std:iso:4217:CHF", "CHF"),
        ("eur", None),
        ("EURO", None),
        ("ÄÖÜ", None),
        ("", None),
        (7, None),
        (["EUR"], None),
    ],
)
def test_currencies(value, code):
    assert currency_of(value) == code


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("hour", "hour"),
        ("HUR", "hour"),
        ("om2:day", "day"),
        ("https://x.example/one", "one"),
        ("week", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_units(value, unit):
    assert unit_of(value) == unit


def test_skills_in_any_shape():
    value = [
        PYTHON.uri,
        "Tea",
        {"@id": PYTHON.uri, "schema:name": "Python"},
        {"name": "n" * 200},
        {},
        "",
        7,
        None,
        ["x"],
    ]
    assert skills_of(value) == (Skill("", PYTHON.uri), Skill("Tea", None), PYTHON, Skill("n" * 100, None))
    assert len(skills_of(["Tea"] * 900)) == MAX_SKILLS


@given(documents)
def test_174_the_reader_is_total(document):
    for value in (document, written() | document, document | {"publishes": document, "reciprocal": document}):
        is_gig(normalise_or_same(value))
        try:
            parse_gig(value)
        except SchemaError:
            continue


def normalise_or_same(value):
    try:
        return normalise(value)
    except SchemaError:
        return value
