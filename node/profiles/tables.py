"""What the owner of a profile typed, where it cannot be read back from the signed document.

The actor's document is the profile, for people here as for people elsewhere: `queries.person` reads both alike, so that
a page of ours says exactly what other servers are told. This row only keeps the sources of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.tables import metadata

profiles = sa.Table(
    "profiles",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),  # a local actor
    sa.Column("summary_md", sa.Text, nullable=False),  # Markdown, as it was typed
    sa.Column("picture", sa.Text, index=True),  # the file's name in the media folder
)
