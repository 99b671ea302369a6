"""Names and hashtags in what people write: where they stand, and to where they lead. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import quote

MAX_HASHTAG = 100  # characters

_START = re.compile(r"(?<![\w&/#@.])[@#]")
_MENTION = re.compile(
    r"@([a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?)@([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?)(?![\w@])",
    re.IGNORECASE | re.ASCII,
)


class Piece(NamedTuple):
    """A part of a text. key: of a mention `name@host` and of a hashtag its word, both in small letters."""

    kind: Literal["text", "mention", "hashtag"]
    words: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Where names and hashtags lead. people: `name@host` -> the address of their page; tags: of the page of all tags.

    Who is not among the people stays a text.
    """

    people: Mapping[str, str]
    tags: str

    def href(self, piece: Piece) -> str | None:
        """To where a piece leads, if it leads anywhere."""
        if piece.kind == "hashtag":
            return tag_address(self.tags, piece.key)
        return self.people.get(piece.key) if piece.kind == "mention" else None


def tag_address(base: str, word: str) -> str:
    """The page of a hashtag."""
    return f"{base}/{quote(word, safe='')}"


def pieces(text: str) -> Iterator[Piece]:
    """A text as the parts that it is made of, in their order; together they are the text again."""
    position = done = 0
    while (found := _START.search(text, position)) is not None:
        start = found.start()
        piece = _mention(text, start) if found[0] == "@" else _hashtag(text, start)
        position = start + 1 if piece is None else start + len(piece.words)
        if piece is not None:
            if done < start:
                yield Piece("text", text[done:start])
            yield piece
            done = position
    if done < len(text):
        yield Piece("text", text[done:])


def handles_in(text: str, most: int) -> list[str]:
    """The first names in a text as it was typed, as `name@host`, once each: among them are all that will be links."""
    found = (piece.key for piece in pieces(text) if piece.kind == "mention")
    return list(dict.fromkeys(found))[:most]


def hashtag_of(name: str) -> Piece | None:
    """A tag's name, with or without its sign, as a hashtag; None for one that no text could hold."""
    text = f"#{name.removeprefix('#')}"
    piece = _hashtag(text, 0)
    return piece if piece is not None and piece.words == text else None


def _mention(text: str, start: int) -> Piece | None:
    match = _MENTION.match(text, start)
    return None if match is None else Piece("mention", match[0], f"{match[1]}@{match[2]}".lower())


def _hashtag(text: str, start: int) -> Piece | None:
    """A word of letters, digits and _, with a letter in it; marks belong to their letters (as in Hindi or Thai)."""
    end = start + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_" or unicodedata.category(text[end])[0] == "M"):
        end += 1
    word = text[start + 1 : end]
    if not 0 < len(word) <= MAX_HASHTAG or not any(char.isalpha() for char in word):
        return None
    return Piece("hashtag", text[start:end], unicodedata.normalize("NFKC", word).lower())
