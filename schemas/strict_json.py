"""Bytes -> JSON in exactly one way (RFC 8259, I-JSON RFC 7493), and JSON -> bytes.

Two readers that understand one document differently are a hole: so no duplicate keys, no NaN or Infinity, no lone
surrogates, no NUL, no encoding but UTF-8, no number that a double cannot hold exactly, and bounds on size and depth.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from schemas.errors import Malformed

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
MAX_INT = 2**53

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode


def loads(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Parse; Malformed says what rule is broken."""
    if len(data) > max_bytes:
        raise Malformed("", f"larger than {max_bytes} bytes")
    _bounded_depth(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("", "not UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("", f"not JSON: {error}") from error
    if "\\u" in text:
        _check_strings(value)
    return value


def loads_object(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Parse; the document must be an object."""
    value = loads(data, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise Malformed("", "not an object")
    return value


def dumps(value: Any) -> bytes:
    """Compact UTF-8, members in the order in which they were put in."""
    return _encode(value)


def _bounded_depth(data: bytes) -> None:
    """Count brackets outside strings, before a recursive parser sees them."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKETS.findall(data):
        if token in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed("", f"nested deeper than {MAX_DEPTH}")
        elif token in b"]}":
            depth -= 1


_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member stands twice")
    return value


def _integer(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > MAX_INT:
        raise ValueError("a number is too large")
    if text == "-0":
        raise ValueError("minus zero is two numbers to two readers")
    return int(text)


def _real(text: str) -> float:
    if len(text) > 40:
        raise ValueError("a number is too long")
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    if value == 0 and text.startswith("-"):
        raise ValueError("minus zero is two numbers to two readers")
    return value


def _constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _check_strings(value: Any) -> None:
    """Escapes can smuggle in what UTF-8 cannot: lone surrogates and NUL."""
    if isinstance(value, str):
        if "\0" in value or _LONE_SURROGATE.search(value):
            raise Malformed("", "a string holds NUL or half a character")
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=True
)
