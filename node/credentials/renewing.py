"""New keys for somebody here, and what of their credentials has to be signed anew (in a scope).

Lists at once, since they must be believed today. What the old keys have signed stands where they were changed as
planned; where they were in other hands it is signed anew, a few at a time, and found by whoever asks at its address.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from federation import rotating
from federation.authors import Author, Authors, NewKeys
from federation.rotating import Rotated
from federation.storage import Tx
from federation.tables import actors
from node.credentials import lists, signing
from node.credentials.tables import credentials
from schemas.base import objects_of
from schemas.credentials import SIGNING_KEY
from schemas.strict_json import loads_object

AT_ONCE = 20


def rotate(tx: Tx, authors: Authors, author: Author, keys: NewKeys, *, compromised: datetime | None = None) -> Rotated:
    """As `federation.rotating.rotate`; raises as that."""
    done = rotating.rotate(tx, authors, author, keys, compromised=compromised)
    lists.sign_anew(tx, done.author)
    if compromised is not None:  # what they brought along names another issuer, and other keys
        theirs = (credentials.c.issuer == author.actor_id, credentials.c.side == "issued")
        tx.execute(sa.update(credentials).where(*theirs).values(due_at=tx.now))
    return done


def sign_some_anew(tx: Tx, authors: Authors) -> int:
    """Some of those that wait for it; returns how many were."""
    waiting = (
        sa.select(credentials.c.id, credentials.c.owner, credentials.c.body)
        .join(actors, actors.c.id == credentials.c.owner)
        .where(credentials.c.side == "issued", credentials.c.due_at <= tx.now, actors.c.gone_at.is_(None))
    )
    rows = tx.rows(waiting.order_by(credentials.c.due_at, credentials.c.id).limit(AT_ONCE))
    for row in rows:
        body = _signed_anew(tx, authors.load(tx, row.owner), loads_object(row.body))
        tx.execute(sa.update(credentials).where(credentials.c.id == row.id).values(body=body, due_at=None))
    return len(rows)


def _signed_anew(tx: Tx, author: Author, document: dict[str, Any]) -> bytes:
    """The same words, with the key of now in the place of the old one, also where that is written into them."""
    issuer = document["issuer"]
    keys = [
        entry | {"identifier": author.ed25519.public.multibase} if entry.get("identifierType") == SIGNING_KEY else entry
        for entry in objects_of(issuer.get("otherIdentifier"))
    ]
    return signing.signed(tx, author, document | {"issuer": issuer | {"otherIdentifier": keys}})
