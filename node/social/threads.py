"""A conversation: what a post answers, up to where it began, and what answers it, as far as it stands here.

Each part is asked for by itself whether this reader may see it: whoever is not to see one sees no gap either where
that would tell them of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from federation.blocks import hidden_from
from federation.readers import may_read
from federation.storage import Tx
from federation.tables import objects
from federation.types import OPEN
from node.social.views import PostView, view

MAX_ABOVE = 30
MAX_BELOW = 200
MAX_DEPTH = 30


class Answer(NamedTuple):
    """A post further down. to: the id of what it answers."""

    post: PostView
    to: str


@dataclass(frozen=True, slots=True)
class Thread:
    """above: from the first to the last before the post itself. below: each answer after what it answers.

    missing: the id of what the topmost answers, when that does not stand here. more: there are more answers than are
    shown.
    """

    above: tuple[PostView, ...]
    below: tuple[Answer, ...]
    missing: str | None
    more: bool


def thread(tx: Tx, post: PostView, reader: str | None) -> Thread:
    """What stands around a post that this reader may see (None: anybody)."""
    above, missing = _above(tx, post, reader)
    found, more = _below(tx, post.id, reader)
    return Thread(tuple(above), tuple(_in_order(found, post.id)), missing, more)


def _above(tx: Tx, post: PostView, reader: str | None) -> tuple[list[PostView], str | None]:
    found: list[PostView] = []
    seen, wanted = {post.id}, post.in_reply_to
    while wanted is not None and wanted not in seen and len(found) < MAX_ABOVE:
        seen.add(wanted)
        row = tx.row(_shown(tx, reader).where(objects.c.id == wanted))
        if row is None or not may_read(tx, wanted, reader):
            stands = tx.scalar(sa.select(objects.c.id).where(objects.c.id == wanted)) is not None
            return found[::-1], None if stands else wanted
        found.append(view(row, row.id))
        wanted = row.in_reply_to
    return found[::-1], None


def _below(tx: Tx, post_id: str, reader: str | None) -> tuple[list[Answer], bool]:
    """Level by level: the first answers are there, however many answer those."""
    found: list[Answer] = []
    level: Sequence[str] = [post_id]
    for _ in range(MAX_DEPTH):
        answers = _shown(tx, reader).where(objects.c.in_reply_to.in_(level), objects.c.in_reply_to.is_not(None))
        rows = tx.rows(answers.order_by(objects.c.published, objects.c.id).limit(MAX_BELOW + 1))
        readable = [row for row in rows if row.visibility in OPEN or may_read(tx, row.id, reader)]
        found += [Answer(view(row, row.id), row.in_reply_to) for row in readable]
        if len(found) > MAX_BELOW:
            return found[:MAX_BELOW], True
        level = [row.id for row in readable]
        if not level:
            return found, False
    return found, True


def _shown(tx: Tx, reader: str | None) -> sa.Select[tuple[object, ...]]:
    statement = sa.select(objects).where(objects.c.deleted_at.is_(None), objects.c.kind != "unknown")
    return statement if reader is None else statement.where(objects.c.owner.not_in(hidden_from(tx, reader)))


def _in_order(found: Sequence[Answer], top: str) -> list[Answer]:
    """Each answer after what it answers, the older before the newer."""
    by_parent: dict[str, list[Answer]] = {}
    for answer in found:
        by_parent.setdefault(answer.to, []).append(answer)
    ordered: list[Answer] = []
    waiting = by_parent.pop(top, [])[::-1]
    while waiting:
        answer = waiting.pop()
        ordered.append(answer)
        waiting += by_parent.pop(answer.post.id, [])[::-1]
    return ordered
