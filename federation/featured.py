"""What an actor lets stand first on its profile: the `featured` collection, changed by Add and Remove (ActivityPub
§7.8 and §7.9, as Mastodon and its kin use them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.storage import Tx
from federation.tables import actors, featured
from schemas import activities
from schemas.base import Audience
from schemas.terms import PUBLIC

MAX_KEPT = 20  # of one actor elsewhere


def publish_add(tx: Tx, author: Author, object_id: str) -> bool:
    """Pin an object of the author and tell the followers; False when it is pinned already."""
    values = {"actor": author.actor_id, "object_id": object_id, "at": tx.now}
    if tx.row(tx.insert(featured).values(values).on_conflict_do_nothing().returning(featured.c.actor)) is None:
        return False
    _make_known(tx, author)
    _tell(tx, author, "Add", object_id)
    return True


def publish_remove(tx: Tx, author: Author, object_id: str) -> bool:
    """Unpin it and tell the followers; False when it was not pinned."""
    if not remove(tx, author.actor_id, object_id):
        return False
    _tell(tx, author, "Remove", object_id)
    return True


def add(tx: Tx, actor_id: str, object_id: str) -> None:
    """Note what an actor elsewhere pins; of more than 20 the oldest are forgotten."""
    values = {"actor": actor_id, "object_id": object_id, "at": tx.now}
    tx.execute(tx.insert(featured).values(values).on_conflict_do_nothing())
    for old in pinned(tx, actor_id)[MAX_KEPT:]:
        remove(tx, actor_id, old)


def remove(tx: Tx, actor_id: str, object_id: str) -> bool:
    """Note that it is pinned no more; False when it was not."""
    this = (featured.c.actor == actor_id, featured.c.object_id == object_id)
    return bool(tx.execute(sa.delete(featured).where(*this)).rowcount)


def pinned(tx: Tx, actor_id: str) -> list[str]:
    """The ids of what an actor pins, the newest pin first."""
    statement = sa.select(featured.c.object_id).where(featured.c.actor == actor_id)
    return [row.object_id for row in tx.rows(statement.order_by(featured.c.at.desc(), featured.c.object_id.desc()))]


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """These are gone."""
    tx.execute(sa.delete(featured).where(featured.c.object_id.in_(object_ids)))


def collection_of(tx: Tx, actor_id: str) -> str | None:
    """The id of an actor's featured collection, by its own document."""
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id))
    found = None if document is None else msgspec.json.decode(document).get("featured")
    return found if isinstance(found, str) else None


def _make_known(tx: Tx, author: Author) -> None:
    """An actor document from before there was such a collection gets its address now."""
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id))
    held = msgspec.json.decode(document)
    if "featured" not in held:
        outbox.update_actor(tx, author, held | {"featured": f"{author.actor_id}/featured"})


def _tell(tx: Tx, author: Author, verb: Literal["Add", "Remove"], object_id: str) -> None:
    audience = Audience((PUBLIC,), (author.followers,))
    activity_id = author.ids.activity(author.actor_id, tx.now)
    said = activities.activity(verb, activity_id, author.actor_id, object_id, audience=audience, published=iso(tx.now))
    outbox.publish(tx, author, said | {"target": f"{author.actor_id}/featured"}, audience, object_id=object_id)
