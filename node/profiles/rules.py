"""What a profile may say: form <-> draft. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, get_args

from node.fields import Fields, currency, day, line, paragraphs, price
from node.language import Sentence, _, _n
from node.profiles.answers import LATELY
from node.skills import parse_skills, write_skills
from node.vocabularies import language_code, language_name
from schemas.errors import SchemaError
from schemas.money import Rate, Skill, Unit
from schemas.profiles import LEVELS, MAX_WEEKS, Availability, AvailabilityStatus, Level, date_of
from schemas.urls import parse_url

if TYPE_CHECKING:
    from node.profiles.queries import Person

MAX_NAME = 100
MAX_HEADLINE = 300
MAX_SUMMARY = 10_000
MAX_LANGUAGES = 20
MAX_LINKS = 8
MAX_HOURS = 80

STATUSES: tuple[AvailabilityStatus, ...] = ("open", "limited", "busy")

Audience = Literal["public", "followers", "nobody"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
"""Who sees a part of a profile. What is for nobody stays in the database, for its owner alone."""

GUARDED = ("availability", "summary", "rate", "skills", "languages", "links")
"""The fields that may be for some only; a form says it in `NAME_for`. Name, picture and headline are for everybody."""

AUDIENCE_WORDS: dict[Audience, Sentence] = {
    "public": _("Everybody"),
    "followers": _("Your followers"),
    "nobody": _("Nobody, yet"),
}


LEVEL_WORDS: dict[str | None, str] = {**{level: level for level in LEVELS}, "native": _("native")}


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """A profile form, checked. `availability.updated` is not known yet: whoever saves says when.

    levels: of the languages for which one is said. approves: whether the owner decides who follows. audiences: of the
    guarded fields that are not for everybody.
    """

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
    levels: Mapping[str, Level] = field(default_factory=dict)
    approves: bool = False
    audiences: Mapping[str, Audience] = field(default_factory=dict)


def parse_profile(form: Mapping[str, str], today: date) -> ProfileDraft:
    """The profile form -> draft; raises Invalid.

    Fields: name, headline, summary (Markdown), skills and more_skills (NAME or NAME=URI, apart by commas), rate,
    currency, unit (hour | day), availability (open | limited | busy or empty), free_from (2026-12-07), hours_per_week,
    weeks (hours of each coming week, apart by spaces) and weeks_from, languages (codes or names, each perhaps with a
    level, apart by commas), links (one a line), discoverable, indexable and approves (yes, or empty); and who sees
    them: `summary_for` and so on.
    """
    fields = Fields(form)
    name = fields.read("name", line(MAX_NAME, _("A name")), "")
    if not name:
        fields.wrong("name", _("Write the name by which people call you."))
    none: tuple[Skill, ...] = ()
    skills = fields.read("skills", parse_skills, none) + fields.read("more_skills", parse_skills, none)
    spoken: dict[str, Level | None] = fields.read("languages", parse_languages, {})
    draft = ProfileDraft(
        name=name,
        headline=fields.read("headline", line(MAX_HEADLINE, _("A headline")), ""),
        summary_md=fields.read("summary", paragraphs(MAX_SUMMARY, _("This text")), ""),
        skills=tuple({skill.name.casefold(): skill for skill in skills}.values()),
        rate=_rate(fields),
        availability=_availability(fields, today),
        languages=tuple(spoken),
        links=fields.read("links", _links, ()),
        discoverable=fields.text("discoverable") == "yes",
        indexable=fields.text("indexable") == "yes",
        levels={code: level for code, level in spoken.items() if level is not None},
        approves=fields.text("approves") == "yes",
        audiences=_audiences(fields),
    )
    fields.check()
    return draft


def _audiences(fields: Fields) -> dict[str, Audience]:
    everybody: Audience = "public"
    chosen = {name: fields.read(f"{name}_for", audience, everybody) for name in GUARDED}
    return {name: who for name, who in chosen.items() if who != "public"}


def audience(text: str) -> Audience:
    """public, followers or nobody; ValueError for anything else."""
    found = next((one for one in AUDIENCES if one == text), None)
    if found is None:
        raise ValueError(_("Choose who sees this: everybody, your followers, or nobody."))
    return found


def _rate(fields: Fields) -> Rate | None:
    code = fields.read("currency", currency, "EUR")
    unit: Unit = "day" if fields.text("unit") == "day" else "hour"
    if fields.text("unit") not in ("", "hour", "day"):
        fields.wrong("unit", _("A rate is for an hour or for a day."))
    amount = fields.read("rate", price(code), None)
    return Rate(amount, code, unit) if amount is not None else None


def _availability(fields: Fields, today: date) -> Availability | None:
    past = _("That day has passed. Choose today or later, or leave it empty if you are free now.")
    from_date = fields.read("free_from", day(today, past), None)
    hours = fields.read("hours_per_week", _hours, None)
    chosen = fields.text("availability")
    status = next((status for status in STATUSES if status == chosen), None)
    if chosen and status is None:
        fields.wrong("availability", _("Choose one of these: free, a little, or busy."))
    if status is None:
        if from_date or hours:
            fields.wrong("availability", _("Say whether you are free, a little free, or busy."))
        return None
    unsaid: tuple[int, ...] = ()
    weeks, weeks_from = fields.read("weeks", parse_weeks, unsaid), date_of(fields.text("weeks_from"))
    if not weeks or weeks_from is None:
        return Availability(status, from_date, hours)
    return Availability(status, from_date, hours, weeks=weeks, weeks_from=weeks_from)


def parse_weeks(text: str) -> tuple[int, ...]:
    """The free hours of the coming weeks, apart by spaces; all of them 0 says nothing."""
    parts = text.split()
    usable = all(part.isascii() and part.isdigit() and int(part[:4]) <= MAX_HOURS for part in parts)
    if len(parts) > MAX_WEEKS or not usable:
        raise ValueError(_("Write for each week a whole number of hours, from 0 to {most}.", most=MAX_HOURS))
    weeks = tuple(int(part) for part in parts)
    return weeks if any(weeks) else ()


def _hours(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:6]) <= MAX_HOURS:
        raise ValueError(_("Write a whole number of hours, from 1 to {most}.", most=MAX_HOURS))
    return int(text)


def parse_languages(text: str) -> dict[str, Level | None]:
    """`English C1, Igbo native` -> codes with levels, in their order; ValueError for what is no language or level."""
    found: dict[str, Level | None] = {}
    for part in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        code, level = _language(part)
        found.setdefault(code, level)
    if len(found) > MAX_LANGUAGES:
        raise ValueError(_n("Name at most {count} language.", "Name at most {count} languages.", MAX_LANGUAGES))
    return found


def _language(part: str) -> tuple[str, Level | None]:
    code = language_code(part)
    if code is not None:
        return code, None
    name, _space, last = part.replace("(", " ").replace(")", " ").strip().rpartition(" ")
    code = language_code(name.strip())
    if code is None:
        raise ValueError(
            _("“{name}” is not a language known here. Write its name in English, or its code.", name=part[:40])
        )
    level = next((level for level in LEVELS if level.casefold() == last.casefold()), None)
    if level is None:
        raise ValueError(_("“{word}” is no level. Write one of A1, A2, B1, B2, C1, C2, or native.", word=last[:40]))
    return code, level


def _links(text: str) -> tuple[str, ...]:
    links = tuple(dict.fromkeys(text.split()))
    for link in links:
        if not link.startswith(("https://", "http://")):
            raise ValueError(_("{link} is not an address. Begin with https://, one link a line.", link=link[:60]))
        try:
            parse_url(link)
        except SchemaError:
            raise ValueError(_("{link} is not an address. Copy it from your browser.", link=link[:60])) from None
    if len(links) > MAX_LINKS:
        raise ValueError(_n("Give at most {count} link.", "Give at most {count} links.", MAX_LINKS))
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
        "weeks": " ".join(map(str, available.weeks)) if available else "",
        "weeks_from": available.weeks_from.isoformat() if available and available.weeks_from else "",
        "languages": ", ".join(_language_text(code, person.levels.get(code)) for code in person.languages),
        "links": "\n".join(person.links),
        "discoverable": "yes" if person.discoverable else "",
        "indexable": "yes" if person.indexable else "",
        "approves": "yes" if person.approves else "",
        **{f"{name}_for": person.audiences.get(name, "public") for name in GUARDED},
    }


def _language_text(code: str, level: Level | None) -> str:
    """By name where the name leads back to the code."""
    name = str(language_name(code))
    shown = name if language_code(name) == code else code
    return f"{shown} {level}" if level else shown


def confirmed_at(held: Availability | None, now_said: Availability | None, now: datetime) -> datetime | None:
    """Since when an answer holds: the same one keeps its time, until it has to be confirmed anew."""
    if now_said is None:
        return None
    if held is None or held.updated is None or now - held.updated > LATELY:
        return now
    return held.updated if _said(held) == _said(now_said) else now


def _said(availability: Availability) -> tuple[object, ...]:
    named = (availability.status, availability.from_date, availability.hours_per_week)
    return (*named, availability.weeks, availability.weeks_from)


def audience_sentence(people: int, servers: int) -> Sentence:
    """Who hears of what is saved: people who follow, and the servers on which they live."""
    if not people:
        return _("What you save is signed with your key. Nobody follows you yet: those who come will find it here.")
    if people == 1:
        return _("What you save is signed with your key and sent to your one follower.")
    if servers == 1:
        return _("What you save is signed with your key and sent to {people:,} followers on one server.", people=people)
    return _(
        "What you save is signed with your key and sent to {people:,} followers on {servers:,} servers.",
        people=people,
        servers=servers,
    )
