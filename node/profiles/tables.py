"""What the owner of a profile typed, and for whom: where it cannot be read back from what is published.

The actor's document is the profile, for people here as for people elsewhere: `queries.person` reads both alike, so that
a page of ours says exactly what other servers are told. What is for followers alone is an object that they are sent
(`cards`). These rows keep the sources of both, and what is for nobody.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

profiles = sa.Table(
    "profiles",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),  # a local actor
    sa.Column("summary_md", sa.Text, nullable=False),  # Markdown, as it was typed
    sa.Column("picture", sa.Text, index=True),  # the file's name in the media folder
    sa.Column("kept", sa.LargeBinary),  # JSON of `sources.Kept`: all fields, whoever sees them
    sa.Column("answered_at", Timestamp, index=True),  # since when the answer to "are you free yet?" holds
)

cv_entries = sa.Table(
    "cv_entries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),  # a local actor
    sa.Column("section", sa.Text, nullable=False),  # experience | education | portfolio
    sa.Column("position", sa.Integer, nullable=False),  # in its section, from 0
    sa.Column("audience", sa.Text, nullable=False),  # public | followers | nobody
    sa.Column("body", sa.LargeBinary, nullable=False),  # JSON of schemas.cv.Entry, without its picture
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_cv_entries_owner", "owner", "section", "position"),
)

link_checks = sa.Table(  # whether the pages that a profile links to link back (rel=me)
    "link_checks",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("holds_since", Timestamp),  # when it was first seen to link back, without a break since
    sa.Column("checked_at", Timestamp),  # when that was last seen
    sa.Column("due_at", Timestamp, nullable=False, index=True),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
)
