"""The lines of a CV, as forms: work, education, what somebody has made. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from node.fields import Fields, line, paragraphs
from node.language import Sentence, _
from node.profiles.rules import Audience, audience
from schemas.cv import MONTH, SECTIONS, Entry, Section
from schemas.errors import SchemaError
from schemas.urls import parse_url

MAX_OF_SECTION = 20
MAX_TITLE = 120
MAX_PLACE = 100
MAX_TEXT = 1_500

_TURNED = re.compile(r"(\d{1,2})[./-](\d{4})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """What a section calls itself and its fields. organisation: empty where it has none, nor place nor dates."""

    name: Sentence
    new: Sentence
    title: Sentence
    missing: Sentence
    organisation: Sentence | None
    empty: Sentence


WORDS: dict[Section, Words] = {
    "experience": Words(
        _("Experience"),
        _("Add work that you have done"),
        _("Role"),
        _("Write what you were or did there, such as “Staff designer”."),
        _("Organisation"),
        _("Work that you have done: for whom, from when, and what changed by it."),
    ),
    "education": Words(
        _("Education"),
        _("Add something that you have learnt"),
        _("What"),
        _("Write what you learnt there, such as “MA Information design”."),
        _("Where"),
        _("Schools, courses, apprenticeships: whatever made you able to do what you do."),
    ),
    "portfolio": Words(
        _("Portfolio"),
        _("Add something that you have made"),
        _("Title"),
        _("Write what it is called."),
        None,
        _("Show what you have made: a title, a picture, a link."),
    ),
}


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """The form of a line, checked. Its picture is not in it."""

    entry: Entry
    audience: Audience


def section_called(name: str) -> Section | None:
    """The section of a name in an address."""
    return next((section for section in SECTIONS if section == name), None)


def parse_entry(section: Section, form: Mapping[str, str]) -> EntryDraft:
    """The form of a line -> draft; raises Invalid.

    Fields: title, organisation, place, start and end (2021-03 or 2021), text, url, audience (public | followers |
    nobody). A portfolio has neither organisation nor place nor months.
    """
    fields = Fields(form)
    words = WORDS[section]
    title = fields.read("title", line(MAX_TITLE, words.title), "")
    if not title:
        fields.wrong("title", words.missing)
    dated = section != "portfolio"
    start = fields.read("start", month, "") if dated else ""
    end = fields.read("end", month, "") if dated else ""
    if start and end and ends_before(start, end):
        fields.wrong("end", _("This ends before it begins. Mend one of both, or leave it empty if it goes on."))
    entry = Entry(
        title=title,
        organisation=fields.read("organisation", line(MAX_TITLE, _("A name")), "") if dated else "",
        place=fields.read("place", line(MAX_PLACE, _("A place")), "") if dated else "",
        start=start,
        end=end,
        text=fields.read("text", paragraphs(MAX_TEXT, _("This text")), ""),
        url=fields.read("url", address, ""),
    )
    who: Audience = fields.read("audience", audience, "public")
    fields.check()
    return EntryDraft(entry, who)


def month(text: str) -> str:
    """`2021-03`, `3/2021`, `03.2021` or `2021` -> `2021-03` or `2021`; ValueError for anything else."""
    turned = _TURNED.match(text)
    found = f"{turned[2]}-{int(turned[1]):02}" if turned else text
    if not MONTH.match(found):
        raise ValueError(_("Write a month as year-month, such as 2021-03, or only a year."))
    return found


def ends_before(start: str, end: str) -> bool:
    """Whether a span runs backwards, as far as both are known."""
    known = min(len(start), len(end))
    return end[:known] < start[:known]


def address(text: str) -> str:
    """A link, as it was typed; ValueError for what is none."""
    try:
        if text.startswith(("https://", "http://")) and parse_url(text):
            return text
    except SchemaError:
        pass
    raise ValueError(_("Begin with https://, for example https://example.eu/work"))


def form_of_entry(entry: Entry, who: Audience) -> dict[str, str]:
    """The form that `parse_entry` would read this from."""
    return {
        "title": entry.title,
        "organisation": entry.organisation,
        "place": entry.place,
        "start": entry.start,
        "end": entry.end,
        "text": entry.text,
        "url": entry.url,
        "alt": entry.alt,
        "audience": who,
    }
