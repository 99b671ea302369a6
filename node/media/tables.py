"""Pictures: those that people here have uploaded, and what is kept of those of other servers.

A row that is `dropped_at` is as good as gone; its files are removed by `node.media.sweep`, which then removes the row.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

media = sa.Table(
    "media",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),  # a local actor
    sa.Column("name", sa.Text, nullable=False, index=True),  # of the large one in the media folder
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),  # in pixels
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("alt", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("object_id", sa.Text, index=True),  # the post that it goes with; None until there is one
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),  # in that post
    sa.Column("dropped_at", Timestamp),
    sa.Index("ix_media_owner", "owner", "object_id"),
)

remote_media = sa.Table(
    "remote_media",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the signature in its address
    sa.Column("subject", sa.Text, nullable=False, index=True),  # the object or actor that names it
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("name", sa.Text, index=True),  # in the cache folder; None while it cannot be had
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),  # in bytes
    sa.Column("fetched_at", Timestamp, nullable=False),
    sa.Column("used_at", Timestamp, nullable=False, index=True),
    sa.Column("retry_at", Timestamp),  # not asked for again before then
    sa.Column("dropped_at", Timestamp),
)
