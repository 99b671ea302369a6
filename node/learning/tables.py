"""Modules as pages, lists and search need them: a view of `objects`, for our own and for others'."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

modules = sa.Table(
    "modules",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # objects.id
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("body_md", sa.Text),  # our own only: what its author typed
    sa.Column("body_html", sa.Text, nullable=False),  # clean, without the title, headings as they were written
    sa.Column("licence", sa.Text),  # a URI
    sa.Column("minutes", sa.Integer),
    sa.Column("skills", sa.Text, nullable=False),  # JSON list of [name, URI or null]
    sa.Column("page", sa.Text),  # where people read it at its origin
    sa.Column("announcement", sa.Text),  # our own only: the Note that links it
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("verification", sa.Text, nullable=False),
    sa.Column("published", Timestamp, nullable=False),
    sa.Column("updated", Timestamp, nullable=False),
    sa.Index("ix_modules_published", "published", "id"),
    sa.Index("ix_modules_owner", "owner", "published"),
)
