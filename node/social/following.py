"""Asking for what somebody publishes, and asking for it no more."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.blocks import has_blocked
from federation.clock import iso
from federation.storage import Tx
from federation.tables import follows, objects
from node.errors import Invalid
from node.language import _
from node.notifications.commands import notify, take_back
from node.notifications.rules import Kind
from node.social.lookups import ask
from node.social.tables import timeline
from node.social.timelines import catch_up
from schemas import activities
from schemas.actors import Actor
from schemas.base import Audience

ONESELF = _("That is you. What you publish is in your timeline already.")
YOU_BLOCKED = _("You have blocked them. Unblock them first: it is in your settings, under Blocks.")
BLOCKED = _("They do not want to be followed by you.")


def follow(tx: Tx, author: Author, target: Actor) -> Literal["accepted", "requested"]:
    """Ask somebody for what they publish. Somebody on this node who does not approve by hand accepts at once.

    Raises Invalid for oneself, and where one of the two has blocked the other.
    """
    if target.id == author.actor_id:
        raise Invalid({"who": ONESELF})
    held = tx.row(_this(sa.select(follows.c.state), author.actor_id, target.id))
    if held is not None and held.state in ("accepted", "requested"):
        return "accepted" if held.state == "accepted" else "requested"
    here = author.ids.is_local(target.id)
    if has_blocked(tx, author.actor_id, target.id):
        raise Invalid({"who": YOU_BLOCKED})
    if has_blocked(tx, target.id, author.actor_id):
        raise Invalid({"who": BLOCKED})
    activity_id = author.ids.object(author.actor_id, "follows", tx.now)
    values = {
        "activity_id": activity_id,
        "state": "accepted" if here and not target.manually_approves else "requested",
        "created_at": tx.now,
        "decided_at": tx.now if here and not target.manually_approves else None,
    }
    insert = tx.insert(follows).values(follower=author.actor_id, followee=target.id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["follower", "followee"], set_=values))
    if here and values["state"] == "accepted":
        catch_up(tx, author.actor_id, target.id)
    if here:
        kind: Kind = "follow" if values["state"] == "accepted" else "follow_request"
        notify(tx, target.id, kind, actor=author.actor_id)
    else:
        asked = activities.follow(activity_id, author.actor_id, target.id, iso(tx.now))
        outbox.publish(tx, author, asked, Audience((target.id,)), object_id=target.id)
    tx.notify("documents", f"{author.actor_id}/following")
    return "accepted" if values["state"] == "accepted" else "requested"


def begun(tx: Tx, follower: str, followee: str) -> None:
    """A follow was agreed to: show what is known of them already, and let the rest be asked for."""
    catch_up(tx, follower, followee)
    ask(tx, "outbox", followee, follower)


def unfollow(tx: Tx, author: Author, target: Actor) -> bool:
    """Ask for no more, and take what came out of the timeline; returns whether there was anything to end."""
    return leave(tx, author, target.id)


def leave(tx: Tx, author: Author, target: str) -> bool:
    """The same, of somebody whose id alone is known."""
    held = tx.row(_this(sa.select(follows), author.actor_id, target))
    if held is None:
        return False
    tx.execute(_this(sa.delete(follows), author.actor_id, target))
    if held.state == "requested":
        take_back(tx, target, "follow_request", actor=author.actor_id)
    theirs = sa.select(objects.c.id).where(objects.c.owner == target)
    mine = sa.and_(timeline.c.reader == author.actor_id, timeline.c.reason == "followed")
    tx.execute(sa.delete(timeline).where(mine, timeline.c.object_id.in_(theirs)))
    tx.execute(
        sa.delete(timeline).where(
            timeline.c.reader == author.actor_id, timeline.c.reason == "boosted", timeline.c.via == target
        )
    )
    if not author.ids.is_local(target) and held.state != "rejected":
        undone = {"id": held.activity_id, "type": "Follow", "actor": author.actor_id, "object": target}
        activity_id = author.ids.activity(author.actor_id, tx.now)
        undo = activities.undo(activity_id, author.actor_id, undone, Audience((target,)), iso(tx.now))
        outbox.publish(tx, author, undo, Audience((target,)), object_id=target)
    return True


def _this(statement: Any, follower: str, followee: str) -> Any:
    return statement.where(follows.c.follower == follower, follows.c.followee == followee)
