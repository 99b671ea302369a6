"""Followers that two servers agree upon (FEP-8fcf).

A server that was down, or restored from a backup, may believe that somebody here follows when nobody does any more, or
the other way round; then what is for followers goes to the wrong people. So whoever sends something to followers alone
says beside it, under its signature, what the set of its followers at that host comes to: a digest, and where that part
of its list may be had. Who receives it compares, asks for the list if the two differ, and corrects its own side only.

The digest is the exclusive or of the SHA-256 of each follower's id, in hexadecimal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from federation.authority import origin, same_origin
from federation.authors import Author, Authors
from federation.clock import iso
from federation.errors import FederationError, Refused, Unacceptable
from federation.ids import Ids
from federation.outbox import publish
from federation.resolve import Resolver
from federation.storage import Database, Tx
from federation.tables import actors, follower_checks, follows
from schemas import activities
from schemas.base import Audience, audience_of, ids_of, many
from schemas.collections import ordered_collection
from schemas.errors import SchemaError
from schemas.terms import PUBLIC

HEADER = "Collection-Synchronization"
TOPIC = "follower_checks"
AT_MOST_EVERY = timedelta(hours=1)
FORGET_AFTER = timedelta(days=7)
MAX_LISTED = 1_000
MAX_HEADER = 4_096
_PARAMETER = re.compile(r'\s*([A-Za-z]{1,32})="([^"\\]{1,2048})"\s*(?:,|\Z)')
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

Unfollowed = Callable[[Tx, str], object]
"""The product's hook: somebody here follows this actor no more; show nothing that was for followers."""


class Claim(NamedTuple):
    """What a header says: of whose followers collection, what it comes to, and where our part of it may be had."""

    collection: str
    url: str
    digest: str


def digest(actor_ids: Iterable[str]) -> str:
    """64 hexadecimal digits; of nobody, zeros."""
    total = 0
    for actor_id in actor_ids:
        total ^= int.from_bytes(hashlib.sha256(actor_id.encode()).digest(), "big")
    return f"{total:064x}"


# ---- what we say


def header_for(tx: Tx, author: Author, where: str) -> str:
    """The header's value for an inbox at an origin (scheme, host and port)."""
    there = digest(followers_at(tx, author.actor_id, where))
    return f'collectionId="{author.followers}", url="{author.actor_id}/followers_synchronization", digest="{there}"'


def is_for_followers(body: bytes, author: Author) -> bool:
    """Whether an activity goes to the author's followers and not to everybody."""
    if PUBLIC.encode() in body or author.followers.encode() not in body:
        return False
    return author.followers in audience_of(msgspec.json.decode(body)).everybody


def followers_at(tx: Tx, actor_id: str, where: str) -> list[str]:
    """The accepted followers of a local actor whose ids are under an origin, in their own order."""
    host = where.partition("://")[2]
    statement = (
        sa.select(follows.c.follower)
        .join(actors, actors.c.id == follows.c.follower)
        .where(follows.c.followee == actor_id, follows.c.state == "accepted", actors.c.host == host)
        .order_by(follows.c.follower)
    )
    return [row.follower for row in tx.rows(statement) if origin(row.follower) == where]


def partial_collection(tx: Tx, actor_id: str, where: str) -> dict[str, Any]:
    """The followers at one origin, for that origin alone (SECURITY 142)."""
    found = followers_at(tx, actor_id, where)
    here = f"{actor_id}/followers_synchronization"
    return ordered_collection(here, len(found), None) | {"orderedItems": found}


# ---- what others say


def read_header(text: str) -> Claim:
    """The header; Unacceptable for one that cannot be read, or names something twice."""
    if len(text) > MAX_HEADER:
        raise Unacceptable(f"a {HEADER} of more than {MAX_HEADER} characters")
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None or match[1] in found:
            raise Unacceptable(f"the {HEADER} cannot be read, at character {at}")
        found[match[1]] = match[2]
        at = match.end()
    if not {"collectionId", "url", "digest"} <= found.keys() or not _DIGEST.match(found["digest"]):
        raise Unacceptable(f"the {HEADER} leaves out what it must say")
    return Claim(found["collectionId"], found["url"], found["digest"])


def consider(tx: Tx, ids: Ids, actor_id: str, claim: Claim) -> bool:
    """Note that somebody's followers here are to be compared, if what they say differs; returns whether it was noted.

    Not for anybody else's collection or address, and not again within an hour.
    """
    collection = tx.scalar(sa.select(actors.c.followers).where(actors.c.id == actor_id, ~actors.c.local))
    if collection is None or claim.collection != collection or not same_origin(claim.url, actor_id):
        return False
    if digest(_followers_here(tx, ids, actor_id)) == claim.digest:
        return False
    values = {"url": claim.url, "wanted_at": tx.now, "done_at": None}
    lately = follower_checks.c.wanted_at > tx.now - AT_MOST_EVERY
    insert = tx.insert(follower_checks).values(actor=actor_id, **values)
    noted = tx.execute(insert.on_conflict_do_update(index_elements=["actor"], set_=values, where=~lately)).rowcount
    if noted:
        tx.notify(TOPIC, actor_id)
    return bool(noted)


def _followers_here(tx: Tx, ids: Ids, actor_id: str) -> list[str]:
    statement = sa.select(follows.c.follower).where(follows.c.followee == actor_id, follows.c.state == "accepted")
    return [row.follower for row in tx.rows(statement) if ids.is_local(row.follower)]


class Synchroniser:
    """Asks for the lists that differ, and corrects our side. `unfollowed` hears of each actor whom somebody lost."""

    def __init__(self, db: Database, resolver: Resolver, authors: Authors, unfollowed: Unfollowed) -> None:
        self._db = db
        self._resolver = resolver
        self._authors = authors
        self._unfollowed = unfollowed

    async def step(self) -> int:
        """Compare with one actor that is due; returns how many were done (0 or 1)."""
        due = await self._db.read(_due)
        if due is None:
            return 0
        try:
            listed = await self._listed(*due)
        except (FederationError, SchemaError):
            listed = None  # it can be asked again with what it sends next
        await self._db.write(self._settle, due[0], listed)
        return 1

    async def _listed(self, actor_id: str, url: str) -> frozenset[str]:
        document = (await self._resolver.object(url)).document
        if not same_origin(url, actor_id):
            raise Refused(f"{url} is not of the origin of {actor_id}")
        items = document.get("orderedItems", document.get("items"))
        if items is None or len(many(items)) > MAX_LISTED:
            raise Unacceptable(f"{url} is no list of followers")
        return frozenset(one for one in ids_of(items) if self._authors.ids.is_local(one))

    def _settle(self, tx: Tx, actor_id: str, listed: frozenset[str] | None) -> None:
        tx.execute(sa.update(follower_checks).where(follower_checks.c.actor == actor_id).values(done_at=tx.now))
        if listed is None:
            return
        here = set(_followers_here(tx, self._authors.ids, actor_id))
        lost = sorted(here - listed)
        if lost:
            tx.execute(sa.delete(follows).where(follows.c.followee == actor_id, follows.c.follower.in_(lost)))
            self._unfollowed(tx, actor_id)
        for follower in sorted(listed - here):
            self._take_back(tx, follower, actor_id)

    def _take_back(self, tx: Tx, follower: str, followee: str) -> None:
        """They believe that somebody here follows who does not, and has not asked either: say so."""
        asked = sa.select(follows.c.state).where(follows.c.follower == follower, follows.c.followee == followee)
        if tx.scalar(asked) == "requested":
            return
        try:
            author = self._authors.load(tx, follower)
        except FederationError:
            return
        follow_id = author.ids.object(follower, "follows", tx.now)
        undone = {"id": follow_id, "type": "Follow", "actor": follower, "object": followee}
        said = activities.undo(
            author.ids.activity(follower, tx.now), follower, undone, Audience((followee,)), iso(tx.now)
        )
        publish(tx, author, said, Audience((followee,)), object_id=followee)


def _due(tx: Tx) -> tuple[str, str] | None:
    statement = sa.select(follower_checks.c.actor, follower_checks.c.url).where(follower_checks.c.done_at.is_(None))
    row = tx.row(statement.order_by(follower_checks.c.wanted_at).limit(1))
    return None if row is None else (row.actor, row.url)


def forget_checks(tx: Tx) -> None:
    """What was compared long ago need not be remembered."""
    tx.execute(sa.delete(follower_checks).where(follower_checks.c.wanted_at < tx.now - FORGET_AFTER))
