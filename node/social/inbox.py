"""Posts of others: they come, they change, they are passed on, they go; and who may see them no more."""

from __future__ import annotations

from federation.authors import Authors
from federation.errors import Unacceptable
from federation.handlers.accept import on_reject as end_follow
from federation.handlers.block import on_block as sever
from federation.objects import store_object
from federation.storage import Tx
from federation.types import Received
from node.social import commands
from node.social.commands import forget as forget
from schemas.base import id_of
from schemas.errors import SchemaError
from schemas.learning import is_announcement
from schemas.notes import parse_note


def on_post(tx: Tx, received: Received, authors: Authors) -> None:
    """Create, Update or Announce of anything that reads as a text. Unacceptable for one that is broken."""
    assert received.object is not None
    try:
        note = parse_note(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the post: {error}") from error
    stored = store_object(
        tx,
        received,
        "post",
        published=note.published,
        updated=note.updated,
        url=note.url,
        in_reply_to=note.in_reply_to,
    )
    if stored == "changed":
        commands.withdraw(tx, note.owner, note.id)
    if stored == "new" and not is_announcement(received.object):
        at = note.published or tx.now
        commands.into_timelines(tx, authors.ids, note.id, note.owner, at, document=received.object)


def on_reject(tx: Tx, received: Received, authors: Authors) -> None:
    """The followee does not agree, or no longer: what was for followers alone is seen no more."""
    end_follow(tx, received, authors)
    commands.withdraw(tx, received.envelope.actor)


def on_block(tx: Tx, received: Received, authors: Authors) -> None:
    """Whoever blocks somebody shows them nothing that is not for everybody."""
    sever(tx, received, authors)
    commands.withdraw(tx, received.envelope.actor)


def on_boost(tx: Tx, received: Received, authors: Authors) -> None:
    """Announce: what was passed on is stored by now, or was here before."""
    if received.object_id is not None:
        commands.boost(tx, received.object_id, received.envelope.actor)


def on_unboost(tx: Tx, received: Received, authors: Authors) -> None:
    """Undo of an Announce, embedded: only its own actor's word counts, and that actor is who boosted."""
    object_id = id_of((received.object or {}).get("object"))
    if object_id is not None:
        commands.unboost(tx, object_id, received.envelope.actor)


def on_unlike(tx: Tx, received: Received, authors: Authors) -> None:
    """Undo of a Like: nothing is kept of likes yet, so there is nothing to take back."""
