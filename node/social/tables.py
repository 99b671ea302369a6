"""The home timeline: one row for each reader and each thing that is for them, written when the thing comes.

Reading a page of it costs the same however much the node knows, and nobody can see by it what was not meant for them.
Posts themselves have no table: they are read from `objects`, as they were signed. Only what their owner typed is kept
beside them, so that it can be changed; it is told to nobody else.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata
from federation.tables import reactions as reactions

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("reader", sa.Text, primary_key=True),  # a local actor
    sa.Column("kind", sa.Text, nullable=False),  # post | gig | module, as in `objects`
    sa.Column("reason", sa.Text, nullable=False),  # own | followed | addressed | boosted | tagged
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

post_sources = sa.Table(
    "post_sources",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("body_md", sa.Text, nullable=False),
)

votes = sa.Table(  # what people here chose in polls elsewhere
    "votes",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("voter", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", Timestamp, nullable=False),
)

lookups = sa.Table(  # what is to be asked of other servers in the background; see `node.social.seeking`
    "lookups",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),  # outbox: of somebody newly followed | context: around a post
    sa.Column("subject", sa.Text, nullable=False),  # whose outbox, or which post
    sa.Column("reader", sa.Text, nullable=False),  # the local actor for whom it is
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("asked_at", Timestamp, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
    sa.UniqueConstraint("kind", "subject", "reader"),
    sa.Index("ix_lookups_due", "due_at", "id", sqlite_where=sa.text("done_at IS NULL"),
             postgresql_where=sa.text("done_at IS NULL")),
)  # fmt: skip
