"""Rows: the lock that backups are sealed to, and what became of each backup."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

recovery = sa.Table(  # one row, once there is a phrase
    "recovery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("public", sa.LargeBinary, nullable=False),  # keys.sealing.Lock; the phrase itself is on paper
    sa.Column("made_at", Timestamp, nullable=False),
    sa.Column("nightly", sa.Boolean, nullable=False),  # whether the worker makes a backup every night
    sa.Column("wanted_at", Timestamp),  # somebody asked for one, and the worker has not begun it yet
)

backups = sa.Table(
    "backups",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("way", sa.Text, nullable=False),  # command | page | nightly
    sa.Column("started_at", Timestamp, nullable=False, index=True),
    sa.Column("finished_at", Timestamp),  # None: under way, or it ended with its process
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger),  # in bytes, once it is whole
    sa.Column("error", sa.Text),  # why there is none
)
