"""Reads: people, ours and others', each as their own signed document says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.known_actors import read_actor
from federation.storage import Tx
from federation.tables import actors, follows
from federation.types import Verification
from node.errors import Gone, NotFound
from node.evidence import Evidence, evidence_of_actor
from node.language import _
from node.profiles import wire
from node.profiles.rules import Audience
from node.profiles.tables import profiles
from node.skills import named
from node.text import clean, one_line
from schemas.actors import Actor
from schemas.cv import Cv
from schemas.money import Rate, Skill
from schemas.profiles import Availability, FreelanceProfile, Level
from schemas.urls import parse_url

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A person or a collective. Everything is fit to be shown: texts of strangers are clean.

    handle: `name@host`, which WebFinger has confirmed, else with the host of the id. page: where this node shows
    them; url: where their own server does. picture: a path on this node, the address elsewhere (which no page writes
    as it is), None where there is none. cv: as it was said. card: where the rest of a long CV is to be had. approves:
    whether they decide who follows. moved_to: the id of the account where they say that they went. rows: the table of
    a server that says nothing in another form, as plain words. credentials: where those that they show are to be had.
    summary_md, what was typed, and audiences, who sees
    what, are for the owner only (`sources.own_person`).
    """

    id: str
    type: str
    handle: str
    name: str
    headline: str
    summary_html: str
    summary_md: str | None
    skills: tuple[Skill, ...]
    rate: Rate | None
    availability: Availability | None
    languages: tuple[str, ...]
    links: tuple[str, ...]
    picture: str | None
    page: str
    url: str
    host: str
    local: bool
    verification: Verification
    discoverable: bool
    indexable: bool
    published: datetime | None
    levels: Mapping[str, Level] = field(default_factory=dict)
    cv: Cv = field(default_factory=Cv)
    card: str | None = None
    approves: bool = False
    moved_to: str | None = None
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    rows: tuple[tuple[str, str], ...] = ()
    credentials: tuple[str, ...] = ()

    @property
    def collective(self) -> bool:
        """Whether several people stand behind it."""
        return self.type in ("Organization", "Group")

    @property
    def says_something(self) -> bool:
        """Whether there is more than a name."""
        work = self.skills or self.rate or self.availability or self.cv
        return bool(self.headline or self.summary_html or work or self.links)


_SELECT = sa.select(actors)


def person(tx: Tx, actor_id: str) -> Person:
    """Anybody whom this node knows; NotFound, or Gone for somebody who has ended."""
    return _found(tx.row(_SELECT.where(actors.c.id == actor_id, actors.c.type != "Application")))


def person_called(tx: Tx, handle: str) -> Person:
    """The same by `name` (somebody here) or `name@host`; NotFound, or Gone."""
    name, at, _ = handle.partition("@")
    mine = sa.and_(actors.c.local, actors.c.username == name)
    called = sa.and_(actors.c.acct == handle, ~actors.c.local) if at else mine
    row = tx.row(_SELECT.where(called, actors.c.type != "Application").order_by(actors.c.updated_at.desc()))
    if row is None and at:
        name, _, host = handle.rpartition("@")
        unconfirmed = sa.and_(actors.c.username == name, actors.c.host == host, actors.c.acct.is_(None))
        row = tx.row(_SELECT.where(unconfirmed, ~actors.c.local, actors.c.type != "Application"))
    return _found(row)


def people(tx: Tx, actor_ids: Iterable[str]) -> dict[str, Person]:
    """Several, by id; those who are not known are left out."""
    found: dict[str, Person] = {}
    wanted = sorted(set(actor_ids))
    for start in range(0, len(wanted), CHUNK):
        some = actors.c.id.in_(wanted[start : start + CHUNK])
        found |= {row.id: _person(row) for row in tx.rows(_SELECT.where(some))}
    return found


def evidence(tx: Tx, actor_id: str) -> Evidence | None:
    """What the verification of a profile rests on."""
    return evidence_of_actor(tx, actor_id)


def audience(tx: Tx, actor_id: str) -> tuple[int, int]:
    """How many follow somebody, and on how many servers."""
    reached = sa.select(sa.func.count().label("people"), sa.func.count(sa.distinct(actors.c.host)).label("servers"))
    mine = sa.and_(follows.c.followee == actor_id, follows.c.state == "accepted")
    row = tx.row(reached.join_from(follows, actors, actors.c.id == follows.c.follower).where(mine))
    return (row.people, row.servers) if row else (0, 0)


def picture_name(tx: Tx, actor_id: str) -> str | None:
    """The file in the media folder that somebody here shows; None when they show none."""
    name: str | None = tx.scalar(sa.select(profiles.c.picture).where(profiles.c.actor_id == actor_id))
    return name


def picture_is_used(tx: Tx, name: str) -> bool:
    """Whether anybody here shows a picture."""
    return tx.scalar(sa.select(profiles.c.actor_id).where(profiles.c.picture == name)) is not None


def _found(row: Row[Any] | None) -> Person:
    if row is None:
        raise NotFound(_("Nobody of this name is known here. Look for them on the people page."))
    if row.gone_at is not None:
        raise Gone(_("This person was here, and has left."))
    return _person(row)


def _person(row: Row[Any]) -> Person:
    actor = read_actor(row)
    profile = actor.profile or FreelanceProfile()
    handle = row.acct or f"{row.username}@{row.host}"
    summary = wire.without_headline(actor.summary, profile.headline)
    return Person(
        id=row.id,
        type=row.type,
        handle=handle,
        name=one_line(actor.name, 100) or row.username,
        headline=one_line(profile.headline, 300),
        summary_html=clean(summary, top=3),
        summary_md=None,
        skills=named(profile.skills),
        rate=profile.rate,
        availability=profile.availability,
        languages=profile.languages,
        links=wire.links_of(actor),
        picture=_picture(row, actor),
        page=f"/@{row.username}" if row.local else f"/@{handle}",
        url=actor.url or row.id,
        host=row.host,
        local=row.local,
        verification=row.verification,
        discoverable=actor.document.get("discoverable") is True,
        indexable=actor.document.get("indexable") is True,
        published=actor.published,
        levels=profile.levels,
        cv=profile.cv,
        card=actor.card,
        approves=actor.manually_approves,
        rows=() if row.local or actor.profile else wire.rows_of(actor),
        moved_to=actor.moved_to,
        credentials=actor.credentials,
    )


def _picture(row: Row[Any], actor: Actor) -> str | None:
    """A path on this node; of somebody elsewhere the address, which `shown` makes one of ours on a page."""
    return parse_url(actor.icon).path if row.local and actor.icon else actor.icon
