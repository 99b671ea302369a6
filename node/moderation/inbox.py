"""Flag: another server, or somebody there, reports somebody here (ActivityPub: `Flag`, as Mastodon sends it)."""

from __future__ import annotations

import sqlalchemy as sa

from federation.authors import Authors
from federation.errors import NotFound, Refused
from federation.storage import Tx
from federation.tables import objects
from federation.types import Received
from node.moderation import commands
from node.moderation.rules import MAX_OBJECTS, MAX_WORDS
from node.text import visible
from schemas.base import ids_of, localised


def on_flag(tx: Tx, received: Received, authors: Authors) -> None:
    """Keep it for whoever runs the node: bounded, once, and of people and things that are here (SECURITY 145)."""
    named = ids_of(received.document.get("object"))[: MAX_OBJECTS + 1]
    local = [url for url in named if authors.ids.is_local(url)]
    people = [url for url in local if authors.ids.username(url) and url != authors.ids.instance_actor]
    things = _standing(tx, [url for url in local if url not in people])
    target = next(iter(people), None) or next(iter(things.values()), None)
    if target is None or not _is_here(tx, authors, target):
        raise Refused("a report about nobody here")
    words = visible(localised(received.document, "content", limit=MAX_WORDS))
    theirs = sorted(thing for thing, owner in things.items() if owner == target)
    commands.take_report(tx, received.envelope.id, received.envelope.actor, target, theirs, words)


def _standing(tx: Tx, object_ids: list[str]) -> dict[str, str]:
    """Of ids those at which something of ours stands, with whose it is."""
    here = sa.select(objects.c.id, objects.c.owner).where(objects.c.id.in_(object_ids), objects.c.local)
    return {row.id: row.owner for row in tx.rows(here.order_by(objects.c.id))}


def _is_here(tx: Tx, authors: Authors, actor_id: str) -> bool:
    try:
        authors.load(tx, actor_id)
    except NotFound:
        return False
    return True
