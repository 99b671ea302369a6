"""A gig as schema.org has it, for search engines: a request is a JobPosting, an offer a Service."""

from __future__ import annotations

from typing import Any

from federation.clock import iso
from node.market.queries import GigView
from node.profiles.queries import Person
from node.profiles.structured import price_ld, skill_ld
from node.text import plain
from schemas.money import Rate

MAX_DESCRIPTION = 5_000


def gig_ld(view: GigView, owner: Person | None) -> dict[str, Any]:
    """Members without a value are left out."""
    described = _request(view, owner) if view.purpose == "request" else _offer(view, owner)
    common = {
        "@context": "https://schema.org",
        "url": view.page or view.id,
        "description": plain(view.body_html, MAX_DESCRIPTION),
    }
    return {name: value for name, value in (common | described).items() if value}


def _request(view: GigView, owner: Person | None) -> dict[str, Any]:
    return {
        "@type": "JobPosting",
        "title": view.title,
        "datePosted": iso(view.published),
        "validThrough": iso(view.end_time) if view.end_time else None,
        "employmentType": "CONTRACTOR",
        "hiringOrganization": _party(owner),
        "skills": [skill_ld(skill) for skill in view.skills],
        "baseSalary": _price(view),
    }


def _offer(view: GigView, owner: Person | None) -> dict[str, Any]:
    price = _price(view)
    return {
        "@type": "Service",
        "name": view.title,
        "provider": _party(owner),
        "serviceType": [skill.name for skill in view.skills],
        "offers": {
            "@type": "Offer",
            "validFrom": iso(view.published),
            **({"validThrough": iso(view.end_time)} if view.end_time else {}),
            **({"priceSpecification": price} if price else {}),
        },
    }


def _party(owner: Person | None) -> dict[str, str] | None:
    if owner is None:
        return None
    kind = "Organization" if owner.collective else "Person"
    return {"@type": kind, "name": owner.name, "url": owner.url, "alternateName": f"@{owner.handle}"}


def _price(view: GigView) -> dict[str, str] | None:
    if view.price is None or view.currency is None:
        return None
    return price_ld(Rate(view.price, view.currency, view.unit))
