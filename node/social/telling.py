"""Whom a post, a like, a boost or a new key is news for; never anybody for whom it is not meant."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from federation.clock import iso
from federation.ids import Ids
from federation.readers import may_read
from federation.statements import Hot
from federation.storage import Tx
from federation.tables import actors, follows, objects
from node.messages import commands as messages
from node.notifications import commands as notifications
from node.notifications.commands import notify, take_back
from node.social.reactions import Kind

MAX_TOLD = 50
_POST = Hot(sa.select(objects.c.visibility).where(objects.c.id == sa.bindparam("id")))


def tell_of_post(
    tx: Tx, ids: Ids, object_id: str, owner: str, *, named: Sequence[str] = (), answers: str | None = None
) -> None:
    """Tell people here that somebody answered or named them. named: local actors; answers: what the post answers.

    What is for them alone goes into their conversations; an answer to a gig is an enquiry too.
    """
    if not named and not ids.is_local(owner) and (answers is None or not ids.is_local(answers)):
        return  # most of what comes is news for nobody but followers
    post = tx.first(_POST, id=object_id)
    if post is None or post.visibility == "direct":
        messages.file_direct(tx, ids, object_id, owner, named)
        return
    answered = _owner_here(tx, ids, answers)
    if answered is not None and answered != owner and may_read(tx, object_id, answered):
        notify(tx, answered, "reply", actor=owner, object_id=object_id)
        messages.file_answer(tx, object_id, owner, answers or "", answered)
    for reader in named[:MAX_TOLD]:
        if reader not in (owner, answered) and may_read(tx, object_id, reader):
            notify(tx, reader, "mention", actor=owner, object_id=object_id)


def tell_of_reaction(tx: Tx, ids: Ids, object_id: str, kind: Kind, actor: str) -> None:
    """Tell the local owner of something that it is liked, or was passed on."""
    owner = _owner_here(tx, ids, object_id)
    if owner is not None and owner != actor:
        notify(tx, owner, kind, actor=actor, object_id=object_id)


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """These are gone: nobody is told of them any more, and they stand in no conversation."""
    messages.forget(tx, object_ids)
    notifications.forget(tx, object_ids)


def untell_of_reaction(tx: Tx, ids: Ids, object_id: str, kind: Kind, actor: str) -> None:
    """It is liked no more, or passed on no more: that is no news then."""
    owner = _owner_here(tx, ids, object_id)
    if owner is not None:
        take_back(tx, owner, kind, actor=actor, object_id=object_id)


def _owner_here(tx: Tx, ids: Ids, object_id: str | None) -> str | None:
    """Whose a local thing is; asks the database only about ids that are ours."""
    if object_id is None or not ids.is_local(object_id):
        return None
    owner: str | None = tx.scalar(
        sa.select(objects.c.owner).where(objects.c.id == object_id, objects.c.local, objects.c.deleted_at.is_(None))
    )
    return owner


def tell_of_new_key(tx: Tx, actor_id: str, key_id: str) -> None:
    """Whoever follows somebody here hears that they have a key that no older one confirms: it may be somebody else."""
    here = sa.select(follows.c.follower).join(actors, actors.c.id == follows.c.follower)
    following = here.where(follows.c.followee == actor_id, follows.c.state == "accepted", actors.c.local)
    for row in tx.rows(following.order_by(follows.c.follower)):
        notify(tx, row.follower, "new_key", actor=actor_id, object_id=f"{key_id} since {iso(tx.now)}")  # each time anew
