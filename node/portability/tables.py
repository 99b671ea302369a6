"""Archives under way, and what came out of which: rows, so that a restart loses nothing."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

archives = sa.Table(
    "archives",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # also the name of its file, so it never comes from outside
    sa.Column("actor_id", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),  # out | in
    sa.Column("state", sa.Text, nullable=False),  # waiting | running | ready | failed
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("steps", sa.Integer, nullable=False, server_default="1"),
    sa.Column("size", sa.BigInteger),  # in bytes
    sa.Column("report", sa.Text),  # JSON: what came in, what was left out and why
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("leased_until", Timestamp),  # one worker has it in hand
    sa.Column("finished_at", Timestamp),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
)

restored = sa.Table(  # what an archive brought: the id that it had, and the one that it has here
    "restored",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
)
