"""Module <-> Article, and the Note that announces it.

An Article's `content` begins with its title as a heading, since many servers show nothing else of it; where we read
one, that heading is cut off again.
"""

from __future__ import annotations

import re
from html import escape

from federation.ids import Ids
from node.learning.rules import ModuleDraft, licence_name
from node.text import clean, markdown, plain
from schemas.learning import Module

_HEADING = re.compile(r"\s*<h([1-6])(?: [^<>]{0,200})?>([^<>]{0,500})</h\1>\s*")


def to_module(ids: Ids, module_id: str, owner: str, draft: ModuleDraft) -> Module:
    """The module that a draft becomes."""
    return Module(
        id=module_id,
        owner=owner,
        title=draft.title,
        content=f"<h1>{escape(draft.title)}</h1>\n{html_of(draft)}",
        summary=draft.summary,
        licence=draft.licence,
        skills=draft.skills,
        minutes=draft.minutes,
        url=ids.object_page(module_id),
    )


def html_of(draft: ModuleDraft) -> str:
    """The clean HTML of what was typed, without a first heading that only repeats the title."""
    return without_title(markdown(draft.body_md), draft.title)


def body_of(module: Module) -> str:
    """The clean HTML of somebody's module, without its title."""
    return clean(without_title(module.content, module.title))


def without_title(html: str, title: str) -> str:
    """HTML without a first heading that is the title once more."""
    match = _HEADING.match(html)
    return html[match.end() :] if match and plain(match[2], 500).casefold() == title.casefold() else html


def announcement(module: Module) -> str:
    """What the announcing Note says: title, summary, and what it takes, with the link."""
    link = f'<a href="{escape(module.url or module.id)}">{escape(module.title)}</a>'
    said = [f"<p>A module to learn from: {link}</p>"]
    if module.summary:
        said.append(f"<p>{escape(module.summary)}</p>")
    facts = []
    if module.minutes:
        facts.append(f"{module.minutes} minutes")
    if module.skills:
        facts.append("teaches " + ", ".join(skill.name for skill in module.skills[:8]))
    if module.licence:
        facts.append(licence_name(module.licence))
    if facts:
        said.append(f"<p>{escape(' · '.join(facts))}</p>")
    return "\n".join(said)
