"""What the owner of a profile sees of it: everything, whoever else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from node.errors import NotFound
from node.language import _
from node.media.attachments import Media, of_object
from node.profiles.queries import Person, person
from node.profiles.rules import Audience, ProfileDraft
from node.profiles.tables import cv_entries, profiles
from schemas.cv import SECTIONS, Cv, Entry, Section
from schemas.profiles import FreelanceProfile
from schemas.strict_json import dumps

NO_ENTRY = _("This line of your CV is not here any more.")


class Kept(msgspec.Struct, frozen=True):
    """All that a profile says and that may be for some only. audiences: of what is not for everybody."""

    profile: FreelanceProfile
    links: tuple[str, ...]
    audiences: dict[str, Audience]


class OwnEntry(NamedTuple):
    """A line of one's own CV, with the picture that was uploaded for it."""

    id: str
    section: Section
    audience: Audience
    entry: Entry
    picture: Media | None
    updated: datetime


def own_person(tx: Tx, actor_id: str) -> Person:
    """Somebody here as they know themself: what only some see, and what nobody sees, is in it."""
    shown = person(tx, actor_id)
    held = tx.row(sa.select(profiles).where(profiles.c.actor_id == actor_id))
    shown = replace(shown, summary_md="" if held is None else held.summary_md)
    if held is None or held.kept is None:
        return shown
    kept = msgspec.json.decode(held.kept, type=Kept)
    return replace(
        shown,
        skills=kept.profile.skills,
        rate=kept.profile.rate,
        availability=kept.profile.availability,
        languages=kept.profile.languages,
        levels=kept.profile.levels,
        links=kept.links,
        audiences=kept.audiences,
    )


def keep(tx: Tx, actor_id: str, draft: ProfileDraft, picture: str | None) -> None:
    """Store what was typed."""
    profile = FreelanceProfile(
        headline=draft.headline,
        skills=draft.skills,
        languages=draft.languages,
        rate=draft.rate,
        availability=draft.availability,
        levels=dict(draft.levels),
    )
    kept = dumps(Kept(profile, draft.links, dict(draft.audiences)))
    answered = draft.availability.updated if draft.availability else None
    values = {"summary_md": draft.summary_md, "picture": picture, "kept": kept, "answered_at": answered}
    insert = tx.insert(profiles).values(actor_id=actor_id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor_id"], set_=values))


def draft_of(own: Person) -> ProfileDraft:
    """The draft that a profile of one's own was made from; its answer keeps its time."""
    return ProfileDraft(
        name=own.name,
        headline=own.headline,
        summary_md=own.summary_md or "",
        skills=own.skills,
        rate=own.rate,
        availability=own.availability,
        languages=own.languages,
        links=own.links,
        discoverable=own.discoverable,
        indexable=own.indexable,
        levels=own.levels,
        approves=own.approves,
        audiences=own.audiences,
    )


# ---- the CV


def own_cv(tx: Tx, actor_id: str) -> Cv:
    """All of one's own CV, whoever sees it, without pictures."""
    lines = own_entries(tx, actor_id)
    return Cv(*(tuple(line.entry for line in lines if line.section == name) for name in SECTIONS))


def own_entries(tx: Tx, actor_id: str) -> list[OwnEntry]:
    """All lines of one's own CV, section by section, in their order."""
    mine = sa.select(cv_entries).where(cv_entries.c.owner == actor_id)
    return [_entry(tx, row) for row in tx.rows(mine.order_by(cv_entries.c.section, cv_entries.c.position))]


def own_entry(tx: Tx, actor_id: str, section: Section, entry_id: str) -> OwnEntry:
    """One of them; NotFound for what is somebody else's, or of another section, too."""
    wanted = (cv_entries.c.id == entry_id, cv_entries.c.owner == actor_id, cv_entries.c.section == section)
    row = tx.row(sa.select(cv_entries).where(*wanted))
    if row is None:
        raise NotFound(NO_ENTRY)
    return _entry(tx, row)


def _entry(tx: Tx, row: Row[Any]) -> OwnEntry:
    entry = msgspec.json.decode(row.body, type=Entry)
    picture = next(iter(of_object(tx, row.id)), None) if row.section == "portfolio" else None
    return OwnEntry(row.id, row.section, row.audience, entry, picture, row.updated_at)
