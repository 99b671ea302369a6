"""Conversations as their readers here see them, and the questions of visitors that nobody has confirmed yet."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # random
    sa.Column("reader", sa.Text, nullable=False),  # the local actor whose list it stands in
    sa.Column("via", sa.Text, nullable=False),  # direct | reply (to a gig, for everybody to read) | mail (a visitor)
    sa.Column("key", sa.Text, nullable=False),  # what belongs together: a digest of who takes part
    sa.Column("people", sa.Text, nullable=False, server_default="[]"),  # JSON list of the other actors
    sa.Column("who", sa.Text, nullable=False, server_default=""),  # the other one, where it is one
    sa.Column("name", sa.Text, nullable=False, server_default=""),  # a visitor's
    sa.Column("address", sa.Text, nullable=False, server_default=""),  # a visitor's, for mail
    sa.Column("secret", sa.Text),  # SHA-256 of what stands in a visitor's link
    sa.Column("language", sa.Text, nullable=False, server_default="en"),  # in which a visitor is written to
    sa.Column("about", sa.Text),  # the gig that it began with
    sa.Column("state", sa.Text, nullable=False),  # enquiry (nobody has answered) | open | closed | blocked
    sa.Column("unread", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("last_at", Timestamp, nullable=False),
    sa.UniqueConstraint("reader", "via", "key"),
    sa.Index("ix_conversations_reader", "reader", "last_at", "id"),
    sa.Index("ix_conversations_unread", "reader", sqlite_where=sa.text("unread > 0"),
             postgresql_where=sa.text("unread > 0")),
    sa.Index("ix_conversations_secret", "secret", unique=True, sqlite_where=sa.text("secret IS NOT NULL"),
             postgresql_where=sa.text("secret IS NOT NULL")),
)  # fmt: skip

SOMETHING_NEW = conversations.c.unread > sa.literal_column("0")
"""Said so that SQLite knows that the partial index is enough."""

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text),  # a post; its words stand in `objects`
    sa.Column("author", sa.Text, nullable=False),  # an actor; empty for a visitor
    sa.Column("text", sa.Text),  # what came or went by mail
    sa.Column("at", Timestamp, nullable=False),
    sa.UniqueConstraint("conversation_id", "object_id"),
    sa.Index("ix_messages_thread", "conversation_id", "id"),
    sa.Index("ix_messages_object", "object_id"),
)

asks = sa.Table(  # a visitor's question, until its address is confirmed
    "asks",
    metadata,
    sa.Column("secret", sa.Text, primary_key=True),  # SHA-256 of what stands in the link
    sa.Column("reader", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("about", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False, index=True),
)
