"""Likes and boosts: each person once for each thing, taken back only by whoever gave it (SECURITY 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from federation.tables import actors, objects, reactions
from federation.types import OPEN

Kind = Literal["like", "boost"]
LISTED = 50


class Tally(NamedTuple):
    """What came of a thing as far as this node knows. liked, boosted: by whoever looks."""

    replies: int = 0
    likes: int = 0
    boosts: int = 0
    liked: bool = False
    boosted: bool = False


class Reaction(NamedTuple):
    """Who liked or passed on something, the newest first."""

    kind: Kind
    actor: str


def add(tx: Tx, object_id: str, kind: Kind, actor: str, activity_id: str) -> bool:
    """Note a Like or an Announce; False when the same person had done that already."""
    values = {"object_id": object_id, "kind": kind, "actor": actor, "activity_id": activity_id, "at": tx.now}
    insert = tx.insert(reactions).values(values).on_conflict_do_nothing().returning(reactions.c.object_id)
    return tx.row(insert) is not None


def take(tx: Tx, object_id: str, kind: Kind, actor: str) -> str | None:
    """Take back what somebody gave; returns the id of that activity, None when there was none."""
    mine = (reactions.c.object_id == object_id, reactions.c.kind == kind, reactions.c.actor == actor)
    row = tx.row(sa.delete(reactions).where(*mine).returning(reactions.c.activity_id))
    return None if row is None else str(row.activity_id)


def by_activity(tx: Tx, activity_id: str) -> Row[tuple[str, str, str]] | None:
    """`(object_id, kind, actor)` of the reaction that an activity was."""
    columns = (reactions.c.object_id, reactions.c.kind, reactions.c.actor)
    return tx.row(sa.select(*columns).where(reactions.c.activity_id == activity_id))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """The things are gone."""
    tx.execute(sa.delete(reactions).where(reactions.c.object_id.in_(object_ids)))


def tallies(tx: Tx, object_ids: Sequence[str], reader: str | None) -> dict[str, Tally]:
    """What came of several things, in two statements; answers that are not for everybody are not counted."""
    if not object_ids:
        return {}
    own = sa.func.max(sa.case((reactions.c.actor == (reader or ""), 1), else_=0)).label("own")
    kinds = (reactions.c.object_id, reactions.c.kind)
    counted = sa.select(*kinds, sa.func.count().label("number"), own).where(reactions.c.object_id.in_(object_ids))
    found = {(row.object_id, row.kind): (int(row.number), bool(row.own)) for row in tx.rows(counted.group_by(*kinds))}
    replies = _replies(tx, object_ids)
    return {one: _tally(one, replies.get(one, 0), found) for one in object_ids}


def _tally(object_id: str, replies: int, found: Mapping[tuple[str, str], tuple[int, bool]]) -> Tally:
    likes, liked = found.get((object_id, "like"), (0, False))
    boosts, boosted = found.get((object_id, "boost"), (0, False))
    return Tally(replies, likes, boosts, liked, boosted)


def _replies(tx: Tx, object_ids: Sequence[str]) -> dict[str, int]:
    statement = sa.select(objects.c.in_reply_to, sa.func.count().label("number")).where(
        objects.c.in_reply_to.in_(object_ids),
        objects.c.in_reply_to.is_not(None),
        objects.c.visibility.in_(OPEN),
        objects.c.deleted_at.is_(None),
    )
    return {row.in_reply_to: int(row.number) for row in tx.rows(statement.group_by(objects.c.in_reply_to))}


def who(tx: Tx, object_id: str, *, limit: int = LISTED) -> list[Reaction]:
    """Who liked something and who passed it on, of those who are known here."""
    statement = (
        sa.select(reactions.c.kind, reactions.c.actor)
        .join(actors, actors.c.id == reactions.c.actor)
        .where(reactions.c.object_id == object_id)
        .order_by(reactions.c.at.desc(), reactions.c.actor)
        .limit(limit)
    )
    return [Reaction(row.kind, row.actor) for row in tx.rows(statement)]
