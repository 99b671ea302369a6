"""Writes: what comes into a conversation, answers, and the way of a visitor's question."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.ids import Ids
from federation.storage import Tx
from federation.tables import follows, object_recipients, objects
from node.errors import NotAllowed, NotFound
from node.language import _
from node.messages.rules import CONFIRM_WITHIN, KEEP_ENQUIRIES, MAX_PEOPLE, MAX_WAITING, Question, key_of
from node.messages.tables import asks, conversations, messages
from node.notifications.commands import notify, seen
from schemas.strict_json import dumps

Via = Literal["direct", "reply", "mail"]
TIDY_AT_ONCE = 1_000
RECENT = 100
CLOSED = _("This conversation is closed. Nothing more can be written in it.")


def digest_of(secret: str) -> str:
    """What is stored of the secret in a visitor's link."""
    return hashlib.sha256(secret.encode()).hexdigest()


# ---- what other people's servers and our own bring


def file_direct(tx: Tx, ids: Ids, object_id: str, owner: str, readers: Sequence[str]) -> None:
    """Put a direct post into the conversations of everybody here who takes part. readers: those but its owner."""
    rows = tx.rows(sa.select(object_recipients.c.recipient).where(object_recipients.c.object_id == object_id))
    people = {owner, *readers, *(row.recipient for row in rows)}
    here = [one for one in dict.fromkeys((owner, *readers)) if ids.username(one)]
    at = tx.scalar(sa.select(objects.c.published).where(objects.c.id == object_id))
    for reader in here:
        others = sorted(people - {reader})[:MAX_PEOPLE]
        held = _enter(tx, reader, "direct", others, author=owner, about=_gig_answered(tx, object_id, reader))
        if held is not None and _add(tx, held.id, object_id, owner, at) and owner != reader:
            _tell(tx, held, owner, object_id)


def file_answer(tx: Tx, object_id: str, owner: str, gig_id: str, gig_owner: str) -> None:
    """Somebody answers a gig for everybody to read: its owner finds it among the enquiries too."""
    about = tx.row(sa.select(objects.c.kind).where(objects.c.id == gig_id))
    if about is None or about.kind != "gig":
        return
    at = tx.scalar(sa.select(objects.c.published).where(objects.c.id == object_id))
    held = _enter(tx, gig_owner, "reply", [owner], author=owner, about=gig_id, key=key_of([owner, gig_id]))
    if held is not None:
        _add(tx, held.id, object_id, owner, at)


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
    tx: Tx, reader: str, via: Via, others: Sequence[str], *, author: str, about: str | None, key: str = ""
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
            "last_at": tx.now,
        }
        tx.execute(tx.insert(conversations).values(values).on_conflict_do_nothing())
    elif mine and held.state == "enquiry":
        tx.execute(sa.update(conversations).where(*this).values(state="open"))
    return tx.row(sa.select(conversations).where(*this))


def _follows(tx: Tx, reader: str, author: str) -> bool:
    agreed = (follows.c.follower == reader, follows.c.followee == author, follows.c.state == "accepted")
    return tx.row(sa.select(follows.c.followee).where(*agreed)) is not None


def _add(
    tx: Tx, conversation_id: str, object_id: str | None, author: str, at: datetime, text: str | None = None
) -> bool:
    """One more message; False when it stands there already."""
    values = {
        "conversation_id": conversation_id,
        "object_id": object_id,
        "author": author,
        "text": text,
        "at": min(at, tx.now),
    }
    if not tx.execute(tx.insert(messages).on_conflict_do_nothing(), values).rowcount:
        return False
    mine = conversations.c.reader == author
    changed = {"last_at": tx.now, "unread": sa.case((mine, 0), else_=conversations.c.unread + 1)}
    tx.execute(sa.update(conversations).where(conversations.c.id == conversation_id).values(changed))
    return True


def _tell(tx: Tx, held: Row[Any], owner: str, object_id: str) -> None:
    kind: Literal["enquiry", "message"] = "enquiry" if held.state == "enquiry" else "message"
    notify(tx, held.reader, kind, actor=owner, object_id=object_id, words=held.id)


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
    """These posts are gone; so is a conversation in which nothing else was said."""
    rows = tx.rows(sa.select(messages.c.conversation_id).where(messages.c.object_id.in_(object_ids)).distinct())
    tx.execute(sa.delete(messages).where(messages.c.object_id.in_(object_ids)))
    empty = ~sa.exists().where(messages.c.conversation_id == conversations.c.id)
    touched = conversations.c.id.in_([row.conversation_id for row in rows])
    tx.execute(sa.delete(conversations).where(touched, empty))


# ---- visitors


def ask(tx: Tx, reader: str, question: Question, about: str | None, language: str) -> str | None:
    """Keep a question until its address is confirmed; returns the secret for the link.

    None where it is not to be asked: by an address that is blocked, or by a program. Whoever asks is told the same
    in each case. Where too many wait, the oldest goes: who floods the list does not close it.
    """
    blocked = sa.select(conversations.c.id).where(
        conversations.c.reader == reader,
        sa.func.lower(conversations.c.address) == question.address.lower(),
        conversations.c.state == "blocked",
    )
    if question.trapped or tx.row(blocked) is not None:
        return None
    waiting = sa.select(asks.c.secret).where(asks.c.reader == reader).order_by(asks.c.created_at.desc())
    tx.execute(sa.delete(asks).where(asks.c.secret.in_(waiting.offset(MAX_WAITING - 1))))
    secret = secrets.token_urlsafe(24)
    values = {
        "secret": digest_of(secret),
        "reader": reader,
        "name": question.name,
        "address": question.address,
        "text": question.text,
        "about": about,
        "language": language,
        "created_at": tx.now,
    }
    tx.execute(sa.insert(asks).values(values))
    return secret


def confirm_question(tx: Tx, secret: str) -> bool:
    """Whoever reads that mail has asked this: now its reader here hears of it. False: no such link, or too old."""
    row = tx.row(sa.select(asks).where(asks.c.secret == digest_of(secret), asks.c.created_at > tx.now - CONFIRM_WITHIN))
    if row is None:
        return False
    conversation_id = secrets.token_hex(10)
    tx.execute(
        sa.insert(conversations).values(
            id=conversation_id,
            reader=row.reader,
            via="mail",
            key=row.secret,
            name=row.name,
            address=row.address,
            secret=row.secret,
            language=row.language,
            about=row.about,
            state="enquiry",
            created_at=tx.now,
            last_at=tx.now,
        )
    )
    _add(tx, conversation_id, None, "", tx.now, row.text)
    tx.execute(sa.delete(asks).where(asks.c.secret == row.secret))
    notify(tx, row.reader, "enquiry", object_id=f"enquiry:{conversation_id}", words=row.name)
    return True


def answer_visitor(tx: Tx, reader: str, conversation_id: str, text: str) -> tuple[Row[Any], str]:
    """The owner writes back; returns the conversation and the secret of its new link, for the mail.

    Only a digest of the former link's secret is kept here, so each answer brings a new one, and the former ends.
    Raises NotFound, NotAllowed once it is closed.
    """
    this = (conversations.c.id == conversation_id, conversations.c.reader == reader, conversations.c.via == "mail")
    held = tx.row(sa.select(conversations).where(*this))
    if held is None:
        raise NotFound
    if held.state not in ("enquiry", "open"):
        raise NotAllowed(CLOSED)
    _add(tx, held.id, None, reader, tx.now, text)
    secret = secrets.token_urlsafe(24)
    tx.execute(sa.update(conversations).where(*this).values(state="open", secret=digest_of(secret)))
    return held, secret


def write_as_visitor(tx: Tx, secret: str, text: str) -> None:
    """The visitor writes more, by their link. NotFound, NotAllowed once it is closed."""
    held = tx.row(sa.select(conversations).where(conversations.c.secret == digest_of(secret)))
    if held is None:
        raise NotFound
    if held.state not in ("enquiry", "open"):
        raise NotAllowed(CLOSED)
    _add(tx, held.id, None, "", tx.now, text)
    number = tx.scalar(sa.select(sa.func.count()).where(messages.c.conversation_id == held.id))
    notify(tx, held.reader, "enquiry", object_id=f"enquiry:{held.id}/{number}", words=held.name)


def forget_all_of(tx: Tx, actor_id: str) -> None:
    """Somebody leaves: their conversations and the questions to them end, and every visitor's link with them."""
    theirs = sa.select(conversations.c.id).where(conversations.c.reader == actor_id)
    tx.execute(sa.delete(messages).where(messages.c.conversation_id.in_(theirs)))
    tx.execute(sa.delete(conversations).where(conversations.c.reader == actor_id))
    tx.execute(sa.delete(asks).where(asks.c.reader == actor_id))


def tidy(tx: Tx) -> None:
    """Forget questions that nobody confirmed, and what visitors wrote a year after the last word (SECURITY 143)."""
    tx.execute(sa.delete(asks).where(asks.c.created_at < tx.now - CONFIRM_WITHIN))
    old = sa.select(conversations.c.id).where(
        conversations.c.via == "mail", conversations.c.last_at < tx.now - KEEP_ENQUIRIES
    )
    ids = [row.id for row in tx.rows(old.limit(TIDY_AT_ONCE))]
    tx.execute(sa.delete(messages).where(messages.c.conversation_id.in_(ids)))
    tx.execute(sa.delete(conversations).where(conversations.c.id.in_(ids)))
