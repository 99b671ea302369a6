"""What a profile may say, and what it answers to "are you free yet?". Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from node.fields import Fields, currency, day, line, paragraphs, price
from node.skills import parse_skills, write_skills
from node.vocabularies import language_code, language_name
from node.web import words
from schemas.actors import Availability, AvailabilityStatus
from schemas.errors import SchemaError
from schemas.money import Rate, Skill, Unit
from schemas.urls import parse_url

if TYPE_CHECKING:
    from node.profiles.queries import Person

MAX_NAME = 100
MAX_HEADLINE = 300
MAX_SUMMARY = 10_000
MAX_LANGUAGES = 20
MAX_LINKS = 8
MAX_HOURS = 80

ASK_AGAIN = timedelta(days=30)
"""An answer that is older is confirmed anew by the next save."""
LATELY = timedelta(days=60)
"""An older answer is shown as "not confirmed lately"."""

STATUSES: tuple[AvailabilityStatus, ...] = ("open", "limited", "busy")

_SENTENCES: dict[tuple[AvailabilityStatus, bool, bool], str] = {  # status, is there a day to come, are there hours
    ("open", True, True): "Yes, from {day}, {hours} hours a week.",
    ("open", True, False): "Yes, from {day}.",
    ("open", False, True): "Yes, {hours} hours a week.",
    ("open", False, False): "Yes.",
    ("limited", True, True): "A little, from {day}, {hours} hours a week.",
    ("limited", True, False): "A little, from {day}.",
    ("limited", False, True): "A little, {hours} hours a week.",
    ("limited", False, False): "A little.",
    ("busy", True, True): "No. Ask again from {day}.",
    ("busy", True, False): "No. Ask again from {day}.",
    ("busy", False, True): "No. Ask again later.",
    ("busy", False, False): "No. Ask again later.",
}
_ROWS: dict[tuple[AvailabilityStatus, bool, bool], str] = {  # the same behind the words "Free from"
    ("open", True, True): "{day}, {hours} hours a week",
    ("open", True, False): "{day}",
    ("open", False, True): "Now, {hours} hours a week",
    ("open", False, False): "Now",
    ("limited", True, True): "{day}, a little: {hours} hours a week",
    ("limited", True, False): "{day}, a little",
    ("limited", False, True): "Now, a little: {hours} hours a week",
    ("limited", False, False): "Now, a little",
    ("busy", True, True): "Not now. Ask again from {day}",
    ("busy", True, False): "Not now. Ask again from {day}",
    ("busy", False, True): "Not now",
    ("busy", False, False): "Not now",
}
NOT_SAID = "They have not said yet."


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, with a day only while that day is to come. status None: nothing was said.

    row: the same for the profile's row "Free from". updated: when it was confirmed.
    """

    status: AvailabilityStatus | None
    from_date: date | None
    hours: int | None
    updated: datetime | None
    row: str
    _form: str

    @property
    def sentence(self) -> str:
        """In plain words."""
        return self._form.format(day=words.day(self.from_date) if self.from_date else "", hours=self.hours)

    @property
    def markup(self) -> Markup:
        """The sentence with its day as `<time>`."""
        shown = ""
        if self.from_date:  # "7 December" stays together in the largest type of the page
            shown = words.time_tag(self.from_date, words.day(self.from_date).replace(" ", "\N{NO-BREAK SPACE}", 1))
        return Markup(self._form).format(day=shown, hours=self.hours)  # noqa: S704 - a sentence of ours

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has confirmed it lately."""
        return self.status is not None and (self.updated is None or now - self.updated > LATELY)

    def freshness(self, now: datetime) -> str:
        """When it was said, as people say it."""
        if self.updated is None:
            return ""
        days = (now.date() - self.updated.date()).days
        if days < 2:
            return "Said yesterday" if days == 1 else "Said today"
        return f"Said {days} days ago" if days <= ASK_AGAIN.days else f"Said on {words.day(self.updated)}"


def answer(availability: Availability | None, today: date) -> Answer:
    """What an availability answers on a day."""
    if availability is None:
        return Answer(None, None, None, None, "", NOT_SAID)
    coming = availability.from_date if availability.from_date and availability.from_date > today else None
    hours = availability.hours_per_week or None
    case = (availability.status, coming is not None, hours is not None)
    row, sentence = _ROWS[case], _SENTENCES[case]
    if hours == 1:
        row, sentence = row.replace(" hours ", " hour "), sentence.replace(" hours ", " hour ")
    written = row.format(day=words.day(coming) if coming else "", hours=hours)
    return Answer(availability.status, coming, hours, availability.updated, written, sentence)


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile form, checked. `availability.updated` is not known yet: whoever saves says when."""

    name: str
    headline: str
    summary_md: str
    skills: tuple[Skill, ...]
    rate: Rate | None
    availability: Availability | None
    languages: tuple[str, ...]
    links: tuple[str, ...]
    discoverable: bool
    indexable: bool


def parse_profile(form: Mapping[str, str], today: date) -> ProfileDraft:
    """The profile form -> draft; raises Invalid.

    Fields: name, headline, summary (Markdown), skills and more_skills (NAME or NAME=URI, apart by commas), rate,
    currency, unit (hour | day), availability (open | limited | busy or empty), free_from (2026-12-07), hours_per_week,
    languages (codes or names, apart by commas), links (one a line), discoverable and indexable (yes, or empty).
    """
    fields = Fields(form)
    name = fields.read("name", line(MAX_NAME, "A name"), "")
    if not name:
        fields.wrong("name", "Write the name by which people call you.")
    none: tuple[Skill, ...] = ()
    skills = fields.read("skills", parse_skills, none) + fields.read("more_skills", parse_skills, none)
    draft = ProfileDraft(
        name=name,
        headline=fields.read("headline", line(MAX_HEADLINE, "A headline"), ""),
        summary_md=fields.read("summary", paragraphs(MAX_SUMMARY, "This text"), ""),
        skills=tuple({skill.name.casefold(): skill for skill in skills}.values()),
        rate=_rate(fields),
        availability=_availability(fields, today),
        languages=fields.read("languages", _languages, ()),
        links=fields.read("links", _links, ()),
        discoverable=fields.text("discoverable") == "yes",
        indexable=fields.text("indexable") == "yes",
    )
    fields.check()
    return draft


def _rate(fields: Fields) -> Rate | None:
    code = fields.read("currency", currency, "EUR")
    unit: Unit = "day" if fields.text("unit") == "day" else "hour"
    if fields.text("unit") not in ("", "hour", "day"):
        fields.wrong("unit", "A rate is for an hour or for a day.")
    amount = fields.read("rate", price(code), None)
    return Rate(amount, code, unit) if amount is not None else None


def _availability(fields: Fields, today: date) -> Availability | None:
    past = "That day has passed. Choose today or later, or leave it empty if you are free now."
    from_date = fields.read("free_from", day(today, past), None)
    hours = fields.read("hours_per_week", _hours, None)
    chosen = fields.text("availability")
    status = next((status for status in STATUSES if status == chosen), None)
    if chosen and status is None:
        fields.wrong("availability", "Choose one of these: free, a little, or busy.")
    if status is None:
        if from_date or hours:
            fields.wrong("availability", "Say whether you are free, a little free, or busy.")
        return None
    return Availability(status, from_date, hours)


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:6]) <= MAX_HOURS:
        raise ValueError(f"Write a whole number of hours, from 1 to {MAX_HOURS}.")
    return int(text)


def _languages(text: str) -> tuple[str, ...]:
    found = []
    for part in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        code = language_code(part)
        if code is None:
            raise ValueError(f"“{part[:40]}” is not a language known here. Write its name in English, or its code.")
        found.append(code)
    if len(found) > MAX_LANGUAGES:
        raise ValueError(f"Name at most {MAX_LANGUAGES} languages.")
    return tuple(dict.fromkeys(found))


def _links(text: str) -> tuple[str, ...]:
    links = tuple(dict.fromkeys(text.split()))
    for link in links:
        if not link.startswith(("https://", "http://")):
            raise ValueError(f"{link[:60]} is not an address. Begin with https://, one link a line.")
        try:
            parse_url(link)
        except SchemaError:
            raise ValueError(f"{link[:60]} is not an address. Copy it from your browser.") from None
    if len(links) > MAX_LINKS:
        raise ValueError(f"Give at most {MAX_LINKS} links.")
    return links


def form_of(person: Person, today: date = date.min) -> dict[str, str]:
    """The form that `parse_profile` would read this from; a day before `today` is left out, it has had its effect."""
    available = person.availability
    from_date = available.from_date if available else None
    return {
        "name": person.name,
        "headline": person.headline,
        "summary": person.summary_md or "",
        "skills": write_skills(person.skills),
        "rate": str(person.rate.amount) if person.rate else "",
        "currency": person.rate.currency if person.rate else "EUR",
        "unit": person.rate.unit if person.rate else "hour",
        "availability": available.status if available else "",
        "free_from": from_date.isoformat() if from_date and from_date >= today else "",
        "hours_per_week": str(available.hours_per_week or "") if available else "",
        "languages": ", ".join(_language_text(code) for code in person.languages),
        "links": "\n".join(person.links),
        "discoverable": "yes" if person.discoverable else "",
        "indexable": "yes" if person.indexable else "",
    }


def _language_text(code: str) -> str:
    """By name where the name leads back to the code."""
    name = language_name(code)
    return name if language_code(name) == code else code


def confirmed_at(held: Availability | None, now_said: Availability | None, now: datetime) -> datetime | None:
    """Since when an answer holds: the same one keeps its time, until it has to be confirmed anew."""
    if now_said is None:
        return None
    if held is None or held.updated is None or now - held.updated > ASK_AGAIN:
        return now
    same = (held.status, held.from_date, held.hours_per_week) == (
        now_said.status,
        now_said.from_date,
        now_said.hours_per_week,
    )
    return held.updated if same else now


def audience_sentence(people: int, servers: int) -> str:
    """Who hears of what is saved: people who follow, and the servers on which they live."""
    if not people:
        return "What you save is signed with your key. Nobody follows you yet: those who come will find it here."
    if people == 1:
        return "What you save is signed with your key and sent to your one follower."
    if servers == 1:
        return f"What you save is signed with your key and sent to {people:,} followers on one server."
    return f"What you save is signed with your key and sent to {people:,} followers on {servers:,} servers."
