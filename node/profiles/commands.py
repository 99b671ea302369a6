"""Writes: a profile is saved as one signed document, and whoever follows hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace as replaced

from federation import outbox
from federation.authors import Author, Write
from federation.clock import iso
from federation.errors import Unacceptable
from federation.storage import Tx
from federation.tables import actors
from node.errors import Invalid, NotFound
from node.media.names import media_url
from node.profiles import wire
from node.profiles.queries import person, picture_name
from node.profiles.rules import ProfileDraft, confirmed_at
from node.profiles.tables import profiles

TYPES = {"person": "Person", "collective": "Organization"}


def first_profile(tx: Tx, name: str, kind: str) -> Write:
    """What `federation.authors.create_local_actor` writes for somebody who moves in. kind: person | collective."""
    draft = ProfileDraft(
        name=name,
        headline="",
        summary_md="",
        skills=(),
        rate=None,
        availability=None,
        languages=(),
        links=(),
        discoverable=True,
        indexable=True,
    )
    now = tx.now

    def write(author: Author) -> dict[str, Any]:
        return wire.to_actor(
            author, draft, kind=TYPES[kind], published=iso(now), icon=None, today=now.astimezone(UTC).date()
        )

    return write


def save_profile(tx: Tx, author: Author, draft: ProfileDraft, *, picture: str | None = None) -> int:
    """Sign and store a profile, and tell the followers; returns how many inboxes hear of it, 0 when nothing is new.

    picture: the name of a file in the media folder; None keeps the one that is there, an empty name takes it away.
    """
    held = person(tx, author.actor_id)
    updated = confirmed_at(held.availability, draft.availability, tx.now)
    said = draft.availability and replaced(draft.availability, updated=updated and updated.replace(microsecond=0))
    shown = picture_name(tx, author.actor_id) if picture is None else picture or None
    document = wire.to_actor(
        author,
        replace(draft, availability=said),
        kind=held.type,
        published=iso(held.published or tx.now),
        icon=media_url(author.ids.origin, shown) if shown else None,
        today=tx.now.astimezone(UTC).date(),
    )
    sources = {"summary_md": draft.summary_md, "picture": shown}
    insert = tx.insert(profiles).values(actor_id=author.actor_id, **sources)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor_id"], set_=sources))
    try:
        return outbox.update_actor(tx, author, document)
    except Unacceptable as error:
        raise Invalid({"summary": error.safe}) from error


def confirm_availability(tx: Tx, author: Author) -> int:
    """Say that the answer to "are you free yet?" still holds; returns how many inboxes hear of it."""
    body = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id, actors.c.local))
    document = msgspec.json.decode(body) if body else {}
    if "availability" not in document:
        raise NotFound("You have not said yet whether you are free. Say it on your profile first.")
    document["availability"] |= {"updated": iso(tx.now)}
    return outbox.update_actor(tx, author, document)
