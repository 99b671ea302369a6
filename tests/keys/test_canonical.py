"""RFC 8785: the same bytes from everybody, by whichever way they are made."""

from __future__ import annotations

import json
import struct

import msgspec
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keys import canonical
from keys.canonical import jcs, sha256
from keys.errors import KeysError, NotCanonical
from tests.vectors import load

KNOWN = load("rfc8785.json")


@pytest.mark.parametrize("name", KNOWN["documents"])
def test_rfc_8785_documents(name):
    document = KNOWN["documents"][name]
    assert jcs(json.loads(document["input"])).hex() == document["output_hex"]


@pytest.mark.parametrize(("bits", "text"), KNOWN["numbers"].items())
def test_rfc_8785_numbers(bits, text):
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert jcs(number) == text.encode()
    assert jcs([number, 1]) == f"[{text},1]".encode()


safe = st.integers(-canonical.SAFE_INTEGER, canonical.SAFE_INTEGER)
texts = st.text(max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | safe | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=30,
)
ascii_names = st.text(st.characters(max_codepoint=127), max_size=8)
fast = st.recursive(
    st.none() | st.booleans() | safe | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_names, inner, max_size=6),
    max_leaves=30,
)


@given(fast)
@example({"\x7f": "\x7f", "\x00": '\x1f\b\f\n\r\t"\\/', "a": "\u2028\u2029\ufeff\U0001f602"})
@example({"b": 1, "a": {"": None, "B": [], "A": {}}, "aa": -0, "10": canonical.SAFE_INTEGER, "9": True})
@settings(max_examples=500)
def test_the_fast_way_gives_the_same_bytes(value):
    assert canonical._is_plain(value)
    assert jcs(value) == rfc8785.dumps(value)


@given(plain)
def test_any_json_value_has_the_bytes_that_the_library_gives(value):
    assert jcs(value) == rfc8785.dumps(value)


@given(plain)
def test_canonical_bytes_are_json_and_are_their_own_canonical_form(value):
    data = jcs(value)
    assert msgspec.json.decode(data) == value
    assert jcs(json.loads(data)) == data


def test_names_are_ordered_by_utf_16_not_by_code_points():
    """U+1F602 comes before U+FB33 in UTF-16, after it in UTF-8: the fast way would be wrong, and is not taken."""
    value = {"\ufb33": 1, "\U0001f602": 2}
    assert not canonical._is_plain(value)
    assert jcs(value) == '{"\U0001f602":2,"\ufb33":1}'.encode()
    assert msgspec.json.encode(value, order="sorted") != jcs(value)


def test_numbers_are_written_as_ecmascript_does():
    assert jcs({"a": 1.0, "b": -0.0, "c": 1e21, "d": 56.0, "e": 25.273962}) == (
        b'{"a":1,"b":0,"c":1e+21,"d":56,"e":25.273962}'
    )


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        [1, {"a": 10**30}],
        float("nan"),
        float("inf"),
        "\ud800",
        {"a": "\udc00"},
        {"\ud83d": 1},
        {1: "a"},
        {None: 1},
        {"a": {2: 3}},
        {"a": b"bytes"},
        {"a": object()},
        {"a": {1, 2}},
    ],
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(NotCanonical):
        jcs(value)
    assert issubclass(NotCanonical, KeysError)


def test_079_depth_ends_in_a_refusal():
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical):
        jcs(value)


def test_truth_values_are_not_numbers():
    assert jcs([True, 1, False, 0]) == b"[true,1,false,0]"


def test_sha256():
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
