"""Moving: an actor tells its followers that it is another one from now on (FEP-7628; `Move`, `alsoKnownAs`, `movedTo`).

A Move counts when the new actor, asked at its own origin, says that it is the old one too: otherwise anybody could
take over anybody's followers, or send them to somebody who never asked for them (SECURITY 43). An actor moves once in
30 days, never to itself, never to one that has moved on itself, and never back to where it came from, as long as that
is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from federation.authors import Author, save_local_actor
from federation.clock import iso
from federation.errors import Refused
from federation.outbox import publish, update_actor
from federation.storage import Tx
from federation.tables import actors, moves
from federation.types import Received
from schemas import activities
from schemas.actors import Actor, parse_actor
from schemas.base import Audience, id_of
from schemas.jsonld import normalise
from schemas.terms import PUBLIC

COOL_DOWN = timedelta(days=30)
KEEP = timedelta(days=365)  # where an actor elsewhere came from


def accept_move(tx: Tx, received: Received) -> Actor:
    """The new actor of a Move that came in, once everything about it holds; remembers it. Raises Refused.

    The worker has asked the new actor's origin before.
    """
    old = received.envelope.actor
    if received.object_id != old:
        raise Refused(f"{old} may not move {received.object_id}")
    target_id = id_of(received.document.get("target"))
    target = None if target_id is None else known_actor(tx, target_id)
    if target is None:
        raise Refused(f"{target_id} is not known: {old} cannot move there")
    check_move(tx, old, target)
    remember_move(tx, old, target.id)
    return target


def check_move(tx: Tx, old: str, target: Actor) -> None:
    """Raises Refused, with a reason, for a move that may not be."""
    if target.id == old:
        raise Refused(f"{old} moves to itself")
    if old not in target.also_known_as:
        raise Refused(f"{target.id} does not say that it is {old} too")
    if target.moved_to is not None:
        raise Refused(f"{target.id} has itself moved on to {target.moved_to}")
    if tx.scalar(sa.select(moves.c.target).where(moves.c.actor == target.id)) == old:
        raise Refused(f"{target.id} came from {old}: that is a circle")
    last = tx.row(sa.select(moves.c.at).where(moves.c.actor == old))
    if last is not None and tx.now - last.at < COOL_DOWN:
        raise Refused(f"{old} has moved {(tx.now - last.at).days} days ago; it may again after {COOL_DOWN.days}")


def remember_move(tx: Tx, old: str, target: str) -> None:
    """From now on the time counts until it may move again."""
    values = {"target": target, "at": tx.now}
    insert = tx.insert(moves).values(actor=old, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor"], set_=values))


def forget_moves(tx: Tx) -> None:
    """Those of actors elsewhere that are long over."""
    here = sa.select(actors.c.id).where(actors.c.local)
    tx.execute(sa.delete(moves).where(moves.c.at < tx.now - KEEP, moves.c.actor.not_in(here)))


def known_actor(tx: Tx, actor_id: str) -> Actor | None:
    """An actor as its origin described it last; None for one that is not known, or has ended."""
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id, actors.c.gone_at.is_(None)))
    return None if document is None else parse_actor(normalise(msgspec.json.decode(document)))


def set_aliases(tx: Tx, author: Author, aliases: Sequence[str]) -> int:
    """Say which other actors one is too, so that they may move here; returns how many inboxes hear of it."""
    return update_actor(tx, author, _document(tx, author) | {"alsoKnownAs": list(aliases)})


def move_away(tx: Tx, author: Author, target: Actor) -> int:
    """Tell the followers to follow another actor from now on; returns how many inboxes hear of it. Raises Refused."""
    check_move(tx, author.actor_id, target)
    save_local_actor(tx, author, _document(tx, author) | {"movedTo": target.id, "updated": iso(tx.now)})
    remember_move(tx, author.actor_id, target.id)
    audience = Audience((PUBLIC,), (author.followers,))
    activity_id = author.ids.activity(author.actor_id, tx.now)
    said = activities.activity(
        "Move", activity_id, author.actor_id, author.actor_id, audience=audience, published=iso(tx.now)
    )
    return publish(tx, author, said | {"target": target.id}, audience, object_id=author.actor_id)


def _document(tx: Tx, author: Author) -> dict[str, Any]:
    held = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id, actors.c.local))
    document: dict[str, Any] = msgspec.json.decode(held)
    return {name: value for name, value in document.items() if name != "proof"}


def last_move(tx: Tx, actor_id: str) -> datetime | None:
    """When somebody moved last."""
    at: datetime | None = tx.scalar(sa.select(moves.c.at).where(moves.c.actor == actor_id))
    return at
