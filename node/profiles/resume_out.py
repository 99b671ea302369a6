"""A profile -> JSON Resume 1.0 (jsonresume.org/schema). Pure."""

from __future__ import annotations

from typing import Any

from node.profiles.queries import Person
from node.profiles.rules import MAX_SUMMARY
from node.text import plain
from node.vocabularies import language_name
from schemas.cv import Cv, Entry

SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"


def to_resume(person: Person, cv: Cv, *, summary: str, origin: str) -> dict[str, Any]:
    """A profile as JSON Resume; what is not said has no member. summary: its words. origin: of this node."""
    basics = {
        "name": person.name,
        "label": person.headline,
        "image": origin + person.picture if person.local and person.picture else None,
        "url": person.url,
        "summary": summary,
        "profiles": [{"network": "Fediverse", "username": f"@{person.handle}", "url": person.url}, *_links(person)],
    }
    resume: dict[str, Any] = {
        "$schema": SCHEMA,
        "basics": _said(basics),
        "work": [_said(_work(entry)) for entry in cv.experience],
        "education": [_said(_education(entry)) for entry in cv.education],
        "projects": [_said(_project(entry)) for entry in cv.portfolio],
        "skills": [{"name": skill.name} for skill in person.skills],
        "languages": [
            _said({"language": str(language_name(code)), "fluency": person.levels.get(code)})
            for code in person.languages
        ],
        "meta": {"canonical": f"{person.url}/resume.json", "version": "v1.0.0"},
    }
    return _said(resume)


def _links(person: Person) -> list[dict[str, str]]:
    return [{"network": "Web", "url": link} for link in person.links]


def _work(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.organisation,
        "position": entry.title,
        "location": entry.place,
        "url": entry.url,
        "startDate": entry.start,
        "endDate": entry.end,
        "summary": entry.text,
    }


def _education(entry: Entry) -> dict[str, Any]:
    return {
        "institution": entry.organisation,
        "area": entry.title,
        "location": entry.place,
        "url": entry.url,
        "startDate": entry.start,
        "endDate": entry.end,
        "courses": [part for part in entry.text.split("\n") if part],
    }


def _project(entry: Entry) -> dict[str, Any]:
    return {"name": entry.title, "description": entry.text, "url": entry.url}


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def words_of(html: str) -> str:
    """The words of a summary that is clean HTML."""
    return plain(html, MAX_SUMMARY)
