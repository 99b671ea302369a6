"""The rows that federation owns. The product's slices add tables of their own to the same `metadata`.

An actor, activity or object is keyed by its id (an URL): whoever mints ids never reuses one. `body` and `document`
are the exact bytes that were received or signed; every other column is a view of them that some query needs.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Timestamp

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")

actors = sa.Table(
    "actors",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("username", sa.Text, nullable=False),  # preferredUsername
    sa.Column("host", sa.Text, nullable=False),  # host[:port] of the id, lower case
    sa.Column("acct", sa.Text),  # user@host, only when WebFinger confirmed it both ways
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("url", sa.Text),  # the page for people
    sa.Column("icon", sa.Text),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("shared_inbox", sa.Text),
    sa.Column("outbox", sa.Text),
    sa.Column("followers", sa.Text),
    sa.Column("following", sa.Text),
    sa.Column("manually_approves", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("verification", sa.Text, nullable=False),  # federation.types.Verification
    sa.Column("first_seen", Timestamp, nullable=False),
    sa.Column("fetched_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("gone_at", Timestamp),
    sa.Column("discoverable", sa.Boolean),  # wants to be found; None: look into the document
    sa.Column("indexable", sa.Boolean),  # wants their posts to be found
    sa.Index("ix_actors_acct", "acct"),
    sa.Index("ix_actors_host", "host"),
    sa.Index("ix_actors_updated_at", "updated_at", "id"),
    sa.Index("ix_actors_local_username", "username", unique=True, sqlite_where=sa.text("local"),
             postgresql_where=sa.text("local")),
)  # fmt: skip

actor_keys = sa.Table(
    "actor_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the key id that stands in signatures
    sa.Column("actor_id", sa.Text, nullable=False, index=True),
    sa.Column("algorithm", sa.Text, nullable=False),  # rsa | ed25519
    sa.Column("public", sa.Text, nullable=False),  # SPKI PEM for rsa, multibase for ed25519
    sa.Column("sealed", sa.LargeBinary),  # the private half, sealed by keys.vault; local actors only
    sa.Column("first_seen", Timestamp, nullable=False),
    sa.Column("last_seen", Timestamp, nullable=False),  # when its actor's document last listed it
    sa.Column("retired_at", Timestamp),  # no longer listed, or rotated away: it signs nothing more
    sa.Column("revoked_at", Timestamp),  # in other hands since then: only what was signed and seen before counts
    sa.Column("expires_at", Timestamp),  # as its actor says: what it signed before counts
    sa.Column("vouched", sa.Text, nullable=False, server_default="first"),  # first | key | server: who names it so
    sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()),  # to be asked for before its next use
    sa.Column("proof", sa.LargeBinary),  # of ours: JSON, by which the key before it confirms it
)

known_identities = sa.Table(  # which did:key says that it is which actor, here or elsewhere (FEP-c390)
    "known_identities",
    metadata,
    sa.Column("actor_id", sa.Text, primary_key=True),
    sa.Column("did", sa.Text, primary_key=True, index=True),
    sa.Column("statement", sa.LargeBinary, nullable=False),  # JSON, signed by the did:key
    sa.Column("first_seen", Timestamp, nullable=False),
    sa.Column("stated_at", Timestamp, nullable=False),  # since when the newest statement is known here
    sa.Column("checked_at", Timestamp, nullable=False),  # when it was last found in the actor's document
    sa.Column("gone_at", Timestamp),  # since when the actor lists it no more
)

known_successions = sa.Table(  # an identity key that another took the place of, as both have signed
    "known_successions",
    metadata,
    sa.Column("did", sa.Text, primary_key=True),  # the old one: what it said first stands
    sa.Column("successor", sa.Text, nullable=False, index=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("seen_at", Timestamp, nullable=False),
)

follows = sa.Table(
    "follows",
    metadata,
    sa.Column("follower", sa.Text, primary_key=True),
    sa.Column("followee", sa.Text, primary_key=True),
    sa.Column("activity_id", sa.Text, nullable=False, index=True),  # the Follow
    sa.Column("state", sa.Text, nullable=False),  # requested | accepted | rejected
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("decided_at", Timestamp),
    sa.Index("ix_follows_followee_state", "followee", "state", "created_at"),
    sa.Index("ix_follows_follower_state", "follower", "state", "created_at"),
)

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("created_at", Timestamp, nullable=False),
)

mutes = sa.Table(  # whom a local actor does not want to see; told to nobody
    "mutes",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("until", Timestamp),  # None: until it is taken back
)

moves = sa.Table(  # the last Move of an actor, here or elsewhere: the next one has to wait
    "moves",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
)

follower_checks = sa.Table(  # whose followers here are to be compared with its own list (FEP-8fcf)
    "follower_checks",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),  # somebody elsewhere
    sa.Column("url", sa.Text, nullable=False),  # the part of its list that is about us
    sa.Column("wanted_at", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
)

relays = sa.Table(  # what tells us of public things that nobody here follows (FEP-ae0c)
    "relays",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # the relay's actor
    sa.Column("kind", sa.Text, nullable=False),  # mastodon | litepub: whom its Follow names
    sa.Column("follow_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # requested | accepted | rejected
    sa.Column("created_at", Timestamp, nullable=False),
)

relayed = sa.Table(  # what is here only because a relay told of it
    "relayed",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("relay", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False, index=True),
)

activities = sa.Table(  # what local actors did: the outbox; and what of others they forward, under its own actor
    "activities",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("published", Timestamp, nullable=False),
    sa.Index("ix_activities_outbox", "actor_id", "public", "id"),
)

objects = sa.Table(  # what stands at an id, ours and others', with its tombstone
    "objects",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # post | gig | module, as the product understood it
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),  # federation.types.Visibility
    sa.Column("url", sa.Text),
    sa.Column("in_reply_to", sa.Text),
    sa.Column("body", sa.LargeBinary),  # None once it is a tombstone
    sa.Column("verification", sa.Text, nullable=False),
    sa.Column("published", Timestamp, nullable=False),
    sa.Column("updated", Timestamp, nullable=False),
    sa.Column("received_at", Timestamp, nullable=False),
    sa.Column("deleted_at", Timestamp),
    sa.Column("changed_at", Timestamp),  # when its present words came, where they are not the first
    sa.Index("ix_objects_owner", "owner", "kind", "published"),
    sa.Index("ix_objects_old", "received_at", sqlite_where=sa.text("NOT local"), postgresql_where=sa.text("NOT local")),
    sa.Index("ix_objects_in_reply_to", "in_reply_to", sqlite_where=sa.text("in_reply_to IS NOT NULL"),
             postgresql_where=sa.text("in_reply_to IS NOT NULL")),
)  # fmt: skip

object_recipients = sa.Table(  # who may read what is not public
    "object_recipients",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("recipient", sa.Text, primary_key=True),  # an actor or a followers collection
)

reactions = sa.Table(  # who likes an object, and who passed it on: each once
    "reactions",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # like | boost
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("activity_id", sa.Text, nullable=False, index=True),  # the Like or Announce, for its Undo
    sa.Column("at", Timestamp, nullable=False),
    sa.Index("ix_reactions_actor", "actor", "kind", "object_id"),
)

featured = sa.Table(  # what an actor, here or elsewhere, pins to its profile
    "featured",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True, index=True),
    sa.Column("at", Timestamp, nullable=False),
)

inbox_messages = sa.Table(
    "inbox_messages",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("activity_id", sa.Text, nullable=False, unique=True),  # for ever: an effect happens once
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),  # what it is about: messages of one actor about one thing keep their order
    sa.Column("signer", sa.Text, nullable=False),  # JSON of federation.types.Signer
    sa.Column("body", sa.LargeBinary),  # None once done: what it said has had its effect
    sa.Column("received_at", Timestamp, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending | done | refused | parked
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Index("ix_inbox_messages_due", "due_at", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("ix_inbox_messages_parked", "received_at", sqlite_where=sa.text("state = 'parked'"),
             postgresql_where=sa.text("state = 'parked'")),
    sa.Index("ix_inbox_messages_order", "subject", "actor_id", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
)  # fmt: skip

seen_activities = sa.Table(  # for ever, of what came in and was forgotten: the first half of its id's SHA-256
    "seen_activities",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("activity_id", sa.Text, nullable=False, index=True),
    sa.Column("sender", sa.Text, nullable=False),  # the local actor whose key signs
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("recipients", sa.Text),  # JSON list of actor ids behind a shared inbox, for the fallback
    sa.Column("object_id", sa.Text, nullable=False),  # the order of one object's activities to one host is kept
    sa.Column("state", sa.Text, nullable=False),  # pending | done | given_up
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),  # that failed for reasons of this item
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("leased_until", Timestamp),  # where several workers share a database: one of them has it in hand
    sa.Column("last_status", sa.Integer),
    sa.Column("last_error", sa.Text),
    sa.Column("finished_at", Timestamp),
    sa.UniqueConstraint("activity_id", "inbox"),
    sa.Index("ix_deliveries_due", "host", "due_at", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("ix_deliveries_given_up", "finished_at", sqlite_where=sa.text("state = 'given_up'"),
             postgresql_where=sa.text("state = 'given_up'")),
    sa.Index("ix_deliveries_order", "object_id", "host", "state", "id"),  # of all: an Update goes to whoever got it
)  # fmt: skip

told = sa.Table(  # who ever got a thing of ours, once the deliveries are forgotten
    "told",
    metadata,
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("inbox", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("recipients", sa.Text),  # as in `deliveries`
)

reached = sa.Table(  # where anything ever went, for ever: whoever ends must tell them all; see `federation.endings`
    "reached",
    metadata,
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("inbox", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("delivery_id", Serial, nullable=False, index=True),  # the last one that was counted
)

peers = sa.Table(  # one row a host that we deliver to: its circuit and what it understands
    "peers",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("scheme", sa.Text),  # rfc9421 | cavage: what it accepted last
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row, of the host and not of an item
    sa.Column("failing_since", Timestamp),
    sa.Column("retry_at", Timestamp),  # the circuit is open until then
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("last_success", Timestamp),
    sa.Column("last_error", sa.Text),
)

host_rules = sa.Table(  # the operator's policy: blocked and limited hosts
    "host_rules",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),  # block | limit | allow
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Timestamp, nullable=False),
)

severed_follows = sa.Table(  # what the block of a server has ended, for the people whom it parted
    "severed_follows",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),  # of the rule
    sa.Column("follower", sa.Text, primary_key=True),
    sa.Column("followee", sa.Text, primary_key=True),
    sa.Column("at", Timestamp, nullable=False),
)
