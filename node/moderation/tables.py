"""Reports, sent and received. A stranger can make a received one, so they are few, short, and kept for a time."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("activity_id", sa.Text, nullable=False, unique=True),  # the Flag; of one that stays here, an id of ours
    sa.Column("origin", sa.Text, nullable=False),  # host of the server that reports; empty: somebody here
    sa.Column("reporter", sa.Text, nullable=False),  # an actor; for somebody here known to this server alone
    sa.Column("target", sa.Text, nullable=False),  # the actor who is reported
    sa.Column("object_ids", sa.Text, nullable=False),  # a JSON list
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("forwarded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("settled_at", Timestamp),
    sa.Index("ix_reports_origin", "origin", "created_at"),
)
