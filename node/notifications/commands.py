"""Writes: tell somebody, mark as read, forget; and where and what of it goes by mail."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa

from federation.blocks import hides
from federation.storage import Tx
from federation.tables import actors
from node.notifications.rules import How, Kind
from node.notifications.tables import mail_addresses, mail_choices, notifications
from node.unguessable import digest_of

KEEP_READ = timedelta(days=90)
KEEP_UNREAD = timedelta(days=365)
TIDY_AT_ONCE = 1_000
CONFIRM_WITHIN = timedelta(days=2)


def notify(
    tx: Tx, reader: str, kind: Kind, *, actor: str | None = None, object_id: str | None = None, words: str = ""
) -> None:
    """Tell a local actor something, once: the same kind by the same actor about the same thing is told no second time.

    Nobody hears of themselves, and nothing of those whom they block or mute, or who block them.
    """
    if actor == reader or not _is_here(tx, reader) or (actor is not None and hides(tx, reader, actor)):
        return
    values = {
        "reader": reader,
        "kind": kind,
        "actor": actor or "",
        "object_id": object_id or "",
        "words": words[:500],
        "created_at": tx.now,
    }
    tx.execute(tx.insert(notifications).values(values).on_conflict_do_nothing())


def _is_here(tx: Tx, actor_id: str) -> bool:
    here = (actors.c.id == actor_id, actors.c.local, actors.c.gone_at.is_(None), actors.c.type != "Application")
    return tx.row(sa.select(actors.c.id).where(*here)) is not None


def take_back(tx: Tx, reader: str, kind: Kind, *, actor: str, object_id: str | None = None) -> None:
    """What was told is so no longer: a like taken back, a request withdrawn."""
    this = (notifications.c.reader == reader, notifications.c.kind == kind, notifications.c.actor == actor)
    about = () if object_id is None else (notifications.c.object_id == object_id,)
    tx.execute(sa.delete(notifications).where(*this, *about))


def mark_read(tx: Tx, reader: str, *, until: int | None = None) -> int:
    """Everything is read, or all up to one; returns how many were not."""
    unread = [notifications.c.reader == reader, notifications.c.read_at.is_(None)]
    if until is not None:
        unread.append(notifications.c.id <= until)
    return tx.execute(sa.update(notifications).where(*unread).values(read_at=tx.now)).rowcount


def seen(tx: Tx, reader: str, object_ids: Sequence[str], *, prefix: str = "") -> None:
    """What they are about was looked at where it stands. prefix: also what is about ids that begin so."""
    about: sa.ColumnElement[bool] = notifications.c.object_id.in_(object_ids)
    if prefix:
        about = sa.or_(about, notifications.c.object_id.startswith(prefix, autoescape=True))
    unread = (notifications.c.reader == reader, notifications.c.read_at.is_(None), about)
    tx.execute(sa.update(notifications).where(*unread).values(read_at=tx.now))


def forget(tx: Tx, object_ids: Sequence[str]) -> None:
    """What it was about is gone."""
    tx.execute(sa.delete(notifications).where(notifications.c.object_id.in_(object_ids)))


def tidy(tx: Tx) -> None:
    """Forget what has a lifetime (SECURITY 143), what people did who are gone, and addresses that nobody confirmed."""
    old = sa.or_(
        sa.and_(notifications.c.read_at.is_not(None), notifications.c.created_at < tx.now - KEEP_READ),
        notifications.c.created_at < tx.now - KEEP_UNREAD,
    )
    oldest = sa.select(notifications.c.id).where(old).limit(TIDY_AT_ONCE)
    tx.execute(sa.delete(notifications).where(notifications.c.id.in_(oldest)))
    left = sa.select(actors.c.id).where(actors.c.gone_at.is_not(None), ~actors.c.local)
    tx.execute(sa.delete(notifications).where(notifications.c.actor.in_(left)))
    late = (mail_addresses.c.confirmed_at.is_(None), mail_addresses.c.created_at < tx.now - CONFIRM_WITHIN)
    tx.execute(sa.delete(mail_addresses).where(*late))


# ---- mail


def give_address(tx: Tx, actor_id: str, address: str) -> str:
    """Note where somebody wants mail; returns the secret that confirms it, which only a mail to it may carry."""
    secret = secrets.token_urlsafe(24)
    values = {
        "actor_id": actor_id,
        "address": address,
        "token": digest_of(secret),
        "unsubscribe": secrets.token_urlsafe(24),
        "created_at": tx.now,
        "confirmed_at": None,
        "digest_at": tx.now,
    }
    insert = tx.insert(mail_addresses).values(values)
    tx.execute(insert.on_conflict_do_update(index_elements=["actor_id"], set_=values))
    return secret


def confirm_address(tx: Tx, actor_id: str, secret: str) -> bool:
    """The link was followed by whom it was sent to. What was told before is not mailed.

    False: it is no such link, it was used before, or it is too old.
    """
    this = (
        mail_addresses.c.actor_id == actor_id,
        mail_addresses.c.token == digest_of(secret),
        mail_addresses.c.confirmed_at.is_(None),
        mail_addresses.c.created_at > tx.now - CONFIRM_WITHIN,
    )
    done = tx.execute(sa.update(mail_addresses).where(*this).values(confirmed_at=tx.now, digest_at=tx.now)).rowcount
    if done:
        waiting = (notifications.c.reader == actor_id, notifications.c.mailed_at.is_(None))
        tx.execute(sa.update(notifications).where(*waiting).values(mailed_at=tx.now))
    return bool(done)


def drop_address(tx: Tx, actor_id: str) -> None:
    """No more mail."""
    tx.execute(sa.delete(mail_addresses).where(mail_addresses.c.actor_id == actor_id))


def unsubscribe(tx: Tx, secret: str) -> bool:
    """The same by the link that stands in every mail; False when it stops nothing any more."""
    return bool(tx.execute(sa.delete(mail_addresses).where(mail_addresses.c.unsubscribe == secret)).rowcount)


def choose(tx: Tx, actor_id: str, chosen: Mapping[Kind, How]) -> None:
    """How each kind is mailed."""
    for kind, how in chosen.items():
        insert = tx.insert(mail_choices).values(actor_id=actor_id, kind=kind, how=how)
        tx.execute(insert.on_conflict_do_update(index_elements=["actor_id", "kind"], set_={"how": how}))
