"""The pictures of people without a portrait: stripes of a sown field, in an angle and colours made from a seed."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from html import escape
from typing import NamedTuple

from node.text import one_line

MAX_SEED = 400
MAX_NAME = 100


class _Palette(NamedTuple):
    ground: str
    stripe: str
    ink: str


_PALETTES = (
    _Palette("#0b4233", "#1f7a5a", "#e9c46a"),
    _Palette("#6d241c", "#a9483a", "#f7ddcb"),
    _Palette("#23395b", "#3f6a9a", "#cfe3f1"),
    _Palette("#26402a", "#4d7a50", "#e5efcf"),
    _Palette("#40342a", "#76624f", "#efe6d8"),
    _Palette("#3b3550", "#62587f", "#e3ddf0"),
    _Palette("#6a3f0c", "#a86c1d", "#f6e3b5"),
    _Palette("#4a3b0a", "#7d6a1c", "#f3ebc0"),
    _Palette("#5b2a45", "#8f4a6b", "#f0d7c4"),
    _Palette("#173d44", "#2f6f76", "#d5ebe3"),
    _Palette("#0f3b52", "#23708f", "#e7f0d8"),
    _Palette("#4c1f2c", "#86394f", "#f6d7da"),
)
_ROWS = "".join(
    f'<path d="M-30 {row}h124" stroke-width="{5.5 if number % 3 == 0 else 3.2}"/>'
    for number, row in enumerate(range(-33, 94, 9))
)


def initials(name: str) -> str:
    """The first letters of the first and the last word; of a handle, its first letter."""
    words = [word for word in one_line(name, MAX_NAME).partition("@")[0].split() if word[0].isalnum()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper()[:2]


@lru_cache(1024)
def avatar(seed: str, name: str = "") -> str:
    """An SVG of 64 by 64: always the same for the same seed and name."""
    digest = hashlib.sha256(seed[:MAX_SEED].casefold().encode()).digest()
    palette = _PALETTES[digest[0] % len(_PALETTES)]
    angle = digest[1] % 15 * 12 - 84
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
        f'<rect width="64" height="64" fill="{palette.ground}"/>'
        f'<g transform="rotate({angle} 32 32)" stroke="{palette.stripe}">{_ROWS}'
        f'<path d="M-30 46h124v60h-124z" fill="{palette.stripe}" stroke="none" opacity=".55"/></g>'
        f'<rect width="64" height="64" fill="{palette.ground}" opacity=".28"/>'
        '<text x="32" y="41.5" text-anchor="middle" font-family="Palatino, \'DejaVu Serif Condensed\', Georgia, serif"'
        f' font-weight="700" font-size="26" fill="{palette.ink}">{escape(initials(name or seed))}</text></svg>'
    )
