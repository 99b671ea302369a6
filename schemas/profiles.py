"""What a freelancer says of themself in a form that programs can search: schema.org's terms and our own.

It stands in the actor's document. What is for followers alone, or too long for a document that is fetched often, stands
in an object of type `Profile` (ActivityStreams 2.0 vocabulary §3.3) that `describes` the actor, in the same terms.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Literal, get_args

import msgspec

from schemas.base import Audience, datetime_of, id_of, many, text_of
from schemas.cv import Cv, cv_of, write_cv
from schemas.errors import Malformed
from schemas.money import Rate, Skill, currency_of, decimal_of, skills_of, text_number, unit_of, write_skills
from schemas.notes import object_identity
from schemas.terms import CARD_TERMS, object_context
from schemas.urls import url_of

AvailabilityStatus = Literal["open", "limited", "busy"]
Level = Literal["A1", "A2", "B1", "B2", "C1", "C2", "native"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""How well somebody speaks a language: Common European Framework of Reference, or a native speaker."""

MAX_LANGUAGES = 20
MAX_WEEKS = 26
MAX_LINKS = 20
MAX_SUMMARY = 100_000

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


class Availability(msgspec.Struct, frozen=True):
    """The answer to "are you free yet?": since when it holds is `updated`.

    weeks: free hours of each week, the first of which begins on the day `weeks_from`.
    """

    status: AvailabilityStatus
    from_date: date | None = None
    hours_per_week: int | None = None
    updated: datetime | None = None
    weeks: tuple[int, ...] = ()
    weeks_from: date | None = None


class FreelanceProfile(msgspec.Struct, frozen=True):
    """All of it. languages: BCP 47; levels: of those languages for which one is said."""

    headline: str = ""
    skills: tuple[Skill, ...] = ()
    languages: tuple[str, ...] = ()
    rate: Rate | None = None
    availability: Availability | None = None
    levels: dict[str, Level] = {}
    cv: Cv = Cv()


class Card(msgspec.Struct, frozen=True):
    """A part of a profile that does not stand in the actor's document. summary: HTML; links: addresses."""

    id: str
    owner: str
    profile: FreelanceProfile
    summary: str = ""
    links: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None


_SAID = (
    *("schema:knowsAbout", "schema:knowsLanguage", "schema:makesOffer", "availability", "headline"),
    *("schema:worksFor", "schema:alumniOf", "portfolio"),
)


def profile_of(document: dict[str, Any]) -> FreelanceProfile | None:
    """What an actor or a Profile says; None when it says nothing of all this."""
    if not any(name in document for name in _SAID):
        return None
    languages, levels = _languages(document.get("schema:knowsLanguage"))
    return FreelanceProfile(
        headline=text_of(document.get("headline"), limit=300),
        skills=skills_of(document.get("schema:knowsAbout")),
        languages=languages,
        rate=_rate(document.get("schema:makesOffer")),
        availability=_availability(document.get("availability")),
        levels=levels,
        cv=cv_of(document),
    )


def _languages(value: Any) -> tuple[tuple[str, ...], dict[str, Level]]:
    """Codes, each alone or in a schema.org Language with a level."""
    levels: dict[str, Level] = {}
    codes: dict[str, None] = {}
    for item in many(value)[:MAX_LANGUAGES]:
        code = item.get("schema:alternateName") if isinstance(item, dict) else item
        if not isinstance(code, str) or not 2 <= len(code) <= 35 or not code.replace("-", "").isalnum():
            continue
        if not code.isascii():
            continue
        codes[code] = None
        level = next((level for level in LEVELS if isinstance(item, dict) and item.get("level") == level), None)
        if level is not None:
            levels[code] = level
    return tuple(codes), levels


def _rate(value: Any) -> Rate | None:
    offer = value[0] if isinstance(value, list) and value else value
    price = offer.get("schema:priceSpecification") if isinstance(offer, dict) else None
    if not isinstance(price, dict):
        return None
    amount = decimal_of(price.get("schema:price"))
    currency, unit = currency_of(price.get("schema:priceCurrency")), unit_of(price.get("schema:unitCode"))
    return Rate(amount, currency, unit) if amount is not None and currency and unit else None


def _availability(value: Any) -> Availability | None:
    if not isinstance(value, dict):
        return None
    status = value.get("status")
    if status != "open" and status != "limited" and status != "busy":
        return None
    weeks, weeks_from = _weeks(value.get("weeks")), date_of(value.get("weeksFrom"))
    return Availability(
        status,
        date_of(value.get("from")),
        _hours(value.get("hoursPerWeek")),
        datetime_of(value.get("updated")),
        weeks if weeks_from is not None else (),
        weeks_from if weeks else None,
    )


def _hours(value: Any) -> int | None:
    hours = decimal_of(value)
    return int(hours) if hours is not None and hours <= 168 else None


def _weeks(value: Any) -> tuple[int, ...]:
    return tuple(_hours(item) or 0 for item in many(value)[:MAX_WEEKS])


def date_of(value: Any) -> date | None:
    """`2026-12-07`, else None."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DATE.match(value) else None
    except ValueError:
        return None


def write_profile(profile: FreelanceProfile) -> dict[str, Any]:
    """The members that say it; what is not said has none."""
    written: dict[str, Any] = {
        "headline": profile.headline,
        "schema:knowsAbout": write_skills(profile.skills),
        "schema:knowsLanguage": [_write_language(code, profile.levels.get(code)) for code in profile.languages],
    }
    if profile.rate is not None:
        written["schema:makesOffer"] = {
            "@type": "schema:Offer",
            "schema:priceSpecification": {
                "@type": "schema:UnitPriceSpecification",
                "schema:price": text_number(profile.rate.amount),
                "schema:priceCurrency": profile.rate.currency,
                "schema:unitCode": "HUR" if profile.rate.unit == "hour" else "DAY",
            },
        }
    if profile.availability is not None:
        written["availability"] = _write_availability(profile.availability)
    return {name: value for name, value in written.items() if value} | write_cv(profile.cv)


def _write_language(code: str, level: Level | None) -> Any:
    return code if level is None else {"@type": "schema:Language", "schema:alternateName": code, "level": level}


def _write_availability(availability: Availability) -> dict[str, Any]:
    parts: dict[str, Any] = {"status": availability.status}
    if availability.from_date is not None:
        parts["from"] = availability.from_date.isoformat()
    if availability.hours_per_week is not None:
        parts["hoursPerWeek"] = str(availability.hours_per_week)
    if availability.weeks and availability.weeks_from is not None:
        parts["weeks"] = [str(hours) for hours in availability.weeks]
        parts["weeksFrom"] = availability.weeks_from.isoformat()
    if availability.updated is not None:
        parts["updated"] = availability.updated.strftime("%Y-%m-%dT%H:%M:%SZ")
    return parts


# ---- the object that describes an actor


def parse_card(document: dict[str, Any]) -> Card:
    """Read a Profile; Malformed when it is none, or describes somebody else than its owner."""
    if document.get("type") != "Profile":
        raise Malformed("type", "not a Profile")
    card_id, owner = object_identity(document)
    if id_of(document.get("describes")) != owner:
        raise Malformed("describes", "a Profile describes its own owner here")
    links = (url_of(item) for item in many(document.get("schema:sameAs"))[:MAX_LINKS])
    return Card(
        id=card_id,
        owner=owner,
        profile=profile_of(document) or FreelanceProfile(),
        summary=text_of(document.get("schema:abstract"), limit=MAX_SUMMARY),
        links=tuple(dict.fromkeys(link for link in links if link is not None)),
        published=datetime_of(document.get("published")),
        updated=datetime_of(document.get("updated")),
    )


def write_card(card: Card, *, content: str, url: str, audience: Audience, published: str) -> dict[str, Any]:
    """The Profile, without a proof. content: the same in words, as clean HTML; url: the page that shows it."""
    document: dict[str, Any] = {
        "type": "Profile",
        "id": card.id,
        "attributedTo": card.owner,
        "describes": card.owner,
        "content": content,
        "url": url,
        "published": published,
        "to": list(audience.to),
        "cc": list(audience.cc),
        **write_profile(card.profile),
        "schema:abstract": card.summary,
        "schema:sameAs": list(card.links),
    }
    document = {name: value for name, value in document.items() if value or name in ("to", "cc")}
    return {"@context": object_context(CARD_TERMS, _used(document)), **document}


def _used(value: Any) -> set[str]:
    """The names of all members, at any depth."""
    if isinstance(value, list):
        return {name for item in value for name in _used(item)}
    return set(value) | {name for item in value.values() for name in _used(item)} if isinstance(value, dict) else set()


def card_of(document: dict[str, Any]) -> str | None:
    """The address of the public Profile that an actor's document links to, where its CV is too long to stand in it."""
    return url_of(id_of(document.get("cv")))


def is_card(document: dict[str, Any]) -> bool:
    """Whether a document is such an object; nothing else of it is looked at."""
    return document.get("type") == "Profile"
