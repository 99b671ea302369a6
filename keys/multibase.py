"""Multibase, base58btc only (`z...`), and the multicodec prefixes of the two kinds of keys (FEP-521a)."""

from __future__ import annotations

from keys.errors import BadKey

ED25519_PREFIX = b"\xed\x01"  # 0xed as a varint: a public key of 32 bytes follows
RSA_PREFIX = b"\x85\x24"  # 0x1205 as a varint: an RSAPublicKey of RFC 8017 in DER follows

MAX_TEXT = 2_000
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}


def encode(data: bytes) -> str:
    """Bytes -> `z` and base58btc."""
    number = int.from_bytes(data)
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes:
    """The inverse of `encode`; BadKey for another base, a foreign character or more than 2,000 of them."""
    if len(text) > MAX_TEXT or not text.startswith("z"):
        raise BadKey("not a multibase value in base58btc")
    number = 0
    try:
        for char in text[1:]:
            number = number * 58 + _VALUES[char]
    except KeyError as error:
        raise BadKey("not base58btc") from error
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
