"""Skills, rates and quantities: numbers are Decimal here and strings on the wire, never binary fractions."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from schemas.base import many, text_of
from schemas.urls import url_of

MAX_AMOUNT = Decimal(10) ** 12
MAX_PLACES = 12
MAX_SKILLS = 50

_NUMBER = re.compile(r"[0-9]{1,24}(?:\.[0-9]{1,24})?(?:[eE][+-]?[0-9]{1,2})?\Z", re.ASCII)

Unit = Literal["hour", "day", "one"]


class Skill(NamedTuple):
    """A skill by its name, and its URI (ESCO) where it is known."""

    name: str
    uri: str | None


class Rate(NamedTuple):
    """An amount of money for each unit: `Rate(Decimal("68.00"), "EUR", "hour")`; the currency by ISO 4217."""

    amount: Decimal
    currency: str
    unit: Unit


def decimal_of(value: Any) -> Decimal | None:
    """A non-negative number below 10^12 in a string or a JSON number; None for anything else.

    Neither signs nor more than 12 decimals: written out, `1e-999999` would fill a megabyte.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    if not _NUMBER.match(text):
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -MAX_PLACES and number < MAX_AMOUNT else None


def currency_of(value: Any) -> str | None:
    """Three capital letters, alone or at the end of an IRI; else None."""
    code = value.rsplit(":", 1)[-1] if isinstance(value, str) else ""
    return code if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper() else None


def unit_of(value: Any) -> Unit | None:
    """hour, day or one; also the UN/CEFACT codes HUR and DAY and prefixed names; else None."""
    name = value.rsplit(":", 1)[-1].rsplit("/", 1)[-1].lower() if isinstance(value, str) else ""
    units: dict[str, Unit] = {"hour": "hour", "hur": "hour", "day": "day", "one": "one"}
    return units.get(name)


def text_number(number: Decimal) -> str:
    """Plain digits, no exponent, as numbers travel."""
    return format(number, "f")


def skills_of(value: Any) -> tuple[Skill, ...]:
    """Skills from IRIs, names, or objects with `@id` and `schema:name`; at most 50, others left out."""
    found: list[Skill] = []
    for item in many(value)[:MAX_SKILLS]:
        skill = _skill(item)
        if skill is not None:
            found.append(skill)
    return tuple(found)


def _skill(item: Any) -> Skill | None:
    if isinstance(item, str):
        uri = url_of(item)
        return Skill("" if uri else item[:100], uri) if item else None
    if isinstance(item, dict):
        uri = url_of(item.get("@id") or item.get("id"))
        name = text_of(item.get("schema:name") or item.get("name"), limit=100)
        return Skill(name, uri) if name or uri else None
    return None


def write_skills(skills: tuple[Skill, ...]) -> list[dict[str, Any]]:
    """As `schema:knowsAbout` has them: an `@id` only where the URI is known."""
    return [({"@id": skill.uri} if skill.uri else {}) | {"schema:name": skill.name} for skill in skills]
