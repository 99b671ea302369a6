"""Packs that were brought here to be looked at. One's own are objects like any other, read from `objects`."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

pack_visits = sa.Table(  # a pack of somebody else, kept for a week for whoever brought it
    "pack_visits",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("reader", sa.Text, nullable=False, index=True),  # a local actor
    sa.Column("document", sa.LargeBinary, nullable=False),  # as it came
    sa.Column("signature", sa.Text, nullable=False),  # holds | unknown | none: delivered by its server
    sa.Column("sentence", sa.Text, nullable=False),  # what was seen when that was checked
    sa.Column("created_at", Timestamp, nullable=False, index=True),
)
