"""Gigs as pages, lists and search need them: a view of `objects`, for our own and for others'."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

gigs = sa.Table(
    "gigs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # objects.id
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),  # offer | request
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body_md", sa.Text),  # our own only: what its author typed
    sa.Column("body_html", sa.Text, nullable=False),  # clean, without title and terms
    sa.Column("unit", sa.Text, nullable=False),  # hour | day | one
    sa.Column("price", sa.Text),  # decimal digits for one unit; None where it is to be agreed
    sa.Column("currency", sa.Text),  # ISO 4217
    sa.Column("available", sa.Text),  # decimal digits, in units
    sa.Column("minimum", sa.Text),
    sa.Column("skills", sa.Text, nullable=False),  # JSON list of [name, URI or null]
    sa.Column("words", sa.Text, nullable=False),  # what a search looks through, in small letters
    sa.Column("page", sa.Text),  # where people read it at its origin
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("verification", sa.Text, nullable=False),
    sa.Column("published", Timestamp, nullable=False),
    sa.Column("updated", Timestamp, nullable=False),
    sa.Column("end_time", Timestamp),  # no answers after it; not after `updated`: its owner closed it
    sa.Index("ix_gigs_published", "published", "id"),
    sa.Index("ix_gigs_owner", "owner", "published"),
)
