"""Follow: somebody elsewhere wants to hear what a local actor publishes (ActivityPub §7.5)."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from federation.authors import Author, Authors
from federation.blocks import has_blocked
from federation.clock import iso
from federation.errors import Forbidden, NotFound, Refused
from federation.outbox import publish
from federation.storage import Tx
from federation.tables import actors, follows
from federation.types import Received
from schemas import activities
from schemas.base import Audience


def on_follow(tx: Tx, received: Received, authors: Authors) -> None:
    """Note the follower, and accept at once unless the followee decides by hand.

    A Follow that comes again is accepted again: the other server may have lost our answer.
    """
    follower, followee = received.envelope.actor, received.object_id
    author = _followee(tx, followee, authors)
    if has_blocked(tx, author.actor_id, follower):
        raise Forbidden(f"{author.actor_id} has blocked {follower}")
    known = tx.row(
        sa.select(follows.c.state).where(follows.c.follower == follower, follows.c.followee == author.actor_id)
    )
    by_hand = tx.scalar(sa.select(actors.c.manually_approves).where(actors.c.id == author.actor_id))
    accepted = not by_hand or (known is not None and known.state == "accepted")
    _note(tx, received, author.actor_id, "accepted" if accepted else "requested")
    if accepted:
        answer_follow(tx, author, follower, received.envelope.id, verb="Accept")


def _followee(tx: Tx, actor_id: str | None, authors: Authors) -> Author:
    username = authors.ids.username(actor_id) if actor_id else None
    if username is None or actor_id == authors.ids.instance_actor:
        raise Refused(f"{actor_id} is nobody here who can be followed")
    try:
        return authors.load(tx, authors.ids.actor(username))
    except NotFound as error:
        raise Refused(f"{actor_id} is nobody here") from error


def _note(tx: Tx, received: Received, followee: str, state: str) -> None:
    decided = tx.now if state == "accepted" else None
    insert = tx.insert(follows).values(
        follower=received.envelope.actor,
        followee=followee,
        activity_id=received.envelope.id,
        state=state,
        created_at=tx.now,
        decided_at=decided,
    )
    again = {"activity_id": received.envelope.id, "state": state, "decided_at": decided}
    tx.execute(insert.on_conflict_do_update(index_elements=["follower", "followee"], set_=again))


def answer_follow(tx: Tx, author: Author, follower: str, follow_id: str, *, verb: Literal["Accept", "Reject"]) -> None:
    """Send Accept or Reject for a Follow of `author`, with the Follow inside, as every peer can match it."""
    follow = {"id": follow_id, "type": "Follow", "actor": follower, "object": author.actor_id}
    answer_id = author.ids.activity(author.actor_id, tx.now)
    answer = activities.answer(verb, answer_id, author.actor_id, follow, iso(tx.now))
    publish(tx, author, answer, Audience((follower,)), object_id=follow_id)
