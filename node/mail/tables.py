"""What is to be sent by mail."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text),  # None once it is sent or given up: it may hold a secret
    sa.Column("unsubscribe", sa.Text),  # the URL of its List-Unsubscribe header
    sa.Column("message_id", sa.Text, nullable=False),  # the same at every try, so that a second copy is seen as one
    sa.Column("state", sa.Text, nullable=False),  # pending | done | given_up
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("finished_at", Timestamp),
    sa.Index("ix_mails_due", "due_at", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
)  # fmt: skip
