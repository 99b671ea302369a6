"""Rows: the identity keys of the people who live here, sealed with codes that nobody here knows."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

identities = sa.Table(  # what others know of them stands in `known_identities`
    "identities",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),  # a local actor
    sa.Column("did", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # untried | claimed | former: node.identity.rules
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # by keys.identity
    sa.Column("statement", sa.LargeBinary),  # JSON; None: it came from elsewhere, and nobody has opened it here yet
    sa.Column("made_at", Timestamp, nullable=False),
    sa.Column("tried_at", Timestamp),  # when its code last opened it
    sa.Column("ended_at", Timestamp),
    sa.Column("succession", sa.LargeBinary),  # JSON by which it names its successor; None for one that was given up
)
