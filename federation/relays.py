"""Relays: servers that tell their subscribers of public things that nobody there follows (FEP-ae0c).

The node's own actor follows a relay, in one of two styles: Mastodon's Follow names the public collection, LitePub's the
relay itself. What a relay announces, or passes on with its author's own activity, is a hint and no more: the thing is
fetched from its origin. It is found by search and hashtags, and comes into nobody's timeline for the relay's sake. Of
all that at most `MAX_KEPT` things are kept, each for 30 days, unless somebody here has come to have to do with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.authors import Author
from federation.clock import iso
from federation.errors import NotFound, Refused
from federation.outbox import publish
from federation.statements import Hot
from federation.storage import Tx
from federation.tables import follows, object_recipients, objects, reactions, relayed, relays
from federation.types import Received
from schemas import activities
from schemas.actors import Actor
from schemas.base import Audience
from schemas.terms import PUBLIC

Kind = Literal["mastodon", "litepub"]

MAX_RELAYS = 10
MAX_KEPT = 20_000
KEEP = timedelta(days=30)
AT_ONCE = 500


def add_relay(tx: Tx, instance: Author, relay: Actor, kind: Kind) -> None:
    """Ask a relay to tell us of what it hears. Raises Refused for the eleventh, and for one that was asked before."""
    held = tx.scalar(sa.select(relays.c.state).where(relays.c.id == relay.id))
    if held in ("requested", "accepted"):
        raise Refused(f"{relay.id} was asked already; it is {held}")
    if int(tx.scalar(sa.select(sa.func.count()).select_from(relays))) >= MAX_RELAYS:
        raise Refused(f"there are {MAX_RELAYS} relays already: remove one first")
    follow_id = instance.ids.activity(instance.actor_id, tx.now)
    values = {"kind": kind, "follow_id": follow_id, "state": "requested", "created_at": tx.now}
    insert = tx.insert(relays).values(id=relay.id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    asked = activities.activity(
        "Follow",
        follow_id,
        instance.actor_id,
        _followed(relay.id, kind),
        audience=Audience((relay.id,)),
        published=iso(tx.now),
    )
    publish(tx, instance, asked, Audience((relay.id,)), object_id=relay.id)


def _followed(relay: str, kind: str) -> str:
    return PUBLIC if kind == "mastodon" else relay


def remove_relay(tx: Tx, instance: Author, relay: str) -> None:
    """Want to hear no more of a relay; NotFound for one that is not in the list."""
    row = tx.row(sa.select(relays).where(relays.c.id == relay))
    if row is None:
        raise NotFound(f"{relay} is no relay of ours")
    tx.execute(sa.delete(relays).where(relays.c.id == relay))
    undone = {
        "id": row.follow_id,
        "type": "Follow",
        "actor": instance.actor_id,
        "object": _followed(relay, row.kind),
    }
    undo_id = instance.ids.activity(instance.actor_id, tx.now)
    undo = activities.undo(undo_id, instance.actor_id, undone, Audience((relay,)), iso(tx.now))
    publish(tx, instance, undo, Audience((relay,)), object_id=relay)


def listed(tx: Tx) -> Sequence[Row[tuple[str, str, str]]]:
    """`(id, kind, state)` of all relays."""
    return tx.rows(sa.select(relays.c.id, relays.c.kind, relays.c.state).order_by(relays.c.id))


def accepted(tx: Tx) -> frozenset[str]:
    """The relays that have agreed."""
    return frozenset(row.id for row in tx.all(_ACCEPTED))


_ACCEPTED = Hot(sa.select(relays.c.id).where(relays.c.state == sa.literal_column("'accepted'")))


def on_answer(tx: Tx, received: Received, state: Literal["accepted", "rejected"]) -> bool:
    """Accept or Reject by a relay of our Follow; False when the actor is no relay of ours."""
    this = sa.update(relays).where(relays.c.id == received.envelope.actor)
    return bool(tx.execute(this.values(state=state)).rowcount)


def relay_of(tx: Tx, received: Received) -> str | None:
    """The relay that told of something: it announced it, or sent what is another's."""
    if received.envelope.type != "Announce" and received.signer.actor_id == received.envelope.actor:
        return None
    teller = received.signer.actor_id
    wanted = sa.select(relays.c.id).where(relays.c.id == teller, relays.c.state == "accepted")
    found: str | None = tx.scalar(wanted)
    return found


def note_relayed(tx: Tx, object_id: str, relay: str) -> None:
    """Remember that a thing is here for a relay's sake alone."""
    tx.execute(tx.insert_new(relayed), {"object_id": object_id, "relay": relay, "at": tx.now})


def is_full(tx: Tx) -> bool:
    """Whether no more is taken for now."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(relayed))) >= MAX_KEPT


def forget_relayed(tx: Tx) -> list[str]:
    """Forget what came through relays long ago; returns the ids of what is gone, for the product to forget too.

    Kept for good is what somebody here follows the owner of, has liked, passed on or answered.
    """
    old = tx.rows(sa.select(relayed.c.object_id).where(relayed.c.at < tx.now - KEEP).limit(AT_ONCE))
    ids = [row.object_id for row in old]
    if not ids:
        return []
    tx.execute(sa.delete(relayed).where(relayed.c.object_id.in_(ids)))
    answer = objects.alias()
    related = [
        sa.exists().where(follows.c.followee == objects.c.owner),
        sa.exists().where(reactions.c.object_id == objects.c.id),
        sa.exists().where(answer.c.in_reply_to == objects.c.id),
    ]
    strange = sa.select(objects.c.id).where(objects.c.id.in_(ids), ~objects.c.local, *(~one for one in related))
    gone = [row.id for row in tx.rows(strange)]
    tx.execute(sa.delete(object_recipients).where(object_recipients.c.object_id.in_(gone)))
    tx.execute(sa.delete(objects).where(objects.c.id.in_(gone)))
    return gone
