"""The home timeline: one row for each reader and each thing that is for them, written when the thing comes.

Reading a page of it costs the same however much the node knows, and nobody can see by it what was not meant for them.
Posts themselves have no table: they are read from `objects`, as they were signed.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("reader", sa.Text, primary_key=True),  # a local actor
    sa.Column("kind", sa.Text, nullable=False),  # post | gig | module, as in `objects`
    sa.Column("reason", sa.Text, nullable=False),  # own | followed | addressed | boosted
    sa.Column("via", sa.Text),  # who boosted it
    sa.Column("at", Timestamp, nullable=False),  # where it stands: when it was published, never in the future
    sa.Index("ix_timeline_home", "reader", "at", "object_id"),
    sa.Index(
        "ix_timeline_kind",  # for the tabs: most rows are posts, and those are not in it
        "reader",
        "kind",
        "at",
        "object_id",
        sqlite_where=sa.text("kind <> 'post'"),
        postgresql_where=sa.text("kind <> 'post'"),
    ),
)
