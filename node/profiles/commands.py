"""Writes: a profile is saved as one signed document, and whoever follows hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from msgspec.structs import replace as replaced

from federation.authors import Author, Write
from federation.clock import iso
from federation.storage import Tx
from node.errors import NotFound
from node.language import _
from node.notifications.commands import take_back
from node.profiles import links, wire
from node.profiles.cards import welcome as welcome
from node.profiles.publishing import publish
from node.profiles.queries import picture_name
from node.profiles.rules import ProfileDraft, confirmed_at
from node.profiles.sources import draft_of, keep, own_person

TYPES: Mapping[str, str] = {"person": "Person", "collective": "Organization"}


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

    What is for followers alone goes to them alone, what is for nobody stays here. picture: the name of a file in the
    media folder; None keeps the one that is there, an empty name takes it away.
    """
    held = own_person(tx, author.actor_id)
    updated = confirmed_at(held.availability, draft.availability, tx.now)
    said = draft.availability and replaced(draft.availability, updated=updated and updated.replace(microsecond=0))
    shown = picture_name(tx, author.actor_id) if picture is None else picture or None
    draft = replace(draft, availability=said)
    keep(tx, author.actor_id, draft, shown)
    if said is None or held.availability is None or said.updated != held.availability.updated:
        take_back(tx, author.actor_id, "availability", actor="")
    links.watch(tx, author.actor_id, draft.links)
    return publish(tx, author, draft)


def confirm_availability(tx: Tx, author: Author) -> int:
    """Say that the answer to "are you free yet?" still holds; returns how many inboxes hear of it."""
    held = own_person(tx, author.actor_id)
    if held.availability is None:
        raise NotFound(_("You have not said yet whether you are free. Say it on your profile first."))
    confirmed = replaced(held.availability, updated=tx.now.replace(microsecond=0))
    return save_profile(tx, author, replace(draft_of(held), availability=confirmed))
