"""A person as schema.org has it, for search engines (JSON-LD in the page's head)."""

from __future__ import annotations

from typing import Any

from node.profiles.queries import Person
from node.vocabularies import language_name
from schemas.cv import Entry
from schemas.money import Rate, Skill, text_number

_CODES = {"hour": "HUR", "day": "DAY", "one": "C62"}  # UN/CEFACT Recommendation 20


def person_ld(person: Person, origin: str) -> dict[str, Any]:
    """A Person or an Organization; members without a value are left out."""
    described: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Organization" if person.collective else "Person",
        "name": person.name,
        "alternateName": f"@{person.handle}",
        "url": person.url,
        "description": person.headline,
        "image": origin + person.picture if person.picture and person.local else None,
        "knowsAbout": [skill_ld(skill) for skill in person.skills],
        "knowsLanguage": [
            {"@type": "Language", "name": language_name(code), "alternateName": code} for code in person.languages
        ],
        "sameAs": list(person.links),
        "worksFor": [_role(entry, "worksFor", "Organization") for entry in person.cv.experience],
        "alumniOf": [_role(entry, "alumniOf", "EducationalOrganization") for entry in person.cv.education],
        "makesOffer": {"@type": "Offer", "priceSpecification": price_ld(person.rate)} if person.rate else None,
    }
    return {name: value for name, value in described.items() if value}


def _role(entry: Entry, member: str, kind: str) -> dict[str, Any]:
    where = {"@type": kind, "name": entry.organisation or entry.title}
    role = {"@type": "OrganizationRole", "roleName": entry.title, member: where}
    dates = {"startDate": entry.start, "endDate": entry.end}
    return role | {name: value for name, value in dates.items() if value}


def skill_ld(skill: Skill) -> dict[str, str]:
    """By name, and by its URI where that is known."""
    return {"@type": "DefinedTerm", "name": skill.name} | ({"@id": skill.uri} if skill.uri else {})


def price_ld(rate: Rate) -> dict[str, str]:
    """A UnitPriceSpecification; the price as digits, since JSON has no decimals."""
    return {
        "@type": "UnitPriceSpecification",
        "price": text_number(rate.amount),
        "priceCurrency": rate.currency,
        "unitCode": _CODES[rate.unit],
    }
