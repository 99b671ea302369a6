"""One row for each thing that somebody here is told, and what they want to hear by mail."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("reader", sa.Text, nullable=False),  # a local actor
    sa.Column("kind", sa.Text, nullable=False),  # node.notifications.rules.KINDS
    sa.Column("actor", sa.Text, nullable=False, server_default=""),  # who did it
    sa.Column("object_id", sa.Text, nullable=False, server_default=""),  # about what
    sa.Column("words", sa.Text, nullable=False, server_default=""),  # where neither says enough
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("read_at", Timestamp),
    sa.Column("mailed_at", Timestamp),  # or decided that it is not to be mailed
    sa.UniqueConstraint("reader", "kind", "actor", "object_id"),
    sa.Index("ix_notifications_reader", "reader", "id"),
    sa.Index("ix_notifications_unread", "reader", sqlite_where=sa.text("read_at IS NULL"),
             postgresql_where=sa.text("read_at IS NULL")),
    sa.Index("ix_notifications_to_mail", "id", sqlite_where=sa.text("mailed_at IS NULL"),
             postgresql_where=sa.text("mailed_at IS NULL")),
    sa.Index("ix_notifications_object", "object_id"),
)  # fmt: skip

mail_addresses = sa.Table(  # where somebody wants to get mail
    "mail_addresses",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),  # SHA-256 of the secret in the link that confirms it
    sa.Column("unsubscribe", sa.Text, nullable=False, unique=True),  # stands in every mail: it can only stop them
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("confirmed_at", Timestamp),
    sa.Column("digest_at", Timestamp, nullable=False),  # when the last daily mail was due
)

mail_choices = sa.Table(  # what of it; a kind without a row has its default
    "mail_choices",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("how", sa.Text, nullable=False),  # now | daily | never
)
