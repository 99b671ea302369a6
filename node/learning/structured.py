"""A module as schema.org has it (LearningResource, with LRMI's terms), for search engines."""

from __future__ import annotations

from typing import Any

from federation.clock import iso
from node.learning.queries import ModuleView
from node.profiles.queries import Person
from node.profiles.structured import skill_ld
from node.text import plain
from schemas.learning import write_duration


def module_ld(view: ModuleView, owner: Person | None) -> dict[str, Any]:
    """Members without a value are left out."""
    described = {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "learningResourceType": "module",
        "name": view.title,
        "description": view.summary or plain(view.body_html, 300),
        "url": view.page or view.id,
        "author": _author(owner),
        "license": view.licence,
        "timeRequired": write_duration(view.minutes) if view.minutes else None,
        "teaches": [skill_ld(skill) for skill in view.skills],
        "datePublished": iso(view.published),
        "dateModified": iso(view.updated),
        "isAccessibleForFree": True,
    }
    return {name: value for name, value in described.items() if value}


def _author(owner: Person | None) -> dict[str, str] | None:
    if owner is None:
        return None
    return {"@type": "Organization" if owner.collective else "Person", "name": owner.name, "url": owner.url}
