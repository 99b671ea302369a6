"""Moving house: others, whom their followers here follow along; and oneself, in and out."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from federation import moves
from federation.authors import Author, Authors
from federation.errors import Refused
from federation.storage import Tx
from federation.tables import actors, follows
from node.errors import Invalid
from node.language import _
from node.notifications.commands import notify
from node.social import following
from schemas.actors import MAX_ALIASES, Actor

TOO_MANY = _("Name at most {most} accounts.", most=MAX_ALIASES)
NOT_LISTED = _("That account does not name this one yet. Add this one there as an alias first, then try again.")
MOVED_ON = _("That account has itself moved on. Give the one where it went.")
TOO_SOON = _("You have moved within the last {days} days. Wait until that is over.", days=moves.COOL_DOWN.days)
ONESELF = _("That is this account.")
CIRCLE = _("You came here from that account. Moving back is a circle that other servers refuse.")


def follow_along(tx: Tx, authors: Authors, old: str, target: Actor) -> int:
    """Let everybody here who follows an actor follow where it went, and tell them; returns how many.

    Whoever wants nothing of the new one only follows the old one no more.
    """
    mine = (follows.c.followee == old, follows.c.state == "accepted", actors.c.local)
    statement = sa.select(follows.c.follower).join(actors, actors.c.id == follows.c.follower).where(*mine)
    followers = [row.follower for row in tx.rows(statement.order_by(follows.c.follower))]
    for follower in followers:
        author = authors.load(tx, follower)
        following.leave(tx, author, old)
        if follower != target.id:
            try:
                following.follow(tx, author, target)
            except Invalid:
                continue  # one of the two has blocked the other
        notify(tx, follower, "moved", actor=target.id, object_id=old)
    return len(followers)


def set_aliases(tx: Tx, author: Author, aliases: Sequence[str]) -> int:
    """Say which other accounts are one's own, so that they may move here; returns how many inboxes hear of it."""
    if len(aliases) > MAX_ALIASES:
        raise Invalid({"alias": TOO_MANY})
    if author.actor_id in aliases:
        raise Invalid({"alias": ONESELF})
    return moves.set_aliases(tx, author, aliases)


def move_away(tx: Tx, author: Author, target: Actor, authors: Authors) -> int:
    """Send one's followers to another account, those here at once; returns how many inboxes hear of it.

    Invalid where that may not be.
    """
    try:
        reached = moves.move_away(tx, author, target)
    except Refused as error:
        raise Invalid({"target": _why_not(tx, author, target)}) from error
    follow_along(tx, authors, author.actor_id, target)
    return reached


def _why_not(tx: Tx, author: Author, target: Actor) -> str:
    if target.id == author.actor_id:
        return ONESELF
    if author.actor_id not in target.also_known_as:
        return NOT_LISTED
    if target.moved_to is not None:
        return MOVED_ON
    return TOO_SOON if moves.last_move(tx, author.actor_id) else CIRCLE
