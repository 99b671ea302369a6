"""Which of many credentials are revoked, as one string of bits (W3C Bitstring Status List 1.0 §4).

Bit 0 is the leftmost one of the first byte. The bits travel gzipped, in multibase base64url without padding (`u...`).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from schemas.errors import Malformed

ENTRIES = 131_072
"""Entries of a list: the least that the standard allows, so that one among them says little (§5.1)."""
MAX_BYTES = 1_048_576
MAX_TEXT = 1_500_000
_BASE64URL = re.compile(r"u[A-Za-z0-9_-]+\Z")
_GZIP = 16 + zlib.MAX_WBITS


def new() -> bytearray:
    """A list in which nothing is revoked."""
    return bytearray(ENTRIES // 8)


def encode(bits: bytes | bytearray) -> str:
    """The `encodedList` of these bits; the same bits give the same text."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    packed = packer.compress(bytes(bits)) + packer.flush()
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes:
    """The bits of an `encodedList`; Malformed when it is none, has too few entries, or more than a mebibyte of them."""
    if not isinstance(text, str) or len(text) > MAX_TEXT or not _BASE64URL.match(text):
        raise Malformed("encodedList", "not multibase in base64url")
    try:
        packed = base64.urlsafe_b64decode(text[1:] + "=" * (-(len(text) - 1) % 4))
    except binascii.Error as error:
        raise Malformed("encodedList", "not base64url") from error
    bits = _unpacked(packed)
    if len(bits) * 8 < ENTRIES:
        raise Malformed("encodedList", f"fewer than {ENTRIES} entries")
    return bits


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        bits = unpacker.decompress(packed, MAX_BYTES + 1)
    except zlib.error as error:
        raise Malformed("encodedList", "not gzip") from error
    if len(bits) > MAX_BYTES:
        raise Malformed("encodedList", f"more than {MAX_BYTES} bytes when unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise Malformed("encodedList", "not one whole gzip member")
    return bits


def bit(bits: bytes | bytearray, index: int) -> bool:
    """Whether the bit at a place is set; Malformed for a place that is not in the list (§3.2, RANGE_ERROR)."""
    if not 0 <= index < len(bits) * 8:
        raise Malformed("statusListIndex", "not in the list")
    return bool(bits[index >> 3] >> (7 - (index & 7)) & 1)


def set_bit(bits: bytearray, index: int) -> None:
    """Set the bit at a place; Malformed for a place that is not in the list."""
    bit(bits, index)
    bits[index >> 3] |= 1 << (7 - (index & 7))
