"""Inbox forwarding (ActivityPub §7.1.2): the followers of an author hear what others answer, though nobody told them.

An answer from elsewhere to something of ours, addressed to our author's followers collection, is known to its sender's
followers and to us; only we know who ours are. So it is passed on to their servers, as the bytes that came,
once, when

- it is for everybody: what is for some is nobody's to pass on;
- it carries its author's proof (or the older signature that peers refetch by), so that they need not believe us;
- we have it from its author, and not from somebody who passed it on: so nothing goes round in circles (SECURITY 85).

What changes or takes away such an answer goes to the same inboxes. It is a delivery as any other: the row keeps the
foreign activity's own id, so that a second forward of it is none.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.audience import Target, merge
from federation.authors import Author, Authors
from federation.blocks import blocks_between
from federation.storage import Tx
from federation.tables import activities, actors, deliveries, objects
from federation.types import Received
from schemas.base import audience_of, id_of
from schemas.terms import PUBLIC
from schemas.urls import host_of

FOLLOWS_UP = frozenset({"Update", "Delete"})
MAX_FORWARDED = 500
"""Answers to one object that are passed on: what a stranger writes goes out once for each server of followers."""


def pass_on(tx: Tx, received: Received, authors: Authors) -> int:
    """Queue a received activity for our followers' servers, where it is to be forwarded; returns how many inboxes."""
    if received.signer.actor_id != received.envelope.actor or not _can_be_checked(received.document):
        return 0
    if received.envelope.type == "Create" and received.object is not None:
        return _first(tx, received, received.object, authors)
    if received.envelope.type in FOLLOWS_UP and received.object_id is not None:
        return _again(tx, received, authors)
    return 0


def _can_be_checked(document: dict[str, Any]) -> bool:
    return "proof" in document or "signature" in document


def _first(tx: Tx, received: Received, answer: dict[str, Any], authors: Authors) -> int:
    """Asks the database only about answers to something of ours."""
    answered = id_of(answer.get("inReplyTo"))
    if answered is None or not authors.ids.is_local(answered):
        return 0
    columns = (objects.c.owner, objects.c.visibility, actors.c.followers)
    held = sa.select(*columns).join(actors, actors.c.id == objects.c.owner)
    row = tx.row(held.where(objects.c.id == answered, objects.c.local, objects.c.deleted_at.is_(None)))
    addressed = {*received.audience.everybody, *audience_of(answer).everybody}
    if row is None or row.followers not in addressed or PUBLIC not in addressed:
        return 0
    if blocks_between(tx, row.owner, received.envelope.actor) or _so_far(tx, answered) >= MAX_FORWARDED:
        return 0
    author = authors.load(tx, row.owner)
    return _send(tx, received, author, outbox.to_followers(tx, author))


def _so_far(tx: Tx, answered: str) -> int:
    """How many answers of others to an object were passed on."""
    passed = sa.select(sa.func.count(sa.distinct(deliveries.c.object_id)))
    passed = passed.select_from(objects.join(deliveries, deliveries.c.object_id == objects.c.id))
    return int(tx.scalar(passed.where(objects.c.in_reply_to == answered, ~objects.c.local)))


def _again(tx: Tx, received: Received, authors: Authors) -> int:
    """To whoever got the answer from us."""
    columns = (deliveries.c.sender, deliveries.c.inbox, deliveries.c.host, deliveries.c.recipients)
    earlier = sa.select(*columns).join(activities, activities.c.id == deliveries.c.activity_id)
    this = (deliveries.c.object_id == received.object_id, activities.c.actor_id == received.envelope.actor)
    rows = tx.rows(earlier.where(*this))
    if not rows:
        return 0
    targets = merge(Target(row.inbox, row.host, tuple(msgspec.json.decode(row.recipients or "[]"))) for row in rows)
    return _send(tx, received, authors.load(tx, rows[0].sender), targets)


def _send(tx: Tx, received: Received, author: Author, targets: list[Target]) -> int:
    values = {
        "id": received.envelope.id,
        "actor_id": received.envelope.actor,
        "type": received.envelope.type,
        "object_id": received.object_id,
        "public": False,  # it is not ours to serve
        "body": received.body,
        "published": tx.now,
    }
    if not tx.execute(tx.insert_new(activities, "id"), values).rowcount:
        return 0
    theirs = host_of(received.envelope.actor)
    wanted = [target for target in targets if target.host != theirs]
    return outbox.queue(tx, author, received.envelope.id, str(received.object_id), wanted)
