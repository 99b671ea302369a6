"""What documents say of keys: whose a key is, whether its owner agrees, and what the document's own proof is worth.

Pure functions; `federation.resolve` fetches what they read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import structs

from federation.authority import origin, without_fragment
from federation.errors import Unauthenticated
from federation.fetches import is_at
from federation.known_keys import parse_claim
from federation.types import Verification
from keys.errors import KeysError
from keys.material import PublicKey
from keys.proofs import read_proof
from schemas.actors import Actor, KeyClaim, is_actor
from schemas.base import id_of, ids_of, objects_of


def owner_of_key(document: dict[str, Any], key_id: str, url: str) -> str:
    """Whose a key is by the word of the document at the key's URL; its owner must say so too."""
    stub = next((key for key in objects_of(document.get("publicKey")) if key.get("id") == key_id), None)
    if is_actor(document) or stub is not None:
        owner = id_of(document) or id_of((stub or {}).get("owner"))
    elif document.get("id") == key_id and is_at(without_fragment(key_id), url):
        owner = id_of(document.get("owner")) or id_of(document.get("controller"))
    else:
        raise Unauthenticated(f"{url} is neither an actor nor the key {key_id}")
    if owner is None:
        raise Unauthenticated(f"{url} names no owner of {key_id}")
    return owner


def with_key(actor: Actor, key_id: str, document: dict[str, Any]) -> Actor | None:
    """The actor, with the key among those that it lists; None when it does not list it.

    Where the actor only names the key, the key is in the document at the key's own URL.
    """
    if origin(key_id) != origin(actor.id):
        return None
    if any(claim.id == key_id for claim in actor.public_keys):
        return actor
    if any(claim.id == key_id for claim in actor.revoked_keys):
        return None
    named = (*ids_of(actor.document.get("publicKey")), *ids_of(actor.document.get("assertionMethod")))
    if key_id not in named or document.get("id") != key_id:
        return None
    pem, multibase = document.get("publicKeyPem"), document.get("publicKeyMultibase")
    claim = KeyClaim(
        key_id,
        actor.id,
        pem=pem if isinstance(pem, str) else None,
        multibase=multibase if isinstance(multibase, str) else None,
    )
    return structs.replace(actor, public_keys=(*actor.public_keys, claim))


def public_in(actor: Actor, key_id: str) -> PublicKey:
    """A key out of those that an actor lists; Unauthenticated when it is weak, unreadable or not there."""
    claim = next((claim for claim in actor.public_keys if claim.id == key_id), None)
    if claim is None:
        raise Unauthenticated(f"{actor.id} does not list {key_id}")
    try:
        return parse_claim(claim)
    except KeysError as error:
        raise Unauthenticated(f"{key_id}: {error}") from error


def expiry_of(actor: Actor, key_id: str) -> datetime | None:
    """From when on what a key of an actor signs does not count."""
    return next((claim.expires for claim in actor.public_keys if claim.id == key_id), None)


def verification_of(actor: Actor) -> Verification:
    """Whether the document carries a proof by one of the keys that it lists, from before that expired."""
    try:
        claim = read_proof(actor.document)
        if claim is None:
            return "delivered"
        expires = expiry_of(actor, claim.verification_method)
        if expires is not None and (claim.created is None or claim.created >= expires):
            return "delivered"
        claim.verify(public_in(actor, claim.verification_method))
    except (KeysError, Unauthenticated):
        return "delivered"
    return "signed"
