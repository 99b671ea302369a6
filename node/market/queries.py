"""Reads: one gig, the board, somebody's gigs. What is not public is in no list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.blocks import hidden_from
from federation.storage import Tx
from federation.tables import objects
from federation.types import OPEN, Verification, Visibility
from node.errors import Gone, NotFound
from node.evidence import Evidence, evidence_of_object
from node.language import _
from node.market.rules import State, state_of
from node.market.tables import gigs
from schemas.market import Purpose
from schemas.money import Skill, Unit

PAGE_SIZE = 20
MAX_PAGES = 50
MAX_WORDS = 8


@dataclass(frozen=True, slots=True)
class GigView:
    """A gig, ours or another's, fit to be shown.

    price: for one `unit`, None where it is to be agreed. available, minimum: counting units. body_md: what its author
    typed, of our own only. page: where people read it at its origin.
    """

    id: str
    owner: str
    purpose: Purpose
    title: str
    body_md: str | None
    body_html: str
    unit: Unit
    price: Decimal | None
    currency: str | None
    available: Decimal | None
    minimum: Decimal | None
    skills: tuple[Skill, ...]
    published: datetime
    updated: datetime
    end_time: datetime | None
    local: bool
    verification: Verification
    visibility: Visibility
    page: str | None

    @property
    def path(self) -> str:
        """Where this node shows it."""
        if not self.local:
            return f"/seen?id={quote(self.id, safe='')}"
        head, _, name = self.id.rpartition("/gigs/")
        return f"/@{head.rpartition('/')[2]}/gigs/{name}"

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]

    def state(self, now: datetime) -> State:
        """Open, ended or closed."""
        return state_of(self.end_time, self.updated, now)


class Filter(NamedTuple):
    """Which gigs of the board. owner: only theirs. over: also those that take no more answers.

    reader: who looks, and sees nothing of whom they block or mute, or who blocks them.
    """

    purpose: Purpose | None = None
    words: str = ""
    owner: str | None = None
    over: bool = False
    reader: str | None = None


EVERYTHING = Filter(over=True)


def gig(tx: Tx, gig_id: str) -> GigView:
    """A gig that anybody may read, by its id or its page; NotFound, or Gone once its owner has deleted it."""
    ours = sa.and_(gigs.c.page == gig_id, gigs.c.local)  # of others' pages only their word is known
    row = tx.row(_open_to_all().where(sa.or_(gigs.c.id == gig_id, ours)))
    if row is not None:
        return _view(row)
    buried = sa.select(objects.c.id).where(objects.c.id == gig_id, objects.c.kind == "gig")
    if tx.row(buried.where(objects.c.deleted_at.is_not(None), objects.c.visibility.in_(OPEN))):
        raise Gone(_("This gig was here, and its owner took it away."))
    raise NotFound(_("There is no gig at this address."))


def own_gig(tx: Tx, actor_id: str, gig_id: str) -> GigView:
    """A gig of a local actor, by its id, its page or the last part of either; NotFound for anybody else's."""
    wanted = gig_id if "/" in gig_id else f"{actor_id}/gigs/{gig_id}"
    mine = sa.select(gigs).where(gigs.c.owner == actor_id, gigs.c.local)
    row = tx.row(mine.where(sa.or_(gigs.c.id == wanted, gigs.c.page == wanted)))
    if row is None:
        raise NotFound(_("You have no gig at this address."))
    return _view(row)


def views(tx: Tx, gig_ids: Iterable[str]) -> dict[str, GigView]:
    """Several by id, whoever may read them: for lists that have asked that already."""
    return {row.id: _view(row) for row in tx.rows(sa.select(gigs).where(gigs.c.id.in_(sorted(set(gig_ids)))))}


def board(tx: Tx, wanted: Filter = EVERYTHING, *, offset: int = 0, limit: int = 500) -> list[GigView]:
    """Public gigs that this node knows, ours and others', newest first."""
    statement = _filtered(tx, _listed(), wanted).order_by(gigs.c.published.desc(), gigs.c.id.desc())
    return [_view(row) for row in tx.rows(statement.offset(offset).limit(limit))]


def count(tx: Tx, wanted: Filter) -> int:
    """How many a filter finds."""
    listed = sa.select(sa.func.count()).select_from(gigs).where(gigs.c.visibility == "public")
    return int(tx.scalar(_filtered(tx, listed, wanted)))


def evidence(tx: Tx, view: GigView) -> Evidence | None:
    """What the verification of a gig rests on."""
    return evidence_of_object(tx, view.id)


def _open_to_all() -> sa.Select[Any]:
    return sa.select(gigs).where(gigs.c.visibility.in_(OPEN))


def _listed() -> sa.Select[Any]:
    """Who publishes something as unlisted wants it in no list."""
    return sa.select(gigs).where(gigs.c.visibility == "public")


def _filtered(tx: Tx, statement: sa.Select[Any], wanted: Filter) -> sa.Select[Any]:
    if wanted.purpose is not None:
        statement = statement.where(gigs.c.purpose == wanted.purpose)
    if wanted.owner is not None:
        statement = statement.where(gigs.c.owner == wanted.owner)
    if wanted.reader is not None:
        statement = statement.where(gigs.c.owner.not_in(hidden_from(tx, wanted.reader)))
    if not wanted.over:
        statement = statement.where(sa.or_(gigs.c.end_time.is_(None), gigs.c.end_time > tx.now))
    for word in wanted.words.casefold().split()[:MAX_WORDS]:
        statement = statement.where(gigs.c.words.contains(word[:100], autoescape=True))
    return statement


def _view(row: Row[Any]) -> GigView:
    return GigView(
        id=row.id,
        owner=row.owner,
        purpose=row.purpose,
        title=row.title,
        body_md=row.body_md,
        body_html=row.body_html,
        unit=row.unit,
        price=_decimal(row.price),
        currency=row.currency,
        available=_decimal(row.available),
        minimum=_decimal(row.minimum),
        skills=tuple(Skill(name, uri) for name, uri in msgspec.json.decode(row.skills)),
        published=row.published,
        updated=row.updated,
        end_time=row.end_time,
        local=row.local,
        verification=row.verification,
        visibility=row.visibility,
        page=row.page,
    )


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
