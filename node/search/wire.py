"""Documents -> what they are found by: the terms of a title and of a text, and hashtags."""

from __future__ import annotations

from typing import Any, NamedTuple

from node.search.engine import KIND, TITLE
from node.search.rules import Kind, distinct, hashtag
from node.text import plain
from schemas.actors import Actor
from schemas.errors import SchemaError
from schemas.learning import parse_module
from schemas.market import parse_gig
from schemas.notes import parse_note, tags_of

MAX_TAGS = 30
MAX_TITLE_TERMS = 40
WORDS = 6_000  # characters of a text that are looked through


class Found(NamedTuple):
    """What something is found by. title: the terms of its name, terms: all, with their marks."""

    title: str
    terms: tuple[str, ...]


def _found(kind: Kind, titles: list[str], texts: list[str]) -> Found:
    title = distinct(titles, MAX_TITLE_TERMS)
    marked = (f"{KIND}{kind}", *(f"{TITLE}{term}" for term in title))
    return Found(" ".join(title), (*marked, *distinct([*titles, *texts])))


def of_object(kind: Kind, document: dict[str, Any]) -> Found | None:
    """What a gig, a module or a post is found by; None for one that cannot be read as what it is."""
    try:
        if kind == "gig":
            gig = parse_gig(document)
            return _found(kind, [gig.title], [*(skill.name for skill in gig.skills), plain(gig.content, WORDS)])
        if kind == "module":
            module = parse_module(document)
            skills = [skill.name for skill in module.skills]
            return _found(kind, [module.title], [module.summary, *skills, plain(module.content, WORDS)])
        note = parse_note(document)
    except SchemaError:
        return None
    titles = [note.name] if note.type != "Note" else []
    pictures = [one.description for one in note.attachments]
    return _found(kind, titles, [plain(note.summary, 500), plain(note.content, WORDS), *pictures])


def of_actor(actor: Actor, handle: str) -> Found:
    """What somebody is found by: name, handle, and what they say of themself to everybody."""
    profile = actor.profile
    said = [profile.headline, *(skill.name for skill in profile.skills)] if profile else []
    rows = [plain(f"{name} {value}", 300) for name, value in actor.attachments]
    return _found("people", [actor.name, actor.username], [handle, *said, plain(actor.summary, WORDS), *rows])


def hashtags(document: dict[str, Any]) -> tuple[str, ...]:
    """The hashtags of an object, at most 30, each once."""
    if not document.get("tag"):
        return ()
    names = (hashtag(tag.name) for tag in tags_of(document) if tag.type == "Hashtag")
    return tuple(dict.fromkeys(name for name in names if name is not None))[:MAX_TAGS]
