"""The parts of a profile that do not stand in the actor's document, as objects of type `Profile` (`schemas.profiles`).

    for followers   what is for followers alone: sent to each of them, without a proof, and taken back from all as soon
                    as it is for nobody, or as somebody who has it follows no more
    for everybody   a CV that is too long for a document that other servers fetch often: signed, linked from the actor,
                    and fetched by whoever wants it; a changed one is another object

There is at most one of each.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.former import forget_former
from federation.storage import Tx
from federation.tables import actors, objects
from schemas import activities
from schemas.base import Audience
from schemas.profiles import Card, write_card
from schemas.terms import PUBLIC

KIND: outbox.Kind = "card"


def for_followers(tx: Tx, author: Author, card: Card | None, content: str) -> int:
    """Let followers have this and nothing else; returns how many inboxes hear of a change. None: there is nothing.

    card: its id does not count. content: the same in words, as clean HTML.
    """
    held, audience = _standing(tx, author, "followers"), Audience((author.followers,))
    if held is None:
        return 0 if card is None else _create(tx, author, card, content, audience)
    if card is None:
        return _take_back(tx, author, held.id)
    document = _document(author, card, held.id, content, audience, held.published)
    if _said(document) == _said(msgspec.json.decode(held.body)):
        return 0
    if _others_have_it(tx, author, held.id):
        _take_back(tx, author, held.id)
        return _create(tx, author, card, content, audience)
    reached = outbox.update(tx, author, document, audience=audience)
    forget_former(tx, author, held.id)
    return reached


def for_everybody(tx: Tx, author: Author, card: Card | None, content: str) -> str | None:
    """Keep this where everybody can fetch it; returns its id. None: there is nothing, and nothing stays."""
    held, audience = _standing(tx, author, "public"), Audience((PUBLIC,), (author.followers,))
    if held is not None:
        if card is not None:
            document = _document(author, card, held.id, content, audience, held.published)
            if _said(document) == _said(msgspec.json.decode(held.body)):
                return str(held.id)
        _take_back(tx, author, held.id)
    if card is None:
        return None
    card_id = author.ids.object(author.actor_id, "cv", tx.now)
    document = _document(author, card, card_id, content, audience, tx.now)
    outbox.store(tx, author, document, kind=KIND, audience=audience, published=tx.now)
    return card_id


def welcome(tx: Tx, author: Author, follower: str) -> None:
    """Send somebody elsewhere, who follows from now on, what is for followers alone."""
    held = _standing(tx, author, "followers")
    if held is None or author.ids.is_local(follower):
        return
    verb = "Update" if _told(tx, author, held.id, follower) else "Create"
    audience = Audience((follower,))
    activity_id, document = author.ids.activity(author.actor_id, tx.now), msgspec.json.decode(held.body)
    activity = activities.embedding(
        verb, activity_id, author.actor_id, document, audience=audience, published=iso(tx.now)
    )
    outbox.publish(tx, author, activity, audience, object_id=held.id)


def _standing(tx: Tx, author: Author, visibility: str) -> Row[Any] | None:
    mine = (objects.c.owner == author.actor_id, objects.c.kind == KIND, objects.c.local)
    standing = sa.select(objects).where(*mine, objects.c.visibility == visibility, objects.c.deleted_at.is_(None))
    return tx.row(standing.order_by(objects.c.published.desc()).limit(1))


def _create(tx: Tx, author: Author, card: Card, content: str, audience: Audience) -> int:
    card_id = author.ids.object(author.actor_id, "cv", tx.now)
    document = _document(author, card, card_id, content, audience, tx.now)
    return outbox.create(tx, author, document, kind=KIND, audience=audience, published=tx.now)


def _take_back(tx: Tx, author: Author, card_id: str) -> int:
    reached = outbox.delete(tx, author, card_id)
    forget_former(tx, author, card_id, keep=0)
    return reached


def _document(
    author: Author, card: Card, card_id: str, content: str, audience: Audience, published: datetime
) -> dict[str, Any]:
    named = msgspec.structs.replace(card, id=card_id, owner=author.actor_id)
    page = author.ids.page(author.username)
    return write_card(named, content=content, url=page, audience=audience, published=iso(published))


def _said(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("proof", "published", "updated")}


def _others_have_it(tx: Tx, author: Author, card_id: str) -> bool:
    """Whether it went to an inbox behind which nobody follows any more."""
    followers = outbox.recipients_of(tx, author, Audience((author.followers,)), ())
    theirs = {inbox for one in followers for inbox in (one.inbox, one.shared_inbox)}
    return any(target.inbox not in theirs for target in outbox.told_before(tx, author, card_id))


def _told(tx: Tx, author: Author, card_id: str, follower: str) -> bool:
    row = tx.row(sa.select(actors.c.inbox, actors.c.shared_inbox).where(actors.c.id == follower))
    return row is not None and any(
        target.inbox in (row.inbox, row.shared_inbox) for target in outbox.told_before(tx, author, card_id)
    )
