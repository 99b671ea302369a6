"""Leaving for ever: what each part of the node forgets when somebody deletes their account.

A slice that keeps something of a person adds one line to FORGET; what federation keeps is forgotten by
`federation.endings`.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from federation.authors import Author
from federation.endings import end_local_actor
from federation.ids import new_id
from federation.storage import Tx
from node.accounts.tables import accounts
from node.credentials.tables import credentials
from node.identity.tables import identities
from node.inboxes import deleted
from node.mail.tables import mails
from node.media import attachments
from node.media.names import media_type
from node.media.tables import media
from node.messages import commands as messages
from node.moderation.tables import reports
from node.notifications.tables import mail_addresses, mail_choices, notifications
from node.packs.tables import pack_visits
from node.portability.tables import archives, restored
from node.profiles.queries import picture_name
from node.profiles.tables import cv_entries, link_checks, profiles
from node.relations.tables import list_import_rows, list_imports
from node.search.commands import somebody_changed
from node.search.tables import tag_follows
from node.social.tables import lookups, timeline, votes

Forget = Callable[[Tx, str], None]


def rows_of(column: sa.ColumnElement[str]) -> Forget:
    """Forget every row of a table whose column holds the actor's id."""

    def forget(tx: Tx, actor_id: str) -> None:
        tx.execute(sa.delete(column.table).where(column == actor_id))

    return forget


def _portrait(tx: Tx, actor_id: str) -> None:
    """Its file goes the way of every picture that nobody shows any more (`node.media.sweep`)."""
    name = picture_name(tx, actor_id)
    if name is None:
        return
    values = {"id": new_id(tx.now), "owner": actor_id, "name": name, "media_type": media_type(name)}
    times = {"created_at": tx.now, "dropped_at": tx.now}
    tx.execute(sa.insert(media).values(width=0, height=0, **values, **times))


def _mails(tx: Tx, actor_id: str) -> None:
    """What waits to be mailed to them, or was."""
    theirs = sa.select(mail_addresses.c.address).where(mail_addresses.c.actor_id == actor_id)
    tx.execute(sa.delete(mails).where(mails.c.recipient.in_(theirs)))


def _lists(tx: Tx, actor_id: str) -> None:
    """The files of people that they brought along, line by line."""
    theirs = sa.select(list_imports.c.id).where(list_imports.c.owner == actor_id)
    tx.execute(sa.delete(list_import_rows).where(list_import_rows.c.import_id.in_(theirs)))
    tx.execute(sa.delete(list_imports).where(list_imports.c.owner == actor_id))


FORGET: tuple[Forget, ...] = (
    attachments.forget_all_of,
    _portrait,
    rows_of(timeline.c.reader),
    rows_of(lookups.c.reader),
    rows_of(notifications.c.reader),
    rows_of(notifications.c.actor),
    rows_of(tag_follows.c.actor),
    rows_of(pack_visits.c.reader),
    rows_of(credentials.c.owner),  # their status lists stay: what they have taken back stays so
    _lists,
    rows_of(votes.c.voter),
    rows_of(cv_entries.c.owner),
    rows_of(link_checks.c.actor_id),
    rows_of(reports.c.reporter),
    somebody_changed,  # nobody finds them any more
    _mails,
    rows_of(mail_addresses.c.actor_id),
    rows_of(mail_choices.c.actor_id),
    messages.forget_all_of,
    rows_of(identities.c.actor_id),
    rows_of(profiles.c.actor_id),
    rows_of(archives.c.actor_id),
    rows_of(restored.c.actor_id),
    rows_of(accounts.c.actor_id),  # and with it sessions, passkeys, codes
)


def leave(tx: Tx, author: Author) -> int:
    """Delete an account and all that is its own; returns how many inboxes will be told."""
    told = end_local_actor(tx, author, deleted)
    for forget in FORGET:
        forget(tx, author.actor_id)
    return told
