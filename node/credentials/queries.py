"""Reads: what somebody here issued and holds, one of these for whoever may see it, and what is known of its issuer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.known_identities import actors_of, identity_of
from federation.known_keys import public_of
from federation.status_words import carried_on_at
from federation.storage import Tx
from federation.tables import actor_keys, actors, blocks
from federation.verdicts import Pins
from node.credentials import lists
from node.credentials.rules import Found, overall_now
from node.credentials.tables import credentials, kept_lists
from node.errors import NotFound
from node.language import _
from node.profiles import queries as people
from node.profiles.queries import Person
from node.text import one_line, visible
from schemas.credentials import Credential, parse_credential
from schemas.strict_json import dumps, loads_object

NOTHING = _("There is no credential at this address.")
SHOWN = 50
NEWEST = (credentials.c.came_at.desc(), credentials.c.id)
MAX_PINS = 50


@dataclass(frozen=True, slots=True)
class View:
    """A credential, fit to be shown. holder: the local actor who issued it, or holds it.

    overall: what may be said of it now, `holds` only of what was checked lately.
    issuer, subject: people whom this node knows, else None, and then `issuer_words` and `subject_words` stand for them.
    found: what the last check said, with the time of that.
    """

    name: str
    side: str
    owner: str
    state: str
    audience: str
    credential: Credential
    title: str
    description: str
    criteria: str
    issuer: Person | None
    subject: Person | None
    issuer_words: str
    subject_words: str
    came_at: datetime
    revoked_at: datetime | None
    found: Found | None
    overall: str
    checked_at: datetime | None
    path: str


class Bytes(NamedTuple):
    """A credential as it came. kept: the newest status lists beside it. holder: who holds it here."""

    body: bytes
    kept: tuple[bytes, ...]
    holder: str | None


def own_row(tx: Tx, actor_id: str, name: str, side: str) -> Row[Any]:
    """A row of somebody here, by its last part; NotFound for anybody else's."""
    this = (credentials.c.id == name, credentials.c.owner == actor_id, credentials.c.side == side)
    row = tx.row(sa.select(credentials).where(*this))
    if row is None:
        raise NotFound(NOTHING)
    return row


def own(tx: Tx, actor_id: str, name: str, side: str) -> View:
    """The same, fit to be shown."""
    return _views(tx, [own_row(tx, actor_id, name, side)])[0]


def count_held(tx: Tx, actor_id: str) -> int:
    """How many somebody holds."""
    theirs = (credentials.c.owner == actor_id, credentials.c.side == "held", credentials.c.state == "held")
    return int(tx.scalar(sa.select(sa.func.count()).where(*theirs)))


def of_owner(tx: Tx, actor_id: str, side: str, *, limit: int = 500) -> list[View]:
    """What somebody here issued or holds, the newest first; what waits to be taken before all."""
    theirs = sa.select(credentials).where(credentials.c.owner == actor_id, credentials.c.side == side)
    waiting = sa.case((credentials.c.state == "offered", 0), else_=1)
    return _views(tx, tx.rows(theirs.order_by(waiting, credentials.c.came_at.desc(), credentials.c.id).limit(limit)))


def shown_by(tx: Tx, actor_id: str, listed: Sequence[str] | None = None) -> list[View]:
    """What somebody shows on their profile, the newest first, without what stands beside their skills.

    listed: of somebody elsewhere, the addresses that their document names.
    """
    shown = sa.select(credentials).where(shows(actor_id, listed), credentials.c.skill.is_(None))
    return _views(tx, tx.rows(shown.order_by(*NEWEST).limit(SHOWN)))


def endorsements(
    tx: Tx, actor_id: str, listed: Sequence[str] | None = None, *, skill: str | None = None, limit: int
) -> list[View]:
    """What stands beside the skills of somebody, the newest first; what does not hold is not among it.

    skill: its `rules.skill_key`, None for all.
    """
    about = credentials.c.skill.is_not(None) if skill is None else credentials.c.skill == skill
    parted = blocks_of(actor_id)
    shown = sa.select(credentials).where(shows(actor_id, listed), about, credentials.c.issuer.not_in(parted))
    return [one for one in _views(tx, tx.rows(shown.order_by(*NEWEST).limit(limit))) if one.overall != "fails"]


def shows(actor_id: str, listed: Sequence[str] | None) -> sa.ColumnElement[bool]:
    """Of credentials: somebody shows it on their profile, here, or at one of these addresses elsewhere."""
    theirs = sa.and_(credentials.c.owner == actor_id, credentials.c.audience == "profile")
    if listed is None:
        return sa.and_(theirs, credentials.c.state == "held")
    return sa.and_(theirs, credentials.c.state == "seen", credentials.c.note.in_(listed))


def blocks_of(actor_id: str) -> sa.CompoundSelect[Any]:
    """The ids of those whom a block, either way, parts from somebody."""
    return sa.union(
        sa.select(blocks.c.target).where(blocks.c.actor == actor_id),
        sa.select(blocks.c.actor).where(blocks.c.target == actor_id),
    )


def one(tx: Tx, username: str, name: str, reader: str | None) -> View:
    """A credential below the page of somebody here, for whoever may see it: its owner, or for whom that lets it.

    What was issued is seen by its issuer and by whoever was given its address. Absent and forbidden are the same:
    NotFound.
    """
    row = _seen(tx, username, name, reader)
    return _views(tx, [row])[0]


def _seen(tx: Tx, username: str, name: str, reader: str | None) -> Row[Any]:
    joined = sa.select(credentials).join(actors, actors.c.id == credentials.c.owner)
    this = (credentials.c.id == name, actors.c.local, actors.c.username == username, actors.c.gone_at.is_(None))
    row = tx.row(joined.where(*this))
    if row is None or not (row.owner == reader or row.side == "issued" or row.audience in ("address", "profile")):
        raise NotFound(NOTHING)
    return row


def bytes_of(tx: Tx, username: str, name: str, reader: str | None) -> Bytes:
    """The bytes of the same."""
    row = _seen(tx, username, name, reader)
    holder = row.owner if row.side == "held" else None
    return Bytes(bytes(row.body), tuple(kept_beside(tx, row)), holder)


def kept_beside(tx: Tx, row: Row[Any]) -> list[bytes]:
    """The lists for a row of `credentials`: the newest that anybody here saw, or that of here; then its own."""
    if row.list_url is None:
        return []
    seen = tx.scalar(sa.select(kept_lists.c.body).where(kept_lists.c.url == row.list_url))
    first = seen or lists.served(tx, row.list_url) or lists.served(tx, carried_on_at(row.owner, row.list_url))
    return [*([bytes(first)] if first else []), *(dumps(one) for one in stapled(row))]


def stapled(row: Row[Any]) -> list[dict[str, Any]]:
    """The lists that belong to one credential: of somebody who moved, or that its holder brought along."""
    return [] if row.stapled is None else list(loads_object(row.stapled)["lists"])


def open_body(tx: Tx, username: str, name: str) -> bytes | None:
    """The bytes of a credential that a stranger may see below the page of somebody here; None for any other."""
    try:
        return bytes(_seen(tx, username, name, None).body)
    except NotFound:
        return None


def issued_body(tx: Tx, uri: str) -> bytes | None:
    """The credential that stands at an id of ours."""
    this = (credentials.c.side == "issued", credentials.c.uri == uri)
    body: bytes | None = tx.scalar(sa.select(credentials.c.body).where(*this))
    return body


def _views(tx: Tx, rows: Sequence[Row[Any]]) -> list[View]:
    parsed = [(row, parse_credential(loads_object(row.body))) for row in rows]
    subjects = {row.id: _person_of(tx, found.subject_id, row) for row, found in parsed}
    wanted = {found.issuer_id for _row, found in parsed} | {one for one in subjects.values() if one}
    known = people.people(tx, [*wanted, *(row.owner for row, _found in parsed)])
    return [_view(row, found, known, subjects[row.id], tx.now) for row, found in parsed]


def _person_of(tx: Tx, subject: str | None, row: Row[Any]) -> str | None:
    if subject is None or not subject.startswith("did:"):
        return subject
    owners = actors_of(tx, subject)
    mine = row.person if row.side == "issued" else row.owner
    return mine if mine in owners else next(iter(owners), row.person)


def _view(row: Row[Any], found: Credential, known: dict[str, Person], subject: str | None, now: datetime) -> View:
    owner = known.get(row.owner)
    checked = None if row.found is None else msgspec.json.decode(row.found, type=Found)
    return View(
        name=row.id,
        side=row.side,
        owner=row.owner,
        state=row.state,
        audience=row.audience,
        credential=found,
        title=one_line(found.title, 200) or _("A credential without a name"),
        description=visible(_words(found)).strip(),
        criteria=visible(found.achievement.criteria if found.achievement else "").strip(),
        issuer=known.get(found.issuer_id),
        subject=known.get(subject or ""),
        issuer_words=one_line(found.issuer_name, 200) or one_line(found.issuer_id, 200),
        subject_words=one_line(found.subject_id or "", 200),
        came_at=row.came_at,
        revoked_at=row.revoked_at,
        found=checked,
        overall=overall_now(checked, row.checked_at, found.valid_until, now),
        checked_at=row.checked_at,
        path=row.note if row.side == "seen" else f"{owner.page}/credentials/{row.id}" if owner else "",
    )


def _words(found: Credential) -> str:
    achieved = found.achievement.description if found.achievement else ""
    return found.comment or achieved or found.description


# ---- what is known of those whom a credential names


def pins_of(tx: Tx, actor_ids: Iterable[str]) -> Pins:
    """The keys under which actors were met: without those that were in other hands, or that only a server names."""
    theirs = (actor_keys.c.actor_id.in_(list(actor_ids)), actor_keys.c.algorithm == "ed25519")
    sure = (actor_keys.c.revoked_at.is_(None), actor_keys.c.vouched != "server")
    columns = (actor_keys.c.id, actor_keys.c.actor_id, actor_keys.c.public)
    rows = tx.rows(sa.select(*columns).where(*theirs, *sure).order_by(actor_keys.c.first_seen).limit(MAX_PINS))
    keys = {row.id: public_of("ed25519", row.public) for row in rows}
    return Pins(keys, {row.id: row.actor_id for row in rows})


def claimed(tx: Tx, names: Iterable[str | None]) -> dict[str, tuple[str, ...]]:
    """By did:key the actors that have claimed it; by the id of an actor, all who are the same person."""
    found = {}
    for name in sorted({name for name in names if name is not None}):
        did = name if name.startswith("did:") else identity_of(tx, name)
        owners = dict.fromkeys([*([] if name == did else [name]), *(actors_of(tx, did) if did else [])])
        if owners:
            found[name] = tuple(owners)
    return found


def lists_beside(tx: Tx, found: Credential, body: bytes) -> tuple[dict[str, Any], ...]:
    """The newest lists that are kept of a credential, byte for byte this one."""
    if found.status is None:
        return ()
    this = (credentials.c.uri == found.id, credentials.c.body == body, credentials.c.stapled.is_not(None))
    rows = tx.rows(sa.select(credentials.c.stapled).where(*this).order_by(credentials.c.id).limit(1))
    seen = tx.scalar(sa.select(kept_lists.c.body).where(kept_lists.c.url == found.status.list_url))
    return (*([loads_object(seen)] if seen else []), *(one for row in rows for one in stapled(row)))


def since(tx: Tx, uri: str, body: bytes) -> datetime | None:
    """Since when this node has had a credential, byte for byte."""
    this = (credentials.c.uri == uri, credentials.c.body == body)
    first: datetime | None = tx.scalar(sa.select(sa.func.min(credentials.c.came_at)).where(*this))
    return first


def due(tx: Tx, limit: int) -> Sequence[Row[Any]]:
    """Credentials that are to be checked, those that wait longest first."""
    waiting = (credentials.c.due_at <= tx.now, credentials.c.side != "issued")
    return tx.rows(sa.select(credentials).where(*waiting).order_by(credentials.c.due_at).limit(limit))
