"""Credentials that people here issued and hold, and the lists on which issued ones are taken back."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import metadata

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # ours; the last part of the addresses of its pages
    sa.Column("side", sa.Text, nullable=False),  # issued | held, by people here; seen: on a profile elsewhere
    sa.Column("owner", sa.Text, nullable=False),  # the actor who issued it, holds it, or shows it there
    sa.Column("uri", sa.Text, nullable=False),  # the id that it names itself
    sa.Column("kind", sa.Text, nullable=False),  # badge | endorsement | other, as it was understood
    sa.Column("state", sa.Text, nullable=False),  # issued | revoked; offered | held; seen
    sa.Column("audience", sa.Text, nullable=False, server_default="nobody"),  # of one that is held: who may see it
    sa.Column("issuer", sa.Text, nullable=False, index=True),
    sa.Column("subject", sa.Text, nullable=False, index=True),  # a did:key, or the id of an actor
    sa.Column("skill", sa.Text),  # of an endorsement: `rules.skill_key` of what it speaks of
    sa.Column("person", sa.Text),  # of one that was issued: the actor to whom it was sent
    sa.Column("body", sa.LargeBinary, nullable=False),  # the bytes as they came, or went
    sa.Column("came_at", Timestamp, nullable=False),
    sa.Column("valid_until", Timestamp),
    sa.Column("list_url", sa.Text, index=True),  # where it would be taken back
    sa.Column("list_index", sa.Integer),
    sa.Column("revoked_at", Timestamp),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),  # why it was taken back, for the issuer alone
    sa.Column("note", sa.Text, index=True),  # id of the post that brought it; of one that was seen: its address
    sa.Column("found", sa.LargeBinary),  # JSON of the last check: `rules.Found`
    sa.Column("checked_at", Timestamp),
    sa.Column("due_at", Timestamp, index=True),  # when it is checked next
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # of checks in a row that said "unknown"
    sa.Column("stapled", sa.LargeBinary),  # the status list that came along when its holder moved here
    sa.UniqueConstraint("owner", "side", "issuer", "uri"),  # nobody takes the place of what another has issued,
)

kept_lists = sa.Table(  # the newest list that was seen of an issuer elsewhere: what is stapled to a held credential
    "kept_lists",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),  # as it came, with its proofs
    sa.Column("as_of", Timestamp, nullable=False),  # of when it says that it is
    sa.Column("seen_at", Timestamp, nullable=False),
)

status_lists = sa.Table(  # of people here
    "status_lists",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),  # how many entries were given away
    sa.Column("seed", sa.LargeBinary, nullable=False),  # in which order: neighbours say nothing of each other
    sa.Column("bits", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # signed
    sa.Column("signed_at", Timestamp, nullable=False, index=True),
    sa.Column("formerly", sa.Text, index=True),  # the list whose word this one carries on, since its issuer moved here
)
