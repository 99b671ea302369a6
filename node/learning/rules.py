"""What a module must say. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from node.fields import Fields, line, paragraphs
from node.language import _
from node.skills import parse_skills, write_skills
from node.text import markdown, plain
from schemas.money import Skill
from schemas.urls import url_of

if TYPE_CHECKING:
    from node.learning.queries import ModuleView

MAX_TITLE = 150
MAX_SUMMARY = 500
MAX_BODY = 200_000
MAX_MINUTES = 10_000
MAX_HTML = 480_000  # characters: readers of ours cut what is longer
MAX_BYTES = 900_000  # a document of more than 1 MiB is fetched by nobody

_HEADING = re.compile(r"\s*<h([1-6])(?: [^<>]{0,200})?>([^<>]{0,500})</h\1>\s*")


class Licence(NamedTuple):
    """What others may do with a text. code: SPDX's short name; uri: what travels."""

    code: str
    name: str
    uri: str


LICENCES = (
    Licence("CC-BY-4.0", _("CC BY 4.0: use it, name me"), "https://creativecommons.org/licenses/by/4.0/"),
    Licence("CC-BY-SA-4.0", _("CC BY-SA 4.0: the same, and share alike"), "https://creativecommons.org/licenses/by-sa/4.0/"),
    Licence("CC-BY-NC-4.0", _("CC BY-NC 4.0: not for money"), "https://creativecommons.org/licenses/by-nc/4.0/"),
    Licence("CC-BY-ND-4.0", _("CC BY-ND 4.0: pass it on unchanged"), "https://creativecommons.org/licenses/by-nd/4.0/"),
    Licence("CC0-1.0", _("CC0: do what you like"), "https://creativecommons.org/publicdomain/zero/1.0/"),
)  # fmt: skip
_BY_CODE = {licence.code.casefold(): licence for licence in LICENCES}
_BY_URI = {licence.uri: licence for licence in LICENCES}


@dataclass(frozen=True, slots=True)
class ModuleDraft:
    """A module form, checked. licence is a URI; minutes is None where the author does not say.

    body_html: the clean HTML of body_md, without a first heading that only repeats the title.
    """

    title: str
    summary: str
    body_md: str
    licence: str
    skills: tuple[Skill, ...]
    minutes: int | None
    body_html: str = field(compare=False, repr=False)


def parse_module(form: Mapping[str, str]) -> ModuleDraft:
    """The module form -> draft; raises Invalid. Takes a second for the longest text: not for the event loop.

    Fields: title, summary, body (Markdown), licence (a code of `LICENCES` or a URI), skills and more_skills (NAME or
    NAME=URI, apart by commas), minutes.
    """
    fields = Fields(form)
    title = fields.read("title", line(MAX_TITLE, _("A title")), "")
    if not title:
        fields.wrong("title", _("Write a title: what one can do afterwards."))
    body = fields.read("body", paragraphs(MAX_BODY, _("A module")), "")
    if not body:
        fields.wrong("body", _("Write the module itself, in Markdown."))
    none: tuple[Skill, ...] = ()
    skills = fields.read("skills", parse_skills, none) + fields.read("more_skills", parse_skills, none)
    html = without_title(markdown(body), title)
    if len(html) > MAX_HTML or len(html.encode()) > MAX_BYTES:
        fields.wrong(
            "body", _("With its formatting this is too long for other servers. Split it into several modules.")
        )
    draft = ModuleDraft(
        title=title,
        summary=fields.read("summary", line(MAX_SUMMARY, _("A summary")), ""),
        body_md=body,
        licence=fields.read("licence", _licence, LICENCES[0].uri),
        skills=tuple({skill.name.casefold(): skill for skill in skills}.values()),
        minutes=fields.read("minutes", _minutes, None),
        body_html=html,
    )
    fields.check()
    return draft


def without_title(html: str, title: str) -> str:
    """HTML without a first heading that is the title once more."""
    match = _HEADING.match(html)
    return html[match.end() :] if match and plain(match[2], 500).casefold() == title.casefold() else html


def _licence(text: str) -> str:
    known = _BY_CODE.get(text.casefold())
    uri = known.uri if known else url_of(text)
    if uri is None:
        raise ValueError(
            _(
                "Choose a licence: {codes}, or give its address.",
                codes=", ".join(licence.code for licence in LICENCES),
            )
        )
    return uri


def _minutes(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) <= MAX_MINUTES or len(text) > 5:
        raise ValueError(_("Write how many minutes it takes, such as 45, or leave this empty."))
    return int(text)


def licence_name(uri: str | None) -> str:
    """`CC BY 4.0`, or the address of a licence that we do not know."""
    if uri is None:
        return ""
    known = _BY_URI.get(uri.replace("http://", "https://"))
    return known.name.partition(":")[0] if known else uri


def form_of(view: ModuleView) -> dict[str, str]:
    """The form that `parse_module` would read this from."""
    known = _BY_URI.get(view.licence or "")
    return {
        "title": view.title,
        "summary": view.summary,
        "body": view.body_md or "",
        "licence": known.code if known else view.licence or "",
        "skills": write_skills(view.skills),
        "minutes": str(view.minutes) if view.minutes else "",
    }
