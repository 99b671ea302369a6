"""Bitstring Status List 1.0: what is revoked, as bits."""

from __future__ import annotations

import base64
import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import status_lists
from schemas.errors import Malformed
from schemas.status_lists import ENTRIES, bit, decode, encode, new, set_bit

STANDARD = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
"""Of the standard itself: §4.2, example 3, a list in which nothing is set."""


def written(data):
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_standards_list_is_read_and_made_byte_for_byte():
    assert decode(STANDARD) == bytes(new())
    assert encode(new()) == STANDARD


def test_bit_0_is_the_leftmost():
    bits = new()
    set_bit(bits, 0)
    set_bit(bits, 15)
    assert bits[:3] == b"\x80\x01\x00"
    assert [index for index in range(32) if bit(bits, index)] == [0, 15]


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, ENTRIES - 1), max_size=5))
def test_what_was_set_is_set_after_a_journey(indexes):
    bits = new()
    for index in indexes:
        set_bit(bits, index)
    back = decode(encode(bits))
    assert back == bytes(bits)
    assert all(bit(back, index) for index in indexes)
    assert sum(byte.bit_count() for byte in back) == len(indexes)


@pytest.mark.parametrize("index", [-1, ENTRIES, 2**40])
def test_a_place_outside_of_the_list_is_no_answer(index):
    with pytest.raises(Malformed):
        bit(new(), index)
    with pytest.raises(Malformed):
        set_bit(new(), index)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "u",
        STANDARD[1:],
        "z" + STANDARD[1:],
        STANDARD + "=",
        STANDARD + "A",
        STANDARD[:-4],
        STANDARD.replace("-", "+"),
        "uAAAA",
        written(gzip.compress(b"\0" * (ENTRIES // 8 - 1), mtime=0)),
        written(gzip.compress(bytes(new()), mtime=0) + b"more"),
        written(gzip.compress(bytes(new()), mtime=0) * 2),
        written(zlib.compress(bytes(new()))),
    ],
)
def test_what_is_no_list_is_refused(text):
    with pytest.raises(Malformed):
        decode(text)


def test_a_list_that_unpacks_to_very_much_is_refused_before_it_does():
    bomb = written(gzip.compress(b"\0" * 200_000_000))
    assert len(bomb) < status_lists.MAX_TEXT
    with pytest.raises(Malformed, match="when unpacked"):
        decode(bomb)
