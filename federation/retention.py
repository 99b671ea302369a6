"""What has a lifetime, forgotten in batches: each call takes some, and says how many.

Things of other servers with which nobody here has anything to do; who sent which message, once it has had its effect;
when each delivery was made. What must last is kept in a short form: that an activity was seen, for ever, as 16 bytes
(its effect happens once, SECURITY 37); and who ever got a thing of ours, for as long as the thing stands (its Update
and its Delete go to all of them).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa

from federation.documents import TOPIC
from federation.objects import ObjectsDeleted
from federation.statements import Hot
from federation.storage import Tx
from federation.tables import (
    activities,
    actors,
    deliveries,
    featured,
    follows,
    inbox_messages,
    object_recipients,
    objects,
    reactions,
    relayed,
    seen_activities,
    told,
)

AT_ONCE = 500
PASSING = ("Accept", "Add", "Block", "Delete", "Flag", "Follow", "Like", "Reject", "Remove", "Undo")
"""Activities that say nothing any more once they have arrived; Create, Update and Announce stand in the outbox."""


def digest(activity_id: str) -> bytes:
    """What is kept for ever of an activity that came in."""
    return hashlib.sha256(activity_id.encode()).digest()[:16]


def already_seen(tx: Tx, activity_ids: Collection[str]) -> set[str]:
    """Those that came in so long ago that only their digest is left."""
    by_digest = {digest(activity_id): activity_id for activity_id in activity_ids}
    return {by_digest[bytes(row.digest)] for row in tx.all(_SEEN, digests=list(by_digest))}


_SEEN = Hot(
    sa.select(seen_activities.c.digest).where(seen_activities.c.digest.in_(sa.bindparam("digests", expanding=True)))
)


def compact_messages(tx: Tx, older: timedelta) -> int:
    """Messages that have had their effect, or were refused, become a digest."""
    over = (inbox_messages.c.state.in_(("done", "refused")), inbox_messages.c.received_at < tx.now - older)
    newest = sa.select(sa.func.max(inbox_messages.c.id)).scalar_subquery()  # its number must not be given again
    columns = (inbox_messages.c.id, inbox_messages.c.activity_id)
    old = sa.select(*columns).where(*over, inbox_messages.c.id < newest).order_by(inbox_messages.c.id)
    rows = tx.rows(old.limit(AT_ONCE))
    if rows:
        digests = [{"digest": digest(row.activity_id)} for row in rows]
        tx.execute(tx.insert(seen_activities).on_conflict_do_nothing(), digests)
        tx.execute(sa.delete(inbox_messages).where(inbox_messages.c.id.in_([row.id for row in rows])))
    return len(rows)


def compact_deliveries(tx: Tx, older: timedelta) -> int:
    """Deliveries that were made become a line that says who got the thing; of what no longer stands, nothing.

    What was passed on for others stays: only its row knows whose it was.
    """
    ours = sa.select(activities.c.id).where(activities.c.id == deliveries.c.activity_id)
    foreign = sa.exists(ours.where(activities.c.actor_id != deliveries.c.sender))
    newest = sa.select(sa.func.max(deliveries.c.id)).scalar_subquery()  # `endings.note_reached` counts by these numbers
    made = (deliveries.c.state == "done", deliveries.c.finished_at < tx.now - older, deliveries.c.id < newest, ~foreign)
    names = ("id", "object_id", "sender", "inbox", "host", "recipients")
    columns = [deliveries.c[name] for name in names]
    rows = tx.rows(sa.select(*columns).where(*made).order_by(deliveries.c.id).limit(AT_ONCE))
    if not rows:
        return 0
    standing = _standing(tx, {row.object_id for row in rows})
    kept = [{name: getattr(row, name) for name in names[1:]} for row in rows if row.object_id in standing]
    if kept:
        insert = tx.insert(told)
        last = {"recipients": sa.func.coalesce(insert.excluded.recipients, told.c.recipients)}
        statement = insert.on_conflict_do_update(index_elements=["object_id", "sender", "inbox"], set_=last)
        for one in kept:
            tx.execute(statement, one)
    tx.execute(sa.delete(deliveries).where(deliveries.c.id.in_([row.id for row in rows])))
    return len(rows)


def _standing(tx: Tx, object_ids: set[str]) -> set[str]:
    """Of ours, what has not been deleted; and people."""
    here = (objects.c.id.in_(object_ids), objects.c.local, objects.c.deleted_at.is_(None))
    things = tx.rows(sa.select(objects.c.id).where(*here))
    people = tx.rows(sa.select(actors.c.id).where(actors.c.id.in_(object_ids), actors.c.local))
    return {row.id for row in (*things, *people)}


def forget_told(tx: Tx, older: timedelta) -> int:
    """Who got what was deleted long ago: its Delete has reached them, or never will."""
    gone = sa.exists().where(objects.c.id == told.c.object_id, objects.c.deleted_at < tx.now - older)
    found = tx.rows(sa.select(told.c.object_id).where(gone).distinct().limit(AT_ONCE))
    if found:
        tx.execute(sa.delete(told).where(told.c.object_id.in_([row.object_id for row in found])))
    return len(found)


def forget_activities(tx: Tx, older: timedelta) -> int:
    """Ours that have said what they had to, and whose deliveries are over and forgotten."""
    here = sa.exists().where(actors.c.id == activities.c.actor_id, actors.c.local)
    on_the_way = sa.exists().where(deliveries.c.activity_id == activities.c.id)
    over = (activities.c.type.in_(PASSING), activities.c.published < tx.now - older, here, ~on_the_way)
    rows = tx.rows(sa.select(activities.c.id).where(*over).limit(AT_ONCE))
    if rows:
        tx.execute(sa.delete(activities).where(activities.c.id.in_([row.id for row in rows])))
        for row in rows:
            tx.notify(TOPIC, row.id)
    return len(rows)


def forget_objects(tx: Tx, older: timedelta, kept: Sequence[sa.ColumnElement[bool]], forgotten: ObjectsDeleted) -> int:
    """Things of other servers that came long ago, and that nobody here has anything to do with; tombstones too.

    kept: what the product has to do with them, as conditions on `objects`. forgotten: its hook, which drops its views.
    A thing can be fetched again from where it stands; its activity has no second effect all the same.
    """
    old = (~objects.c.local, objects.c.received_at < tx.now - older)
    mattering = sa.or_(*_relations(), *kept)
    found = sa.select(objects.c.id).where(*old, ~mattering).order_by(objects.c.received_at)
    ids = [row.id for row in tx.rows(found.limit(AT_ONCE))]
    if ids:
        forgotten(tx, ids)
        for table in (object_recipients, reactions, featured, relayed):
            tx.execute(sa.delete(table).where(table.c.object_id.in_(ids)))
        tx.execute(sa.delete(objects).where(objects.c.id.in_(ids)))
        for object_id in ids:
            tx.notify(TOPIC, object_id)
    return len(ids)


def _relations() -> list[sa.ColumnElement[bool]]:
    """Answers of ours, and answers to ours; liked or passed on here; addressed to somebody here; pinned; and what
    those whom somebody here follows offer and teach, which is not old as long as it stands.
    """
    here = sa.select(actors.c.id).where(actors.c.local)
    other = objects.alias("other")
    reaction = sa.exists().where(reactions.c.object_id == objects.c.id, reactions.c.actor.in_(here))
    addressed = sa.exists().where(
        object_recipients.c.object_id == objects.c.id, object_recipients.c.recipient.in_(here)
    )
    followed = sa.exists().where(
        follows.c.followee == objects.c.owner, follows.c.follower.in_(here), follows.c.state == "accepted"
    )
    stands = objects.c.deleted_at.is_(None)
    return [
        sa.exists().where(other.c.in_reply_to == objects.c.id, other.c.local),
        sa.exists().where(other.c.id == objects.c.in_reply_to, other.c.local, stands),
        sa.and_(reaction, stands),
        sa.and_(addressed, stands),
        sa.and_(followed, stands, objects.c.kind != "post"),
        sa.exists().where(featured.c.object_id == objects.c.id, featured.c.actor == objects.c.owner, followed),
    ]
