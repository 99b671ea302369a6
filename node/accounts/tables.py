"""Rows: the node itself, the people who sign in, where they are signed in, and what else proves who they are."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp
from federation.tables import Serial, metadata


def _account(*, primary_key: bool = False, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    """Rows that end with their account."""
    owner = sa.ForeignKey("accounts.id", ondelete="CASCADE")
    return sa.Column(
        "account_id",
        Serial,
        owner,
        primary_key=primary_key,
        autoincrement=False,
        nullable=nullable,
        index=index or None,
    )


node = sa.Table(  # one row
    "node",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.Text),  # None until set-up; then for ever
    sa.Column("handle_domain", sa.Text),
    sa.Column("master_key", sa.Text, nullable=False),  # the key's fingerprint: which one opens what is sealed here
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("set_up_at", Timestamp),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("username", sa.Text, nullable=False, unique=True),
    sa.Column("actor_id", sa.Text, nullable=False, unique=True),
    sa.Column("password", sa.Text, nullable=False),  # argon2id, in the PHC string format
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("language", sa.Text),  # of its pages; None: what the browser asks for
    sa.Column("theme", sa.Text),  # light | dark; None: what the system asks for
    sa.Column("role", sa.Text),  # owner: runs the node; None: lives here
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of the secret in the cookie
    _account(index=True),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("browser", sa.Text),
    sa.Column("system", sa.Text),
    sa.Column("network", sa.Text),  # a rough one, and only for a while
    sa.Column("seen_at", Timestamp),  # within the hour
    sa.Column("proved_at", Timestamp),  # when its owner last proved who they are
)

sign_ins = sa.Table(  # the log of who came in, for the owner's eyes
    "sign_ins",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    _account(index=True),
    sa.Column("at", Timestamp, nullable=False, index=True),
    sa.Column("way", sa.Text, nullable=False),  # setup | password | code | recovery | passkey | link
    sa.Column("browser", sa.Text),
    sa.Column("system", sa.Text),
    sa.Column("network", sa.Text),
)

tickets = sa.Table(  # secrets that are good once, and not for long
    "tickets",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of the secret
    sa.Column("purpose", sa.Text, nullable=False),
    _account(nullable=True, index=True),
    sa.Column("expires_at", Timestamp, nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    sa.Column("credential", sa.Text, primary_key=True),  # the authenticator's id for it, in base64url
    sa.Column("name", sa.Text, nullable=False, unique=True),  # in our addresses
    _account(index=True),
    sa.Column("label", sa.Text, nullable=False),  # what its owner calls it
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("used_at", Timestamp),
)

code_apps = sa.Table(  # an app that shows six digits, one at most for each account
    "code_apps",
    metadata,
    _account(primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the shared secret, sealed by keys.vault
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("confirmed_at", Timestamp),  # None until the first code fits: it asks for nothing before
    sa.Column("last_step", sa.BigInteger),  # the step of the last code: none counts twice
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    _account(primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256
    sa.Column("used_at", Timestamp),
)

sent_forms = sa.Table(  # forms that made something, so that the same one makes it once
    "sent_forms",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # of whose it is, its mark and all that stands in it
    sa.Column("made", sa.Text),  # what it made: an id
    sa.Column("at", Timestamp, nullable=False, index=True),
)
