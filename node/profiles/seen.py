"""A profile as somebody sees it: what is for everybody, and what is for them besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.readers import may_read
from federation.storage import Tx
from federation.tables import objects
from federation.types import OPEN
from node.language import Spoken
from node.profiles.cards import KIND
from node.profiles.queries import Person
from node.skills import named
from node.text import clean, one_line, visible
from node.web import words
from schemas.cv import SECTIONS, Cv, Entry, Section
from schemas.profiles import Card, parse_card
from schemas.urls import parse_url

MAX_CARDS = 5


class Line(NamedTuple):
    """A line of a CV, fit to be shown. close: it is for followers alone. picture: as `Person.picture`."""

    title: str
    organisation: str
    place: str
    when: Spoken
    goes_on: bool
    paragraphs: tuple[str, ...]
    url: str
    picture: str
    alt: str
    close: bool
    subject: str


@dataclass(frozen=True, slots=True)
class Seen:
    """close: the names of the guarded fields that only followers see. missing: a CV that is not here yet."""

    person: Person
    lines: dict[Section, list[Line]]
    close: frozenset[str]
    missing: str | None


def seen_by(tx: Tx, person: Person, reader: str | None) -> Seen:
    """A person as one who is signed in here, or anybody (None), sees them."""
    beside = _beside(tx, person, reader)
    long = next((card for card in beside if card.id == person.card), None)
    held = next((card for card in beside if card.id != person.card), None)
    whole, shown = (person.cv, person.id) if long is None else (long.profile.cv, long.id)
    lines = {section: [*_lines(person, whole.of(section), subject=shown, close=False)] for section in SECTIONS}
    missing = person.card if long is None else None
    if held is None:
        return Seen(person, lines, frozenset(), missing)
    for section in SECTIONS:
        lines[section] += _lines(person, held.profile.cv.of(section), subject=held.id, close=True)
    merged, close = _merged(person, held)
    return Seen(merged, _in_order(lines, both=bool(whole) and bool(held.profile.cv)), close, missing)


def _beside(tx: Tx, person: Person, reader: str | None) -> list[Card]:
    """The objects that describe somebody and that this reader may read: the one that is linked, and the last other."""
    standing = sa.select(objects).where(objects.c.owner == person.id, objects.c.kind == KIND)
    rows = tx.rows(standing.where(objects.c.deleted_at.is_(None)).order_by(objects.c.updated.desc()).limit(MAX_CARDS))
    return [_card(row) for row in rows if _counts(row, person) and may_read(tx, row.id, reader)]


def _counts(row: Row[Any], person: Person) -> bool:
    return bool(row.id == person.card if row.visibility in OPEN else True)


def _card(row: Row[Any]) -> Card:
    return parse_card(msgspec.json.decode(row.body))


def _merged(person: Person, card: Card) -> tuple[Person, frozenset[str]]:
    profile = card.profile
    said: dict[str, Any] = {
        "summary_html": clean(card.summary, top=3),
        "skills": named(profile.skills),
        "rate": profile.rate,
        "availability": profile.availability,
        "languages": profile.languages,
        "links": card.links,
    }
    more = {name: value for name, value in said.items() if value}
    close = frozenset("summary" if name == "summary_html" else name for name in more)
    levels = profile.levels if profile.languages else person.levels
    return replace(person, levels=levels, **more), close


def _lines(person: Person, entries: tuple[Entry, ...], *, subject: str, close: bool) -> Iterator[Line]:
    for entry in entries:
        yield Line(
            title=one_line(entry.title, 200),
            organisation=one_line(entry.organisation, 200),
            place=one_line(entry.place, 200),
            when=words.span(entry.start, entry.end),
            goes_on=bool(entry.start) and not entry.end,
            paragraphs=tuple(part.strip() for part in visible(entry.text).split("\n") if part.strip()),
            url=entry.url,
            picture=parse_url(entry.picture).path if person.local and entry.picture else entry.picture,
            alt=visible(entry.alt),
            close=close,
            subject=subject,
        )


def _in_order(lines: dict[Section, list[Line]], *, both: bool) -> dict[Section, list[Line]]:
    """What goes on comes first where lines of two lists stand together; else the owner's order."""
    if not both:
        return lines
    return {section: sorted(found, key=lambda line: not line.goes_on) for section, found in lines.items()}


def cv_shown(lines: dict[Section, list[Line]]) -> bool:
    """Whether there is any line."""
    return any(lines.values())


def whole_cv(tx: Tx, person: Person) -> Cv:
    """The part of a CV that is for everybody, wherever it stands."""
    if person.card is None:
        return person.cv
    cards = [card for card in _beside(tx, person, None) if card.id == person.card]
    return cards[0].profile.cv if cards else person.cv
