"""Writes: a line of a CV is added, changed, moved and taken away; each time the profile goes out anew."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from federation.authors import Author
from federation.ids import new_id
from federation.storage import Tx
from node.errors import Invalid
from node.language import _n
from node.media import attachments
from node.media.pictures import Made
from node.profiles.entries import MAX_OF_SECTION, EntryDraft
from node.profiles.publishing import publish
from node.profiles.sources import OwnEntry, draft_of, own_entries, own_entry, own_person
from node.profiles.tables import cv_entries
from schemas.cv import Entry, Section
from schemas.strict_json import dumps

Direction = Literal["up", "down"]


def add_entry(
    tx: Tx, author: Author, section: Section, draft: EntryDraft, *, picture: Made | None = None, alt: str = ""
) -> str:
    """Add a line at the top of its section; returns its id. Invalid when there are too many, or for its picture."""
    entry_id = insert_entry(tx, author.actor_id, section, draft)
    if picture is not None:
        _attach(tx, author, entry_id, picture, alt)
    say_anew(tx, author)
    return entry_id


def insert_entry(tx: Tx, actor_id: str, section: Section, draft: EntryDraft, *, last: bool = False) -> str:
    """The row alone: whoever adds many says it all at once, see `say_anew`. last: below the others, not above."""
    held = [line for line in own_entries(tx, actor_id) if line.section == section]
    if len(held) >= MAX_OF_SECTION:
        full = _n(
            "There is room for {count} line here. Delete it first.",
            "There is room for {count} lines here. Delete one first.",
            MAX_OF_SECTION,
        )
        raise Invalid({"title": full})
    entry_id = new_id(tx.now)
    values = {"owner": actor_id, "section": section, "position": len(held) if last else -1}
    tx.execute(sa.insert(cv_entries).values(id=entry_id, **values, **_values(tx, draft)))
    _number(tx, actor_id, section)
    return entry_id


def edit_entry(
    tx: Tx,
    author: Author,
    held: OwnEntry,
    draft: EntryDraft,
    *,
    picture: Made | None = None,
    alt: str = "",
    without_picture: bool = False,
) -> int:
    """Change a line; returns how many inboxes hear of it. A new picture takes the place of the old one."""
    own_entry(tx, author.actor_id, held.section, held.id)
    tx.execute(sa.update(cv_entries).where(cv_entries.c.id == held.id).values(_values(tx, draft)))
    if picture is not None:
        _attach(tx, author, held.id, picture, alt)
    elif without_picture:
        attachments.attach(tx, [], author.actor_id, held.id)
    elif held.picture is not None:
        attachments.describe(tx, author.actor_id, held.picture.id, alt)
    return say_anew(tx, author)


def delete_entry(tx: Tx, author: Author, section: Section, entry_id: str) -> int:
    """Take a line away, and its picture; returns how many inboxes hear of it."""
    own_entry(tx, author.actor_id, section, entry_id)
    tx.execute(sa.delete(cv_entries).where(cv_entries.c.id == entry_id))
    attachments.forget(tx, [entry_id])
    _number(tx, author.actor_id, section)
    return say_anew(tx, author)


def move_entry(tx: Tx, author: Author, section: Section, entry_id: str, direction: Direction) -> int:
    """Change places with the line above or below, where there is one; returns how many inboxes hear of it."""
    own_entry(tx, author.actor_id, section, entry_id)
    ids = [line.id for line in own_entries(tx, author.actor_id) if line.section == section]
    here = ids.index(entry_id)
    there = here + (-1 if direction == "up" else 1)
    if not 0 <= there < len(ids):
        return 0
    ids[here], ids[there] = ids[there], ids[here]
    _write_order(tx, ids)
    return say_anew(tx, author)


def say_anew(tx: Tx, author: Author) -> int:
    """The profile goes out with its CV as it stands; returns how many inboxes hear of it."""
    return publish(tx, author, draft_of(own_person(tx, author.actor_id)))


def _values(tx: Tx, draft: EntryDraft) -> dict[str, object]:
    bare: Entry = msgspec.structs.replace(draft.entry, picture="", alt="")
    return {"audience": draft.audience, "body": dumps(bare), "updated_at": tx.now}


def _attach(tx: Tx, author: Author, entry_id: str, picture: Made, alt: str) -> None:
    made = attachments.add(tx, author.actor_id, picture, alt)
    attachments.attach(tx, [made.id], author.actor_id, entry_id)


def _number(tx: Tx, actor_id: str, section: Section) -> None:
    _write_order(tx, [line.id for line in own_entries(tx, actor_id) if line.section == section])


def _write_order(tx: Tx, ids: list[str]) -> None:
    for position, entry_id in enumerate(ids):
        tx.execute(sa.update(cv_entries).where(cv_entries.c.id == entry_id).values(position=position))
