"""Rows: the last report, and the word by which the doctor knows its own request."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

doctor = sa.Table(  # one row
    "doctor",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("report", sa.LargeBinary),  # JSON of node.doctor.rules.Finding
    sa.Column("checked_at", Timestamp),
    sa.Column("nonce", sa.Text),  # SHA-256
    sa.Column("nonce_until", Timestamp),
)
