"""What a pack must say, and how it is written as a form. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node.fields import Fields, line, paragraphs
from node.language import _
from schemas.packs import MAX_MEMBERS, MAX_NAME, MAX_SUMMARY, Member

MAX_FORM = 40_000
MAX_HANDLE = 2_048


@dataclass(frozen=True, slots=True)
class PackDraft:
    """A pack form, checked. handles: `name@host` or addresses, as they were typed, each once."""

    name: str
    summary: str
    handles: tuple[str, ...]


def parse_pack_form(form: Mapping[str, str]) -> PackDraft:
    """The pack form -> draft; raises Invalid. Fields: name, summary, members (apart by white space or commas)."""
    fields = Fields(form)
    name = fields.read("name", line(MAX_NAME, _("A name")), "")
    if not name:
        fields.wrong("name", _("Give it a name, such as Illustrators in Lisbon."))
    summary = fields.read("summary", paragraphs(MAX_SUMMARY, _("This text")), "")
    handles = handles_of(fields.text("members"))
    if not handles:
        fields.wrong("members", _("Name at least one person, as @name@server."))
    if len(handles) > MAX_MEMBERS:
        fields.wrong("members", _("Name at most {most} people.", most=MAX_MEMBERS))
    fields.check()
    return PackDraft(name, summary, handles)


def handles_of(text: str) -> tuple[str, ...]:
    """Who is named in a field."""
    found = (part.removeprefix("@")[:MAX_HANDLE] for part in re.split(r"[\s,;]+", text[:MAX_FORM]) if part)
    return tuple(dict.fromkeys(one for one in found if one))


def form_of(name: str, summary: str, members: Iterable[Member]) -> dict[str, str]:
    """The form that `parse_pack_form` would read this from."""
    named = (f"@{member.handle}" if member.handle else member.id for member in members)
    return {"name": name, "summary": summary, "members": "\n".join(named)}
