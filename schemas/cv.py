"""A curriculum vitae in schema.org's terms: work, education, and what somebody has made.

A role is an `OrganizationRole` (schema.org/docs/roles), a work a `CreativeWork`. The same members stand in an actor's
document and in the `Profile` object that carries what is not for everybody (`schemas.profiles`).
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

import msgspec

from schemas.base import many, text_of
from schemas.urls import url_of

Section = Literal["experience", "education", "portfolio"]
SECTIONS: tuple[Section, ...] = get_args(Section)
MAX_ENTRIES = 50  # of a section that are read
MAX_LINE = 200
MAX_TEXT = 3_000

MONTH = re.compile(r"(?:19|20|21)\d{2}(?:-(?:0[1-9]|1[0-2]))?\Z", re.ASCII)
"""A month, `2021-03`, or a year."""


class Entry(msgspec.Struct, frozen=True):
    """A line of a CV. title: a role, a degree, or what a work is called. start, end: `2021-03` or `2021`, or empty.

    url: a link about it; picture: the address of one, described by `alt`. What a section does not have is empty.
    """

    title: str
    organisation: str = ""
    place: str = ""
    start: str = ""
    end: str = ""
    text: str = ""
    url: str = ""
    picture: str = ""
    alt: str = ""


class Cv(msgspec.Struct, frozen=True):
    """The entries of each section, in their owner's order."""

    experience: tuple[Entry, ...] = ()
    education: tuple[Entry, ...] = ()
    portfolio: tuple[Entry, ...] = ()

    def of(self, section: Section) -> tuple[Entry, ...]:
        """The entries of one section."""
        return {"experience": self.experience, "education": self.education, "portfolio": self.portfolio}[section]

    def __bool__(self) -> bool:
        return bool(self.experience or self.education or self.portfolio)


_MEMBERS: dict[Section, str] = {
    "experience": "schema:worksFor",
    "education": "schema:alumniOf",
    "portfolio": "portfolio",
}
_ORGANISATIONS: dict[Section, str] = {
    "experience": "schema:Organization",
    "education": "schema:EducationalOrganization",
}
MEMBERS: tuple[str, ...] = tuple(_MEMBERS.values())


def cv_of(document: dict[str, Any]) -> Cv:
    """The CV in an actor or a Profile; what cannot be read is left out. Malformed for absurdly long lists."""
    work, education = (_roles(document, section) for section in ("experience", "education"))
    works = (_work(item) for item in many(document.get(_MEMBERS["portfolio"]))[:MAX_ENTRIES])
    return Cv(work, education, tuple(entry for entry in works if entry is not None))


def _roles(document: dict[str, Any], section: Section) -> tuple[Entry, ...]:
    member = _MEMBERS[section]
    found = (_role(item, member) for item in many(document.get(member))[:MAX_ENTRIES])
    return tuple(entry for entry in found if entry is not None)


def _role(item: Any, member: str) -> Entry | None:
    if not isinstance(item, dict):
        return None
    organisation = item.get(member)
    named = organisation if isinstance(organisation, dict) else {}
    title, where = _line(item, "schema:roleName"), _line(named, "schema:name")
    if not title and not where:
        return None
    return Entry(
        title=title or where,
        organisation=where if title else "",
        place=_line(named, "schema:location"),
        start=month_of(item.get("schema:startDate")),
        end=month_of(item.get("schema:endDate")),
        text=text_of(item.get("schema:description"), limit=MAX_TEXT),
        url=url_of(item.get("schema:url")) or "",
    )


def _work(item: Any) -> Entry | None:
    title = _line(item, "schema:name") if isinstance(item, dict) else ""
    if not title:
        return None
    image = item.get("schema:image")
    shown = image if isinstance(image, dict) else {}
    return Entry(
        title=title,
        text=text_of(item.get("schema:description"), limit=MAX_TEXT),
        url=url_of(item.get("schema:url")) or "",
        picture=url_of(shown.get("schema:contentUrl")) or "",
        alt=text_of(shown.get("schema:caption"), limit=MAX_TEXT),
    )


def _line(item: dict[str, Any], name: str) -> str:
    return text_of(item.get(name), limit=MAX_LINE).strip()


def month_of(value: Any) -> str:
    """`2021-03` or `2021` out of a date of schema.org (ISO 8601, perhaps with a day); empty for anything else."""
    text = value[:7] if isinstance(value, str) and len(value) <= 40 else ""
    return text if MONTH.match(text) else text[:4] if MONTH.match(text[:4]) and not text[4:].strip("-") else ""


def write_cv(cv: Cv) -> dict[str, Any]:
    """The members that say it; a section without entries has none."""
    written = {_MEMBERS[section]: [_write(section, entry) for entry in cv.of(section)] for section in SECTIONS}
    return {name: entries for name, entries in written.items() if entries}


def _write(section: Section, entry: Entry) -> dict[str, Any]:
    return _write_work(entry) if section == "portfolio" else _write_role(section, entry)


def _write_role(section: Section, entry: Entry) -> dict[str, Any]:
    where = _said({"schema:name": entry.organisation, "schema:location": entry.place})
    role = {
        "@type": "schema:OrganizationRole",
        "schema:roleName": entry.title,
        _MEMBERS[section]: {"@type": _ORGANISATIONS[section], **where} if where else None,
        "schema:startDate": entry.start,
        "schema:endDate": entry.end,
        "schema:description": entry.text,
        "schema:url": entry.url,
    }
    return _said(role)


def _write_work(entry: Entry) -> dict[str, Any]:
    image = _said({"schema:contentUrl": entry.picture, "schema:caption": entry.alt}) if entry.picture else {}
    work = {
        "@type": "schema:CreativeWork",
        "schema:name": entry.title,
        "schema:description": entry.text,
        "schema:url": entry.url,
        "schema:image": {"@type": "schema:ImageObject", **image} if image else None,
    }
    return _said(work)


def _said(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
