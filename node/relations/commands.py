"""Writes, one function for each verb: accept and turn away followers, block, mute, and take both back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import outbox
from federation.authors import Author
from federation.blocks import add_block, remove_block
from federation.clock import iso
from federation.handlers.follow import answer_follow
from federation.storage import Tx
from federation.tables import activities as sent
from federation.tables import actors, follows, mutes
from node.credentials import showing
from node.errors import Invalid, NotFound
from node.language import _
from node.notifications.commands import take_back
from node.profiles.cards import welcome
from node.social import following, timelines
from schemas import activities
from schemas.base import Audience

ONESELF = _("That is you.")
NOBODY_ASKS = _("They do not ask to follow you any more.")


def accept_follower(tx: Tx, author: Author, follower: str) -> None:
    """Let somebody who asked follow; NotFound when nobody of that id asks."""
    asked = _follow(tx, author, follower, ("requested",))
    mine = (follows.c.follower == follower, follows.c.followee == author.actor_id)
    tx.execute(sa.update(follows).where(*mine).values(state="accepted", decided_at=tx.now))
    take_back(tx, author.actor_id, "follow_request", actor=follower)
    if author.ids.is_local(follower):
        following.begun(tx, follower, author.actor_id)
    else:
        answer_follow(tx, author, follower, asked.activity_id, verb="Accept")
        welcome(tx, author, follower)


def turn_away(tx: Tx, author: Author, follower: str) -> None:
    """Refuse somebody who asks to follow, or let somebody follow no more; NotFound when they do neither.

    They may ask again: to keep them from it there is the block.
    """
    held = _follow(tx, author, follower, ("requested", "accepted"))
    tx.execute(sa.delete(follows).where(follows.c.follower == follower, follows.c.followee == author.actor_id))
    take_back(tx, author.actor_id, "follow_request", actor=follower)
    timelines.withdraw(tx, author.actor_id)
    if not author.ids.is_local(follower):
        answer_follow(tx, author, follower, held.activity_id, verb="Reject")


def _follow(tx: Tx, author: Author, follower: str, states: tuple[str, ...]) -> Row[Any]:
    mine = (follows.c.follower == follower, follows.c.followee == author.actor_id, follows.c.state.in_(states))
    row = tx.row(sa.select(follows).where(*mine))
    if row is None:
        raise NotFound(NOBODY_ASKS)
    return row


def block(tx: Tx, author: Author, target: str) -> bool:
    """Want nothing of somebody; False when that was so already. Their server is told; NotFound for who is not known.

    Follows end both ways, also for a server that knows no Block, and what they said leaves timeline and profile.
    """
    _check_person(tx, author, target)
    _end_follows(tx, author, target)
    new = add_block(tx, author.actor_id, target)
    showing.publish(tx, author)
    timelines.part(tx, author.actor_id, target)
    if author.ids.is_local(target):
        timelines.part(tx, target, author.actor_id)
    elif new:
        said = activities.activity(
            "Block",
            author.ids.activity(author.actor_id, tx.now),
            author.actor_id,
            target,
            audience=Audience((target,)),
            published=iso(tx.now),
        )
        outbox.publish(tx, author, said, Audience((target,)), object_id=target)
    return new


def _end_follows(tx: Tx, author: Author, target: str) -> None:
    wanted = sa.select(follows.c.follower, follows.c.followee).where(
        sa.or_(
            sa.and_(follows.c.follower == target, follows.c.followee == author.actor_id),
            sa.and_(follows.c.follower == author.actor_id, follows.c.followee == target),
        ),
        follows.c.state != "rejected",
    )
    for row in tx.rows(wanted):
        if row.follower == target:
            turn_away(tx, author, target)
        else:
            following.leave(tx, author, target)


def unblock(tx: Tx, author: Author, target: str) -> bool:
    """Take a block back; False when there was none. Nobody follows anybody by it."""
    if not remove_block(tx, author.actor_id, target):
        return False
    mine = (sent.c.actor_id == author.actor_id, sent.c.type == "Block", sent.c.object_id == target)
    block_id = tx.scalar(sa.select(sent.c.id).where(*mine).order_by(sent.c.id.desc()).limit(1))
    if block_id is not None:
        undone = {"id": block_id, "type": "Block", "actor": author.actor_id, "object": target}
        undo_id = author.ids.activity(author.actor_id, tx.now)
        undo = activities.undo(undo_id, author.actor_id, undone, Audience((target,)), iso(tx.now))
        outbox.publish(tx, author, undo, Audience((target,)), object_id=target)
    return True


def mute(tx: Tx, author: Author, target: str, until: datetime | None = None) -> None:
    """See nothing of somebody until a time, or until it is taken back. Nobody is told."""
    _check_person(tx, author, target)
    values = {"created_at": tx.now, "until": until}
    insert = tx.insert(mutes).values(actor=author.actor_id, target=target, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor", "target"], set_=values))


def unmute(tx: Tx, author: Author, target: str) -> bool:
    """See them again; False when they were not muted."""
    mine = (mutes.c.actor == author.actor_id, mutes.c.target == target)
    return bool(tx.execute(sa.delete(mutes).where(*mine)).rowcount)


def _check_person(tx: Tx, author: Author, target: str) -> None:
    if target == author.actor_id:
        raise Invalid({"who": ONESELF})
    somebody = (actors.c.id == target, actors.c.type != "Application")
    if tx.row(sa.select(actors.c.id).where(*somebody)) is None:
        raise NotFound
