"""Writes, one function for each verb that a person would use: post, edit, delete, like, pass on, pin, follow.

What they mean for timelines stands in `node.social.timelines`, following in `node.social.following`, what is kept of
likes and boosts in `node.social.reactions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation import featured, outbox
from federation.authors import Author
from federation.clock import iso
from federation.errors import Unacceptable
from federation.readers import may_read
from federation.storage import Tx
from federation.tables import actors, objects
from federation.types import OPEN
from node.errors import Invalid, NotAllowed, NotFound
from node.language import _
from node.media import attachments
from node.search import commands as search
from node.social import reactions, voting, wire
from node.social.following import follow as follow
from node.social.following import unfollow as unfollow
from node.social.reactions import Kind
from node.social.rules import MAX_PINS, PostDraft, narrower
from node.social.tables import post_sources
from node.social.telling import forget as untell
from node.social.telling import tell_of_post, tell_of_reaction, untell_of_reaction
from node.social.timelines import boost as boost
from node.social.timelines import forget as leave_timelines
from node.social.timelines import into_timelines as into_timelines
from node.social.timelines import unboost as unboost
from node.social.timelines import withdraw as withdraw
from node.social.wire import People
from schemas import activities
from schemas.actors import Actor, parse_actor
from schemas.base import Audience, Visibility, audience_of
from schemas.notes import write_note
from schemas.strict_json import loads_object
from schemas.terms import PUBLIC

NOBODY_NAMED = _("Name whom this is for, such as @name@server.")
NOT_HERE = _("What you answer is not here any more, or not for you.")
NOT_PUBLIC = _("This is not for everybody, so it cannot be passed on.")
TOO_MANY_PINS = _("You may pin {most} posts. Unpin one first.", most=MAX_PINS)
NOBODY: Mapping[str, Actor] = MappingProxyType({})

Verb = Callable[[Tx, Author, str], bool]
"""What is done to one object, by its id; whether that changed anything."""


class _Answered(NamedTuple):
    """What a post answers."""

    owner: str
    visibility: Visibility


def post(
    tx: Tx, author: Author, draft: PostDraft, person: Actor | None = None, named: Mapping[str, Actor] = NOBODY
) -> str:
    """Write a post and send it; returns its id.

    person: to whom alone it goes, for a direct one. named: the people whose names stand in the text, by
    `name@host`. An answer is for no more people than what it answers. Raises Invalid.
    """
    answered = _answered(tx, author, draft)
    if answered is not None:
        draft = replace(draft, audience=narrower(draft.audience, answered.visibility))
    people = People(person, _known(tx, answered.owner) if answered else None, named)
    note_id = author.ids.object(author.actor_id, "posts", tx.now)
    pictures = attachments.for_note(tx, draft.attachments, author.actor_id, author.ids)
    note = wire.to_note(author, note_id, draft, people, iso(tx.now), attachments=pictures)
    if not note.audience.everybody:
        raise Invalid({"to": NOBODY_NAMED})
    document = write_note(note)
    try:
        outbox.create(tx, author, document, kind="post", audience=note.audience, published=tx.now)
    except Unacceptable as error:
        raise Invalid({"body": _(error.safe)}) from error
    _keep_source(tx, note_id, draft.body_md)
    attachments.attach(tx, draft.attachments, author.actor_id, note_id)
    here = into_timelines(tx, author.ids, note_id, author.actor_id, tx.now, document=document)
    tell_of_post(tx, author.ids, note_id, author.actor_id, named=here, answers=note.in_reply_to)
    search.changed(tx, note_id, first=True, news=True)
    return note_id


def _answered(tx: Tx, author: Author, draft: PostDraft) -> _Answered | None:
    if not draft.in_reply_to:
        return None
    row = tx.row(sa.select(objects.c.owner, objects.c.visibility).where(objects.c.id == draft.in_reply_to))
    if row is None or not may_read(tx, draft.in_reply_to, author.actor_id):
        raise Invalid({"in_reply_to": NOT_HERE})
    return _Answered(row.owner, row.visibility)


def _known(tx: Tx, actor_id: str) -> Actor | None:
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id, actors.c.gone_at.is_(None)))
    return None if document is None else parse_actor(loads_object(document))


def _keep_source(tx: Tx, note_id: str, body_md: str) -> None:
    """What was typed, for the form in which it is changed; the Note carries only what it became."""
    insert = tx.insert(post_sources).values(object_id=note_id, body_md=body_md)
    tx.execute(insert.on_conflict_do_update(index_elements=["object_id"], set_={"body_md": body_md}))


def edit_post(
    tx: Tx,
    author: Author,
    post_id: str,
    draft: PostDraft,
    named: Mapping[str, Actor] = NOBODY,
    *,
    pictures: Sequence[str] | None = None,
) -> int:
    """Change the text, the warning and the pictures of a post; returns how many inboxes hear of it, 0 for no change.

    pictures: the ids of all that go with it from now on; None leaves them as they are.

    What it answers, and who may see what is not for everybody, stay as they are (SECURITY 50): somebody whom the new
    text of such a post names is not told. Raises NotFound, Invalid.
    """
    held = _own(tx, author, post_id)
    before = msgspec.json.decode(held.body)
    audience = audience_of(before)
    kept = replace(draft, audience=held.visibility, in_reply_to=held.in_reply_to or "", to="")
    people = _still_named(tx, author, held, audience, named)
    came = before.get("attachment", ())
    if pictures is not None:
        came = attachments.for_note(tx, pictures, author.actor_id, author.ids)
        attachments.attach(tx, pictures, author.actor_id, post_id)
    note = wire.to_note(author, post_id, kept, people, before["published"], attachments=came)
    if held.visibility not in OPEN:
        note = msgspec.structs.replace(note, audience=audience)
    document = write_note(note)
    if all(document.get(name) == before.get(name) for name in ("content", "summary", "tag", "attachment")):
        return 0
    try:
        reached = outbox.update(tx, author, document | {"updated": iso(tx.now)}, audience=note.audience)
    except Unacceptable as error:
        raise Invalid({"body": _(error.safe)}) from error
    _keep_source(tx, post_id, draft.body_md)
    search.changed(tx, post_id, first=False)
    return reached


def _own(tx: Tx, author: Author, post_id: str) -> Row[Any]:
    """A post of the author that stands."""
    mine = (objects.c.id == post_id, objects.c.owner == author.actor_id, objects.c.local, objects.c.kind == "post")
    row = tx.row(sa.select(objects).where(*mine, objects.c.deleted_at.is_(None)))
    if row is None:
        raise NotFound
    return row


def _still_named(tx: Tx, author: Author, held: Row[Any], audience: Audience, named: Mapping[str, Actor]) -> People:
    """Who is named in a changed post: of one that is not for everybody, only those who have it already."""
    parent = held.in_reply_to and tx.row(sa.select(objects.c.owner).where(objects.c.id == held.in_reply_to))
    answered = _known(tx, parent.owner) if parent else None
    if held.visibility in OPEN:
        return People(None, answered, named)
    there = set(audience.everybody) - {author.followers}
    first = next((one for one in audience.to if one in there), None) if held.visibility == "direct" else None
    alone = None if first is None or answered is not None else _known(tx, first)
    return People(alone, answered, {handle: actor for handle, actor in named.items() if actor.id in there})


def delete_post(tx: Tx, author: Author, post_id: str) -> int:
    """Take a post away, here and from everybody who ever got it; returns how many inboxes hear of it."""
    unpin(tx, author, post_id)
    reached = outbox.delete(tx, author, post_id)
    forget(tx, [post_id])
    search.forget(tx, [post_id])
    return reached


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """Their owners took these away: no timeline, count or profile knows them any more."""
    leave_timelines(tx, object_ids)
    reactions.forget(tx, object_ids)
    featured.forget(tx, object_ids)
    voting.forget(tx, object_ids)
    attachments.forget(tx, object_ids)
    untell(tx, object_ids)
    tx.execute(sa.delete(post_sources).where(post_sources.c.object_id.in_(object_ids)))


# ---- likes and boosts


def like(tx: Tx, author: Author, object_id: str) -> bool:
    """Tell somebody that one likes what they wrote; False when that was told already. NotFound for what is not here."""
    row = _readable(tx, author, object_id)
    audience = Audience((row.owner,))
    return _react(tx, author, object_id, "like", audience)


def unlike(tx: Tx, author: Author, object_id: str) -> bool:
    """Take a like back; False when there was none."""
    return _take_back(tx, author, object_id, "like")


def boost_out(tx: Tx, author: Author, object_id: str) -> bool:
    """Pass something on to one's followers; False when that was done already. Invalid for what is not for everybody."""
    row = _readable(tx, author, object_id)
    if row.visibility not in OPEN:
        raise Invalid({"id": NOT_PUBLIC})
    audience = Audience((PUBLIC,), (author.followers, row.owner))
    if not _react(tx, author, object_id, "boost", audience):
        return False
    boost(tx, object_id, author.actor_id)
    return True


def unboost_out(tx: Tx, author: Author, object_id: str) -> bool:
    """Pass it on no more; False when it was not."""
    unboost(tx, object_id, author.actor_id)
    return _take_back(tx, author, object_id, "boost")


_VERBS: Mapping[Kind, str] = MappingProxyType({"like": "Like", "boost": "Announce"})


def _readable(tx: Tx, author: Author, object_id: str) -> Row[Any]:
    row = tx.row(sa.select(objects.c.owner, objects.c.visibility).where(objects.c.id == object_id))
    if row is None or not may_read(tx, object_id, author.actor_id):
        raise NotFound
    return row


def _react(tx: Tx, author: Author, object_id: str, kind: Kind, audience: Audience) -> bool:
    activity_id = author.ids.activity(author.actor_id, tx.now)
    if not reactions.add(tx, object_id, kind, author.actor_id, activity_id):
        return False
    said = activities.activity(
        _VERBS[kind], activity_id, author.actor_id, object_id, audience=audience, published=iso(tx.now)
    )
    outbox.publish(tx, author, said, audience, object_id=object_id)
    tell_of_reaction(tx, author.ids, object_id, kind, author.actor_id)
    return True


def _take_back(tx: Tx, author: Author, object_id: str, kind: Kind) -> bool:
    activity_id = reactions.take(tx, object_id, kind, author.actor_id)
    if activity_id is None:
        return False
    untell_of_reaction(tx, author.ids, object_id, kind, author.actor_id)
    owner = tx.scalar(sa.select(objects.c.owner).where(objects.c.id == object_id))
    told = (owner,) if owner else ()
    audience = Audience((PUBLIC,), (author.followers, *told)) if kind == "boost" else Audience(told)
    undone = {"id": activity_id, "type": _VERBS[kind], "actor": author.actor_id, "object": object_id}
    undo = activities.undo(author.ids.activity(author.actor_id, tx.now), author.actor_id, undone, audience, iso(tx.now))
    outbox.publish(tx, author, undo, audience, object_id=object_id, also=told)
    return True


# ---- what stands first on a profile


def pin(tx: Tx, author: Author, post_id: str) -> bool:
    """Let a public post of one's own stand first on the profile; False when it does. NotAllowed for a sixth."""
    row = _own(tx, author, post_id)
    if row.visibility not in OPEN:
        raise NotAllowed(NOT_PUBLIC)
    pinned = featured.pinned(tx, author.actor_id)
    if post_id not in pinned and len(pinned) >= MAX_PINS:
        raise NotAllowed(TOO_MANY_PINS)
    return featured.publish_add(tx, author, post_id)


def unpin(tx: Tx, author: Author, post_id: str) -> bool:
    """Let it stand among the others again; False when it did."""
    return featured.publish_remove(tx, author, post_id)
