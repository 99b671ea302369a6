"""Reads: what somebody was told, the newest first; how much of it is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.blocks import hidden_from
from federation.readers import may_read
from federation.storage import Tx
from federation.tables import objects
from node.learning import queries as learning
from node.market import queries as market
from node.notifications.rules import CHOICES, DEFAULTS, GROUPED, KINDS, How, Kind
from node.notifications.tables import mail_addresses, mail_choices, notifications
from node.profiles import queries as profiles
from node.profiles.queries import Person
from node.social import queries as social

PAGE_SIZE = 40


class Thing(NamedTuple):
    """What a notification is about: how it begins, where this node shows it, and whether anybody may read it."""

    title: str
    path: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class News:
    """A line of the page. people: who did it, the newest first; several only where a kind is grouped."""

    id: int
    kind: Kind
    people: tuple[Person, ...]
    actors: int
    thing: Thing | None
    object_id: str
    words: str
    at: datetime
    unread: bool

    @property
    def visitor(self) -> str:
        """The name of whoever asked without an account; else empty."""
        return self.words if self.kind == "enquiry" and not self.actors else ""

    @property
    def conversation(self) -> str:
        """Where a message or an enquiry stands; else empty."""
        if self.kind not in ("message", "enquiry"):
            return ""
        return self.words if self.actors else self.object_id.removeprefix("enquiry:").partition("/")[0]


def page(tx: Tx, reader: str, kinds: tuple[Kind, ...], *, before: int | None = None) -> tuple[list[News], int | None]:
    """A page without those whom the reader does not want to see; the cursor of the next one (None: there is none)."""
    wanted = notifications.c.actor.not_in(hidden_from(tx, reader))
    statement = sa.select(notifications).where(notifications.c.reader == reader, wanted)
    if kinds != KINDS:
        statement = statement.where(notifications.c.kind.in_(kinds))
    if before is not None:
        statement = statement.where(notifications.c.id < before)
    rows = tx.rows(statement.order_by(notifications.c.id.desc()).limit(PAGE_SIZE + 1))
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return news_of(tx, reader, rows), rows[-1].id if more else None


def news_of(tx: Tx, reader: str, rows: Sequence[Row[Any]]) -> list[News]:
    """Rows as lines, several of a grouped kind in one."""
    people = profiles.people(tx, {row.actor for row in rows if row.actor})
    things = things_of(tx, reader, [row.object_id for row in rows if row.object_id])
    return [_line(group, people, things) for group in _grouped(rows)]


def _grouped(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Rows of a grouped kind about one thing and of one day together, each group where its newest stands.

    What a message is about is its conversation.
    """
    groups: dict[Any, list[Row[Any]]] = {}
    for row in rows:
        about = row.words if row.kind == "message" else row.object_id
        key = (row.kind, about, row.created_at.date()) if row.kind in GROUPED else row.id
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _line(rows: list[Row[Any]], people: dict[str, Person], things: dict[str, Thing]) -> News:
    first = rows[0]
    shown = {row.actor: people[row.actor] for row in rows if row.actor in people}
    return News(
        id=first.id,
        kind=cast(Kind, first.kind),
        people=tuple(shown.values())[:3],
        actors=len({row.actor for row in rows if row.actor}),
        thing=things.get(first.object_id),
        object_id=first.object_id,
        words=first.words,
        at=first.created_at,
        unread=any(row.read_at is None for row in rows),
    )


def things_of(tx: Tx, reader: str, object_ids: list[str]) -> dict[str, Thing]:
    """Titles and paths of posts, gigs and modules that this reader may see."""
    if not object_ids:
        return {}
    standing = sa.select(objects.c.id, objects.c.kind).where(objects.c.id.in_(sorted(set(object_ids))))
    rows = tx.rows(standing.where(objects.c.deleted_at.is_(None)))
    of_kind = {kind: [row.id for row in rows if row.kind == kind] for kind in ("gig", "module", "post")}
    posts = social.posts(tx, [one for one in of_kind["post"] if may_read(tx, one, reader)])
    found = {one.id: Thing(one.title, one.path, one.is_open) for one in posts.values()}
    for views in (market.views(tx, of_kind["gig"]), learning.views(tx, of_kind["module"])):
        found |= {one.id: Thing(one.title, one.path, True) for one in views.values()}
    return found


class MailSettings(NamedTuple):
    """Where somebody gets mail. address: empty where there is none; confirmed: whether it is known to be theirs."""

    address: str
    confirmed: bool
    how: dict[str, How]


def mail_settings(tx: Tx, actor_id: str) -> MailSettings:
    """The address and the choices, by the names of `rules.CHOICES`."""
    row = tx.row(sa.select(mail_addresses).where(mail_addresses.c.actor_id == actor_id))
    chosen = choices_of(tx, actor_id)
    how = {choice.name: chosen[choice.kinds[0]] for choice in CHOICES}
    return MailSettings(row.address if row else "", row is not None and row.confirmed_at is not None, how)


def choices_of(tx: Tx, actor_id: str) -> dict[Kind, How]:
    """How each kind is mailed."""
    rows = tx.rows(sa.select(mail_choices.c.kind, mail_choices.c.how).where(mail_choices.c.actor_id == actor_id))
    return DEFAULTS | {row.kind: row.how for row in rows}
