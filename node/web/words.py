"""How dates and money are said: "7 December 2026", "EUR 4,080.00"."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup, escape

from node.vocabularies import currencies

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
UNITS = {"hour": "an hour", "day": "a day", "one": "in all"}


def day(value: date) -> str:
    """7 December 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def instant(value: datetime) -> str:
    """23 November 2026, 13:58 UTC: the exact moment, where it is evidence."""
    value = value.astimezone(UTC)
    return f"{day(value)}, {value:%H:%M} UTC"


def ago(value: datetime, now: datetime) -> str:
    """12 minutes, 1 hour, 3 days; a date once it is older than a month."""
    seconds = max(timedelta(), now - value).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return _plural(int(seconds // 60), "minute")
    if seconds < 86_400:
        return _plural(int(seconds // 3600), "hour")
    return _plural(int(seconds // 86_400), "day") if seconds < 31 * 86_400 else day(value)


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def time_tag(value: date, text: str | None = None) -> Markup:
    """`<time datetime="...">`: a date, or a datetime in UTC."""
    if isinstance(value, datetime):
        machine, words = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), text or instant(value)
    else:
        machine, words = value.isoformat(), text or day(value)
    return Markup('<time datetime="{}">{}</time>').format(machine, words)


def money(amount: Decimal, currency: str) -> str:
    """Code, space, grouped figure, with the currency's decimals: EUR 4,080.00; JPY 48,000; BHD 1.250."""
    return f"{currency} {amount:,.{_places(currency)}f}"


def short_money(amount: Decimal, currency: str) -> str:
    """The same, its decimals only where there are some: EUR 68; EUR 68.50."""
    if amount == amount.to_integral_value():
        return f"{currency} {amount:,.0f}"
    return money(amount, currency)


def _places(currency: str) -> int:
    known = currencies().get(currency)
    return known.decimals if known else 2


def rate(amount: Decimal, currency: str, unit: str) -> Markup:
    """EUR 68 an hour: a rate in large type, its decimals only where there are some."""
    figure = short_money(amount, currency)
    return Markup('<span class="rate">{} <small>{}</small></span>').format(figure, UNITS.get(unit, unit))


def name(text: str, lang: str = "") -> Markup:
    """Somebody's name, which must not turn the text around it (it may run from right to left)."""
    return Markup("<bdi{}>{}</bdi>").format(Markup(' lang="{}"').format(lang) if lang else "", escape(text))
