"""Reads: one module, all that are known, somebody's. What is not public is in no list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
from node.language import _, _n
from node.learning.tables import modules as rows
from schemas.money import Skill

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A module, ours or another's, fit to be shown.

    body_md: what its author typed, of our own only. body_html: clean, without the title. licence: a URI. page: where
    people read it at its origin. announcement: the Note that links it, of our own only.
    """

    id: str
    owner: str
    title: str
    summary: str
    body_md: str | None
    body_html: str
    licence: str | None
    minutes: int | None
    skills: tuple[Skill, ...]
    published: datetime
    updated: datetime
    local: bool
    verification: Verification
    visibility: Visibility
    page: str | None
    announcement: str | None

    @property
    def path(self) -> str:
        """Where this node shows it."""
        if not self.local:
            return f"/seen?id={quote(self.id, safe='')}"
        head, _, name = self.id.rpartition("/learn/")
        return f"/@{head.rpartition('/')[2]}/learn/{name}"

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]

    @property
    def duration(self) -> str:
        """20 minutes, 1 hour, 1 hour 30 minutes; empty where its author does not say."""
        hours, minutes = divmod(self.minutes or 0, 60)
        of_hours, of_minutes = (
            _n("{count} hour", "{count} hours", hours),
            _n("{count} minute", "{count} minutes", minutes),
        )
        if hours and minutes:
            return _("{hours} {minutes}", hours=of_hours, minutes=of_minutes)
        return of_hours if hours else of_minutes if minutes else ""


def module(tx: Tx, module_id: str) -> ModuleView:
    """A module that anybody may read, by its id or its page; NotFound, or Gone once its owner has deleted it."""
    ours = sa.and_(rows.c.page == module_id, rows.c.local)  # of others' pages only their word is known
    open_to_all = sa.select(rows).where(rows.c.visibility.in_(OPEN))
    row = tx.row(open_to_all.where(sa.or_(rows.c.id == module_id, ours)))
    if row is not None:
        return _view(row)
    buried = sa.select(objects.c.id).where(objects.c.id == module_id, objects.c.kind == "module")
    if tx.row(buried.where(objects.c.deleted_at.is_not(None), objects.c.visibility.in_(OPEN))):
        raise Gone(_("This module was here, and its owner took it away."))
    raise NotFound(_("There is no module at this address."))


def own_module(tx: Tx, actor_id: str, module_id: str) -> ModuleView:
    """A module of a local actor, by its id, its page or the last part of either; NotFound for anybody else's."""
    wanted = module_id if "/" in module_id else f"{actor_id}/learn/{module_id}"
    mine = sa.select(rows).where(rows.c.owner == actor_id, rows.c.local)
    row = tx.row(mine.where(sa.or_(rows.c.id == wanted, rows.c.page == wanted)))
    if row is None:
        raise NotFound(_("You have no module at this address."))
    return _view(row)


def views(tx: Tx, module_ids: Iterable[str]) -> dict[str, ModuleView]:
    """Several by id, whoever may read them: for lists that have asked that already."""
    return {row.id: _view(row) for row in tx.rows(sa.select(rows).where(rows.c.id.in_(sorted(set(module_ids)))))}


def modules(
    tx: Tx, owner: str | None = None, *, reader: str | None = None, offset: int = 0, limit: int = 500
) -> list[ModuleView]:
    """Public modules that this node knows, ours and others' (or one owner's), newest first.

    reader: who looks, and sees nothing of whom they block or mute, or who blocks them.
    """
    statement = _listed(tx, sa.select(rows), owner, reader).order_by(rows.c.published.desc(), rows.c.id.desc())
    return [_view(row) for row in tx.rows(statement.offset(offset).limit(limit))]


def count(tx: Tx, owner: str | None = None, *, reader: str | None = None) -> int:
    """How many `modules` has."""
    return int(tx.scalar(_listed(tx, sa.select(sa.func.count()).select_from(rows), owner, reader)))


def _listed(tx: Tx, statement: sa.Select[Any], owner: str | None, reader: str | None) -> sa.Select[Any]:
    listed = statement.where(rows.c.visibility == "public")
    if owner is not None:
        listed = listed.where(rows.c.owner == owner)
    return listed if reader is None else listed.where(rows.c.owner.not_in(hidden_from(tx, reader)))


def evidence(tx: Tx, view: ModuleView) -> Evidence | None:
    """What the verification of a module rests on."""
    return evidence_of_object(tx, view.id)


def _view(row: Row[Any]) -> ModuleView:
    return ModuleView(
        id=row.id,
        owner=row.owner,
        title=row.title,
        summary=row.summary,
        body_md=row.body_md,
        body_html=row.body_html,
        licence=row.licence,
        minutes=row.minutes,
        skills=tuple(Skill(name, uri) for name, uri in msgspec.json.decode(row.skills)),
        published=row.published,
        updated=row.updated,
        local=row.local,
        verification=row.verification,
        visibility=row.visibility,
        page=row.page,
        announcement=row.announcement,
    )
