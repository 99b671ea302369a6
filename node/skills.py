"""Skills: by their names, and by ESCO's URIs where they are known, so that other languages find them too.

ESCO is the European Commission's classification of skills; `node/data/esco-skills.csv` holds the part of it that
freelancers offer most. Whoever writes a known name gets its URI without doing anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from node.language import _
from node.text import one_line
from node.vocabularies import read_csv
from schemas.money import MAX_SKILLS, Skill
from schemas.urls import url_of

MAX_NAME = 100

_SEPARATOR = re.compile(r"[,;\n]")
_REMARK = re.compile(r" \([^()]*\)\Z")  # Python (computer programming)


@lru_cache
def vocabulary() -> dict[str, Skill]:
    """Every known skill by its name in small letters; also without the remark in brackets behind it."""
    listed = [Skill(row["label"], row["uri"]) for row in read_csv("esco-skills.csv")]
    short = {_REMARK.sub("", skill.name).casefold(): skill for skill in listed}
    return short | {skill.name.casefold(): skill for skill in listed}


@lru_cache
def _by_uri() -> dict[str, Skill]:
    return {skill.uri: skill for skill in vocabulary().values() if skill.uri}


@lru_cache
def names() -> tuple[str, ...]:
    """What a form suggests, in alphabetical order."""
    return tuple(sorted({_REMARK.sub("", skill.name) for skill in vocabulary().values()}, key=str.casefold))


def parse_skills(text: str) -> tuple[Skill, ...]:
    """`Python, UX=https://...`: names apart by commas, each with its URI where the writer gives one.

    A known name gets its URI. Each skill counts once. ValueError with the sentence.
    """
    found: dict[str, Skill] = {}
    for part in _SEPARATOR.split(text):
        skill = _parse(part)
        if skill is not None:
            found.setdefault(skill.name.casefold(), skill)
    if len(found) > MAX_SKILLS:
        raise ValueError(_("Name at most {most} skills: those that somebody would hire you for.", most=MAX_SKILLS))
    return tuple(found.values())


def _parse(part: str) -> Skill | None:
    name, equals, uri = part.partition("=")
    name = one_line(name, MAX_NAME + 1)
    if not name:
        if equals:
            raise ValueError(_("Write a name before {uri}, such as Python={uri}.", uri=uri.strip()[:80]))
        return None
    if len(name) > MAX_NAME:
        raise ValueError(_("“{start}…” is too long for a skill. Separate skills with commas.", start=name[:40]))
    if equals:
        if url_of(uri.strip()) is None:
            raise ValueError(_("What stands behind {name}= is not an address. Write {name} alone.", name=name))
        return Skill(name, uri.strip())
    known = vocabulary().get(name.casefold())
    return Skill(name, known.uri if known else None)


def write_skills(skills: Iterable[Skill]) -> str:
    """The way back, for a form: a URI only where the name alone would not bring it."""
    return ", ".join(_written(skill) for skill in named(skills))


def _written(skill: Skill) -> str:
    known = vocabulary().get(skill.name.casefold())
    return skill.name if skill.uri is None or (known and known.uri == skill.uri) else f"{skill.name}={skill.uri}"


def named(skills: Iterable[Skill]) -> tuple[Skill, ...]:
    """Skills of strangers, fit to be shown: names on one line, from the vocabulary where only a URI came, once each."""
    found: dict[str, Skill] = {}
    for skill in skills:
        known = _by_uri().get(skill.uri or "")
        name = one_line(skill.name, MAX_NAME) or (known.name if known else "")
        name = " ".join(re.sub(r"[,;=]", " ", name).split())
        if name:
            found.setdefault(name.casefold(), Skill(name, skill.uri))
    return tuple(found.values())
