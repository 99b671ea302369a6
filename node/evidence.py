"""What a verification rests on, for the fold that says so: whose key, which one, since when."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from federation.storage import Tx
from federation.tables import actor_keys
from keys.errors import KeysError
from keys.proofs import read_proof


class Evidence(NamedTuple):
    """The proof inside a document. key: the public key as a Multikey, None where we do not hold it."""

    key_id: str
    key: str | None
    created: datetime | None

    @property
    def short_key(self) -> str:
        """Enough of the key to compare by eye: z6Mkr3…Qd9t."""
        return f"{self.key[:6]}…{self.key[-4:]}" if self.key else ""


def evidence_of(tx: Tx, body: bytes | None, owner: str) -> Evidence | None:
    """The proof in a stored document of `owner`; None when it carries none that can be read."""
    if not body:
        return None
    try:
        claim = read_proof(msgspec.json.decode(body))
    except KeysError:
        return None
    if claim is None:
        return None
    mine = sa.and_(actor_keys.c.id == claim.verification_method, actor_keys.c.actor_id == owner)
    key = tx.scalar(sa.select(actor_keys.c.public).where(mine))
    return Evidence(claim.verification_method, key, claim.created)
