"""Structured fields (RFC 8941), as much as signatures need, read strictly.

Dictionaries of items and inner lists with parameters; integers, strings, tokens, byte sequences and booleans. Stricter
than the standard where it would let two readers differ: a key that stands twice is refused, not overwritten. Decimals
are refused, since no signature field has one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from keys.errors import BadHeader

MAX_FIELD = 8_192
MAX_MEMBERS = 32

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_SPACES = re.compile(r" *")
_COMMA = re.compile(r"[ \t]*,[ \t]*(?=.)", re.DOTALL)
_VALUE = re.compile(
    r'"(?P<string>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*+)"'
    r"|:(?P<bytes>[A-Za-z0-9+/]*+={0,2}):"
    r"|(?P<integer>-?[0-9]{1,15})(?![0-9.])"
    r"|\?(?P<boolean>[01])"
    r"|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*+)"
)
_ESCAPED = re.compile(r"\\(.)")
_NAMES = re.compile(r'\(("[a-z0-9@-]+"(?: "[a-z0-9@-]+"){0,31})\)')  # the inner list of nearly every signature


class Token(str):
    """A bare word, as opposed to a quoted string."""

    __slots__ = ()


Value = int | str | bytes | bool
Parameters = Mapping[str, Value]


class Item(NamedTuple):
    """A value with its parameters."""

    value: Value
    parameters: Parameters


class InnerList(NamedTuple):
    """Items in brackets, with the parameters of the whole."""

    items: tuple[Item, ...]
    parameters: Parameters


Member = Item | InnerList


def parse_dictionary(text: str) -> dict[str, Member]:
    """Read a dictionary (§4.2.2); BadHeader for anything that is none, or over 8 KiB or 32 members."""
    if len(text) > MAX_FIELD:
        raise BadHeader(f"a field of more than {MAX_FIELD} characters")
    scanner = _Scanner(text.strip(" "))
    members: dict[str, Member] = {}
    while not scanner.done:
        key = scanner.key()
        if key in members or len(members) == MAX_MEMBERS:
            raise BadHeader(f"{key[:40]!r} stands twice, or there are too many members")
        members[key] = scanner.member() if scanner.take("=") else Item(True, scanner.parameters())
        if not scanner.done:
            scanner.match(_COMMA)
    return members


class _Scanner:
    """Where in the text we are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._text)

    def take(self, char: str) -> bool:
        if not self._text.startswith(char, self._at):
            return False
        self._at += 1
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise BadHeader(f"not a structured field (RFC 8941), at character {self._at}")
        self._at = found.end()
        return found

    def key(self) -> str:
        return self.match(_KEY)[0]

    def member(self) -> Member:
        names = _NAMES.match(self._text, self._at)
        if names is not None:
            self._at = names.end()
            return InnerList(_named(names[1]), self.parameters())
        if not self.take("("):
            return self.item()
        items: list[Item] = []
        while True:
            self.match(_SPACES)
            if self.take(")"):
                return InnerList(tuple(items), self.parameters())
            if items and self._text[self._at - 1] != " ":
                raise BadHeader("the items of a list stand too close together")
            if len(items) == MAX_MEMBERS:
                raise BadHeader("a list of too many items")
            items.append(self.item())

    def item(self) -> Item:
        return Item(self.value(), self.parameters())

    def parameters(self) -> Parameters:
        found: dict[str, Value] = {}
        while self.take(";"):
            self.match(_SPACES)
            key = self.key()
            if key in found or len(found) == MAX_MEMBERS:
                raise BadHeader(f"the parameter {key[:40]!r} stands twice, or there are too many")
            found[key] = self.value() if self.take("=") else True
        return found

    def value(self) -> Value:
        found = self.match(_VALUE)
        text = found[found.lastgroup or 0]
        match found.lastgroup:
            case "string":
                return _ESCAPED.sub(r"\1", text) if "\\" in text else text
            case "bytes":
                return _decode(text)
            case "integer":
                return int(text)
            case "boolean":
                return text == "1"
            case _:
                return Token(text)


@lru_cache(256)
def _named(names: str) -> tuple[Item, ...]:
    """Of `"a" "b"`; the same few lists come again and again."""
    return tuple(Item(name[1:-1], {}) for name in names.split(" "))


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadHeader("a byte sequence that is not base64") from error


def write(member: Member) -> str:
    """The one way in which a member is written (§4.1)."""
    if isinstance(member, InnerList):
        inner = " ".join(write(item) for item in member.items)
        return f"({inner}){_write_parameters(member.parameters)}"
    return _write_value(member.value) + _write_parameters(member.parameters)


def _write_parameters(parameters: Parameters) -> str:
    if not parameters:
        return ""
    return "".join(f";{key}" if value is True else f";{key}={_write_value(value)}" for key, value in parameters.items())


def _write_value(value: Value) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return f":{base64.b64encode(value).decode('ascii')}:"
    if isinstance(value, Token):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
