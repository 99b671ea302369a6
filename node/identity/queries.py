"""Reads: the identity of somebody who lives here, and who of them has none yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Row

from federation.known_identities import actors_of, identities_of, identity_of, person_of, same_person
from federation.storage import Tx
from federation.tables import actors
from keys.identity import MAX_CHAIN
from node.accounts.tables import accounts
from node.identity.rules import State
from node.identity.tables import identities
from schemas.strict_json import loads_object

__all__ = ["actors_of", "identities_of", "identity_of", "person_of", "same_person"]


class Identity(NamedTuple):
    """One's own identity key, as far as it shows. statement: JSON; succession: see `node.identity.tables`."""

    did: str
    state: State
    sealed: bytes
    statement: bytes | None
    made_at: datetime
    tried_at: datetime | None
    ended_at: datetime | None
    succession: bytes | None

    @property
    def short(self) -> str:
        """The ends of the key, by which people compare it."""
        return f"{self.did[:17]}…{self.did[-6:]}"


class Identities(NamedTuple):
    """All of somebody: the one that counts, one that waits for its code, and those that went before, newest first."""

    claimed: Identity | None
    untried: Identity | None
    former: tuple[Identity, ...]

    @property
    def all(self) -> tuple[Identity, ...]:
        """Every one of them."""
        return (*(one for one in (self.claimed, self.untried) if one is not None), *self.former)

    @property
    def any(self) -> bool:
        """Whether there is one that counts or could."""
        return self.claimed is not None or self.untried is not None


def identities_here(tx: Tx, actor_id: str) -> Identities:
    """Of somebody who lives here."""
    mine = sa.select(identities).where(identities.c.actor_id == actor_id)
    found = [_identity(row) for row in tx.rows(mine.order_by(identities.c.made_at.desc(), identities.c.did))]
    by_state = {one.state: one for one in reversed(found)}
    former = tuple(one for one in found if one.state == "former")
    return Identities(by_state.get("claimed"), by_state.get("untried"), former)


def _identity(row: Row[Any]) -> Identity:
    return Identity(**{name: row._mapping[name] for name in Identity._fields})


def successions_of(found: Identities) -> list[str]:
    """What the former ones say that leads to the one that counts, oldest first: texts of a document's `succession`."""
    said = {msgspec.json.decode(one.succession)["successor"]: one for one in found.former if one.succession is not None}
    chain: list[str] = []
    newest = found.claimed
    while newest is not None and newest.did in said and len(chain) < MAX_CHAIN:
        newest = said[newest.did]
        chain.insert(0, (newest.succession or b"").decode())
    return chain


def said_of(tx: Tx, actor_id: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What an actor's document lists of its owner's identity: statements and successions."""
    found = identities_here(tx, actor_id)
    if found.claimed is None or found.claimed.statement is None:
        return [], []
    return [loads_object(found.claimed.statement)], successions_of(found)


def without_identity(tx: Tx) -> list[str]:
    """The handles of those who live here and have none that counts."""
    has = sa.exists().where(identities.c.actor_id == accounts.c.actor_id, identities.c.state == "claimed")
    living = sa.select(accounts.c.username).join(actors, actors.c.id == accounts.c.actor_id)
    return [row.username for row in tx.rows(living.where(~has, actors.c.gone_at.is_(None)).order_by(accounts.c.id))]
