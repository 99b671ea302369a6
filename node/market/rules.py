"""What a gig must say, and what state it is in. Pure.

A gig has no column for its state. It is read off its times, for our own as for others':

    open     no end, or the end is to come
    ended    the end has passed by itself: "answer by 4 December"
    closed   its owner set the end no later than the change that set it: final
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, cast

from node.fields import Fields, currency, day, line, paragraphs, price, quantity
from node.language import _
from node.skills import parse_skills, write_skills
from schemas.market import Purpose
from schemas.money import Skill, Unit

if TYPE_CHECKING:
    from node.market.queries import GigView

MAX_TITLE = 120
MAX_BODY = 20_000

State = Literal["open", "ended", "closed"]
PURPOSES: tuple[Purpose, ...] = ("offer", "request")
UNITS: tuple[Unit, ...] = ("hour", "day", "one")


@dataclass(frozen=True, slots=True)
class GigDraft:
    """A gig form, checked. price is for one unit, None where it is to be agreed; until is the last day for answers."""

    purpose: Purpose
    title: str
    body_md: str
    skills: tuple[Skill, ...]
    unit: Unit
    price: Decimal | None
    currency: str | None
    available: Decimal | None
    minimum: Decimal | None
    until: date | None


def parse_gig(form: Mapping[str, str], today: date) -> GigDraft:
    """The gig form -> draft; raises Invalid.

    Fields: purpose (offer | request), title, body (Markdown), skills and more_skills (NAME or NAME=URI, apart by
    commas), price, currency, unit (hour | day | one), available and minimum (counting units), until (2026-12-04).
    """
    fields = Fields(form)
    purpose = fields.text("purpose")
    if purpose not in PURPOSES:
        fields.wrong("purpose", _("Say whether you offer this work or are looking for somebody."))
    title = fields.read("title", line(MAX_TITLE, _("A title")), "")
    if not title:
        fields.wrong("title", _("Write a title: what is to be done, in a few words."))
    body = fields.read("body", paragraphs(MAX_BODY, _("A description")), "")
    unit = fields.text("unit") or "hour"
    if unit not in UNITS:
        fields.wrong("unit", _("A price is for an hour, for a day, or for all of it."))
    amount, code = _price(fields)
    available, minimum = _quantities(fields, unit)
    none: tuple[Skill, ...] = ()
    skills = fields.read("skills", parse_skills, none) + fields.read("more_skills", parse_skills, none)
    past = _("That day has passed. Choose today or later, or leave it empty if there is no last day.")
    until = fields.read("until", day(today, past), None)
    fields.check()
    return GigDraft(
        purpose=cast(Purpose, purpose),
        title=title,
        body_md=body,
        skills=tuple({skill.name.casefold(): skill for skill in skills}.values()),
        unit=cast(Unit, unit),
        price=amount,
        currency=code if amount is not None else None,
        available=available,
        minimum=minimum,
        until=until,
    )


def _price(fields: Fields) -> tuple[Decimal | None, str]:
    code = fields.read("currency", currency, "EUR")
    return fields.read("price", price(code), None), code


def _quantities(fields: Fields, unit: str) -> tuple[Decimal | None, Decimal | None]:
    available, minimum = (fields.read(name, quantity, None) for name in ("available", "minimum"))
    if unit == "one" and (available is not None or minimum is not None):
        name = "available" if available is not None else "minimum"
        fields.wrong(name, _("A price for all of it counts neither hours nor days. Leave this empty."))
    if available is not None and minimum is not None and minimum > available:
        fields.wrong("minimum", _("This is more than there is in all. Write a smaller number."))
    return available, minimum


def form_of(view: GigView, today: date = date.min) -> dict[str, str]:
    """The form that `parse_gig` would read this from; a last day before `today` is left out."""
    until = view.end_time.astimezone(UTC).date() if view.end_time else None
    return {
        "purpose": view.purpose,
        "title": view.title,
        "body": view.body_md or "",
        "skills": write_skills(view.skills),
        "price": str(view.price) if view.price is not None else "",
        "currency": view.currency or "EUR",
        "unit": view.unit,
        "available": _number(view.available),
        "minimum": _number(view.minimum),
        "until": until.isoformat() if until and until >= today else "",
    }


def _number(value: Decimal | None) -> str:
    return format(value.normalize(), "f") if value is not None else ""


def end_of(until: date | None) -> datetime | None:
    """The end of a gig's last day, everywhere the same instant."""
    return datetime.combine(until, time(23, 59, 59), UTC) if until else None


def state_of(end_time: datetime | None, updated: datetime, now: datetime) -> State:
    """See the module's docstring."""
    if end_time is None or end_time > now:
        return "open"
    return "closed" if end_time <= updated else "ended"
