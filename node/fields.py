"""Reading the fields of a form: a reader returns a value, or raises ValueError with the sentence beside the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from node.errors import Invalid
from node.language import _
from node.text import one_line, visible
from node.vocabularies import currencies

T = TypeVar("T")

MAX_PRICE = Decimal(10) ** 9
MAX_QUANTITY = 100_000
_FIGURE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?\Z", re.ASCII)


class Fields:
    """The fields of one form, and what is wrong with them, gathered until all have been read."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        """What was typed, without white space at its ends."""
        return self._form.get(name, "").strip()

    def read(self, name: str, reader: Callable[[str], T], default: T) -> T:
        """What a reader makes of a field; `default` when the field is empty or wrong."""
        text = self.text(name)
        if not text:
            return default
        try:
            return reader(text)
        except ValueError as error:
            self.errors[name] = error.args[0]  # a Sentence stays one
            return default

    def wrong(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field, unless something is already."""
        self.errors.setdefault(name, sentence)

    def check(self) -> None:
        """Raise Invalid if anything is wrong."""
        if self.errors:
            raise Invalid(self.errors)


def line(limit: int, what: str) -> Callable[[str], str]:
    """A reader of one line of at most `limit` characters. what: "A title"."""

    def read(text: str) -> str:
        found = one_line(text, limit + 1)
        if len(found) > limit:
            raise ValueError(_("{what} has at most {limit} characters. Shorten it.", what=what, limit=limit))
        return found

    return read


def paragraphs(limit: int, what: str) -> Callable[[str], str]:
    """A reader of a longer text."""

    def read(text: str) -> str:
        if len(text) > limit:
            raise ValueError(
                _(
                    "{what} has at most {limit:,} characters, and this has {length:,}. Shorten it.",
                    what=what,
                    limit=limit,
                    length=len(text),
                )
            )
        return visible(text).strip()

    return read


def currency(text: str) -> str:
    """A code of ISO 4217."""
    code = text.upper()
    if code not in currencies():
        raise ValueError(_("Choose a currency by its three letters, such as EUR."))
    return code


def price(code: str) -> Callable[[str], Decimal]:
    """A reader of an amount of money, written out to the last digit of its currency: 68 -> 68.00."""

    def read(text: str) -> Decimal:
        if not _FIGURE.match(text):
            raise ValueError(_("Write digits only, such as 68 or 68.50, without the currency."))
        amount = Decimal(text)
        places = currencies()[code].decimals if code in currencies() else 2
        exact = amount.quantize(Decimal(1).scaleb(-places))
        if exact != amount:
            raise ValueError(_too_fine(code, places))
        if exact >= MAX_PRICE:
            raise ValueError(_("Write an amount below {most:,}.", most=MAX_PRICE))
        if not exact:
            raise ValueError(_("Write an amount above 0, or leave this empty."))
        return exact

    return read


def _too_fine(code: str, places: int) -> str:
    if places == 0:
        return _("{code} has no decimals. Write a whole number, such as 68.", code=code)
    return _("{code} has {places} decimals. Write at most {places} digits behind the point.", code=code, places=places)


def quantity(text: str) -> Decimal:
    """A number of hours or days: up to two decimals, above 0."""
    if not _FIGURE.match(text) or len(text.partition(".")[2]) > 2:
        raise ValueError(_("Write digits only, such as 40 or 2.5."))
    number = Decimal(text)
    if number > MAX_QUANTITY:
        raise ValueError(_("Write a number of at most {most:,}.", most=MAX_QUANTITY))
    if not number:
        raise ValueError(_("Write a number above 0, or leave this empty."))
    return number


def day(today: date, past: str) -> Callable[[str], date]:
    """A reader of a date from today on, as `<input type=date>` sends it. past: the sentence for one before."""

    def read(text: str) -> date:
        try:
            found = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            found = None
        if found is None or found.year >= today.year + 50:
            raise ValueError(_("Write a date as year-month-day, such as {example}.", example=today.isoformat()))
        if found < today:
            raise ValueError(past)
        return found

    return read
