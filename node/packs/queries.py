"""Reads: packs that people here publish, and those that somebody has brought to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.storage import Tx
from federation.tables import follows, objects
from federation.types import OPEN
from node.errors import Gone, NotFound
from node.language import _
from node.packs.tables import pack_visits
from node.profiles import queries as people
from node.profiles.queries import Person
from node.text import one_line, visible
from schemas.errors import SchemaError
from schemas.packs import Member, Pack, parse_pack

KIND = "pack"
NOTHING = _("There is no pack at this address.")


@dataclass(frozen=True, slots=True)
class PackView:
    """A pack, fit to be shown. local: somebody here publishes it, and then `path` is its page."""

    id: str
    owner: str
    name: str
    summary: str
    members: tuple[Member, ...]
    updated: datetime | None
    local: bool
    page: str

    @property
    def short_name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]

    @property
    def path(self) -> str:
        """Where this node shows it, if it is of somebody here."""
        head, kind, name = self.id.rsplit("/", 2)
        return f"/@{head.rpartition('/')[2]}/{kind}/{name}"


class Visit(NamedTuple):
    """A pack that was brought. signature: holds | unknown | none."""

    id: str
    pack: PackView
    signature: str
    sentence: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Recommended:
    """Who is in a pack. known: those whom this node knows, by id. states: of whoever looks, whom they follow."""

    owner: Person | None
    known: dict[str, Person]
    states: dict[str, str]


def pack(tx: Tx, pack_id: str) -> PackView:
    """A pack of somebody here; NotFound, or Gone once its owner has taken it away."""
    row = tx.row(_STANDING.where(objects.c.id == pack_id))
    if row is None:
        raise NotFound(NOTHING)
    if row.body is None:
        raise Gone(_("This pack was here, and its owner took it away."))
    return _view(row)


def own_pack(tx: Tx, actor_id: str, name: str) -> PackView:
    """A pack of a local actor by the last part of its id; NotFound for anybody else's."""
    row = tx.row(_STANDING.where(objects.c.id == f"{actor_id}/packs/{name}", objects.c.deleted_at.is_(None)))
    if row is None:
        raise NotFound(NOTHING)
    return _view(row)


def packs_of(tx: Tx, actor_id: str, *, limit: int = 50) -> list[PackView]:
    """What somebody here publishes, the newest first."""
    theirs = _STANDING.where(objects.c.owner == actor_id, objects.c.deleted_at.is_(None))
    return [_view(row) for row in tx.rows(theirs.order_by(objects.c.published.desc()).limit(limit))]


_STANDING = sa.select(objects.c.id, objects.c.body, objects.c.published).where(
    objects.c.kind == KIND, objects.c.local, objects.c.visibility.in_(OPEN)
)


def _view(row: Row[Any]) -> PackView:
    return view_of(parse_pack(msgspec.json.decode(row.body)), local=True)


def view_of(found: Pack, *, local: bool = False) -> PackView:
    """A pack as a page may show it, whoever wrote it."""
    return PackView(
        id=found.id,
        owner=found.owner,
        name=one_line(found.name, 200) or _("A pack without a name"),
        summary=visible(found.summary).strip(),
        members=tuple(Member(one.id, one_line(one.handle, 320)) for one in found.members),
        updated=found.updated,
        local=local,
        page=found.url or found.id,
    )


def visit(tx: Tx, reader: str, visit_id: str) -> Visit:
    """A pack that somebody has brought; NotFound for anybody else's, and a week later."""
    row = tx.row(sa.select(pack_visits).where(pack_visits.c.id == visit_id, pack_visits.c.reader == reader))
    if row is None:
        raise NotFound(_("This pack is not here any more. Bring it again."))
    return _visit(row)


def visits(tx: Tx, reader: str) -> list[Visit]:
    """Those that somebody has brought lately, the newest first."""
    theirs = sa.select(pack_visits).where(pack_visits.c.reader == reader)
    return [_visit(row) for row in tx.rows(theirs.order_by(pack_visits.c.created_at.desc(), pack_visits.c.id.desc()))]


def _visit(row: Row[Any]) -> Visit:
    try:
        found = view_of(parse_pack(msgspec.json.decode(row.document)))
    except SchemaError as error:  # it was read before it was kept
        raise NotFound(NOTHING) from error
    return Visit(row.id, found, row.signature, row.sentence, row.created_at)


def recommended(tx: Tx, view: PackView, reader: str | None) -> Recommended:
    """What this node knows of the people in a pack, and of its author."""
    ids = [member.id for member in view.members]
    known = people.people(tx, [*ids, view.owner])
    states: dict[str, str] = {}
    if reader is not None:
        theirs = sa.select(follows.c.followee, follows.c.state).where(follows.c.follower == reader)
        states = {row.followee: row.state for row in tx.rows(theirs.where(follows.c.followee.in_(ids)))}
    return Recommended(known.get(view.owner), {one: known[one] for one in ids if one in known}, states)
