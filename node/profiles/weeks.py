"""The free hours of the coming weeks, as their owner shares them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from node.errors import Invalid
from node.profiles.rules import parse_weeks
from node.web.words import Month
from schemas.profiles import MAX_WEEKS, Availability

FULL = 40
"""Hours of a week that fill a plot of the chart."""


class Week(NamedTuple):
    """A week from its Monday on; month: where a month begins, its name."""

    start: date
    hours: int
    month: Month | None

    @property
    def share(self) -> float:
        """From 0 to 1: how much of 40 hours is free."""
        return min(self.hours / FULL, 1.0)


def monday(today: date) -> date:
    """The first day of a day's week."""
    return today - timedelta(days=today.weekday())


def coming(availability: Availability | None, today: date) -> list[Week]:
    """The 26 weeks from this one on; nothing where nobody shares them, or none of them is still to come."""
    if availability is None or availability.weeks_from is None:
        return []
    passed = (monday(today) - availability.weeks_from).days // 7
    weeks = _weeks(availability.weeks, passed, monday(today))
    return weeks if any(week.hours for week in weeks) else []


def blank(today: date) -> list[Week]:
    """The same, with nothing said yet."""
    return _weeks((), 0, monday(today))


def _weeks(hours: tuple[int, ...], passed: int, start: date) -> list[Week]:
    found: list[Week] = []
    for number in range(MAX_WEEKS):
        begins, index = start + timedelta(weeks=number), number + passed
        new = not found or found[-1].start.month != begins.month
        month = Month(f"{begins:%Y-%m}", short=True) if new else None
        found.append(Week(begins, hours[index] if 0 <= index < len(hours) else 0, month))
    return found


def parse_form(form: Mapping[str, str]) -> tuple[int, ...]:
    """The form of the weeks, `week0` to `week25`, each empty or a number -> hours; raises Invalid, field by field."""
    errors: dict[str, str] = {}
    hours: list[int] = []
    for number in range(MAX_WEEKS):
        name = f"week{number}"
        try:
            hours += parse_weeks(form.get(name, "").strip() or "0")[:1] or (0,)
        except ValueError as error:
            errors[name] = error.args[0]
    if errors:
        raise Invalid(errors)
    return tuple(hours) if any(hours) else ()
