"""What can be found, who may find it, and hashtags: of things that stand elsewhere in the database.

The terms themselves stand in `search_words`, which either engine has in its own form: a virtual table of FTS5 on
SQLite, a column with a GIN index on PostgreSQL. No word of SQLAlchemy makes it, so the statements stand here; a
migration that creates `search_index` takes them over (`node/migrations/env.py`). Only `node.search.engine` asks it.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata

WORDS = "search_words"

search_index = sa.Table(
    "search_index",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),  # newer things have higher ones
    sa.Column("subject", sa.Text, nullable=False, unique=True),  # an object or an actor
    sa.Column("kind", sa.Text, nullable=False),  # people | gig | module | post
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("open", sa.Boolean, nullable=False),  # anybody may find it; else its owner and whom it addresses
    sa.Column("title", sa.Text, nullable=False),  # the terms of its name or title
    sa.Column("at", Timestamp, nullable=False),  # when it was published
)

STATEMENTS = {  # made and dropped with `search_index`; the names of all that they make begin with `search_words`
    "sqlite": (f"CREATE VIRTUAL TABLE {WORDS} USING fts5(terms, detail=none, tokenize=\"ascii tokenchars ':'\")",),
    "postgresql": (
        f"CREATE TABLE {WORDS} (id bigint PRIMARY KEY, terms tsvector NOT NULL)",
        f"CREATE INDEX ix_{WORDS}_terms ON {WORDS} USING gin (terms)",
    ),
}
metadata.info.setdefault("beside", {})[search_index.name] = STATEMENTS


def _statement(text: str) -> sa.DDL:
    return sa.DDL(text)  # type: ignore[no-untyped-call]


for _dialect, _made in STATEMENTS.items():
    for _one in _made:
        sa.event.listen(search_index, "after_create", _statement(_one).execute_if(dialect=_dialect))
sa.event.listen(search_index, "before_drop", _statement(f"DROP TABLE IF EXISTS {WORDS}"))

search_progress = sa.Table(  # how far the index is written: everything before (`at`, `place`) was looked at
    "search_progress",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),  # people | objects
    sa.Column("version", sa.Integer, nullable=False),  # node.search.rules.VERSION
    sa.Column("at", Timestamp),
    sa.Column("place", sa.Text, nullable=False, server_default=""),
    sa.Column("done_at", Timestamp),  # of objects: what comes later is written as it comes
)

object_tags = sa.Table(  # the hashtags of what anybody may read
    "object_tags",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),  # as `node.search.rules.hashtag` writes it
    sa.Column("at", Timestamp, nullable=False),
    sa.Index("ix_object_tags_tag", "tag", "at", "object_id"),
)

tag_follows = sa.Table(  # the hashtags that people here follow; told to nobody
    "tag_follows",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True, index=True),
    sa.Column("created_at", Timestamp, nullable=False),
)
