"""Writes: post and delete, follow and unfollow; and the home timelines, which every slice fills.

A timeline row is written for each reader when a thing comes, so that what a reader sees costs the same however much
the node knows, and what was not meant for somebody is not there to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.errors import Unacceptable
from federation.ids import Ids
from federation.storage import Tx
from federation.tables import actors, blocks, follows, objects
from node.errors import Invalid
from node.social import wire
from node.social.rules import PostDraft
from node.social.tables import timeline
from schemas import activities
from schemas.actors import Actor
from schemas.base import Audience, audience_of
from schemas.errors import SchemaError
from schemas.notes import tags_of, write_note

ONESELF = "That is you. What you publish is in your timeline already."
BLOCKED = "They do not want to be followed by you."
CHUNK = 500


def post(tx: Tx, author: Author, draft: PostDraft, person: Actor | None = None) -> str:
    """Write a post and send it; returns its id. person: to whom alone it goes, for a direct one."""
    if draft.audience == "direct" and person is None:
        raise Invalid({"to": "Name the one person whom this is for, such as @name@server."})
    note_id = author.ids.object(author.actor_id, "posts", tx.now)
    note = wire.to_note(author, note_id, draft, person, iso(tx.now))
    document = write_note(note)
    try:
        outbox.create(tx, author, document, kind="post", audience=note.audience, published=tx.now)
    except Unacceptable as error:
        raise Invalid({"body": error.safe}) from error
    into_timelines(tx, author.ids, note_id, author.actor_id, tx.now, document=document)
    return note_id


def delete_post(tx: Tx, author: Author, post_id: str) -> int:
    """Take a post away, here and from everybody who ever got it; returns how many inboxes hear of it."""
    reached = outbox.delete(tx, author, post_id)
    forget(tx, [post_id])
    return reached


def follow(tx: Tx, author: Author, target: Actor) -> Literal["accepted", "requested"]:
    """Ask somebody for what they publish. Somebody on this node accepts at once; Invalid for oneself."""
    if target.id == author.actor_id:
        raise Invalid({"who": ONESELF})
    held = tx.row(_this(sa.select(follows.c.state), author.actor_id, target.id))
    if held is not None and held.state in ("accepted", "requested"):
        return "accepted" if held.state == "accepted" else "requested"
    here = author.ids.is_local(target.id)
    if here and _blocks(tx, target.id, author.actor_id):
        raise Invalid({"who": BLOCKED})
    activity_id = author.ids.object(author.actor_id, "follows", tx.now)
    values = {
        "activity_id": activity_id,
        "state": "accepted" if here and not target.manually_approves else "requested",
        "created_at": tx.now,
        "decided_at": tx.now if here else None,
    }
    insert = tx.insert(follows).values(follower=author.actor_id, followee=target.id, **values)
    tx.execute(insert.on_conflict_do_update(index_elements=["follower", "followee"], set_=values))
    if not here:
        asked = activities.follow(activity_id, author.actor_id, target.id, iso(tx.now))
        outbox.publish(tx, author, asked, Audience((target.id,)), object_id=target.id)
    tx.notify("documents", f"{author.actor_id}/following")
    return "accepted" if values["state"] == "accepted" else "requested"


def unfollow(tx: Tx, author: Author, target: Actor) -> bool:
    """Ask for no more, and take what came out of the timeline; returns whether there was anything to end."""
    held = tx.row(_this(sa.select(follows), author.actor_id, target.id))
    if held is None:
        return False
    tx.execute(_this(sa.delete(follows), author.actor_id, target.id))
    theirs = sa.select(objects.c.id).where(objects.c.owner == target.id)
    mine = sa.and_(timeline.c.reader == author.actor_id, timeline.c.reason == "followed")
    tx.execute(sa.delete(timeline).where(mine, timeline.c.object_id.in_(theirs)))
    tx.execute(
        sa.delete(timeline).where(
            timeline.c.reader == author.actor_id, timeline.c.reason == "boosted", timeline.c.via == target.id
        )
    )
    if not author.ids.is_local(target.id) and held.state != "rejected":
        undone = {"id": held.activity_id, "type": "Follow", "actor": author.actor_id, "object": target.id}
        activity_id = author.ids.activity(author.actor_id, tx.now)
        undo = activities.undo(activity_id, author.actor_id, undone, Audience((target.id,)), iso(tx.now))
        outbox.publish(tx, author, undo, Audience((target.id,)), object_id=target.id)
    return True


def _this(statement: Any, follower: str, followee: str) -> Any:
    return statement.where(follows.c.follower == follower, follows.c.followee == followee)


def _blocks(tx: Tx, actor_id: str, other: str) -> bool:
    return tx.row(sa.select(blocks.c.actor).where(blocks.c.actor == actor_id, blocks.c.target == other)) is not None


# ---- timelines


def into_timelines(
    tx: Tx, ids: Ids, object_id: str, owner: str, at: datetime, *, document: dict[str, Any] | None = None
) -> None:
    """Put a stored object into the timelines of those for whom it is: its owner, local followers, the addressed.

    at: where it stands; a time to come counts as now, so that nothing stays on top of others. document: the object,
    where the caller has it at hand.
    """
    row = tx.execute(_STORED, {"id": object_id}).first()
    if row is None:
        return
    if document is None:
        document = msgspec.json.decode(tx.scalar(sa.select(objects.c.body).where(objects.c.id == object_id)))
    readers: dict[str, str] = {owner: "own"} if row.local else {}
    for reader in _local(tx, {named for named in _named(document) if ids.username(named)} - {owner}):
        readers.setdefault(reader, "addressed")
    if row.visibility != "direct":
        for reader in _followers_here(tx, owner):
            readers.setdefault(reader, "followed")
    _file(tx, object_id, row.kind, readers, min(at, tx.now))


_STORED = sa.select(objects.c.kind, objects.c.visibility, objects.c.local).where(
    objects.c.id == sa.bindparam("id"), objects.c.deleted_at.is_(None)
)


def boost(tx: Tx, object_id: str, by: str) -> None:
    """Somebody passes on what anybody may read: their followers here see it, unless they have it already."""
    row = tx.execute(_STORED, {"id": object_id}).first()
    if row is not None and row.visibility in ("public", "unlisted"):
        _file(tx, object_id, row.kind, dict.fromkeys(_followers_here(tx, by), "boosted"), tx.now, via=by)


def unboost(tx: Tx, object_id: str, by: str) -> None:
    """Somebody passes it on no more: whoever saw it only for that sees it no more."""
    theirs = sa.and_(timeline.c.reason == "boosted", timeline.c.via == by)
    tx.execute(sa.delete(timeline).where(timeline.c.object_id == object_id, theirs))


def _file(tx: Tx, object_id: str, kind: str, readers: dict[str, str], at: datetime, *, via: str | None = None) -> None:
    if not readers:
        return
    rows = [
        {"object_id": object_id, "reader": reader, "kind": kind, "reason": reason, "via": via, "at": at}
        for reader, reason in readers.items()
    ]
    tx.execute(tx.insert_new(timeline, "object_id", "reader"), rows)


def _named(document: dict[str, Any]) -> set[str]:
    """Everybody whom an object addresses or mentions."""
    try:
        addressed = set(audience_of(document).everybody)
        return addressed | {tag.href for tag in tags_of(document) if tag.type == "Mention" and tag.href}
    except SchemaError:
        return set()


def _local(tx: Tx, actor_ids: Iterable[str]) -> list[str]:
    wanted = sorted(actor_ids)
    found: list[str] = []
    for start in range(0, len(wanted), CHUNK):
        here = sa.select(actors.c.id).where(actors.c.local, actors.c.type != "Application", actors.c.gone_at.is_(None))
        found += [row.id for row in tx.rows(here.where(actors.c.id.in_(wanted[start : start + CHUNK])))]
    return found


_FOLLOWERS_HERE = (
    sa.select(follows.c.follower)
    .join(actors, actors.c.id == follows.c.follower)
    .where(follows.c.followee == sa.bindparam("owner"), follows.c.state == sa.literal_column("'accepted'"))
    .where(actors.c.local)
)


def _followers_here(tx: Tx, owner: str) -> list[str]:
    return [row.follower for row in tx.execute(_FOLLOWERS_HERE, {"owner": owner})]


def withdraw(tx: Tx, owner: str, object_id: str | None = None) -> None:
    """Take what an actor did not write for everybody from those who follow them no more (SECURITY 129).

    object_id: that alone, since it may have become for fewer people.
    """
    hidden = sa.select(objects.c.id).where(objects.c.owner == owner, objects.c.visibility.in_(("followers", "direct")))
    if object_id is not None:
        hidden = hidden.where(objects.c.id == object_id)
    followers = sa.select(follows.c.follower).where(follows.c.followee == owner, follows.c.state == "accepted")
    gone = sa.or_(
        timeline.c.reader.not_in(followers),
        timeline.c.object_id.in_(hidden.where(objects.c.visibility == "direct")),
    )
    followed = timeline.c.reason.in_(("followed", "boosted"))
    tx.execute(sa.delete(timeline).where(timeline.c.object_id.in_(hidden), followed, gone))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """Their owners took these away."""
    tx.execute(sa.delete(timeline).where(timeline.c.object_id.in_(object_ids)))
