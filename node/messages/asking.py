"""The way of a visitor's question: kept until its address is confirmed, then a conversation that goes on by mail."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from node.errors import NotAllowed, NotFound
from node.language import _
from node.messages.commands import add
from node.messages.rules import CONFIRM_WITHIN, MAX_WAITING, Question
from node.messages.tables import asks, conversations, messages
from node.notifications.commands import notify
from node.unguessable import digest_of

CLOSED = _("This conversation is closed. Nothing more can be written in it.")


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
    add(tx, conversation_id, None, "", tx.now, row.text)
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
    add(tx, held.id, None, reader, tx.now, text)
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
    add(tx, held.id, None, "", tx.now, text)
    number = tx.scalar(sa.select(sa.func.count()).where(messages.c.conversation_id == held.id))
    notify(tx, held.reader, "enquiry", object_id=f"enquiry:{held.id}/{number}", words=held.name)
