"""Writes: report somebody, take a report in, mark one as dealt with. Nothing here acts on anybody by itself."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.clock import iso
from federation.errors import Refused
from federation.storage import Tx
from federation.tables import actors, objects
from federation.types import OPEN
from node.accounts import queries as accounts
from node.errors import Invalid, NotFound
from node.language import _
from node.moderation.rules import A_DAY, KEEP, MAX_A_DAY, MAX_OPEN, ReportDraft
from node.moderation.tables import reports
from node.notifications.commands import notify
from schemas import activities
from schemas.base import Audience
from schemas.urls import host_of

ONESELF = _("That is you.")
TOO_MANY = _("You have reported {most} times since yesterday. Wait until tomorrow.", most=MAX_A_DAY)


def report(tx: Tx, instance: Author, reporter: str, target: str, draft: ReportDraft) -> int:
    """Keep a report of somebody here and, where that is wished, tell the server of whom it is about; returns its id.

    instance: the node's own actor. Their server hears from it alone, never who reported (SECURITY 141).
    """
    if reporter == target:
        raise Invalid({"words": ONESELF})
    row = tx.row(sa.select(actors.c.local).where(actors.c.id == target, actors.c.type != "Application"))
    if row is None:
        raise NotFound
    if _lately(tx, reporter=reporter) >= MAX_A_DAY:
        raise Invalid({"words": TOO_MANY})
    theirs = _owned(tx, target, draft.object_ids)
    activity_id = instance.ids.activity(instance.actor_id, tx.now)
    forward = draft.forward and not row.local
    if forward:
        flag = activities.activity(
            "Flag",
            activity_id,
            instance.actor_id,
            [target, *theirs],
            audience=Audience((target,)),
            published=iso(tx.now),
        )
        outbox.publish(tx, instance, flag | {"content": draft.words}, Audience((target,)), object_id=activity_id)
    report_id = _keep(tx, activity_id, "", reporter, target, theirs, draft.words, forwarded=forward)
    if row.local:
        _tell_owner(tx, target, report_id)
    return report_id


def _owned(tx: Tx, target: str, object_ids: tuple[str, ...]) -> list[str]:
    """Those that are known to be the target's, and for everybody: a report shows nobody what was private."""
    public = (objects.c.owner == target, objects.c.visibility.in_(OPEN))
    found = {row.id for row in tx.rows(sa.select(objects.c.id).where(objects.c.id.in_(object_ids), *public))}
    return [one for one in object_ids if one in found]


def take_report(tx: Tx, activity_id: str, reporter: str, target: str, object_ids: list[str], words: str) -> int | None:
    """Keep what another server says about somebody here; returns its id, None when that was said already.

    Raises Refused for more than anybody needs to say (SECURITY 145).
    """
    origin = host_of(reporter)
    said = msgspec.json.encode(object_ids).decode()
    same = (
        reports.c.origin == origin,
        reports.c.target == target,
        reports.c.object_ids == said,
        reports.c.settled_at.is_(None),
    )
    if tx.row(sa.select(reports.c.id).where(*same)) is not None:
        return None
    if _lately(tx, origin=origin) >= MAX_A_DAY:
        raise Refused(f"{origin} has reported {MAX_A_DAY} times since yesterday")
    waiting = sa.select(sa.func.count()).select_from(reports).where(reports.c.settled_at.is_(None))
    if int(tx.scalar(waiting)) >= MAX_OPEN:
        raise Refused(f"{MAX_OPEN} reports wait already")
    report_id = _keep(tx, activity_id, origin, reporter, target, object_ids, words, forwarded=False)
    _tell_owner(tx, target, report_id)
    return report_id


def _lately(tx: Tx, *, origin: str = "", reporter: str | None = None) -> int:
    recent = [reports.c.origin == origin, reports.c.created_at > tx.now - A_DAY]
    if reporter is not None:
        recent.append(reports.c.reporter == reporter)
    return int(tx.scalar(sa.select(sa.func.count()).select_from(reports).where(*recent)))


def _keep(
    tx: Tx,
    activity_id: str,
    origin: str,
    reporter: str,
    target: str,
    object_ids: list[str],
    words: str,
    *,
    forwarded: bool,
) -> int:
    values = {
        "activity_id": activity_id,
        "origin": origin,
        "reporter": reporter,
        "target": target,
        "object_ids": msgspec.json.encode(object_ids).decode(),
        "words": words,
        "forwarded": forwarded,
        "created_at": tx.now,
    }
    return int(tx.scalar(sa.insert(reports).values(values).returning(reports.c.id)))


def _tell_owner(tx: Tx, target: str, report_id: int) -> None:
    """Whoever runs the node."""
    owner = accounts.owner(tx)
    if owner is not None:
        notify(tx, owner.actor_id, "report", object_id=f"report:{report_id}", words=target)


def settle(tx: Tx, report_id: int) -> None:
    """It was dealt with; NotFound for none. To say so twice changes nothing."""
    if tx.row(sa.select(reports.c.id).where(reports.c.id == report_id)) is None:
        raise NotFound
    open_one = (reports.c.id == report_id, reports.c.settled_at.is_(None))
    tx.execute(sa.update(reports).where(*open_one).values(settled_at=tx.now))


def tidy(tx: Tx) -> None:
    """Reports are kept for half a year."""
    tx.execute(sa.delete(reports).where(reports.c.created_at < tx.now - KEEP))
