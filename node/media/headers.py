"""Format and size of a picture, read from its first bytes, before anything decodes it (SECURITY, E).

PNG: ISO/IEC 15948 §11.2.1. JPEG: ITU-T T.81 §B.2.2. GIF: GIF89a §18. WebP: RFC 9649 §2.
"""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple

Format = Literal["PNG", "JPEG", "GIF", "WEBP"]

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_MAX_SEGMENTS = 1_000


class Header(NamedTuple):
    """What the file says that it is; width and height in pixels."""

    format: Format
    width: int
    height: int


def read_header(body: bytes) -> Header | None:
    """None for anything but a PNG, JPEG, GIF or WebP with a size."""
    try:
        found = _read(body)
    except (struct.error, IndexError):
        return None
    return found if found is not None and found.width > 0 and found.height > 0 else None


def _read(body: bytes) -> Header | None:
    if body.startswith(b"\x89PNG\r\n\x1a\n") and body[12:16] == b"IHDR":
        return Header("PNG", *struct.unpack_from(">II", body, 16))
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return Header("GIF", *struct.unpack_from("<HH", body, 6))
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return _webp(body)
    return _jpeg(body) if body.startswith(b"\xff\xd8\xff") else None


def _webp(body: bytes) -> Header | None:
    kind = body[12:16]
    if kind == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 26)
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L" and body[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", body, 21)
        return Header("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (24, 27))
        return Header("WEBP", width, height)
    return None


def _jpeg(body: bytes) -> Header | None:
    """Walk over the segments up to the frame header."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if body[at] != 0xFF:
            return None
        while body[at] == 0xFF:
            at += 1
        marker = body[at]
        at += 1
        if marker in _JPEG_ALONE:
            continue
        (length,) = struct.unpack_from(">H", body, at)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", body, at + 3)
            return Header("JPEG", width, height)
        at += length
    return None
