"""Somebody on another server, as this node knows them, and what they send."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from federation.authors import NewKeys, make_keys
from federation.known_actors import store_actor
from federation.storage import Tx
from federation.tables import follows
from federation.types import Received, Signer, Verification
from schemas.actors import ActorDraft, ActorKeys, parse_actor, write_actor, write_multikey
from schemas.base import audience_of, envelope_of
from schemas.strict_json import dumps

BO = "https://bo.example/users/bo"


@cache
def keys() -> NewKeys:
    """Made once: RSA takes its time."""
    return make_keys()


def actor(actor_id: str = BO, **more: Any) -> dict[str, Any]:
    """An actor document."""
    origin, _, name = actor_id.rpartition("/users/")
    draft = ActorDraft(
        id=actor_id,
        type=more.pop("type", "Person"),
        username=name,
        name=more.pop("name", "Bo Lindqvist"),
        summary=more.pop("summary", ""),
        url=f"{origin}/@{name}",
        inbox=f"{actor_id}/inbox",
        shared_inbox=f"{origin}/inbox",
        published="2026-01-01T00:00:00Z",
        acct=f"{name}@{origin.partition('://')[2]}",
        keys=ActorKeys(
            (f"{actor_id}#main-key", keys().rsa.public.pem),
            (write_multikey(f"{actor_id}#ed25519-key", actor_id, keys().ed25519.public.multibase),),
        ),
    )
    return write_actor(draft) | more


def know(tx: Tx, document: dict[str, Any], verification: Verification = "signed", *, acct: str | None = None) -> str:
    """This node has met an actor elsewhere; returns its id."""
    store_actor(tx, parse_actor(document), verification, acct=acct)
    return document["id"]


def follow(tx: Tx, follower: str, followee: str) -> None:
    """An accepted follow."""
    values = {"activity_id": f"{follower}#{followee}", "state": "accepted", "created_at": tx.now, "decided_at": tx.now}
    tx.execute(sa.insert(follows).values(follower=follower, followee=followee, **values))


def received(
    verb: str, thing: dict[str, Any], *, by: str = BO, number: int = 1, verification: Verification = "signed"
) -> Received:
    """An activity on its way to a handler, its object proven beforehand."""
    document = {"id": f"{by}/activities/{number}", "type": verb, "actor": by, "object": thing}
    document |= {"to": thing.get("to", []), "cc": thing.get("cc", [])}
    return Received(
        signer=Signer(by, f"{by}#ed25519-key", "proof"),
        envelope=envelope_of(document),
        body=dumps(document),
        document=document,
        object_id=thing["id"],
        object=thing,
        audience=audience_of(document),
        verification=verification,
    )
