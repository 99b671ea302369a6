"""Lists that come with Freehold (`node/data`): languages by BCP 47 code, currencies by ISO 4217 code."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

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


def language_name(code: str) -> str:
    """`Portuguese`, `Portuguese (BR)`; a code that is not listed is its own name."""
    primary, _, rest = code.partition("-")
    names = languages().get(primary.lower())
    if names is None:
        return code
    return f"{names[0]} ({rest})" if rest else names[0]
