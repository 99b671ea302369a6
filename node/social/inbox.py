"""Posts of others: they come, they change, they are liked and passed on, they go; and who may see them no more."""

from __future__ import annotations

from federation.authors import Authors
from federation.errors import Forbidden, Refused, Unacceptable
from federation.handlers.accept import on_accept as begin_follow
from federation.handlers.accept import on_reject as end_follow
from federation.handlers.undo import on_undo as undo_other
from federation.objects import Stored, store_object
from federation.readers import may_read
from federation.storage import Tx
from federation.types import Received
from node.social import commands, following, reactions
from node.social.commands import forget as forget
from node.social.reactions import Kind
from node.social.telling import tell_of_post, tell_of_reaction, untell_of_reaction
from schemas.base import id_of
from schemas.errors import SchemaError
from schemas.learning import is_announcement
from schemas.notes import parse_note


def on_post(tx: Tx, received: Received, authors: Authors) -> Stored:
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
    if stored == "new" and received.is_news and not is_announcement(received.object):
        at = note.published or tx.now
        here = commands.into_timelines(tx, authors.ids, note.id, note.owner, at, document=received.object)
        tell_of_post(tx, authors.ids, note.id, note.owner, named=here, answers=note.in_reply_to)
    return stored


def on_accept(tx: Tx, received: Received, authors: Authors) -> None:
    """The followee agrees: what they published before is shown too, as far as it is to be had."""
    follower = begin_follow(tx, received, authors)
    following.begun(tx, follower, received.envelope.actor)


def on_reject(tx: Tx, received: Received, authors: Authors) -> None:
    """The followee does not agree, or no longer: what was for followers alone is seen no more."""
    end_follow(tx, received, authors)
    commands.withdraw(tx, received.envelope.actor)


# ---- likes and boosts


def on_like(tx: Tx, received: Received, authors: Authors) -> None:
    """Like, of an id or of an embedded object: kept of what is ours, once for each person who may see it."""
    actor_id, object_id = received.envelope.actor, received.object_id
    if object_id is None or not authors.ids.is_local(object_id):
        raise Refused(f"{object_id} is not ours: what others like elsewhere is not kept here")
    if not may_read(tx, object_id, actor_id):
        raise Refused(f"{object_id} does not stand here for {actor_id}")
    _keep(tx, received, authors, object_id, "like")


def on_boost(tx: Tx, received: Received, authors: Authors) -> None:
    """Announce: what was passed on is stored by now, or was here before. Nobody passes on what is not for everybody."""
    object_id = received.object_id
    if object_id is not None and may_read(tx, object_id, None):
        _keep(tx, received, authors, object_id, "boost")
        commands.boost(tx, object_id, received.envelope.actor)


def _keep(tx: Tx, received: Received, authors: Authors, object_id: str, kind: Kind) -> None:
    actor_id = received.envelope.actor
    if reactions.add(tx, object_id, kind, actor_id, received.envelope.id):
        tell_of_reaction(tx, authors.ids, object_id, kind, actor_id)


def on_unlike(tx: Tx, received: Received, authors: Authors) -> None:
    """Undo of an embedded Like: only its own actor's word counts, and that actor is who liked."""
    _undone(tx, received, authors, "like")


def on_unboost(tx: Tx, received: Received, authors: Authors) -> None:
    """Undo of an embedded Announce."""
    object_id = _undone(tx, received, authors, "boost")
    if object_id is not None:
        commands.unboost(tx, object_id, received.envelope.actor)


def _undone(tx: Tx, received: Received, authors: Authors, kind: Kind) -> str | None:
    """What is taken back: by what it was about, else by the activity's own id."""
    object_id = id_of((received.object or {}).get("object"))
    if object_id is None and received.object_id is not None:
        row = reactions.by_activity(tx, received.object_id)
        object_id = row.object_id if row is not None and row.kind == kind else None
    if object_id is not None:
        _take(tx, authors, object_id, kind, received.envelope.actor)
    return object_id


def _take(tx: Tx, authors: Authors, object_id: str, kind: Kind, actor: str) -> None:
    if reactions.take(tx, object_id, kind, actor) is not None:
        untell_of_reaction(tx, authors.ids, object_id, kind, actor)


def on_undo(tx: Tx, received: Received, authors: Authors) -> None:
    """Undo by a bare id: of a Like or an Announce that is known here; anything else is not ours to undo."""
    row = None if received.object_id is None else reactions.by_activity(tx, received.object_id)
    if row is None or isinstance(received.document.get("object"), dict):
        undo_other(tx, received, authors)
        return
    if row.actor != received.envelope.actor:
        raise Forbidden(f"{received.object_id} is {row.actor}'s")
    _take(tx, authors, row.object_id, row.kind, row.actor)
    if row.kind == "boost":
        commands.unboost(tx, row.object_id, row.actor)
