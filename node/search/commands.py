"""Writes: what comes, changes or goes is found, found otherwise, or no longer; and hashtags that somebody follows.

`changed` and `forget` are what the other slices call, in the scope in which the thing itself changes. Of others only
those are found who want to be: people who are `discoverable`, posts of people who are `indexable` (SECURITY 154). A
gig or a module that is for everybody is published to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.blocks import unwilling
from federation.known_actors import read_actor
from federation.statements import Hot, HotInsert
from federation.storage import Tx
from federation.tables import actors, object_recipients, objects
from node.errors import Invalid
from node.language import _
from node.search import engine, wire
from node.search.rules import KINDS, Kind, hashtag
from node.search.tables import object_tags, search_index, tag_follows
from node.search.wire import Found
from node.social import timelines
from schemas.errors import SchemaError
from schemas.learning import is_announcement

MAX_FOLLOWED = 100
NO_HASHTAG = _("That is not a hashtag. Write one word of letters and digits, such as #illustration.")
TOO_MANY = _("You follow {most} hashtags. Leave one first.", most=MAX_FOLLOWED)
CHUNK = 500

_STATE = Hot(
    sa.select(
        objects.c.kind,
        objects.c.owner,
        objects.c.local,
        objects.c.visibility,
        objects.c.published,
        objects.c.deleted_at,
        actors.c.indexable,
        sa.case((actors.c.indexable.is_(None), actors.c.document)).label("author"),
    )
    .outerjoin(actors, actors.c.id == objects.c.owner)
    .where(objects.c.id == sa.bindparam("object_id"))
)


class Entry(NamedTuple):
    """Something that is to be found. open: by anybody."""

    subject: str
    kind: Kind
    owner: str
    open: bool
    at: datetime
    found: Found


def changed(tx: Tx, object_id: str, *, first: bool, news: bool = False, document: dict[str, Any] | None = None) -> None:
    """An object was stored or replaced: find it by what it says now.

    first: it was not here before, so nothing has to be forgotten. news: it was published just now, so that whoever
    follows one of its hashtags sees it. document: the object, where the caller has it at hand and has just stored it.
    """
    if not first:
        forget(tx, [object_id])
    row = tx.first(_STATE, object_id=object_id)
    if row is None or row.deleted_at is not None or row.kind not in KINDS:
        return
    is_open = row.visibility == "public" and (row.kind != "post" or _indexable(row))
    findable = is_open or row.local or _addresses_somebody_here(tx, object_id, row)
    if not findable and row.visibility != "public":
        return
    if document is None:
        document = msgspec.json.decode(tx.scalar(sa.select(objects.c.body).where(objects.c.id == object_id)))
    if is_announcement(document):
        return
    if row.visibility == "public":
        _tag(tx, object_id, document, row, news=news)
    found = wire.of_object(row.kind, document) if findable else None
    if found is not None:
        add(tx, [Entry(object_id, row.kind, row.owner, is_open, min(row.published, tx.now), found)])


def _indexable(row: Row[Any]) -> bool:
    if row.author is None:
        return bool(row.indexable)
    return msgspec.json.decode(row.author).get("indexable") is True


def _addresses_somebody_here(tx: Tx, object_id: str, row: Row[Any]) -> bool:
    if row.visibility != "direct":
        return False
    here = sa.select(actors.c.id).join(object_recipients, object_recipients.c.recipient == actors.c.id)
    return tx.row(here.where(object_recipients.c.object_id == object_id, actors.c.local).limit(1)) is not None


def add(tx: Tx, entries: Sequence[Entry]) -> None:
    """Let these be found; those that are there already stay as they are."""
    written: list[tuple[int, Sequence[str]]] = []
    for entry in entries:
        values = {"subject": entry.subject, "kind": entry.kind, "owner": entry.owner, "open": entry.open}
        statement = tx.insert_new(search_index, "subject").returning(search_index.c.id)
        new = tx.execute(statement, values | {"title": entry.found.title, "at": entry.at}).first()
        if new is not None:
            written.append((new.id, entry.found.terms))
    engine.put(tx, written)


def forget(tx: Tx, subjects: Sequence[str]) -> None:
    """These are gone, or are no longer what they were: nothing leads to them."""
    for start in range(0, len(subjects), CHUNK):
        some = subjects[start : start + CHUNK]
        these = sa.delete(search_index).where(search_index.c.subject.in_(some)).returning(search_index.c.id)
        engine.drop(tx, [row.id for row in tx.rows(these)])
        tx.execute(sa.delete(object_tags).where(object_tags.c.object_id.in_(some)))


def forget_posts_of(tx: Tx, owner: str) -> None:
    """Somebody elsewhere no longer wants their posts to be found; what they wrote to somebody here stays."""
    theirs = sa.and_(search_index.c.owner == owner, search_index.c.kind == "post", search_index.c.open)
    gone = tx.rows(sa.delete(search_index).where(theirs).returning(search_index.c.id))
    numbers = [row.id for row in gone]
    for start in range(0, len(numbers), CHUNK):
        engine.drop(tx, numbers[start : start + CHUNK])


def somebody_changed(tx: Tx, actor_id: str) -> None:
    """A person or a collective came, changed or left: find them, and their posts, as they want it now."""
    row = tx.row(sa.select(actors).where(actors.c.id == actor_id))
    forget(tx, [actor_id])
    if row is None or row.gone_at is not None or row.type == "Application":
        return
    try:
        actor = read_actor(row)
    except SchemaError:
        return  # a document from before a rule became stricter: nobody is found by what cannot be read
    discoverable, indexable = (actor.document.get(name) is True for name in ("discoverable", "indexable"))
    if discoverable or row.local:
        found = wire.of_actor(actor, row.acct or f"{row.username}@{row.host}")
        add(tx, [Entry(actor_id, "people", actor_id, discoverable, row.first_seen, found)])
    if row.local:
        theirs = (search_index.c.owner == actor_id, search_index.c.kind == "post")
        public = sa.select(objects.c.id).where(objects.c.owner == actor_id, objects.c.visibility == "public")
        shown = sa.and_(sa.literal(indexable), search_index.c.subject.in_(public))
        tx.execute(sa.update(search_index).where(*theirs, search_index.c.open != shown).values(open=shown))
    elif not indexable:
        forget_posts_of(tx, actor_id)


# ---- hashtags


def is_news(tx: Tx, object_id: str, document: dict[str, Any]) -> None:
    """What stands here already turns out to be published just now: whoever follows one of its hashtags sees it."""
    row = tx.first(_STATE, object_id=object_id)
    if row is not None and row.visibility == "public":
        _tag(tx, object_id, document, row, news=True)


def _tag(tx: Tx, object_id: str, document: dict[str, Any], row: Row[Any], *, news: bool) -> None:
    tags = wire.hashtags(document)
    if not tags:
        return
    at = min(row.published, tx.now)
    tx.put(_TAGS, [{"object_id": object_id, "tag": tag, "at": at} for tag in tags])
    if news:
        readers = [follower.actor for follower in tx.all(_TAG_FOLLOWERS, tags=tags) if follower.actor != row.owner]
        if readers:
            apart = unwilling(tx, readers, [row.owner])
            timelines.tagged(tx, object_id, row.kind, [one for one in readers if one not in apart], at)


_TAGS = HotInsert(object_tags)
_TAG_FOLLOWERS = Hot(
    sa.select(tag_follows.c.actor).distinct().where(tag_follows.c.tag.in_(sa.bindparam("tags", expanding=True)))
)


def follow_tag(tx: Tx, actor_id: str, name: str) -> str:
    """Let what carries a hashtag come into somebody's timeline from now on; returns the tag. Invalid."""
    tag = hashtag(name)
    if tag is None:
        raise Invalid({"tag": NO_HASHTAG})
    held = sa.select(sa.func.count()).select_from(tag_follows).where(tag_follows.c.actor == actor_id)
    if tx.scalar(held) >= MAX_FOLLOWED:
        raise Invalid({"tag": TOO_MANY})
    tx.execute(tx.insert_new(tag_follows), {"actor": actor_id, "tag": tag, "created_at": tx.now})
    return tag


def unfollow_tag(tx: Tx, actor_id: str, name: str) -> bool:
    """No longer; what came only for its sake leaves the timeline. False when it was not followed."""
    tag = hashtag(name)
    this = (tag_follows.c.actor == actor_id, tag_follows.c.tag == tag)
    if tag is None or not tx.execute(sa.delete(tag_follows).where(*this)).rowcount:
        return False
    others = sa.select(tag_follows.c.tag).where(tag_follows.c.actor == actor_id)
    kept = sa.select(object_tags.c.object_id).where(object_tags.c.tag.in_(others))
    carrying = sa.select(object_tags.c.object_id).where(object_tags.c.tag == tag, object_tags.c.object_id.not_in(kept))
    timelines.untagged(tx, actor_id, carrying)
    return True
