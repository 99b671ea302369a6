"""What others ask, and where they go: Follow, Block and Move, each ending where pages and command line end too."""

from __future__ import annotations

from federation import relays
from federation.authors import Authors
from federation.handlers.block import on_block as take_block
from federation.handlers.follow import on_follow as take_follow
from federation.moves import accept_move
from federation.storage import Tx
from federation.types import Received
from node.notifications.commands import notify, take_back
from node.profiles.cards import welcome
from node.relations import moving
from node.relations.queries import asked_by
from node.social import inbox as social
from node.social import timelines
from node.social.queries import follow_state


def on_follow(tx: Tx, received: Received, authors: Authors) -> None:
    """Somebody follows, or asks to."""
    follower, followee = received.envelope.actor, received.object_id or ""
    before = follow_state(tx, follower, followee)
    take_follow(tx, received, authors)
    after = follow_state(tx, follower, followee)
    if after != before:
        notify(tx, followee, "follow" if after == "accepted" else "follow_request", actor=follower)
        if after == "accepted":
            welcome(tx, authors.load(tx, followee), follower)


def on_undo(tx: Tx, received: Received, authors: Authors) -> None:
    """Somebody takes back what they did; that they asked to follow is no news any more once they do not."""
    actor = received.envelope.actor
    before = asked_by(tx, actor)
    social.on_undo(tx, received, authors)
    for followee in before - asked_by(tx, actor) if before else ():
        take_back(tx, followee, "follow_request", actor=actor)


def on_accept(tx: Tx, received: Received, authors: Authors) -> None:
    """Somebody whom one asked to follow agrees; or a relay does."""
    if not relays.on_answer(tx, received, "accepted"):
        social.on_accept(tx, received, authors)


def on_reject(tx: Tx, received: Received, authors: Authors) -> None:
    """Somebody whom one asked to follow does not agree, or no longer; or a relay does not."""
    if not relays.on_answer(tx, received, "rejected"):
        social.on_reject(tx, received, authors)


def on_block(tx: Tx, received: Received, authors: Authors) -> None:
    """Whoever blocks somebody is neither heard nor seen by them any more."""
    take_block(tx, received, authors)
    timelines.withdraw(tx, received.envelope.actor)
    timelines.part(tx, received.object_id or "", received.envelope.actor)


def on_move(tx: Tx, received: Received, authors: Authors) -> None:
    """Whoever here follows the old actor follows the new one, once its own origin has said that they are one."""
    moving.follow_along(tx, authors, received.envelope.actor, accept_move(tx, received))
