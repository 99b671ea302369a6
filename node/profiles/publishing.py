"""A profile goes out: what is for everybody in the actor's signed document, what is for followers to them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from functools import partial

import msgspec

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.errors import Unacceptable
from federation.former import forget_former
from federation.storage import Tx
from node.credentials.showing import addresses
from node.errors import Invalid
from node.identity.queries import said_of
from node.media.names import media_url
from node.profiles import cards, wire
from node.profiles.queries import person, picture_name
from node.profiles.rules import Audience, ProfileDraft
from node.profiles.sources import OwnEntry, own_entries
from schemas.actors import with_credentials
from schemas.cv import SECTIONS, Cv, Entry
from schemas.identities import with_identity
from schemas.strict_json import dumps

MAX_DOCUMENT = 18_000
"""Bytes of an actor's document, without its proof, over which the CV stands beside it: others fetch it often."""


def publish(tx: Tx, author: Author, draft: ProfileDraft) -> int:
    """Say to everybody, and to followers, what is for them; returns how many inboxes hear of it.

    draft: all that was typed, with the time of its answer. Raises Invalid for more than other servers take.
    """
    held, icon = person(tx, author.actor_id), picture_name(tx, author.actor_id)
    lines, today = own_entries(tx, author.actor_id), tx.now.astimezone(UTC).date()
    written = partial(
        wire.to_actor,
        author,
        wire.part_for(draft, "public"),
        kind=held.type,
        published=iso(held.published or tx.now),
        icon=media_url(author.ids.origin, icon) if icon else None,
        today=today,
    )
    cv = cv_for(lines, "public", author.ids.origin)
    identity = said_of(tx, author.actor_id)
    shown = addresses(tx, author.ids, author.actor_id)
    document = with_credentials(with_identity(written(cv=cv), *identity), shown)
    long = wire.cv_card(cv) if cv and len(dumps(document)) > MAX_DOCUMENT else (None, "")
    close = wire.to_card(wire.part_for(draft, "followers"), cv_for(lines, "followers", author.ids.origin), today)
    try:
        beside = cards.for_everybody(tx, author, *long)
        if beside is not None:
            document = with_credentials(with_identity(written(card=beside), *identity), shown)
        told = outbox.update_actor(tx, author, document)
        forget_former(tx, author, author.actor_id)
        return max(told, cards.for_followers(tx, author, *close))
    except Unacceptable as error:
        raise Invalid({"summary": error.safe}) from error


def cv_for(lines: Sequence[OwnEntry], who: Audience, origin: str) -> Cv:
    """The lines of a CV that are for these, with the addresses of their pictures."""
    chosen = [line for line in lines if line.audience == who]
    return Cv(*(tuple(_with_picture(line, origin) for line in chosen if line.section == name) for name in SECTIONS))


def _with_picture(line: OwnEntry, origin: str) -> Entry:
    if line.picture is None:
        return line.entry
    return msgspec.structs.replace(line.entry, picture=media_url(origin, line.picture.name), alt=line.picture.alt)
