"""Learning modules: an Article in schema.org's terms, and the Note that announces it (not everybody shows Articles)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from schemas.base import Audience, datetime_of, id_of, link_of, localised, many, objects_of
from schemas.errors import Malformed
from schemas.money import Skill, skills_of, write_skills
from schemas.notes import MAX_CONTENT, Tag, object_identity, write_tags
from schemas.terms import FREEHOLD, LD_JSON_AS, MODULE_TERMS, NOTE_TERMS, object_context
from schemas.urls import url_of

ANNOUNCES = f"{FREEHOLD}announces"
"""The `rel` of the link by which a Note announces a module."""

_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?)?\Z", re.ASCII)


class Module(msgspec.Struct, frozen=True):
    """Something to learn from. `licence` is a URI, `minutes` the time that it takes, `skills` what it teaches."""

    id: str
    owner: str
    title: str
    content: str
    summary: str = ""
    licence: str | None = None
    skills: tuple[Skill, ...] = ()
    minutes: int | None = None
    published: datetime | None = None
    updated: datetime | None = None
    url: str | None = None


def is_module(document: dict[str, Any]) -> bool:
    """An Article that says what it teaches or that it is for learning."""
    learning = ("teaches", "schema:teaches", "learningResourceType", "schema:learningResourceType")
    return document.get("type") == "Article" and any(name in document for name in learning)


def parse_module(document: dict[str, Any]) -> Module:
    """Read a module; Malformed when it is none."""
    if not is_module(document):
        raise Malformed("type", "not a learning module")
    object_id, owner = object_identity(document)
    return Module(
        id=object_id,
        owner=owner,
        title=localised(document, "name", limit=300).strip() or "Untitled",
        content=localised(document, "content", limit=MAX_CONTENT),
        summary=localised(document, "summary", limit=5_000),
        licence=url_of(id_of(document.get("license") or document.get("schema:license"))),
        skills=_skills(document),
        minutes=minutes_of(document.get("timeRequired") or document.get("schema:timeRequired")),
        published=datetime_of(document.get("published")),
        updated=datetime_of(document.get("updated")),
        url=link_of(document.get("url")),
    )


def _skills(document: dict[str, Any]) -> tuple[Skill, ...]:
    named = skills_of(document.get("schema:about"))
    known = {skill.uri for skill in named}
    taught = skills_of(many(document.get("teaches") or document.get("schema:teaches")))
    return named + tuple(skill for skill in taught if skill.uri not in known or not skill.uri)


def minutes_of(value: Any) -> int | None:
    """Minutes in an ISO 8601 duration of days, hours and minutes; None for anything else or nothing at all."""
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return days * 1440 + hours * 60 + minutes or None


def write_duration(minutes: int) -> str:
    """`PT6H`, `PT1H30M`, `PT45M`."""
    hours, rest = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest or not hours else "")


def write_module(module: Module, *, audience: Audience, published: str, updated: str | None) -> dict[str, Any]:
    """The Article, without its proof; `module.content` is clean HTML that begins with the title as a heading."""
    document: dict[str, Any] = {
        "type": "Article",
        "id": module.id,
        "attributedTo": module.owner,
        "name": module.title,
        "summary": module.summary,
        "content": module.content,
        "url": module.url,
        "published": published,
        "to": list(audience.to),
        "cc": list(audience.cc),
        "license": module.licence,
        "teaches": [skill.uri for skill in module.skills if skill.uri],
        "schema:about": write_skills(module.skills),
        "timeRequired": write_duration(module.minutes) if module.minutes else None,
        "learningResourceType": "module",
        "updated": updated,
    }
    document = {name: value for name, value in document.items() if value or name in ("to", "cc")}
    return {"@context": object_context(MODULE_TERMS, set(document)), **document}


def is_announcement(document: dict[str, Any]) -> bool:
    """Whether a Note only announces a module: who shows modules need not show it too."""
    return any(ANNOUNCES in many(item.get("rel")) for item in objects_of(document.get("tag")))


def write_announcement(
    module: Module, *, note_id: str, content: str, audience: Audience, published: str, tags: tuple[Tag, ...] = ()
) -> dict[str, Any]:
    """The Note that links a module: for servers that show no Article (FEP-e232 object link)."""
    link = {"type": "Link", "mediaType": LD_JSON_AS, "href": module.id, "name": module.title, "rel": ANNOUNCES}
    return {
        "@context": object_context(NOTE_TERMS, {tag.type for tag in tags}),
        "type": "Note",
        "id": note_id,
        "attributedTo": module.owner,
        "content": content,
        "published": published,
        "to": list(audience.to),
        "cc": list(audience.cc),
        "url": module.url,
        "tag": [link, *write_tags(tags)],
    }
