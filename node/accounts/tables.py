"""Rows: the node itself, the people who sign in, and where they are signed in."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

node = sa.Table(  # one row
    "node",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.Text),  # None until set-up; then for ever
    sa.Column("handle_domain", sa.Text),
    sa.Column("master_key", sa.Text, nullable=False),  # the key's fingerprint: which one opens what is sealed here
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("set_up_at", Timestamp),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("username", sa.Text, nullable=False, unique=True),
    sa.Column("actor_id", sa.Text, nullable=False, unique=True),
    sa.Column("password", sa.Text, nullable=False),  # argon2id, in the PHC string format
    sa.Column("created_at", Timestamp, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of the secret in the cookie
    sa.Column("account_id", Serial, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)
