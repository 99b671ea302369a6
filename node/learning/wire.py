"""Module <-> Article, and the Note that announces it.

An Article's `content` begins with its title as a heading, since many servers show nothing else of it; where we read
one, that heading is cut off again.
"""

from __future__ import annotations

from html import escape

from federation.ids import Ids
from node.learning.rules import ModuleDraft, licence_name, without_title
from node.text import clean, plain
from schemas.learning import Module

BEGINNING = 300


def to_module(ids: Ids, module_id: str, owner: str, draft: ModuleDraft) -> Module:
    """The module that a draft becomes."""
    return Module(
        id=module_id,
        owner=owner,
        title=draft.title,
        content=f"<h1>{escape(draft.title)}</h1>\n{draft.body_html}",
        summary=draft.summary,
        licence=draft.licence,
        skills=draft.skills,
        minutes=draft.minutes,
        url=ids.object_page(module_id),
    )


def body_of(module: Module) -> str:
    """The clean HTML of somebody's module, without its title."""
    return clean(without_title(module.content, module.title))


def announcement(module: Module) -> str:
    """What the announcing Note says: title, summary (or how it begins), and what it takes, with the link."""
    link = f'<a href="{escape(module.url or module.id)}">{escape(module.title)}</a>'
    said = [f"<p>A module to learn from: {link}</p>"]
    summary = module.summary or plain(without_title(module.content, module.title), BEGINNING)
    if summary:
        said.append(f"<p>{escape(summary)}</p>")
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
