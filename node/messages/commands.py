"""Writes: what comes into a conversation, who has read it, and what is forgotten when."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.ids import Ids
from federation.storage import Tx
from federation.tables import follows, object_recipients, objects
from node.errors import NotFound
from node.messages.rules import CONFIRM_WITHIN, KEEP_ENQUIRIES, MAX_PEOPLE, key_of
from node.messages.tables import asks, conversations, messages
from node.notifications.commands import notify, seen
from schemas.strict_json import dumps

Via = Literal["direct", "reply", "mail"]
TIDY_AT_ONCE = 1_000
RECENT = 100
HOUR = timedelta(hours=1)
MAX_RINGS = 20


def file_direct(tx: Tx, ids: Ids, object_id: str, owner: str, readers: Sequence[str]) -> None:
    """Put a direct post into the conversations of everybody here who takes part. readers: those but its owner."""
    rows = tx.rows(sa.select(object_recipients.c.recipient).where(object_recipients.c.object_id == object_id))
    people = {owner, *readers, *(row.recipient for row in rows)}
    here = [one for one in dict.fromkeys((owner, *readers)) if ids.username(one)]
    at = tx.scalar(sa.select(objects.c.published).where(objects.c.id == object_id))
    for reader in here:
        others = sorted(people - {reader})[:MAX_PEOPLE]
        about = _gig_answered(tx, object_id, reader)
        held = _enter(tx, reader, "direct", others, author=owner, about=about, at=at)
        if held is not None and add(tx, held.id, object_id, owner, at) and owner != reader:
            _tell(tx, held, owner, object_id)


def file_restored(tx: Tx, ids: Ids, object_id: str, owner: str) -> None:
    """A post of one's own is back from an archive: a direct one stands among one's messages, at its own time."""
    direct = (objects.c.id == object_id, objects.c.visibility == "direct")
    if tx.row(sa.select(objects.c.id).where(*direct)) is not None:
        file_direct(tx, ids, object_id, owner, ())


def file_answer(tx: Tx, object_id: str, owner: str, gig_id: str, gig_owner: str) -> None:
    """Somebody answers a gig for everybody to read: its owner finds it among the enquiries too."""
    about = tx.row(sa.select(objects.c.kind).where(objects.c.id == gig_id))
    if about is None or about.kind != "gig":
        return
    at = tx.scalar(sa.select(objects.c.published).where(objects.c.id == object_id))
    key = key_of([owner, gig_id])
    held = _enter(tx, gig_owner, "reply", [owner], author=owner, about=gig_id, at=at, key=key)
    if held is not None:
        add(tx, held.id, object_id, owner, at)


def _gig_answered(tx: Tx, object_id: str, reader: str) -> str | None:
    """The gig of `reader` that a post answers."""
    gig = objects.alias("gig")
    statement = (
        sa.select(gig.c.id)
        .join_from(objects, gig, gig.c.id == objects.c.in_reply_to)
        .where(objects.c.id == object_id, gig.c.kind == "gig", gig.c.owner == reader)
    )
    found: str | None = tx.scalar(statement)
    return found


def _enter(
    tx: Tx, reader: str, via: Via, others: Sequence[str], *, author: str, about: str | None, at: datetime, key: str = ""
) -> Row[Any] | None:
    """The conversation of these people in somebody's list: found or begun. None with nobody else in it.

    It begins as an enquiry when its reader does not follow who wrote, whoever else takes part (SECURITY 144).
    """
    if not others:
        return None
    mine = author == reader
    key = key or key_of(others)
    this = (conversations.c.reader == reader, conversations.c.via == via, conversations.c.key == key)
    held = tx.row(sa.select(conversations).where(*this))
    if held is None:
        known = mine or (via == "direct" and about is None and _follows(tx, reader, author))
        values = {
            "id": secrets.token_hex(10),
            "reader": reader,
            "via": via,
            "key": key,
            "people": dumps(list(others)).decode(),
            "who": others[0] if len(others) == 1 else "",
            "about": about,
            "state": "open" if known else "enquiry",
            "created_at": tx.now,
            "last_at": min(at, tx.now) if mine else tx.now,
        }
        tx.execute(tx.insert(conversations).values(values).on_conflict_do_nothing())
    elif mine and held.state == "enquiry":
        tx.execute(sa.update(conversations).where(*this).values(state="open"))
    return tx.row(sa.select(conversations).where(*this))


def _follows(tx: Tx, reader: str, author: str) -> bool:
    agreed = (follows.c.follower == reader, follows.c.followee == author, follows.c.state == "accepted")
    return tx.row(sa.select(follows.c.followee).where(*agreed)) is not None


def add(
    tx: Tx, conversation_id: str, object_id: str | None, author: str, at: datetime, text: str | None = None
) -> bool:
    """One more message; False when it stands there already."""
    at = min(at, tx.now)
    values = {"conversation_id": conversation_id, "object_id": object_id, "author": author, "text": text, "at": at}
    if not tx.execute(tx.insert(messages).on_conflict_do_nothing(), values).rowcount:
        return False
    this, mine = conversations.c.id == conversation_id, conversations.c.reader == author
    changed = {"last_at": tx.now, "unread": conversations.c.unread + 1}
    tx.execute(sa.update(conversations).where(this, ~mine).values(changed))
    tx.execute(sa.update(conversations).where(this, mine).values(unread=0))
    tx.execute(sa.update(conversations).where(this, mine, conversations.c.last_at < at).values(last_at=at))
    return True


def _tell(tx: Tx, held: Row[Any], owner: str, object_id: str) -> None:
    """A flood of first words fills the list of enquiries, and rings only so often (SECURITY 144)."""
    if held.state == "enquiry" and _begun_lately(tx, held.reader) > MAX_RINGS:
        return
    kind: Literal["enquiry", "message"] = "enquiry" if held.state == "enquiry" else "message"
    notify(tx, held.reader, kind, actor=owner, object_id=object_id, words=held.id)


def _begun_lately(tx: Tx, reader: str) -> int:
    """How many enquiries began within the hour, at most one more than may ring."""
    lately = (
        conversations.c.reader == reader,
        conversations.c.last_at > tx.now - HOUR,  # what the index knows
        conversations.c.created_at > tx.now - HOUR,
        conversations.c.state == "enquiry",
        conversations.c.via == "direct",
    )
    rows = sa.select(conversations.c.id).where(*lately).limit(MAX_RINGS + 1)
    return int(tx.scalar(sa.select(sa.func.count()).select_from(rows.subquery())))


def read(tx: Tx, reader: str, conversation_id: str) -> None:
    """Its reader has looked at it, so the notifications of what stands there are read too."""
    this = (conversations.c.id == conversation_id, conversations.c.reader == reader, conversations.c.unread > 0)
    if not tx.execute(sa.update(conversations).where(*this).values(unread=0)).rowcount:
        return
    posts = tx.rows(
        sa.select(messages.c.object_id)
        .where(messages.c.conversation_id == conversation_id, messages.c.object_id.is_not(None))
        .order_by(messages.c.id.desc())
        .limit(RECENT)
    )
    seen(tx, reader, [row.object_id for row in posts], prefix=f"enquiry:{conversation_id}")


def close(tx: Tx, reader: str, conversation_id: str, *, block: bool) -> None:
    """End a conversation with a visitor; block: the same address asks no more."""
    this = (conversations.c.id == conversation_id, conversations.c.reader == reader, conversations.c.via == "mail")
    state = "blocked" if block else "closed"
    if not tx.execute(sa.update(conversations).where(*this).values(state=state, unread=0)).rowcount:
        raise NotFound


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """These posts are gone; so is a conversation in which nothing else was said, and they are new to nobody."""
    rows = tx.rows(sa.select(messages.c.conversation_id).where(messages.c.object_id.in_(object_ids)).distinct())
    for row in rows:
        _count_without(tx, row.conversation_id, object_ids)
    tx.execute(sa.delete(messages).where(messages.c.object_id.in_(object_ids)))
    empty = ~sa.exists().where(messages.c.conversation_id == conversations.c.id)
    touched = conversations.c.id.in_([row.conversation_id for row in rows])
    tx.execute(sa.delete(conversations).where(touched, empty))


def _count_without(tx: Tx, conversation_id: str, object_ids: Sequence[str]) -> None:
    """Messages that go are not counted as new: those are the last ones, as many as are counted."""
    this = conversations.c.id == conversation_id
    new = tx.scalar(sa.select(conversations.c.unread).where(this))
    if not new:
        return
    last = sa.select(messages.c.object_id).where(messages.c.conversation_id == conversation_id)
    rows = tx.rows(last.order_by(messages.c.id.desc()).limit(new))
    left = sum(row.object_id not in object_ids for row in rows)
    tx.execute(sa.update(conversations).where(this).values(unread=left))


def forget_all_of(tx: Tx, actor_id: str) -> None:
    """Somebody leaves: their conversations and the questions to them end, and every visitor's link with them."""
    theirs = sa.select(conversations.c.id).where(conversations.c.reader == actor_id)
    tx.execute(sa.delete(messages).where(messages.c.conversation_id.in_(theirs)))
    tx.execute(sa.delete(conversations).where(conversations.c.reader == actor_id))
    tx.execute(sa.delete(asks).where(asks.c.reader == actor_id))


def tidy(tx: Tx) -> None:
    """Forget what has a lifetime (SECURITY 143): questions that nobody confirmed; a year after the last word, what
    visitors wrote, and enquiries that nobody answered.
    """
    tx.execute(sa.delete(asks).where(asks.c.created_at < tx.now - CONFIRM_WITHIN))
    asked = sa.or_(conversations.c.via != "direct", conversations.c.state == "enquiry")
    old = sa.select(conversations.c.id).where(asked, conversations.c.last_at < tx.now - KEEP_ENQUIRIES)
    ids = [row.id for row in tx.rows(old.limit(TIDY_AT_ONCE))]
    tx.execute(sa.delete(messages).where(messages.c.conversation_id.in_(ids)))
    tx.execute(sa.delete(conversations).where(conversations.c.id.in_(ids)))
