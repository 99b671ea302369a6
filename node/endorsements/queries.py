"""Reads: who endorses which skill of somebody, and what this node knows of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from federation.blocks import hidden_from
from federation.known_identities import people_behind
from federation.storage import Tx
from federation.tables import actors, follows
from node.credentials import queries as credentials
from node.credentials.queries import View
from node.credentials.rules import skill_key
from node.credentials.tables import credentials as rows
from node.endorsements import rules
from node.endorsements.rules import NAMED, SHOWN, Acquaintance, Standing
from node.errors import NotFound
from node.profiles.queries import Person
from node.text import one_line
from schemas.money import Skill


@dataclass(frozen=True, slots=True)
class Endorsement:
    """One of them, fit to be shown. how: how they know each other; facts: what this node knows of the endorser."""

    view: View
    name: str
    how: str
    standing: Standing
    facts: list[str]


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A skill with all who endorse it, those first who are known here. listed: it stands on the profile."""

    name: str
    key: str
    listed: bool
    all: list[Endorsement]

    @property
    def known(self) -> list[Endorsement]:
        """Those of whom somebody here knows something."""
        return [one for one in self.all if one.standing != "stranger"]

    @property
    def strangers(self) -> int:
        """How many nobody here knows."""
        return len(self.all) - len(self.known)


def endorsed(tx: Tx, person: Person, reader: str | None, *, skill: str | None = None) -> list[Endorsed]:
    """The skills of somebody that others endorse, in the order of their profile, as somebody here or anybody sees them.

    skill: only this one. Of two by the same person for one skill the newer counts, and nobody endorses themselves.
    """
    listed = None if person.local else person.credentials
    key = None if skill is None else skill_key(skill)
    views = _once(tx, person, credentials.endorsements(tx, person.id, listed, skill=key, limit=SHOWN))
    views = _without_hidden(tx, reader, views)
    if not views:
        return []
    known = acquaintances(tx, [one.credential.issuer_id for one in views], person.id, reader)
    mutual = _mutual(tx, person.id, known)
    found: dict[str, list[Endorsement]] = {}
    for one in views:
        issuer = one.credential.issuer_id
        is_mutual = issuer in mutual if person.local or known[issuer].local else None
        found.setdefault(_key(one), []).append(_endorsement(one, known[issuer], mutual=is_mutual))
    return _in_order(person.skills, found)


def _key(one: View) -> str:
    return skill_key(one.credential.skill.name if one.credential.skill else "")


def _once(tx: Tx, person: Person, views: Sequence[View]) -> list[View]:
    """One of each person for each skill, and none of oneself."""
    if not views:
        return []
    who = people_behind(tx, [person.id, *(one.credential.issuer_id for one in views)])
    kept: dict[tuple[str, str], View] = {}
    for one in views:
        issuer = who[one.credential.issuer_id]
        if issuer != who[person.id]:
            kept.setdefault((_key(one), issuer), one)
    return list(kept.values())


def _without_hidden(tx: Tx, reader: str | None, views: list[View]) -> list[View]:
    if reader is None or not views:
        return views
    issuers = {one.credential.issuer_id for one in views}
    hidden = hidden_from(tx, reader).subquery()
    column = hidden.c[0]
    kept_out = {row[0] for row in tx.rows(sa.select(column).where(column.in_(issuers)))}
    return [one for one in views if one.credential.issuer_id not in kept_out]


def _endorsement(one: View, known: Acquaintance, *, mutual: bool | None) -> Endorsement:
    key = next((outcome for step, outcome, _words in one.found.rows if step == "key"), "unknown") if one.found else ""
    known = known._replace(key=key)
    said = rules.relation_of(one.credential.relation)
    name = one.issuer.name if one.issuer else one.issuer_words
    return Endorsement(one, name, rules.how(said, mutual=mutual), rules.standing(known), rules.facts(known))


def _in_order(skills: Sequence[Skill], found: dict[str, list[Endorsement]]) -> list[Endorsed]:
    order: tuple[Standing, ...] = ("yours", "here", "known", "stranger")
    on_profile = {skill_key(skill.name): skill.name for skill in skills}
    keys = [key for key in on_profile if key in found] + [key for key in found if key not in on_profile]
    return [
        Endorsed(
            name=on_profile.get(key) or one_line(found[key][0].view.title, 100),
            key=key,
            listed=key in on_profile,
            all=sorted(found[key], key=lambda one: order.index(one.standing)),
        )
        for key in keys
    ]


# ---- what is known of endorsers


def acquaintances(tx: Tx, ids: Iterable[str], about: str, reader: str | None) -> dict[str, Acquaintance]:
    """What this node knows of some actors. about: whom they endorse, whose own following does not count here."""
    wanted = sorted(set(ids))
    met = tx.rows(sa.select(actors.c.id, actors.c.local, actors.c.first_seen).where(actors.c.id.in_(wanted)))
    found = {row.id: Acquaintance(local=row.local, first_seen=row.first_seen) for row in met}
    followers = _followers_here(tx, wanted, about)
    friends = _friends(tx, wanted, about, reader) if reader else {}
    mine = _followed_by(tx, reader, wanted) if reader else set()
    return {
        one: found.get(one, Acquaintance())._replace(
            followers=followers[one] - (one in mine and reader != about),
            followed=one in mine,
            by_friends=friends.get(one, ()),
            oneself=one == reader,
        )
        for one in wanted
    }


def _followers_here(tx: Tx, wanted: Sequence[str], about: str) -> Counter[str]:
    count = sa.func.count().label("count")
    statement = sa.select(follows.c.followee, count).join(actors, actors.c.id == follows.c.follower)
    counted = (actors.c.local, follows.c.state == "accepted", follows.c.follower != about)
    grouped = statement.where(follows.c.followee.in_(wanted), *counted).group_by(follows.c.followee)
    return Counter({row.followee: row.count for row in tx.rows(grouped)})


def _friends(tx: Tx, wanted: Sequence[str], about: str, reader: str) -> dict[str, tuple[str, ...]]:
    """By actor the names of those who follow it, and whom the reader follows."""
    mine, theirs = follows.alias(), follows.alias()
    statement = (
        sa.select(theirs.c.followee, actors.c.name, actors.c.username)
        .join(mine, mine.c.followee == theirs.c.follower)
        .join(actors, actors.c.id == theirs.c.follower)
        .where(mine.c.follower == reader, mine.c.state == "accepted", mine.c.followee != about)
        .where(theirs.c.followee.in_(wanted), theirs.c.state == "accepted")
        .order_by(theirs.c.created_at, theirs.c.follower)
        .limit(SHOWN * NAMED)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.rows(statement):
        found[row.followee] = (*found.get(row.followee, ()), one_line(row.name, 100) or row.username)
    return found


def _followed_by(tx: Tx, follower: str, wanted: Sequence[str]) -> set[str]:
    this = (follows.c.follower == follower, follows.c.followee.in_(wanted), follows.c.state == "accepted")
    return {row.followee for row in tx.rows(sa.select(follows.c.followee).where(*this))}


def _mutual(tx: Tx, about: str, wanted: Iterable[str]) -> set[str]:
    """Those who follow somebody and are followed by them, as far as that is known here."""
    wanted = list(wanted)
    this = (follows.c.followee == about, follows.c.follower.in_(wanted), follows.c.state == "accepted")
    followers = {row.follower for row in tx.rows(sa.select(follows.c.follower).where(*this))}
    return followers & _followed_by(tx, about, wanted)


def follow_each_other(tx: Tx, one: str, other: str) -> bool:
    """Whether two do, as far as that is known here."""
    return other in _mutual(tx, one, [other])


def offer(tx: Tx, actor_id: str, name: str) -> Endorsement:
    """One that somebody here was given, with what accepting it would say; NotFound for anything else."""
    one = credentials.own(tx, actor_id, name, "held")
    if one.credential.kind != "endorsement" or one.credential.skill is None:
        raise NotFound(credentials.NOTHING)
    issuer = one.credential.issuer_id
    known = acquaintances(tx, [issuer], actor_id, actor_id)[issuer]
    words = rules.claimed(rules.relation_of(one.credential.relation), mutual=follow_each_other(tx, actor_id, issuer))
    return replace(_endorsement(one, known, mutual=None), how=words)


def has_endorsed(tx: Tx, author: str, person: str, skill: str) -> bool:
    """Whether somebody here has endorsed a skill of somebody already, and stands by it."""
    this = (rows.c.owner == author, rows.c.state == "issued", rows.c.person == person, rows.c.skill == skill_key(skill))
    return tx.row(sa.select(rows.c.id).where(*this).limit(1)) is not None
