"""Lists that come with Freehold (`node/data`): languages by BCP 47 code, currencies by ISO 4217 code."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from node.language import ENGLISH, Spoken

DATA = Path(__file__).with_name("data")

_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}\Z")


class Currency(NamedTuple):
    """decimals: how many digits stand behind the point."""

    code: str
    name: str
    decimals: int


def read_csv(name: str) -> Iterator[dict[str, str]]:
    """The rows of a file in `node/data`."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@lru_cache
def currencies() -> dict[str, Currency]:
    """By code, in the order of their codes."""
    rows = read_csv("currencies.csv")
    return {row["code"]: Currency(row["code"], row["name"], int(row["decimals"])) for row in rows}


@lru_cache
def languages() -> dict[str, tuple[str, str]]:
    """Code -> name in English, name among those who speak it."""
    return {row["code"]: (row["name"], row["own"]) for row in read_csv("languages.csv")}


@lru_cache
def _codes() -> dict[str, str]:
    names = {name.casefold(): code for code, both in languages().items() for name in both}
    return names | {code: code for code in languages()}


def language_code(text: str) -> str | None:
    """A code (`pt-BR`) or a name (`Portuguese`, `português`) -> the code; None for what is neither."""
    known = _codes().get(text.casefold())
    if known is not None:
        return known
    primary, dash, rest = text.partition("-")
    tag = primary.lower() + dash + rest
    return tag if dash and primary.lower() in languages() and _TAG.match(tag) else None


class LanguageName(Spoken):
    """Portuguese; elsewhere Portugiesisch."""

    __slots__ = ("code",)

    code: str

    def __new__(cls, code: str) -> LanguageName:
        """code: BCP 47; one that is not listed is its own name."""
        made = super().__new__(cls, _named(code, languages().get(_primary(code), (code, ""))[0]))
        made.code = code
        return made

    def said(self, language: str) -> str:
        """The language's name in a language."""
        if language == ENGLISH:
            return str(self)
        from babel import Locale

        name = Locale.parse(language).languages.get(_primary(self.code))
        return _named(self.code, name) if name else str(self)


def _primary(code: str) -> str:
    return code.partition("-")[0].lower()


def _named(code: str, name: str) -> str:
    rest = code.partition("-")[2]
    return f"{name} ({rest})" if rest and name != code else name


def language_name(code: str) -> LanguageName:
    """`Portuguese`, `Portuguese (BR)`; a code that is not listed is its own name."""
    return LanguageName(code)


class CurrencyName(Spoken):
    """EUR, euro."""

    __slots__ = ("code",)

    code: str

    def __new__(cls, currency: Currency) -> CurrencyName:
        """Of a currency of the list."""
        made = super().__new__(cls, f"{currency.code}, {currency.name}")
        made.code = currency.code
        return made

    def said(self, language: str) -> str:
        """The code, and the currency's name in a language."""
        from babel.numbers import get_currency_name

        return str(self) if language == ENGLISH else f"{self.code}, {get_currency_name(self.code, locale=language)}"


def currency_names() -> list[tuple[str, CurrencyName]]:
    """What a form offers: pairs of code and name."""
    return [(code, CurrencyName(known)) for code, known in currencies().items()]
