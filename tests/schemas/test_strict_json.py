"""Bytes become JSON in one way, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.errors import Malformed, SchemaError
from schemas.strict_json import MAX_DEPTH, MAX_INT, dumps, loads, loads_object


@pytest.mark.parametrize(
    "data",
    [
        b'{"actor":"a","actor":"b"}',
        b'{"actor":"a","\\u0061ctor":"b"}',
        b'{"object":{"id":1,"id":1}}',
        b'[{"a":{"b":[{"c":1,"c":2}]}}]',
    ],
)
def test_026_a_member_that_stands_twice_is_refused(data):
    json.loads(data)  # which keeps the last one, silently
    with pytest.raises(Malformed):
        loads(data)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 400_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_079_depth_is_bounded_before_anything_recurses(depth, opening, closing):
    with pytest.raises(Malformed):
        loads(opening * depth + b"1" + closing * depth)
    with pytest.raises(Malformed):
        loads(opening * depth)


def test_079_what_is_deep_enough_is_read():
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert loads(b"[" + b"[]," * 5_000 + b"[]]")  # many brackets, little depth


def test_079_brackets_in_strings_are_no_depth():
    assert loads(dumps(["[" * 500 + '\\"' + "{" * 500, "]"])) == ["[" * 500 + '\\"' + "{" * 500, "]"]


@pytest.mark.parametrize(
    "data",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        b"9" * 5_000,
        b"-" + b"9" * 5_000,
        b"0." + b"1" * 5_000,
        str(MAX_INT + 1).encode(),
        str(-MAX_INT - 1).encode(),
        b"-0",
        b"-0.0",
        b"-0e5",
        b"-1e-400",
        b"01",
        b"+1",
        b"1.",
        b".5",
        b"0x10",
        b"1_000",
    ],
)
def test_089_numbers_that_two_readers_take_differently_are_refused(data):
    for document in (data, b'{"a":[' + data + b"]}"):
        with pytest.raises(Malformed):
            loads(document)


@pytest.mark.parametrize(
    ("data", "value"), [(b"0", 0), (b"12.5", 12.5), (b"1e3", 1000.0), (str(MAX_INT).encode(), MAX_INT)]
)
def test_089_usual_numbers_are_read(data, value):
    assert loads(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1}}',
        b'{"a":1} x',
        b"{'a':1}",
        b'{"a":1,}',
        b"[1,]",
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        b'{"a":"\\x41"}',
        b'{"a":"\\u12"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\x80"}',
        b'{"a":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\\u0000"}',
        b'{"\\u0000":1}',
        b'["' + b"a" * 100,
        b"/* a */ {}",
    ],
)
def test_026_what_is_not_json_in_utf_8_is_refused(data):
    with pytest.raises(Malformed):
        loads(data)


def test_026_characters_outside_of_the_first_plane_are_read_either_way():
    assert loads(b'"\\ud83d\\ude02"') == loads('"😂"'.encode()) == "😂"


def test_077_a_document_over_the_limit_is_refused_unread():
    with pytest.raises(Malformed):
        loads(b"[" + b" " * 100 + b"]", max_bytes=50)


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_a_document_is_an_object(data):
    with pytest.raises(Malformed):
        loads_object(data)
    assert loads_object(b"{}") == {}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INT, MAX_INT)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc\u00e4😂", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_again(value):
    assert loads(dumps(value)) == value
    assert loads(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0aefN-1.e ', max_size=40).map(str.encode))
@example(b'"\\')
@example(b"[" * 40)
def test_174_the_reader_returns_or_refuses(data):
    try:
        value = loads(data)
    except SchemaError:
        return
    assert json.loads(data) == value
