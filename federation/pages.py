"""The collections of a local actor, a page at a time (ActivityPub §5): outbox, followers, following, featured; and of
what it published: replies, likes, shares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import sqlalchemy as sa

from federation.documents import stands
from federation.featured import pinned
from federation.storage import Tx
from federation.tables import activities, blocks, follows, objects, reactions
from federation.types import OPEN
from schemas.collections import counted, ordered_collection, ordered_page, whole

PAGE_SIZE = 40
MAX_CURSOR = 2048
_ACTIVITY_CURSOR = re.compile(r"[0-9a-z]{26}\Z")


class BadCursor(ValueError):
    """The cursor in a page's URL is none that we gave."""


def outbox(tx: Tx, actor_id: str) -> dict[str, Any]:
    """The collection itself: how many public activities, and where they begin."""
    here = f"{actor_id}/outbox"
    return ordered_collection(here, _published(tx, actor_id), f"{here}?page=true")


def outbox_page(tx: Tx, actor_id: str, before: str | None) -> dict[str, Any]:
    """Public activities, the newest first, from before a cursor (the last part of an activity's id)."""
    statement = sa.select(activities.c.id, activities.c.body).where(*_public(actor_id))
    if before is not None:
        if not _ACTIVITY_CURSOR.match(before):
            raise BadCursor(before[:50])
        statement = statement.where(activities.c.id < f"{actor_id}/activities/{before}")
    rows = tx.rows(statement.order_by(activities.c.id.desc()).limit(PAGE_SIZE + 1))
    items = [msgspec.json.decode(row.body) for row in rows[:PAGE_SIZE]]
    last = rows[PAGE_SIZE - 1].id.rpartition("/")[2] if len(rows) > PAGE_SIZE else None
    return _page(f"{actor_id}/outbox", items, ("before", before, last), _published(tx, actor_id))


def _published(tx: Tx, actor_id: str) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(activities).where(*_public(actor_id))))


def _public(actor_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return activities.c.actor_id == actor_id, activities.c.public, stands()


def relations(tx: Tx, actor_id: str, name: str) -> dict[str, Any]:
    """`followers` or `following`: how many are accepted, and where they begin."""
    here = f"{actor_id}/{name}"
    return ordered_collection(here, _accepted(tx, actor_id, name), f"{here}?page=true")


def _accepted(tx: Tx, actor_id: str, name: str) -> int:
    mine, _ = _sides(name)
    return int(tx.scalar(sa.select(sa.func.count()).where(mine == actor_id, follows.c.state == "accepted")))


def relations_page(tx: Tx, actor_id: str, name: str, after: str | None) -> dict[str, Any]:
    """Actor ids in their own order, from after one of them."""
    mine, other = _sides(name)
    statement = sa.select(other).where(mine == actor_id, follows.c.state == "accepted")
    if after is not None:
        if not 0 < len(after) <= MAX_CURSOR or "\0" in after:
            raise BadCursor(after[:50])
        statement = statement.where(other > after)
    rows = tx.rows(statement.order_by(other).limit(PAGE_SIZE + 1))
    items = [row[0] for row in rows[:PAGE_SIZE]]
    last = items[-1] if len(rows) > PAGE_SIZE else None
    return _page(f"{actor_id}/{name}", items, ("after", after, last), _accepted(tx, actor_id, name))


def _sides(name: str) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    if name == "followers":
        return follows.c.followee, follows.c.follower
    return follows.c.follower, follows.c.followee


def featured(tx: Tx, actor_id: str) -> dict[str, Any]:
    """What the actor pins: so few that they are told at once, by their ids."""
    return whole(f"{actor_id}/featured", pinned(tx, actor_id))


def replies(tx: Tx, object_id: str) -> dict[str, Any]:
    """How many public answers to an object are known here, and where they begin."""
    here = f"{object_id}/replies"
    return ordered_collection(here, _answers(tx, object_id), f"{here}?page=true")


def replies_page(tx: Tx, object_id: str, after: str | None) -> dict[str, Any]:
    """The ids of public answers in their own order, from after one of them."""
    statement = sa.select(objects.c.id).where(*_public_answers(object_id))
    if after is not None:
        if not 0 < len(after) <= MAX_CURSOR or "\0" in after:
            raise BadCursor(after[:50])
        statement = statement.where(objects.c.id > after)
    rows = tx.rows(statement.order_by(objects.c.id).limit(PAGE_SIZE + 1))
    items = [row.id for row in rows[:PAGE_SIZE]]
    last = items[-1] if len(rows) > PAGE_SIZE else None
    return _page(f"{object_id}/replies", items, ("after", after, last), _answers(tx, object_id))


def _answers(tx: Tx, object_id: str) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(objects).where(*_public_answers(object_id))))


def _public_answers(object_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Of those that somebody here blocks nothing is told: whom they block is not for everybody to see."""
    asked = sa.select(objects.c.owner).where(objects.c.id == object_id).scalar_subquery()
    blocked = sa.exists().where(blocks.c.actor == asked, blocks.c.target == objects.c.owner)
    return (
        objects.c.in_reply_to == object_id,
        objects.c.in_reply_to.is_not(None),
        objects.c.visibility.in_(OPEN),
        objects.c.deleted_at.is_(None),
        ~blocked,
    )


def reacted(tx: Tx, object_id: str, kind: str, name: str) -> dict[str, Any]:
    """How many liked an object, or passed it on; who did is not told. kind: like | boost."""
    this = (reactions.c.object_id == object_id, reactions.c.kind == kind)
    return counted(
        f"{object_id}/{name}", int(tx.scalar(sa.select(sa.func.count()).select_from(reactions).where(*this)))
    )


def _page(here: str, items: Sequence[Any], cursor: tuple[str, str | None, str | None], total: int) -> dict[str, Any]:
    """cursor: its name, where this page begins, and where the next one does (None: nowhere)."""
    name, start, end = cursor

    def link(at: str | None) -> str:
        return f"{here}?page=true" + (f"&{name}={quote(at, safe='')}" if at is not None else "")

    return ordered_page(link(start), here, list(items), link(end) if end else None, total)
