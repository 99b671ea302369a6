"""Answering a poll: a Note with the chosen words as its `name`, for its author alone, as Mastodon and its kin count."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.readers import may_read
from federation.storage import Tx
from federation.tables import objects
from node.errors import Invalid, NotFound
from node.language import _
from node.social.tables import votes
from schemas import activities
from schemas.base import Audience
from schemas.polls import Poll, parse_poll
from schemas.terms import AS_CONTEXT

CHOOSE = _("Choose one of the answers.")
ONE_ONLY = _("Choose one answer only.")
OVER = _("This poll is over.")
ONCE = _("You have answered this poll already, and an answer stays.")


def vote(tx: Tx, author: Author, question_id: str, names: Sequence[str]) -> None:
    """Choose answers of somebody's poll, for good. NotFound for what is no poll here; Invalid for `choice`."""
    row = tx.row(sa.select(objects.c.owner, objects.c.body).where(objects.c.id == question_id))
    poll = None if row is None or row.body is None else parse_poll(msgspec.json.decode(row.body))
    if row is None or poll is None or row.owner == author.actor_id or not may_read(tx, question_id, author.actor_id):
        raise NotFound
    wanted = list(dict.fromkeys(names))
    _check(tx, author, question_id, poll, wanted)
    for name in wanted:
        tx.execute(sa.insert(votes).values(object_id=question_id, voter=author.actor_id, name=name, at=tx.now))
        _send(tx, author, question_id, row.owner, name)


def _check(tx: Tx, author: Author, question_id: str, poll: Poll, wanted: Sequence[str]) -> None:
    if poll.is_over(tx.now):
        raise Invalid({"choice": OVER})
    if chosen(tx, question_id, author.actor_id):
        raise Invalid({"choice": ONCE})
    if not wanted or not {option.name for option in poll.options}.issuperset(wanted):
        raise Invalid({"choice": CHOOSE})
    if len(wanted) > 1 and not poll.several:
        raise Invalid({"choice": ONE_ONLY})


def _send(tx: Tx, author: Author, question_id: str, owner: str, name: str) -> None:
    audience = Audience((owner,))
    note = {
        "@context": AS_CONTEXT,
        "id": author.ids.object(author.actor_id, "posts", tx.now),
        "type": "Note",
        "attributedTo": author.actor_id,
        "name": name,
        "inReplyTo": question_id,
        "published": iso(tx.now),
        "to": [owner],
        "cc": [],
    }
    activity_id = author.ids.activity(author.actor_id, tx.now)
    told = activities.embedding("Create", activity_id, author.actor_id, note, audience=audience, published=iso(tx.now))
    outbox.publish(tx, author, told, audience, object_id=question_id)


def chosen(tx: Tx, question_id: str, voter: str) -> list[str]:
    """What somebody here has chosen."""
    statement = sa.select(votes.c.name).where(votes.c.object_id == question_id, votes.c.voter == voter)
    return [row.name for row in tx.rows(statement.order_by(votes.c.name))]


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """These polls are gone."""
    tx.execute(sa.delete(votes).where(votes.c.object_id.in_(object_ids)))
