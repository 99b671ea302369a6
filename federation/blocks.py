"""Who wants nothing of whom: blocks, which the other side is told, and mutes, which nobody is (ActivityPub §6.9).

A block cuts both ways: neither follows the other, reads what is not for everybody, or is seen by the other. A mute only
keeps somebody out of one's own sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from federation.statements import Hot
from federation.storage import Database, Tx
from federation.tables import actor_keys, actors, blocks, follows, mutes

TOPIC = "blocks"
CHUNK = 500


def blocks_between(tx: Tx, one: str, other: str) -> bool:
    """Whether either of the two has blocked the other."""
    either = sa.or_(_this(one, other), _this(other, one))
    return tx.row(sa.select(blocks.c.actor).where(either).limit(1)) is not None


def has_blocked(tx: Tx, actor_id: str, other: str) -> bool:
    """Whether the first has blocked the second."""
    return tx.row(sa.select(blocks.c.actor).where(_this(actor_id, other))) is not None


def _this(actor_id: str, target: str) -> sa.ColumnElement[bool]:
    return sa.and_(blocks.c.actor == actor_id, blocks.c.target == target)


def add_block(tx: Tx, actor_id: str, target: str) -> bool:
    """Remember a block and end what each followed of the other; False when it stood already."""
    values = {"actor": actor_id, "target": target, "created_at": tx.now}
    new = tx.row(tx.insert(blocks).values(values).on_conflict_do_nothing().returning(blocks.c.actor))
    sever(tx, actor_id, target)
    tx.notify(TOPIC, actor_id)
    return new is not None


def remove_block(tx: Tx, actor_id: str, target: str) -> bool:
    """Take a block back; False when there was none. What each followed of the other does not come back."""
    gone = tx.execute(sa.delete(blocks).where(_this(actor_id, target))).rowcount
    tx.notify(TOPIC, actor_id)
    return bool(gone)


def sever(tx: Tx, one: str, other: str) -> None:
    """End the follows between two actors, in both directions."""
    for follower, followee in ((one, other), (other, one)):
        tx.execute(sa.delete(follows).where(follows.c.follower == follower, follows.c.followee == followee))


def hidden_from(tx: Tx, reader: str | sa.ColumnElement[str]) -> sa.CompoundSelect[Any]:
    """The ids of those whom a reader does not see, for `owner.not_in(...)`: blocked by either side, or muted."""
    return sa.union(
        sa.select(blocks.c.target).where(blocks.c.actor == reader),
        sa.select(blocks.c.actor).where(blocks.c.target == reader),
        sa.select(mutes.c.target).where(mutes.c.actor == reader, _lasts(tx)),
    )


def hides(tx: Tx, reader: str, other: str) -> bool:
    """Whether a reader does not see somebody: blocked by either side, or muted."""
    muted = sa.select(mutes.c.actor).where(mutes.c.actor == reader, mutes.c.target == other, _lasts(tx))
    return blocks_between(tx, reader, other) or tx.row(muted) is not None


def forget_mutes(tx: Tx) -> None:
    """Those whose time is over."""
    tx.execute(sa.delete(mutes).where(mutes.c.until <= tx.now))


def _lasts(tx: Tx) -> sa.ColumnElement[bool]:
    return sa.or_(mutes.c.until.is_(None), mutes.c.until > tx.now)


def unwilling(tx: Tx, readers: Iterable[str], involved: Iterable[str]) -> set[str]:
    """Those of some readers whom a block, either way, separates from anybody involved in a thing (SECURITY 134).

    involved: whoever wrote it, passed it on, is named in it or answered by it.
    """
    people, wanted = sorted(set(involved)), sorted(set(readers))
    found: set[str] = set()
    for start in range(0, len(people), CHUNK):
        found |= {row.actor for row in tx.all(_UNWILLING, involved=people[start : start + CHUNK], readers=wanted)}
    return found


_INVOLVED = sa.bindparam("involved", type_=sa.Text, expanding=True)
_READERS = sa.bindparam("readers", type_=sa.Text, expanding=True)
_UNWILLING = Hot(
    sa.union(
        sa.select(blocks.c.actor).where(blocks.c.target.in_(_INVOLVED), blocks.c.actor.in_(_READERS)),
        sa.select(blocks.c.target).where(blocks.c.actor.in_(_INVOLVED), blocks.c.target.in_(_READERS)),
    )
)


SEPARATED = sa.union(
    sa.select(blocks.c.actor).where(blocks.c.target.in_(_INVOLVED)),
    sa.select(blocks.c.target).where(blocks.c.actor.in_(_INVOLVED)),
)
"""The ids of all whom a block, either way, separates from anybody `involved` in a thing; for `reader.not_in(...)`."""


def local_blockers(tx: Tx, targets: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """By whom here each of these is blocked."""
    wanted = sorted(set(targets))
    if not wanted:
        return MappingProxyType({})
    found: dict[str, set[str]] = {}
    for row in tx.all(_BLOCKERS_HERE, targets=wanted):
        found.setdefault(row.target, set()).add(row.actor)
    return {target: frozenset(by) for target, by in found.items()}


_BLOCKERS_HERE = Hot(
    sa.select(blocks.c.actor, blocks.c.target)
    .join(actors, actors.c.id == blocks.c.actor)
    .where(actors.c.local, blocks.c.target.in_(sa.bindparam("targets", expanding=True)))
)


class BlockedReaders:
    """Whom each local actor blocks, kept in memory until somebody notifies `blocks`: asked with every signed GET."""

    def __init__(self, db: Database, capacity: int = 4_096) -> None:
        self._db = db
        self._capacity = capacity
        self._known: dict[str, frozenset[str]] = {}
        self._generation = 0
        db.subscribe(TOPIC, self._forget)

    async def refuses(self, owner: str, key_id: str) -> bool:
        """Whether a local actor has blocked whoever signs with a key: nobody lies about that to be refused."""
        targets = await self._targets(owner)
        if not targets:
            return False
        holder = key_id.partition("#")[0]
        return holder in targets or await self._db.read(_holder, key_id) in targets

    async def _targets(self, owner: str) -> frozenset[str]:
        known = self._known.get(owner)
        if known is not None:
            return known
        generation = self._generation
        found = await self._db.read(_blocked_by, owner)
        if generation == self._generation:
            if len(self._known) >= self._capacity:
                del self._known[next(iter(self._known))]
            self._known[owner] = found
        return found

    def _forget(self, payload: str | None) -> None:
        self._generation += 1
        if payload is None:
            self._known.clear()
        else:
            self._known.pop(payload, None)


def _blocked_by(tx: Tx, owner: str) -> frozenset[str]:
    return frozenset(row.target for row in tx.rows(sa.select(blocks.c.target).where(blocks.c.actor == owner)))


def _holder(tx: Tx, key_id: str) -> str | None:
    holder: str | None = tx.scalar(sa.select(actor_keys.c.actor_id).where(actor_keys.c.id == key_id))
    return holder
