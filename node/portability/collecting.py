"""What is somebody's own, slice by slice: who adds a table that holds something of a person adds a line to SLICES.

Each slice becomes a file of JSON lines; what was signed or received goes beside it byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from federation import operate
from federation.clock import iso
from federation.storage import Tx
from federation.tables import (
    activities,
    actors,
    blocks,
    featured,
    follows,
    moves,
    mutes,
    object_recipients,
    objects,
    reactions,
)
from node.accounts.tables import accounts, passkeys, sessions, sign_ins
from node.credentials.tables import credentials
from node.identity.queries import identities_here
from node.identity.rules import text_of
from node.learning.tables import modules
from node.market.tables import gigs
from node.media.tables import media
from node.messages.tables import conversations, messages
from node.moderation.tables import reports
from node.notifications.tables import mail_addresses, mail_choices, notifications
from node.packs.queries import KIND as PACK
from node.portability.rows import Entry, Whose, entries
from node.profiles.entries import form_of_entry
from node.profiles.queries import picture_name
from node.profiles.rules import form_of
from node.profiles.sources import own_entries, own_person
from node.search.tables import tag_follows
from node.social.tables import post_sources, votes

Item = tuple[Entry, bytes | None]
Collect = Callable[[Tx, Whose], Iterator[Item]]


class Slice(NamedTuple):
    """One file of the archive."""

    name: str
    collect: Collect


def _profile(tx: Tx, whose: Whose) -> Iterator[Item]:
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == whose.actor_id))
    held = own_person(tx, whose.actor_id)
    entry = {"form": form_of(held), "type": held.type, "picture": picture_name(tx, whose.actor_id)}
    yield msgspec.to_builtins(entry), bytes(document)


def _cv(tx: Tx, whose: Whose) -> Iterator[Item]:
    for line in own_entries(tx, whose.actor_id):
        picture = line.picture.name if line.picture else None
        form = form_of_entry(line.entry, line.audience)
        yield {"id": line.id, "section": line.section, "form": form, "picture": picture}, None


def _enquiries(tx: Tx, whose: Whose) -> Iterator[Item]:
    """What visitors without an account asked, and what was answered."""
    theirs = sa.select(messages).join(conversations, conversations.c.id == messages.c.conversation_id)
    for entry in entries(tx, theirs.where(conversations.c.reader == whose.actor_id).order_by(messages.c.id)):
        yield entry, None


def _keys(tx: Tx, whose: Whose) -> Iterator[Item]:
    for key in operate.local_keys(tx):
        if key.actor_id == whose.actor_id:
            dates = {
                "since": key.first_seen,
                "until": key.retired_at,
                "expires": key.expires_at,
                "revoked": key.revoked_at,
            }
            known = {name: iso(moment) for name, moment in dates.items() if moment is not None}
            named = {"id": key.id, "algorithm": key.algorithm, "state": key.state, "public": key.public}
            yield named | known, None


def _identity(tx: Tx, whose: Whose) -> Iterator[Item]:
    """The keys by which others know somebody, sealed with codes that no server has."""
    found = identities_here(tx, whose.actor_id)
    for one in found.all:
        said = {"succession": one.succession.decode()} if one.succession is not None else {}
        known = {"did": one.did, "state": one.state, "sealed": text_of(one.sealed), "made_at": iso(one.made_at)}
        yield known | said, one.statement


_OBJECT = [objects.c[name] for name in ("id", "type", "visibility", "url", "in_reply_to", "published", "updated")]


def _published(
    kind: str, source: sa.ColumnElement[Any], key: sa.ColumnElement[str], *more: sa.ColumnElement[Any]
) -> Collect:
    """What somebody published of a kind, with what they typed."""

    def collect(tx: Tx, whose: Whose) -> Iterator[Item]:
        mine = (objects.c.owner == whose.actor_id, objects.c.local, objects.c.kind == kind)
        columns = sa.select(*_OBJECT, *more, source.label("source"), objects.c.body)
        joined = columns.join_from(objects, key.table, key == objects.c.id, isouter=True)
        standing = joined.where(*mine, objects.c.deleted_at.is_(None))
        return _with_originals(tx, standing.order_by(objects.c.published, objects.c.id))

    return collect


def _packs(tx: Tx, whose: Whose) -> Iterator[Item]:
    mine = (objects.c.owner == whose.actor_id, objects.c.local, objects.c.kind == PACK, objects.c.deleted_at.is_(None))
    return _with_originals(tx, sa.select(*_OBJECT, objects.c.body).where(*mine).order_by(objects.c.published))


def _credentials(tx: Tx, whose: Whose) -> Iterator[Item]:
    """What they hold and have issued, byte for byte, with the entries in which the latter would be taken back."""
    theirs = sa.select(credentials).where(credentials.c.owner == whose.actor_id).order_by(credentials.c.id)
    for row in tx.rows(theirs):
        hidden = ("body", "found")
        entry = {name: value for name, value in row._mapping.items() if name not in hidden and value is not None}
        yield {name: iso(value) if isinstance(value, datetime) else value for name, value in entry.items()}, row.body


def _received(tx: Tx, whose: Whose) -> Iterator[Item]:
    """What others wrote to somebody alone."""
    for_them = sa.exists().where(
        object_recipients.c.object_id == objects.c.id, object_recipients.c.recipient == whose.actor_id
    )
    direct = (objects.c.visibility == "direct", ~objects.c.local, objects.c.deleted_at.is_(None), for_them)
    statement = sa.select(*_OBJECT, objects.c.owner, objects.c.body).where(*direct)
    return _with_originals(tx, statement.order_by(objects.c.published, objects.c.id))


def _activities(tx: Tx, whose: Whose) -> Iterator[Item]:
    names = ("id", "type", "object_id", "public", "published", "body")
    mine = sa.select(*(activities.c[name] for name in names)).where(activities.c.actor_id == whose.actor_id)
    return _with_originals(tx, mine.order_by(activities.c.published, activities.c.id))


def _with_originals(tx: Tx, statement: sa.Select[Any]) -> Iterator[Item]:
    for row in tx.execute(statement.execution_options(yield_per=200)):
        values = dict(row._mapping)
        body = values.pop("body")
        yield msgspec.to_builtins({name: value for name, value in values.items() if value is not None}), bytes(body)


def _people(mine: sa.ColumnElement[str], other: sa.ColumnElement[str]) -> Collect:
    """Rows that join somebody with others: who, by id and handle."""

    def collect(tx: Tx, whose: Whose) -> Iterator[Item]:
        table = mine.table
        rest = [column for column in table.c if column not in (mine, other)]
        columns = sa.select(other.label("actor"), actors.c.acct, *rest)
        joined = columns.join_from(table, actors, actors.c.id == other, isouter=True)
        for entry in entries(tx, joined.where(mine == whose.actor_id).order_by(other)):
            yield entry, None

    return collect


def _rows(owner: sa.ColumnElement[Any], *hidden: str) -> Collect:
    """Rows of a table that belong to somebody, by actor or by account; hidden: columns that are secrets."""

    def collect(tx: Tx, whose: Whose) -> Iterator[Item]:
        table = owner.table
        who: str | int = whose.account_id if owner.key in ("account_id", "id") else whose.actor_id
        shown = [column for column in table.c if column.name not in hidden]
        for entry in entries(tx, sa.select(*shown).where(owner == who).order_by(*table.primary_key)):
            yield entry, None

    return collect


SLICES: tuple[Slice, ...] = (
    Slice("account", _rows(accounts.c.id, "password", "id")),
    Slice("profile", _profile),
    Slice("cv", _cv),
    Slice("keys", _keys),
    Slice("identity", _identity),
    Slice("posts", _published("post", post_sources.c.body_md, post_sources.c.object_id)),
    Slice("gigs", _published("gig", gigs.c.body_md, gigs.c.id)),
    Slice("modules", _published("module", modules.c.body_md, modules.c.id, modules.c.announcement)),
    Slice("packs", _packs),
    Slice("credentials", _credentials),
    Slice("messages", _received),
    Slice("conversations", _rows(conversations.c.reader, "secret")),
    Slice("conversation-lines", _enquiries),
    Slice("media", _rows(media.c.owner)),
    Slice("featured", _rows(featured.c.actor)),
    Slice("reactions", _rows(reactions.c.actor)),
    Slice("following", _people(follows.c.follower, follows.c.followee)),
    Slice("followers", _people(follows.c.followee, follows.c.follower)),
    Slice("blocks", _people(blocks.c.actor, blocks.c.target)),
    Slice("mutes", _people(mutes.c.actor, mutes.c.target)),
    Slice("tags", _rows(tag_follows.c.actor)),
    Slice("moves", _rows(moves.c.actor)),
    Slice("votes", _rows(votes.c.voter)),
    Slice("reports", _rows(reports.c.reporter)),
    Slice("notifications", _rows(notifications.c.reader)),
    Slice("mail-addresses", _rows(mail_addresses.c.actor_id, "token", "unsubscribe")),
    Slice("mail-choices", _rows(mail_choices.c.actor_id)),
    Slice("sessions", _rows(sessions.c.account_id, "digest", "account_id")),
    Slice("sign-ins", _rows(sign_ins.c.account_id, "account_id")),
    Slice("passkeys", _rows(passkeys.c.account_id, "public_key", "account_id")),
    Slice("activities", _activities),
)
