"""Gigs: offers and requests of work as FEP-0837 proposals in the shape of a Note, which everybody can read.

The Note has no `name` and no `summary` (some servers would fold the text behind them): its title is `vf:name` and the
first line of `content`. What is worked travels in `publishes`, what is paid in `reciprocal`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from schemas.base import Audience, datetime_of, first_object, link_of, localised, text_of
from schemas.errors import Malformed
from schemas.money import Skill, Unit, currency_of, decimal_of, skills_of, text_number, unit_of, write_skills
from schemas.notes import MAX_CONTENT, Tag, object_identity, tags_of, write_tags
from schemas.terms import GIG_TERMS, ISO_4217, object_context

Purpose = Literal["offer", "request"]

PRIMARY = "#primary"
RECIPROCAL = "#reciprocal"


class Gig(msgspec.Struct, frozen=True):
    """An offer or a request. `price` is for one `unit`; None means that it is to be agreed.

    `available` and `minimum` count units. Money flows from whoever takes an offer, or to whoever answers a request.
    """

    id: str
    owner: str
    purpose: Purpose
    title: str
    content: str
    unit: Unit
    skills: tuple[Skill, ...] = ()
    price: Decimal | None = None
    currency: str | None = None
    available: Decimal | None = None
    minimum: Decimal | None = None
    published: datetime | None = None
    updated: datetime | None = None
    end_time: datetime | None = None
    url: str | None = None
    tags: tuple[Tag, ...] = ()


def is_gig(document: dict[str, Any]) -> bool:
    """A Note (or bare Proposal) with a purpose that publishes an intent."""
    return (
        document.get("type") in ("Note", "Proposal")
        and _either(document, "purpose") in ("offer", "request")
        and first_object(_either(document, "publishes")) is not None
    )


def parse_gig(document: dict[str, Any]) -> Gig:
    """Read a gig; Malformed when it is none."""
    purpose = _either(document, "purpose")
    primary = first_object(_either(document, "publishes"))
    if purpose not in ("offer", "request") or primary is None:
        raise Malformed("purpose", "not an offer or a request that publishes an intent")
    object_id, owner = object_identity(document)
    quantity = _either(primary, "resourceQuantity")
    price, currency = _money(first_object(_either(document, "reciprocal")))
    return Gig(
        id=object_id,
        owner=owner,
        purpose="offer" if purpose == "offer" else "request",
        title=_title(document),
        content=localised(document, "content", limit=MAX_CONTENT),
        unit=_unit(quantity) or _unit(_either(primary, "availableQuantity")) or "one",
        skills=_skills(document, primary),
        price=price,
        currency=currency,
        available=_number(_either(primary, "availableQuantity")),
        minimum=_number(_either(primary, "minimumQuantity")),
        published=datetime_of(document.get("published")),
        updated=datetime_of(document.get("updated")),
        end_time=datetime_of(document.get("endTime")),
        url=link_of(document.get("url")),
        tags=tags_of(document),
    )


def _either(document: dict[str, Any], name: str) -> Any:
    """A Valueflows or om2 term, compact or with its prefix."""
    for spelling in (name, f"vf:{name}", f"om2:{name}"):
        if spelling in document:
            return document[spelling]
    return None


def _title(document: dict[str, Any]) -> str:
    title = text_of(document.get("vf:name"), limit=300) or localised(document, "name", limit=300)
    return title.strip() or "Untitled"


def _unit(quantity: Any) -> Unit | None:
    return unit_of(_either(quantity, "hasUnit")) if isinstance(quantity, dict) else None


def _number(quantity: Any) -> Decimal | None:
    return decimal_of(_either(quantity, "hasNumericalValue")) if isinstance(quantity, dict) else None


def _money(reciprocal: dict[str, Any] | None) -> tuple[Decimal | None, str | None]:
    if reciprocal is None:
        return None, None
    currency = currency_of(_either(reciprocal, "resourceConformsTo"))
    price = _number(_either(reciprocal, "resourceQuantity"))
    return (price, currency) if currency else (None, None)


def _skills(document: dict[str, Any], primary: dict[str, Any]) -> tuple[Skill, ...]:
    named = skills_of(document.get("schema:knowsAbout") or document.get("schema:skills"))
    conforms = skills_of(_either(primary, "resourceConformsTo"))
    known = {skill.uri for skill in named}
    return named + tuple(skill for skill in conforms if skill.uri and skill.uri not in known)


def write_gig(
    gig: Gig, *, audience: Audience, published: str, updated: str | None, end_time: str | None
) -> dict[str, Any]:
    """The Note, without its proof; times ready to travel, `gig.content` clean HTML that begins with the title."""
    document: dict[str, Any] = {
        "type": "Note",
        "id": gig.id,
        "attributedTo": gig.owner,
        "purpose": gig.purpose,
        "vf:name": gig.title,
        "content": gig.content,
        "published": published,
        "to": list(audience.to),
        "cc": list(audience.cc),
        "url": gig.url,
        "tag": write_tags(gig.tags),
        "publishes": _primary(gig),
    }
    if gig.price is not None and gig.currency:
        document |= {"unitBased": True, "reciprocal": _reciprocal(gig, gig.price, gig.currency)}
    if gig.skills:
        document["schema:skills"] = write_skills(gig.skills)
    if updated:
        document["updated"] = updated
    if end_time:
        document["endTime"] = end_time
    return {"@context": _context(gig, document), **document}


def _context(gig: Gig, document: dict[str, Any]) -> list[Any]:
    used = {"Intent", "action", "resourceConformsTo", "resourceQuantity", "availableQuantity", "minimumQuantity"}
    used |= {"hasUnit", "hasNumericalValue"} | set(document) | {tag.type for tag in gig.tags}
    return object_context(GIG_TERMS, used)


def _quantity(unit: str, number: Decimal) -> dict[str, str]:
    return {"hasUnit": unit, "hasNumericalValue": text_number(number)}


def _primary(gig: Gig) -> dict[str, Any]:
    intent: dict[str, Any] = {"type": "Intent", "id": gig.id + PRIMARY, "action": "deliverService"}
    uri = next((skill.uri for skill in gig.skills if skill.uri), None)
    if uri:
        intent["resourceConformsTo"] = uri
    intent["resourceQuantity"] = _quantity(gig.unit, Decimal(1))
    if gig.available is not None:
        intent["availableQuantity"] = _quantity(gig.unit, gig.available)
    if gig.minimum is not None:
        intent["minimumQuantity"] = _quantity(gig.unit, gig.minimum)
    return intent


def _reciprocal(gig: Gig, price: Decimal, currency: str) -> dict[str, Any]:
    return {
        "type": "Intent",
        "id": gig.id + RECIPROCAL,
        "action": "transfer",
        "resourceConformsTo": ISO_4217 + currency,
        "resourceQuantity": _quantity("one", price),
    }
