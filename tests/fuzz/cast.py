"""Who there is: a node with two people, and actors on three other servers, under names that never change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.material import PrivateKey, private_from_der
from schemas.actors import ActorDraft, ActorKeys, write_actor, write_multikey

NODE = "http://localhost:8420"
"""Our node's origin; over http, so that the others need no certificates. Nobody listens there."""

ALICE, CAROL = f"{NODE}/users/alice", f"{NODE}/users/carol"
CANARY = "canary.example"
"""A name that leads to a private address: nobody may be made to knock there."""

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
"""When the node's clock begins, and the time that activities speak of."""


@dataclass(frozen=True)
class Actor:
    """Somebody elsewhere, whose key is made of the name. follows: alice; followed: by alice."""

    name: str
    host: str
    follows: bool = True
    followed: bool = True

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def id(self) -> str:
        return f"{self.origin}/users/{self.name}"

    @property
    def followers(self) -> str:
        return f"{self.id}/followers"

    @property
    def key_id(self) -> str:
        return f"{self.id}#main-key"

    @property
    def proof_key_id(self) -> str:
        return f"{self.id}#ed25519-key"

    @property
    def key(self) -> PrivateKey:
        return key_of(self.id)

    def document(self, **more: Any) -> dict[str, Any]:
        """The actor's own document. Its one key stands in it in both forms: making RSA keys is slow, and random."""
        draft = ActorDraft(
            id=self.id,
            type="Person",
            username=self.name,
            name=self.name.title(),
            summary=f"<p>{self.name} of {self.host}</p>",
            url=f"{self.origin}/@{self.name}",
            inbox=f"{self.id}/inbox",
            shared_inbox=f"{self.origin}/inbox",
            published="2026-01-01T00:00:00Z",
            acct=f"{self.name}@{self.host}",
            keys=ActorKeys(
                (self.key_id, self.key.public.pem),
                (write_multikey(self.proof_key_id, self.id, self.key.public.multibase),),
            ),
        )
        return write_actor(draft) | more


@cache
def key_of(name: str) -> PrivateKey:
    """Always the same for a name."""
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    return private_from_der(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


BOB = Actor("bob", "one.example")
MALLORY = Actor("mallory", "one.example")
EVE = Actor("eve", "two.example", follows=False)
ZOE = Actor("zoe", "two.example", followed=False)
VERA = Actor("vera", "three.example")
"""The victim: whatever the others say, what is hers stays as it is."""

SENDERS = (BOB, MALLORY, EVE, ZOE)
EVERYBODY = (*SENDERS, VERA)
HOSTS = tuple(dict.fromkeys(actor.host for actor in EVERYBODY))
STRANGERS = ("a.example", "b.example", "data.europa.eu", "creativecommons.org", "www.w3.org", "w3id.org", "schema.org")
"""Hosts that stand in links: asked, they have nothing."""
