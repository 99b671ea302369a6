"""Which person is behind which actor, as far as keys can say it: identities claimed both ways (FEP-c390).

An identity (did:key) says in a signed statement that it is an actor, and the actor's document, as its origin serves it,
lists that statement. Neither alone counts. When an identity key was changed, the old one names its successor; of two
that it names, the one that was seen first stands, since whoever gets hold of an old key can name another.

What is known of an actor goes when the actor is forgotten (`federation.known_actors`); of a succession, when nobody
here is known by either of its keys.

A statement is public, and says nothing of the keys of a server: whoever gets hold of the name of a server can list it
again. So one that was known before an actor came back with keys that nobody confirms counts for nothing, until its
owner has opened the identity key and said it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation.statements import Hot
from federation.storage import Tx
from federation.tables import actor_keys, actors, follows, known_identities, known_successions
from keys.errors import KeysError
from keys.identity import MAX_CHAIN, Succession, read_statement, read_succession
from keys.proofs import read_proof
from schemas.actors import Actor
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object

AT_ONCE = 500
MAX_ACTORS = 50  # of one person, in one answer
MAX_GONE = 8  # of one actor

_HELD = Hot(sa.select(known_identities).where(known_identities.c.actor_id == sa.bindparam("actor_id")))

_log = structlog.get_logger()


def store_identities(tx: Tx, actor: Actor) -> None:
    """Keep what the document of an actor says of who it is; what it says no more is over from now on."""
    rows = tx.all(_HELD, actor_id=actor.id)
    said = {dumps(statement): statement for statement in actor.statements}
    if said.keys() == {bytes(row.statement) for row in rows if row.gone_at is None} and not actor.successions:
        return
    claimed = _checked(tx, actor, said)
    known = {row.did: row for row in rows}
    _end(tx, actor.id, [row for row in rows if row.did not in claimed])
    for did, statement in claimed.items():
        held: dict[str, Any] = {"checked_at": tx.now, "gone_at": None}
        if did not in known or _is_newer(statement, known[did].statement):
            held |= {"statement": statement, "stated_at": tx.now}
        first = {"statement": statement, "first_seen": tx.now, "stated_at": tx.now}
        insert = tx.insert(known_identities).values({"actor_id": actor.id, "did": did} | first | held)
        tx.execute(insert.on_conflict_do_update(index_elements=["actor_id", "did"], set_=held))
    for succession, document in _leading_to(claimed, _readable(actor)):
        _remember(tx, succession, document)


def _end(tx: Tx, actor_id: str, gone: Sequence[Row[Any]]) -> None:
    """An actor lists these no more. What it claimed first is kept, since it may come again from somebody else."""
    mine = known_identities.c.actor_id == actor_id
    ended = [row.did for row in gone if row.gone_at is None]
    if ended:
        tx.execute(sa.update(known_identities).where(mine, known_identities.c.did.in_(ended)).values(gone_at=tx.now))
    over = [row.did for row in sorted(gone, key=lambda row: (row.first_seen, row.did))[MAX_GONE:]]
    if over:
        tx.execute(sa.delete(known_identities).where(mine, known_identities.c.did.in_(over)))


def _checked(tx: Tx, actor: Actor, said: dict[bytes, dict[str, Any]]) -> dict[str, bytes]:
    """The identities whose statements hold."""
    claimed: dict[str, bytes] = {}
    for body, statement in said.items():
        try:
            claimed.setdefault(read_statement(statement, actor.id, now=tx.now), body)
        except KeysError as error:
            _log.info("identity.refused", actor=actor.id, reason=str(error))
    return claimed


def _is_newer(statement: bytes, held: bytes) -> bool:
    """Whether the identity key has said it anew: what was said before and is listed again proves nothing."""
    ours, theirs = (read_proof(msgspec.json.decode(one)) for one in (held, statement))
    if ours is None or theirs is None or theirs.created is None:
        return False
    return ours.created is None or theirs.created > ours.created


def _readable(actor: Actor) -> list[tuple[Succession, bytes]]:
    found = []
    for text in actor.successions:
        try:
            found.append((read_succession(loads_object(text.encode())), text.encode()))
        except (KeysError, SchemaError) as error:
            _log.info("identity.refused", actor=actor.id, reason=str(error))
    return found


def _leading_to(claimed: Iterable[str], found: Sequence[tuple[Succession, bytes]]) -> list[tuple[Succession, bytes]]:
    """Those that end, over others of the same document, in an identity that the actor claims."""
    wanted, chosen, left = set(claimed), [], list(found)
    while more := [one for one in left if one[0].new in wanted]:
        chosen += more
        wanted |= {one[0].old for one in more}
        left = [one for one in left if one not in more]
    return chosen


def _remember(tx: Tx, succession: Succession, document: bytes) -> None:
    if person_of(tx, succession.new) == succession.old:
        return  # a circle, which only whoever has both keys can draw
    if tx.scalar(sa.select(known_successions.c.did).where(known_successions.c.successor == succession.new).limit(1)):
        return  # a key takes the place of one other
    values = {"did": succession.old, "successor": succession.new, "document": document, "seen_at": tx.now}
    if tx.execute(tx.insert_new(known_successions, "did"), values).rowcount:
        _log.info("identity.succeeded", old=succession.old, new=succession.new)


# ---- who is who


def _counts() -> sa.ColumnElement[bool]:
    """Of known identities: the actor lists it, and has got no keys since that only its server names."""
    unsure = sa.exists().where(
        actor_keys.c.actor_id == known_identities.c.actor_id,
        actor_keys.c.vouched == "server",
        actor_keys.c.first_seen > known_identities.c.stated_at,
    )
    return sa.and_(known_identities.c.gone_at.is_(None), ~unsure)


def identity_of(tx: Tx, actor_id: str) -> str | None:
    """The did:key that an actor claims both ways; of several the one that has stood longest."""
    statement = sa.select(known_identities.c.did).where(known_identities.c.actor_id == actor_id, _counts())
    did: str | None = tx.scalar(statement.order_by(known_identities.c.first_seen, known_identities.c.did).limit(1))
    return did


def people_behind(tx: Tx, actor_ids: Iterable[str]) -> dict[str, str]:
    """By actor the identity that stands for the person today, or the actor's own id where none is claimed."""
    found = {actor_id: actor_id for actor_id in actor_ids}
    theirs = sa.select(known_identities.c.actor_id, known_identities.c.did)
    claimed = theirs.where(known_identities.c.actor_id.in_(sorted(found)), _counts())
    for row in tx.rows(claimed.order_by(known_identities.c.first_seen.desc(), known_identities.c.did.desc())):
        found[row.actor_id] = row.did  # the one that has stood longest comes last
    return {one: name if name == one else person_of(tx, name) for one, name in found.items()}


def person_of(tx: Tx, did: str) -> str:
    """The identity that stands for a person today: where the successions of this one lead, itself where there is none.

    Two identities are the same person when this is the same.
    """
    seen = [did]
    for _step in range(MAX_CHAIN):
        successor = tx.scalar(sa.select(known_successions.c.successor).where(known_successions.c.did == seen[-1]))
        if successor is None or successor in seen:
            break
        seen.append(successor)
    return seen[-1]


def identities_of(tx: Tx, did: str) -> list[str]:
    """All identities of the same person, the one of today first."""
    found = [person_of(tx, did)]
    newest = list(found)
    for _step in range(MAX_CHAIN):
        before = sa.select(known_successions.c.did).where(known_successions.c.successor.in_(newest))
        newest = [row.did for row in tx.rows(before.order_by(known_successions.c.did).limit(MAX_CHAIN))]
        newest = [one for one in newest if one not in found]
        if not newest:
            break
        found += newest
    return found


def actors_of(tx: Tx, did: str) -> list[str]:
    """The actors that are this person, by this identity or one that it succeeded; those known longest first."""
    theirs = (known_identities.c.did.in_(identities_of(tx, did)), _counts())
    statement = sa.select(known_identities.c.actor_id, sa.func.min(known_identities.c.first_seen).label("since"))
    grouped = statement.where(*theirs).group_by(known_identities.c.actor_id)
    rows = tx.rows(grouped.order_by(sa.literal_column("since"), known_identities.c.actor_id).limit(MAX_ACTORS))
    return [row.actor_id for row in rows]


def same_person(tx: Tx, one: str, other: str) -> bool:
    """Whether two actors have claimed one identity, both ways, or two that successions join."""
    if one == other:
        return True
    dids = [identity_of(tx, actor_id) for actor_id in (one, other)]
    return None not in dids and len({person_of(tx, did) for did in dids if did is not None}) == 1


# ---- what is forgotten


def is_also_known(actor_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether the identity of an actor is that of another one, who lives here, or follows or is followed here."""
    theirs, others = known_identities.alias(), known_identities.alias()
    other = others.c.actor_id
    related = sa.exists().where(sa.or_(follows.c.follower == other, follows.c.followee == other))
    is_local = sa.exists().where(actors.c.id == other, actors.c.local).correlate(others)
    joined = sa.and_(theirs.c.did == others.c.did, theirs.c.actor_id != other)
    return sa.exists().where(theirs.c.actor_id == actor_id, joined, sa.or_(related, is_local))


def forget_identities_of(tx: Tx, actor_ids: Sequence[str]) -> None:
    """These actors are not known here any more."""
    for start in range(0, len(actor_ids), AT_ONCE):
        some = actor_ids[start : start + AT_ONCE]
        tx.execute(sa.delete(known_identities).where(known_identities.c.actor_id.in_(some)))


def forget_successions(tx: Tx) -> int:
    """Those of whom nobody is known here by any of their keys; returns how many."""
    known = sa.exists().where(known_identities.c.did.in_((known_successions.c.did, known_successions.c.successor)))
    earlier = known_successions.alias()
    leads_here = sa.exists().where(earlier.c.did == known_successions.c.successor)
    over = sa.select(known_successions.c.did).where(~known, ~leads_here).limit(AT_ONCE)
    dids = [row.did for row in tx.rows(over)]
    if dids:
        tx.execute(sa.delete(known_successions).where(known_successions.c.did.in_(dids)))
    return len(dids)
