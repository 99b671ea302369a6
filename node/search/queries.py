"""Reads: what fits some words, what carries a hashtag. What a reader may not see is never told, nor counted.

A reader finds what is open to everybody, what is their own, and what was addressed to them; never what somebody wrote
whom they block or mute, or who blocks them. Ranked is a bounded number of the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from federation.blocks import hidden_from
from federation.storage import Tx
from federation.tables import actors, object_recipients, objects
from node.cursors import before as earlier_than
from node.cursors import cursor_of
from node.search import engine
from node.search.rules import KINDS, Candidate, Kind, Query, ranked
from node.search.tables import object_tags, search_index, tag_follows

PAGE_SIZE = 20
MOST = 1_000  # of one kind are counted
RANKED = 200  # of the newest of one kind are ranked
TITLED = 100  # and of those with all words in their title, however old

Allowed = Callable[[str], bool]
"""Whether anything of an owner may be shown at all: the operator may have blocked their server."""


class Found(NamedTuple):
    """What fits. counts: how many of each kind, at most 1,000; more: of which kinds there are more than that."""

    found: list[Candidate]
    counts: Mapping[Kind, int]
    more: frozenset[Kind]

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum(self.counts.values())


def search(tx: Tx, query: Query, reader: str, allowed: Allowed, *, kinds: Sequence[Kind] = KINDS) -> Found:
    """What somebody finds, the best first. All kinds are counted; `kinds` says which are in the list."""
    searcher = _Searcher(tx, reader, allowed)
    found: list[Candidate] = []
    counts: dict[Kind, int] = {}
    for kind in KINDS if query.terms else ():
        theirs, counts[kind] = searcher.of_kind(query.terms, kind)
        if kind in kinds:
            found += theirs
    more = frozenset(kind for kind, count in counts.items() if count > MOST)
    shown = {kind: min(counts.get(kind, 0), MOST) for kind in KINDS}
    return Found(ranked(found, query), shown, more)


_COLUMNS = (search_index.c.subject, search_index.c.kind, search_index.c.owner, search_index.c.title, search_index.c.at)


@cache
def _newest(dialect: str, *, people: bool) -> sa.Select[Any]:
    """The newest that have all terms. Parameters: wanted, reader, most. Built once: that costs more than to run it."""
    return _having(dialect, sa.select(*_COLUMNS), people=people)


@cache
def _by_owner(dialect: str, *, people: bool) -> sa.Select[Any]:
    """How many of each owner there are among the newest that have all terms; the same parameters."""
    some = _having(dialect, sa.select(search_index.c.owner), people=people).subquery()
    return sa.select(some.c.owner, sa.func.count().label("number")).group_by(some.c.owner)


def _having(dialect: str, statement: sa.Select[Any], *, people: bool) -> sa.Select[Any]:
    reader = sa.bindparam("reader", type_=sa.Text)
    addressed = sa.select(object_recipients.c.object_id).where(
        object_recipients.c.object_id == search_index.c.subject, object_recipients.c.recipient == reader
    )
    statement = statement.where(sa.or_(search_index.c.open, search_index.c.owner == reader, addressed.exists()))
    if people:  # what others owned are tombstones by the time that they have left, and were forgotten
        present = sa.select(actors.c.id).where(actors.c.id == search_index.c.subject, actors.c.gone_at.is_(None))
        statement = statement.where(present.exists())
    return engine.having(dialect, statement).limit(sa.bindparam("most", type_=sa.Integer))


class _Searcher:
    """One reader's questions of one scope."""

    def __init__(self, tx: Tx, reader: str, allowed: Allowed) -> None:
        self._tx = tx
        self._dialect = tx.connection.dialect.name
        self._reader = reader
        self._allowed = allowed
        self._may = {row[0]: False for row in tx.rows(hidden_from(tx, reader))}

    def of_kind(self, terms: Sequence[str], kind: Kind) -> tuple[list[Candidate], int]:
        """Those that are ranked, and how many there are: whole words first, beginnings where those find too little."""
        wanted = engine.wanted(self._dialect, [f"{engine.KIND}{kind}", *terms])
        found = self._newest(kind, wanted, RANKED + 1)
        if len(found) > RANKED:
            titles = (f"{engine.TITLE}{term}" for term in terms)
            titled = engine.wanted(self._dialect, [f"{engine.KIND}{kind}", *titles])
            return self._shown([*found, *self._newest(kind, titled, TITLED)]), self._count(kind, wanted)
        if len(found) < PAGE_SIZE:
            wanted = engine.wanted(self._dialect, [f"{engine.KIND}{kind}", *terms], begins=True)
            found = self._newest(kind, wanted, RANKED + 1)
        shown = self._shown(found)
        return shown, len(shown) if len(found) <= RANKED else self._count(kind, wanted)

    def _newest(self, kind: Kind, wanted: str, most: int) -> list[Candidate]:
        statement = _newest(self._dialect, people=kind == "people")
        asked = {"wanted": wanted, "reader": self._reader, "most": most}
        return [Candidate._make(row) for row in self._tx.execute(statement, asked).all()]

    def _count(self, kind: Kind, wanted: str) -> int:
        """How many, at most one more than are counted."""
        statement = _by_owner(self._dialect, people=kind == "people")
        asked = {"wanted": wanted, "reader": self._reader, "most": MOST + 1}
        return sum(row.number for row in self._tx.execute(statement, asked).all() if self._sees(row.owner))

    def _shown(self, found: Sequence[Candidate]) -> list[Candidate]:
        return list({row.subject: row for row in found if self._sees(row.owner)}.values())

    def _sees(self, owner: str) -> bool:
        if owner not in self._may:
            self._may[owner] = self._allowed(owner)
        return self._may[owner]


# ---- hashtags


class Tagged(NamedTuple):
    """Something that carries a hashtag."""

    object_id: str
    kind: Kind
    owner: str
    at: datetime

    @property
    def cursor(self) -> str:
        """What `tagged` takes as `before` for what comes after this."""
        return cursor_of(self.at, self.object_id)


def tagged(
    tx: Tx,
    tag: str,
    *,
    reader: str | None = None,
    before: str | None = None,
    limit: int = PAGE_SIZE,
    here: bool = False,
) -> list[Tagged]:
    """What anybody may read and carries a hashtag, the newest first. here: only what was published here."""
    statement = (
        sa.select(objects.c.id, objects.c.kind, objects.c.owner, object_tags.c.at)
        .join(objects, objects.c.id == object_tags.c.object_id)
        .join(actors, actors.c.id == objects.c.owner)
        .where(object_tags.c.tag == tag, objects.c.visibility == "public", objects.c.deleted_at.is_(None))
        .where(actors.c.gone_at.is_(None))
    )
    if reader is not None:
        statement = statement.where(objects.c.owner.not_in(hidden_from(tx, reader)))
    if here:
        statement = statement.where(objects.c.local)
    statement = statement.where(earlier_than(before, object_tags.c.at, object_tags.c.object_id))
    order = statement.order_by(object_tags.c.at.desc(), object_tags.c.object_id.desc())
    return [Tagged._make(row) for row in tx.rows(order.limit(limit))]


def followed_tags(tx: Tx, actor_id: str) -> list[str]:
    """The hashtags that somebody follows, by name."""
    theirs = sa.select(tag_follows.c.tag).where(tag_follows.c.actor == actor_id)
    return [row.tag for row in tx.rows(theirs.order_by(tag_follows.c.tag))]
