"""Writes: an identity is made, tried, claimed, brought along, and succeeded by another.

What is said with an open key is written before, outside of the scope (`node.identity.opening`): opening one takes a
tenth of a second, and nothing here ever holds one.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.former import forget_former
from federation.storage import Tx
from federation.tables import actors
from keys.identity import MAX_CHAIN, read_statement, read_succession
from node.accounts.tables import accounts
from node.errors import Invalid
from node.identity.queries import identities_here, said_of
from node.identity.rules import NOT_SEALED, NOTHING_TO_TRY, SUCCEEDED, TOO_MANY
from node.identity.tables import identities
from schemas.identities import with_identity
from schemas.strict_json import loads_object


class Made(NamedTuple):
    """An identity key that was open a moment ago: its name, sealed, and its statement for one actor (JSON)."""

    did: str
    sealed: bytes
    statement: bytes


def make(tx: Tx, author: Author, made: Made) -> None:
    """Keep a new identity key, untried, in the place of one that was never tried; nobody is told yet."""
    read_statement(loads_object(made.statement), author.actor_id)
    _lock(tx, author.actor_id)
    _forget_untried(tx, author.actor_id)
    values = {"actor_id": author.actor_id, "did": made.did, "state": "untried", "made_at": tx.now}
    tx.execute(sa.insert(identities).values(sealed=made.sealed, statement=made.statement, **values))


def bring(tx: Tx, author: Author, did: str, sealed: bytes) -> bool:
    """Keep an identity key that was made elsewhere, untried; returns False where there is that one already.

    Its code says whether it is that key at all; until then one that counts here stays.
    """
    _lock(tx, author.actor_id)
    found = identities_here(tx, author.actor_id)
    given_up = {one.did for one in found.former if one.succession is None}
    if did not in given_up and any(one.did == did for one in found.all):
        return False
    _forget_untried(tx, author.actor_id)
    if did in given_up:  # its code has come to light again
        mine = (identities.c.actor_id == author.actor_id, identities.c.did == did)
        tx.execute(sa.update(identities).where(*mine).values(state="untried", sealed=sealed, ended_at=None))
        return True
    values = {"actor_id": author.actor_id, "did": did, "state": "untried", "made_at": tx.now, "sealed": sealed}
    tx.execute(sa.insert(identities).values(values))
    return True


def bring_succession(tx: Tx, author: Author, did: str, sealed: bytes, succession: bytes) -> bool:
    """Keep what a former key said of its successor; returns False where it is known.

    Raises KeysError when it was not signed by both, Invalid when there are more than anybody has.
    """
    if read_succession(loads_object(succession)).old != did:
        raise Invalid({"sealed": NOT_SEALED})
    if len(identities_here(tx, author.actor_id).former) >= MAX_CHAIN:
        raise Invalid({"sealed": TOO_MANY})
    values = {"actor_id": author.actor_id, "did": did, "state": "former", "made_at": tx.now, "ended_at": tx.now}
    insert = tx.insert_new(identities, "actor_id", "did")
    return bool(tx.execute(insert, values | {"sealed": sealed, "succession": succession}).rowcount)


def _lock(tx: Tx, actor_id: str) -> None:
    """One after the other: of two who change the identity of somebody at once, the second sees what the first did."""
    tx.rows(sa.select(accounts.c.id).where(accounts.c.actor_id == actor_id).with_for_update())


def _forget_untried(tx: Tx, actor_id: str) -> None:
    tx.execute(sa.delete(identities).where(identities.c.actor_id == actor_id, identities.c.state == "untried"))


def claim(tx: Tx, author: Author, made: Made) -> int:
    """The code has opened a key: from now on the actor's document says so; returns how many inboxes hear of it.

    Also for a key that counts already, which then says so anew. Raises Invalid when it is none of the author's.
    """
    _lock(tx, author.actor_id)
    found = identities_here(tx, author.actor_id)
    if made.did in {one.did for one in found.former}:
        raise Invalid({"sealed": SUCCEEDED})
    if made.did not in {one.did for one in found.all}:
        raise Invalid({"code": NOTHING_TO_TRY})
    read_statement(loads_object(made.statement), author.actor_id)
    if found.claimed is not None and found.claimed.did != made.did:
        _end(tx, author.actor_id, found.claimed.did, None)
    mine = (identities.c.actor_id == author.actor_id, identities.c.did == made.did)
    held = {"state": "claimed", "tried_at": tx.now, "statement": made.statement, "sealed": made.sealed}
    tx.execute(sa.update(identities).where(*mine).values(held))
    return publish(tx, author)


def succeed(tx: Tx, author: Author, made: Made, succession: bytes) -> int:
    """A new key takes the place of the one that counts, which has named it; returns how many inboxes hear of it.

    Raises Invalid when it names another, KeysError when it was not signed by both.
    """
    _lock(tx, author.actor_id)
    found = identities_here(tx, author.actor_id)
    said = read_succession(loads_object(succession))
    if found.claimed is None or said.old != found.claimed.did or said.new != made.did:
        raise Invalid({"code": NOTHING_TO_TRY})
    _forget_untried(tx, author.actor_id)
    _end(tx, author.actor_id, said.old, succession)
    values = {"actor_id": author.actor_id, "did": made.did, "state": "claimed", "made_at": tx.now, "tried_at": tx.now}
    tx.execute(sa.insert(identities).values(sealed=made.sealed, statement=made.statement, **values))
    return publish(tx, author)


def _end(tx: Tx, actor_id: str, did: str, succession: bytes | None) -> None:
    mine = (identities.c.actor_id == actor_id, identities.c.did == did)
    over = {"state": "former", "ended_at": tx.now, "succession": succession}
    tx.execute(sa.update(identities).where(*mine).values(over))


def publish(tx: Tx, author: Author) -> int:
    """Let the actor's document say which identity counts; returns how many inboxes hear of it."""
    held = tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id, actors.c.local))
    statements, successions = said_of(tx, author.actor_id)
    told = outbox.update_actor(tx, author, with_identity(msgspec.json.decode(held), statements, successions))
    forget_former(tx, author, author.actor_id)
    return told
