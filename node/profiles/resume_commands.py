"""Writes: what a JSON Resume says becomes a part of a profile, all of it or nothing."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from federation.authors import Author
from federation.storage import Tx
from node.profiles.commands import save_profile
from node.profiles.cv_commands import insert_entry
from node.profiles.entries import MAX_OF_SECTION, EntryDraft
from node.profiles.resume import Taken
from node.profiles.rules import Audience, form_of, parse_profile
from node.profiles.sources import own_entries, own_person
from schemas.cv import Section


class TakenIn(NamedTuple):
    """What came of it. fields: the names of those that were filled; known: lines that stood there already."""

    fields: tuple[str, ...]
    entries: int
    known: int
    no_room: int


def take_in(tx: Tx, author: Author, taken: Taken, who: Audience) -> TakenIn:
    """Fill the fields of a profile that are empty, and add the lines that are not there yet, for `who` to see.

    Nothing that the owner has typed is written over, so the same file twice changes nothing the second time.
    """
    own, today = own_person(tx, author.actor_id), tx.now.astimezone(UTC).date()
    form = form_of(own, today)
    filled = {name: text for name, text in taken.form.items() if not form.get(name)}
    added, known, no_room = _add(tx, author, taken, who)
    if filled or added:
        draft = parse_profile(form | filled, today)
        save_profile(tx, author, draft)
    return TakenIn(tuple(filled), added, known, no_room)


def _add(tx: Tx, author: Author, taken: Taken, who: Audience) -> tuple[int, int, int]:
    held = own_entries(tx, author.actor_id)
    there = {(line.section, line.entry) for line in held}
    counts: dict[Section, int] = {}
    for line in held:
        counts[line.section] = counts.get(line.section, 0) + 1
    added = known = no_room = 0
    for section, draft in taken.entries:
        if (section, draft.entry) in there:
            known += 1
        elif counts.get(section, 0) >= MAX_OF_SECTION:
            no_room += 1
        else:
            insert_entry(tx, author.actor_id, section, EntryDraft(draft.entry, who), last=True)
            there.add((section, draft.entry))
            counts[section] = counts.get(section, 0) + 1
            added += 1
    return added, known, no_room
