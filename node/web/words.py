"""How dates, times and money are said: "7 December 2026", "EUR 4,080.00"; in the reader's language on a page.

What these functions return is English text that can say itself in another language (`node.language.Spoken`), so that
it may stand in a sentence, and a sentence in a page, before anybody knows who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from node.language import ENGLISH, Sentence, Spoken, _, _n, say
from node.vocabularies import currencies

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
UNITS: dict[str, Sentence] = {"hour": _("an hour"), "day": _("a day"), "one": _("in all")}


class Day(Spoken):
    """7 December 2026; its first two words stay together where it is written large."""

    __slots__ = ("tight", "value")

    value: date
    tight: bool

    def __new__(cls, value: date, *, tight: bool = False) -> Day:
        """tight: with a space that does not break."""
        made = super().__new__(cls, _joined(f"{value.day} {MONTHS[value.month - 1]} {value.year}", tight=tight))
        made.value, made.tight = value, tight
        return made

    def said(self, language: str) -> str:
        """7. Dezember 2026."""
        if language == ENGLISH:
            return str(self)
        from babel.dates import format_date

        return _joined(format_date(self.value, "long", locale=language), tight=self.tight)


def _joined(text: str, *, tight: bool) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}", 1) if tight else text


class Month(Spoken):
    """March 2021; of a year alone, 2021; short, where the year is plain: Mar."""

    __slots__ = ("short", "value")

    value: str
    short: bool

    def __new__(cls, value: str, *, short: bool = False) -> Month:
        """value: `2021-03` or `2021`."""
        year, _dash, number = value.partition("-")
        name = MONTHS[int(number) - 1] if number else ""
        made = super().__new__(cls, name[:3] if short else f"{name} {year}".strip())
        made.value, made.short = value, short
        return made

    def said(self, language: str) -> str:
        """März 2021."""
        if language == ENGLISH or "-" not in self.value:
            return str(self)
        from babel.dates import format_date

        return format_date(date.fromisoformat(f"{self.value}-01"), "LLL" if self.short else "MMMM y", locale=language)


class Figure(Spoken):
    """A number, grouped as a language does it, with a fixed count of decimals."""

    __slots__ = ("places", "value")

    value: Decimal
    places: int

    def __new__(cls, value: Decimal, places: int = 0) -> Figure:
        """places: how many decimals are written."""
        made = super().__new__(cls, f"{value:,.{places}f}")
        made.value, made.places = value, places
        return made

    def said(self, language: str) -> str:
        """4.080,00."""
        if language == ENGLISH:
            return str(self)
        from babel.numbers import format_decimal

        form = "#,##0" + ("." + "0" * self.places if self.places else "")
        return format_decimal(self.value, form, locale=language)


class Tagged(Spoken):
    """HTML around things that are said. form: HTML of ours, or a sentence, which is escaped, with names in braces."""

    __slots__ = ("form", "values")

    form: Markup | Sentence
    values: Mapping[str, Any]

    def __new__(cls, form: Markup | Sentence, **values: Any) -> Tagged:
        """values: what stands for the names; of a sentence, instead of its own."""
        made = super().__new__(cls, _filled(form, values, ENGLISH))
        made.form, made.values = form, values
        return made

    def __html__(self) -> Markup:
        return Markup(str(self))  # noqa: S704 - escaped as it was filled

    def said(self, language: str) -> str:
        """The same HTML, its words in a language."""
        return _filled(self.form, self.values, language)


def _filled(form: Markup | Sentence, values: Mapping[str, Any], language: str) -> Markup:
    known = dict(form.values) | dict(values) if isinstance(form, Sentence) else values
    html = escape(form.form(language)) if isinstance(form, Sentence) else form
    return html.format(**{name: say(value, language) for name, value in known.items()})


def day(value: date) -> Day:
    """7 December 2026."""
    return Day(value)


def instant(value: datetime) -> Sentence:
    """23 November 2026, 13:58 UTC: the exact moment, where it is evidence."""
    value = value.astimezone(UTC)
    return _("{day}, {time} UTC", day=day(value), time=f"{value:%H:%M}")


def ago(value: datetime, now: datetime) -> Spoken:
    """12 minutes, 1 hour, 3 days; a date once it is older than a month."""
    seconds = max(timedelta(), now - value).total_seconds()
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return _n("{count} minute", "{count} minutes", int(seconds // 60))
    if seconds < 86_400:
        return _n("{count} hour", "{count} hours", int(seconds // 3600))
    return _n("{count} day", "{count} days", int(seconds // 86_400)) if seconds < 31 * 86_400 else day(value)


def span(start: str, end: str) -> Spoken:
    """March 2021 to now; 2015 to June 2019; empty when neither is said. Months as `2021-03` or `2021`."""
    if start and end:
        return Month(start) if start == end else _("{start} to {end}", start=Month(start), end=Month(end))
    if start:
        return _("{start} to now", start=Month(start))
    return _("until {end}", end=Month(end)) if end else Spoken()


def time_tag(value: date, text: str | None = None) -> Tagged:
    """`<time datetime="...">`: a date, or a datetime in UTC."""
    if isinstance(value, datetime):
        machine, words = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), text or instant(value)
    else:
        machine, words = value.isoformat(), text or day(value)
    return Tagged(Markup('<time datetime="{machine}">{words}</time>'), machine=machine, words=words)


def money(amount: Decimal, currency: str) -> Sentence:
    """Code, space, grouped figure, with the currency's decimals: EUR 4,080.00; JPY 48,000; BHD 1.250."""
    return _("{currency} {amount}", currency=currency, amount=Figure(amount, _places(currency)))


def short_money(amount: Decimal, currency: str) -> Sentence:
    """The same, its decimals only where there are some: EUR 68; EUR 68.50."""
    if amount == amount.to_integral_value():
        return _("{currency} {amount}", currency=currency, amount=Figure(amount))
    return money(amount, currency)


def _places(currency: str) -> int:
    known = currencies().get(currency)
    return known.decimals if known else 2


def rate(amount: Decimal, currency: str, unit: str) -> Tagged:
    """EUR 68 an hour: a rate in large type, its decimals only where there are some."""
    html = Markup('<span class="rate">{figure} <small>{unit}</small></span>')
    return Tagged(html, figure=short_money(amount, currency), unit=UNITS.get(unit, unit))


def rate_words(amount: Decimal, currency: str, unit: str) -> Sentence:
    """EUR 68 an hour, in a line of text."""
    figure = short_money(amount, currency)
    return {
        "hour": _("{amount} an hour", amount=figure),
        "day": _("{amount} a day", amount=figure),
        "one": _("{amount} in all", amount=figure),
    }[unit]


def name(text: str, lang: str = "") -> Markup:
    """Somebody's name, which must not turn the text around it (it may run from right to left)."""
    return Markup("<bdi{}>{}</bdi>").format(Markup(' lang="{}"').format(lang) if lang else "", escape(text))
