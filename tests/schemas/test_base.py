"""What every document has, read whatever shape it comes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given

from schemas.base import (
    MAX_MANY,
    Audience,
    Envelope,
    audience_of,
    datetime_of,
    envelope_of,
    first_object,
    id_of,
    ids_of,
    link_of,
    localised,
    many,
    objects_of,
    text_of,
)
from schemas.errors import Malformed, SchemaError
from schemas.terms import PUBLIC
from tests.schemas.shapes import WRONG, anything, documents

ACTIVITY = {"id": "https://a.example/1", "type": "Create", "actor": "https://a.example/u"}
FOLLOWERS = "https://a.example/u/followers"


def test_an_envelope_is_read():
    expected = Envelope("https://a.example/1", "Create", "https://a.example/u")
    assert envelope_of(ACTIVITY) == expected
    assert envelope_of(ACTIVITY | {"actor": {"id": "https://a.example/u", "type": "Person"}}) == expected
    assert envelope_of(ACTIVITY | {"actor": ["https://a.example/u"]}) == expected


@pytest.mark.parametrize("name", ["id", "type", "actor"])
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_086_an_envelope_of_the_wrong_types_is_refused(name, value):
    with pytest.raises(Malformed):
        envelope_of(ACTIVITY | {name: value})


@pytest.mark.parametrize(
    "change",
    [
        {"id": "urn:uuid:1"},
        {"id": "https://good\\@evil/"},
        {"actor": "acct:a@b"},
        {"actor": ["https://a.example/u", "https://b.example/u"]},
        {"actor": [["https://a.example/u"]]},
        {"type": "x" * 65},
        {"type": ["Create"]},
    ],
)
def test_054_086_a_doubtful_envelope_is_refused(change):
    with pytest.raises(Malformed):
        envelope_of(ACTIVITY | change)


@pytest.mark.parametrize("name", ["id", "type", "actor"])
def test_086_an_envelope_lacks_nothing(name):
    with pytest.raises(Malformed):
        envelope_of({key: value for key, value in ACTIVITY.items() if key != name})


def test_081_a_list_is_bounded():
    assert many("a") == ["a"]
    assert many(None) == []
    assert len(many(["a"] * MAX_MANY)) == MAX_MANY
    for read in (many, ids_of, objects_of, first_object, link_of):
        with pytest.raises(Malformed):
            read(["https://a.example/"] * (MAX_MANY + 1))
    with pytest.raises(Malformed):
        audience_of({"to": ["https://a.example/"] * 20_000})


def test_one_or_many_ids():
    assert ids_of(["a", {"id": "b"}, "a", 7, {"x": 1}, [], None]) == ("a", "b")
    assert id_of([{"id": "a"}]) == "a"
    assert id_of(["a", "b"]) is None
    assert id_of("") is None
    assert first_object(["a", {"id": "b"}, {"id": "c"}]) == {"id": "b"}
    assert objects_of({"id": "b"}) == [{"id": "b"}]


@pytest.mark.parametrize("name", [PUBLIC, "as:Public", "Public"])
def test_the_public_collection_has_one_name(name):
    audience = audience_of(
        {"to": name, "cc": [name, FOLLOWERS], "bto": "https://x.example/", "bcc": "https://x.example/"}
    )
    assert audience == Audience((PUBLIC,), (PUBLIC, FOLLOWERS))
    assert audience.everybody == (PUBLIC, FOLLOWERS)


@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        ((PUBLIC,), (FOLLOWERS,), "public"),
        ((FOLLOWERS,), (PUBLIC,), "unlisted"),
        ((FOLLOWERS,), (), "followers"),
        (("https://b.example/u",), (FOLLOWERS,), "followers"),
        (("https://b.example/u",), (), "direct"),
        ((), (), "direct"),
    ],
)
def test_an_audience_has_a_visibility(to, cc, visibility):
    assert Audience(to, cc).visibility(FOLLOWERS) == visibility


def test_without_followers_nothing_is_for_them():
    assert Audience((FOLLOWERS,)).visibility(None) == "direct"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-07T10:00:00Z", datetime(2026, 12, 7, 10, tzinfo=UTC)),
        ("2026-12-07t10:00:00z", datetime(2026, 12, 7, 10, tzinfo=UTC)),
        ("2026-12-07T10:00:00", datetime(2026, 12, 7, 10, tzinfo=UTC)),
        ("2026-12-07T10:00:00+14:00", datetime(2026, 12, 6, 20, tzinfo=UTC)),
        ("2026-12-07T10:00:00-0330", datetime(2026, 12, 7, 13, 30, tzinfo=UTC)),
        ("2026-12-07T10:00:00.993712961Z", datetime(2026, 12, 7, 10, 0, 0, 993712, UTC)),
        ("2026-12-07T10:00:00.5+00:00", datetime(2026, 12, 7, 10, 0, 0, 500000, UTC)),
        ("2026-12-07T10:00:00." + "1" * 30 + "Z", datetime(2026, 12, 7, 10, 0, 0, 111111, UTC)),
    ],
)
def test_176_times_are_read_in_utc(text, moment):
    assert datetime_of(text) == moment


@pytest.mark.parametrize(
    "value",
    [
        *WRONG,
        "yesterday",
        "2026-12-07",
        "2026-02-30T10:00:00Z",
        "2026-12-07T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2026-12-07T10:00:00+24:00",
        "2026-12-07T10:00:00+99:99",
        "2026-12-07T10:00:00 UTC",
        "2026-12-07T10:00:00Z\n",
        "٢٠٢٦-12-07T10:00:00Z",
        "2026-12-07T10:00:00Z" * 1_000,
    ],
    ids=repr,
)
def test_176_odd_times_are_no_times(value):
    assert datetime_of(value) is None


def test_texts_are_cut_and_localised():
    assert text_of("abc", limit=2) == "ab"
    assert text_of(["abc"], limit=2) == ""
    assert localised({"content": "a", "contentMap": {"de": "b"}}, "content", limit=9) == "a"
    assert localised({"contentMap": {"de": "b", "en": "c"}}, "content", limit=9) == "b"
    assert localised({"content": None, "contentMap": {"de": "b"}}, "content", limit=9) == "b"
    for wrong in ({"contentMap": []}, {"contentMap": {}}, {"contentMap": {"de": 7}}, {"content": 7}, {}):
        assert localised(wrong, "content", limit=9) == ""


def test_a_link_is_found_in_any_shape():
    page = {"type": "Link", "mediaType": "text/html", "href": "https://a.example/page"}
    other = {"type": "Link", "mediaType": "video/mp4", "href": "https://a.example/film"}
    assert link_of("https://a.example/") == "https://a.example/"
    assert link_of([other, page]) == "https://a.example/page"
    assert link_of([other]) == "https://a.example/film"
    assert link_of({"url": "https://a.example/x"}) == "https://a.example/x"
    for wrong in (None, "javascript:alert(1)", [7, "x"], {"href": ["https://a.example/"]}, {"href": {"href": 1}}):
        assert link_of(wrong) is None


@given(documents, anything)
def test_174_the_readers_are_total(document, value):
    attempts = [lambda: envelope_of(document), lambda: audience_of(document)]
    attempts += [lambda: localised(document, "content", limit=10)]
    attempts += [
        lambda read=read: read(value) for read in (many, id_of, ids_of, first_object, objects_of, link_of, datetime_of)
    ]
    for attempt in attempts:
        try:
            attempt()
        except SchemaError:
            continue
