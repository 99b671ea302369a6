"""Lists that somebody brought along, read row by row in the background, each row with what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

list_imports = sa.Table(
    "list_imports",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),  # a local actor
    sa.Column("kind", sa.Text, nullable=False),  # follows | blocks | mutes
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("finished_at", Timestamp),
)

list_import_rows = sa.Table(
    "list_import_rows",
    metadata,
    sa.Column("import_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # the line in the file, from 1
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending | done | failed
    sa.Column("words", sa.Text, nullable=False, server_default=""),  # why not
    sa.Index("ix_list_import_rows_pending", "import_id", "number", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
)  # fmt: skip
