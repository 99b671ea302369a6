"""When somebody is free, as a calendar (RFC 5545) that others subscribe to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from node.profiles import weeks
from node.profiles.answers import answer
from node.profiles.queries import Person
from node.profiles.rules import MAX_NAME
from node.text import one_line

HORIZON = timedelta(weeks=26)


class Event(NamedTuple):
    """All-day, from its first day to before its last."""

    start: date
    end: date
    summary: str


def events(person: Person, today: date) -> Iterator[Event]:
    """What stands in the calendar: each free week where they are shared, else how it is from when on."""
    shared, name = weeks.coming(person.availability, today), one_line(person.name, MAX_NAME)
    for week in shared:
        if week.hours:
            yield Event(week.start, week.start + timedelta(weeks=1), f"{name}: {week.hours} hours free")
    said = answer(person.availability, today)
    if shared or said.status is None:
        return
    if said.status == "busy":
        yield Event(today, said.from_date or today + timedelta(weeks=4), f"{name}: busy")
        return
    start = said.from_date or today
    word = "free" if said.status == "open" else "a little free"
    much = f", {said.hours} hour{'' if said.hours == 1 else 's'} a week" if said.hours else ""
    yield Event(
        start,
        today + HORIZON if start < today + HORIZON else start + timedelta(weeks=1),
        f"{name}: {word}{much}",
    )


def calendar(person: Person, now: datetime, host: str) -> bytes:
    """The file. Text of people is escaped by the library; an event keeps its UID as long as it begins on that day."""
    from icalendar import Calendar
    from icalendar import Event as Entry

    said = answer(person.availability, now.date())
    stamp = (said.updated or now).astimezone(UTC)
    made = Calendar()
    made.add("prodid", "-//Freehold//availability//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"{one_line(person.name, MAX_NAME)}: free?")
    made.add("refresh-interval", timedelta(days=1), parameters={"VALUE": "DURATION"})
    for event in events(person, now.date()):
        entry = Entry()
        entry.add("uid", f"{event.start.isoformat()}.{person.handle.partition('@')[0]}@{host}")
        entry.add("dtstamp", stamp)
        entry.add("dtstart", event.start)
        entry.add("dtend", event.end)
        entry.add("summary", event.summary)
        entry.add("url", person.url)
        entry.add("transp", "TRANSPARENT" if "busy" not in event.summary.rpartition(": ")[2] else "OPAQUE")
        if said.is_stale(now):
            entry.add("description", str(said.since))
        made.add_component(entry)
    return bytes(made.to_ical())
