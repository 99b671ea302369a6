"""The home timelines, which every slice fills.

A row is written for each reader when a thing comes, so that what a reader sees costs the same however much the node
knows, and what was not meant for somebody is not there to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from federation.blocks import SEPARATED, unwilling
from federation.ids import Ids
from federation.readers import may_read
from federation.statements import Hot, HotCopy, HotInsert
from federation.storage import Tx
from federation.tables import actors, follows, object_recipients, objects
from federation.types import OPEN
from node.social.tables import timeline
from schemas.base import audience_of, id_of
from schemas.errors import SchemaError
from schemas.learning import is_announcement
from schemas.notes import tags_of

CHUNK = 500
RECENT = 20
"""How much of what somebody published before comes into the timeline of whoever begins to follow them."""


def into_timelines(
    tx: Tx, ids: Ids, object_id: str, owner: str, at: datetime, *, document: dict[str, Any] | None = None
) -> list[str]:
    """Put a stored object into the timelines of those for whom it is: its owner, local followers, the addressed.

    A direct post stands in no timeline: it is a message, and `node.messages` shows it to those who take part.
    at: where it stands; a time to come counts as now, so that nothing stays on top of others. document: the object,
    where the caller has it at hand. Returns the people here whom it addresses or names.
    """
    row = tx.first(_STORED, id=object_id)
    if row is None:
        return []
    if document is None:
        document = msgspec.json.decode(tx.scalar(sa.select(objects.c.body).where(objects.c.id == object_id)))
    everybody = _named(document)
    named = _local(tx, {one for one in everybody if ids.username(one)} - {owner})
    if row.visibility not in OPEN:  # a tag alone lets nobody read what is not addressed to them
        named = [one for one in named if may_read(tx, object_id, one)]
    readers = dict.fromkeys(named, "addressed") | ({owner: "own"} if row.local else {})
    involved = {owner, *everybody, *_answered(tx, document)}
    apart = unwilling(tx, readers, involved) - {owner} if readers else set()
    at = min(at, tx.now)
    if row.visibility != "direct" or row.kind != "post":
        _file(tx, object_id, row.kind, {one: why for one, why in readers.items() if one not in apart}, at)
    if row.visibility != "direct":
        _show_followers(tx, object_id, row.kind, "followed", owner, involved, at)
    return [one for one in named if one not in apart]


def _answered(tx: Tx, document: dict[str, Any]) -> list[str]:
    """Whose thing it answers, where that is known."""
    parent = id_of(document.get("inReplyTo"))
    owner = parent and tx.scalar(sa.select(objects.c.owner).where(objects.c.id == parent))
    return [owner] if owner else []


_STORED = Hot(
    sa.select(objects.c.kind, objects.c.visibility, objects.c.local, objects.c.owner).where(
        objects.c.id == sa.bindparam("id"), objects.c.deleted_at.is_(None)
    )
)


def boost(tx: Tx, object_id: str, by: str) -> None:
    """Somebody passes on what anybody may read: their followers here see it, unless they have it already."""
    row = tx.first(_STORED, id=object_id)
    if row is not None and row.visibility in OPEN:
        _show_followers(tx, object_id, row.kind, "boosted", by, {row.owner, by}, tx.now, via=by)


def unboost(tx: Tx, object_id: str, by: str) -> None:
    """Somebody passes it on no more: whoever saw it only for that sees it no more."""
    theirs = sa.and_(timeline.c.reason == "boosted", timeline.c.via == by)
    tx.execute(sa.delete(timeline).where(timeline.c.object_id == object_id, theirs))


def _file(tx: Tx, object_id: str, kind: str, readers: dict[str, str], at: datetime) -> None:
    if readers:
        same = {"object_id": object_id, "kind": kind, "via": None, "at": at}
        tx.put(_ENTRIES, [{**same, "reader": reader, "reason": reason} for reader, reason in readers.items()])


_ENTRIES = HotInsert(timeline, "object_id", "reader")


def tagged(tx: Tx, object_id: str, kind: str, readers: Sequence[str], at: datetime) -> None:
    """Something carries a hashtag that these people follow: they see it, unless they have it already."""
    _file(tx, object_id, kind, dict.fromkeys(readers, "tagged"), at)


def untagged(tx: Tx, reader: str, object_ids: sa.Select[Any]) -> None:
    """Take from somebody's timeline what stands in it only for a hashtag. object_ids: a select of them."""
    theirs = sa.and_(timeline.c.reader == reader, timeline.c.reason == "tagged")
    tx.execute(sa.delete(timeline).where(theirs, timeline.c.object_id.in_(object_ids)))


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


def _show_followers(
    tx: Tx, object_id: str, kind: str, reason: str, by: str, involved: set[str], at: datetime, via: str | None = None
) -> None:
    """Put something into the timelines of those here who follow somebody, but of whom a block separates from it."""
    thing = {"object_id": object_id, "kind": kind, "reason": reason, "via": via, "at": at}
    tx.copy(_TO_FOLLOWERS, followee=by, involved=sorted(involved), **thing)


_THING = ("object_id", "kind", "reason", "via", "at")
_TO_FOLLOWERS = HotCopy(
    timeline,
    ("reader", *_THING),
    sa.select(follows.c.follower, *(sa.bindparam(name, type_=timeline.c[name].type) for name in _THING))
    .join(actors, actors.c.id == follows.c.follower)
    .where(follows.c.followee == sa.bindparam("followee"), follows.c.state == sa.literal_column("'accepted'"))
    .where(actors.c.local, follows.c.follower.not_in(SEPARATED)),
)


def withdraw(tx: Tx, owner: str, object_id: str | None = None) -> None:
    """Take what an actor did not write for everybody from those who may not read it any more (SECURITY 129).

    object_id: that alone, since it may have become for fewer people.
    """
    hidden = sa.select(objects.c.id).where(objects.c.owner == owner, objects.c.visibility.in_(("followers", "direct")))
    if object_id is not None:
        hidden = hidden.where(objects.c.id == object_id)
    followers = sa.select(follows.c.follower).where(follows.c.followee == owner, follows.c.state == "accepted")
    follows_it = sa.and_(
        timeline.c.reader.in_(followers),
        timeline.c.object_id.in_(hidden.where(objects.c.visibility == "followers")),
    )
    theirs = (object_recipients.c.object_id == timeline.c.object_id, object_recipients.c.recipient == timeline.c.reader)
    addressed = sa.select(object_recipients.c.recipient).where(*theirs).exists()
    others = sa.and_(timeline.c.object_id.in_(hidden), timeline.c.reason != "own")
    tx.execute(sa.delete(timeline).where(others, ~follows_it, ~addressed))


def part(tx: Tx, reader: str, other: str) -> None:
    """Take out of somebody's timeline what another wrote, passed on, or is answered in."""
    theirs = sa.select(objects.c.id).where(objects.c.owner == other)
    answers = sa.select(objects.c.id).where(objects.c.in_reply_to.in_(theirs))
    involved = sa.or_(timeline.c.object_id.in_(theirs), timeline.c.object_id.in_(answers), timeline.c.via == other)
    tx.execute(sa.delete(timeline).where(timeline.c.reader == reader, timeline.c.reason != "own", involved))


def catch_up(tx: Tx, reader: str, owner: str) -> None:
    """Show a new follower what is known of the newest public things of somebody, each at its own time."""
    statement = sa.select(objects.c.id).where(
        objects.c.owner == owner,
        objects.c.visibility.in_(OPEN),
        objects.c.in_reply_to.is_(None),
        objects.c.deleted_at.is_(None),
    )
    newest = tx.rows(statement.order_by(objects.c.published.desc(), objects.c.id.desc()).limit(RECENT))
    show(tx, reader, [row.id for row in newest])


def show(tx: Tx, reader: str, object_ids: Sequence[str]) -> None:
    """Put stored objects into the timeline of one follower, each at its own time; what only announces is left out."""
    columns = (objects.c.id, objects.c.kind, objects.c.published, objects.c.body)
    known = sa.select(*columns).where(objects.c.id.in_(object_ids), objects.c.deleted_at.is_(None))
    for row in tx.rows(known.where(objects.c.kind.in_(("post", "gig", "module")))):
        if not is_announcement(msgspec.json.decode(row.body)):
            _file(tx, row.id, row.kind, {reader: "followed"}, min(row.published, tx.now))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """Their owners took these away."""
    tx.execute(sa.delete(timeline).where(timeline.c.object_id.in_(object_ids)))
