"""What a verification rests on, for the fold that says so: whose key, which one, since when, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from federation.known_keys import key_of
from federation.storage import Tx
from federation.tables import actors, objects
from keys.errors import KeysError
from keys.proofs import read_proof
from keys.rotation import KeyPeriod, Standing, standing


class Evidence(NamedTuple):
    """The proof inside a document. key: the public key as a Multikey, None where we do not hold it.

    since: when we first saw the key. ended: when another took its place. revoked: since when it was in other hands.
    vouched: who says that it is its owner's (`first`, `key` or `server`; see `federation.tables.actor_keys`).
    """

    key_id: str
    key: str | None
    created: datetime | None
    standing: Standing = "in force"
    since: datetime | None = None
    ended: datetime | None = None
    revoked: datetime | None = None
    vouched: str = "first"

    @property
    def short_key(self) -> str:
        """Enough of the key to compare by eye: z6Mkr3…Qd9t."""
        return f"{self.key[:6]}…{self.key[-4:]}" if self.key else ""


def evidence_of_object(tx: Tx, object_id: str) -> Evidence | None:
    """What stands behind an object that is kept here; None when it carries no proof that can be read."""
    came = sa.func.coalesce(objects.c.changed_at, objects.c.received_at).label("came")
    row = tx.row(sa.select(objects.c.body, objects.c.owner, came).where(objects.c.id == object_id))
    return None if row is None else evidence_of(tx, row.body, row.owner, row.came)


def evidence_of_actor(tx: Tx, actor_id: str) -> Evidence | None:
    """The same for the document of a person."""
    row = tx.row(sa.select(actors.c.document, actors.c.updated_at).where(actors.c.id == actor_id))
    return None if row is None else evidence_of(tx, row.document, actor_id, row.updated_at)


def evidence_of(tx: Tx, body: bytes | None, owner: str, seen: datetime) -> Evidence | None:
    """The proof in a document of `owner` that we have had since `seen`; None when it carries none that can be read."""
    if not body:
        return None
    try:
        claim = read_proof(msgspec.json.decode(body))
    except KeysError:
        return None
    if claim is None:
        return None
    key = key_of(tx, owner, claim)
    if key is None:
        return Evidence(claim.verification_method, None, claim.created)
    return Evidence(
        key_id=claim.verification_method,
        key=key.public,
        created=claim.created,
        standing=standing(KeyPeriod(key.expires_at, key.revoked_at), claim.created, seen),
        since=key.first_seen,
        ended=key.retired_at,
        revoked=key.revoked_at,
        vouched=key.vouched,
    )
