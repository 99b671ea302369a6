"""A request -> who sent it, or a refusal. The only place where a `Signer` is made.

An object proof is looked at first, then an HTTP signature of either generation. A proof that is broken is a refusal,
whatever else the request carries: somebody has changed what its author signed. A proof by the actor's own key needs
no HTTP signature, so a proven activity may be forwarded by anybody. A proof of a kind that is not read here says
nothing.

A key is believed when its owner's document, at its owner's origin, lists it; `Resolver.key` sees to that. A key that
fails is asked for once more, since it may have been changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from federation.clock import Clock
from federation.errors import FederationError, Forbidden, Gone, NotFound, Unauthenticated, Unreachable
from federation.ids import Ids
from federation.policy import Policy
from federation.resolve import ResolvedKey, Resolver
from federation.types import Signer
from keys import proofs, requests
from keys.errors import KeysError
from keys.material import PublicKey
from schemas.base import Envelope
from schemas.errors import SchemaError
from schemas.urls import host_of


class Claim(Protocol):
    """What a proof and an HTTP signature have in common."""

    @property
    def created(self) -> datetime | None:
        """When it was made, as far as it says so."""

    def verify(self, public_key: PublicKey) -> None:
        """Return, or raise BadSignature."""


class KeyGone(Unauthenticated):
    """The origin of a key says that there is no such key, or no such owner, any more."""

    def __init__(self, key_id: str, message: str) -> None:
        super().__init__(f"{key_id} is gone: {message}")
        self.key_id = key_id


class Authenticator:
    """See the module's docstring."""

    def __init__(self, ids: Ids, resolver: Resolver, policy: Policy, clock: Clock) -> None:
        self._ids = ids
        self._resolver = resolver
        self._policy = policy
        self._clock = clock

    async def signer_of(self, request: requests.Request, document: dict[str, Any], envelope: Envelope) -> Signer:
        """Who is proven to have sent this activity.

        Raises Unauthenticated (no signature, or none that holds; KeyGone when its key is no more), Forbidden (a
        blocked host), Unreachable (the key cannot be had for now).
        """
        claim = self._proof(document)
        if claim is None:
            return await self.requester(request)
        key = await self._holding(claim, claim.verification_method)
        if key.actor_id != envelope.actor:
            raise Unauthenticated(f"the proof is by {key.actor_id}, the activity by {envelope.actor}")
        return Signer(key.actor_id, key.key_id, "proof")

    async def requester(self, request: requests.Request) -> Signer:
        """Who is proven by the HTTP signature alone to have sent this request; raises as `signer_of`."""
        try:
            claim = requests.read(request, self._clock.now())
        except KeysError as error:
            raise Unauthenticated(f"the HTTP signature: {error}") from error
        if claim is None:
            raise Unauthenticated("the request carries no signature")
        key = await self._holding(claim, claim.key_id)
        return Signer(key.actor_id, key.key_id, claim.scheme)

    async def covers(self, request: requests.Request, header: str, signer: Signer) -> bool:
        """Whether the signer of a message has also signed a header of the request that brought it.

        header: its name in lower case. Where a proof has told who the signer is, the HTTP signature is checked now.
        """
        try:
            claim = requests.read(request, self._clock.now())
            if claim is None or header not in claim.covered:
                return False
            return signer.how != "proof" or (await self.requester(request)).actor_id == signer.actor_id
        except (KeysError, FederationError):
            return False

    async def proves(self, document: dict[str, Any], owner: str) -> bool:
        """Whether an object's own proof holds under a key of its owner.

        False when it has none that is read here. Raises Unauthenticated for a proof that fails or is by somebody
        else, Unreachable when that cannot be told for now.
        """
        claim = self._proof(document)
        if claim is None:
            return False
        key = await self._holding(claim, claim.verification_method)
        if key.actor_id != owner:
            raise Unauthenticated(f"the object's proof is by {key.actor_id}, the object is {owner}'s")
        return True

    def served_by(self, owner: str) -> Signer:
        """Whom a document speaks for that was fetched from its owner's origin (see `Preparer.found`)."""
        return Signer(owner, "", "origin")

    def proves_at_once(self, document: dict[str, Any], owner: str) -> bool:
        """Whether an object's own proof holds under a key of its owner that is at hand. False decides nothing."""
        try:
            claim = self._proof(document)
            key = None if claim is None else self._resolver.remembered(claim.verification_method)
            if claim is None or key is None or key.actor_id != owner:
                return False
            self._check_host(owner)
            key.check_date(claim.created, self._clock.now())
            claim.verify(key.public)
        except (Unauthenticated, Forbidden, KeysError):
            return False
        return True

    async def _holding(self, claim: Claim, key_id: str) -> ResolvedKey:
        """The key under which the claim holds."""
        self._check_host(key_id)
        key = await self._key(key_id)
        try:
            claim.verify(key.public)
        except KeysError:
            key = await self._key(key_id, refresh=True)
            try:
                claim.verify(key.public)
            except KeysError as error:
                raise Unauthenticated(f"{key_id}: {error}") from error
        key.check_date(claim.created, self._clock.now())
        self._check_host(key.actor_id)
        return key

    def _proof(self, document: dict[str, Any]) -> proofs.ProofClaim | None:
        if "proof" not in document:
            return None
        try:
            return proofs.read_proof(document, now=self._clock.now())
        except KeysError as error:
            raise Unauthenticated(f"the proof: {error}") from error

    async def _key(self, key_id: str, *, refresh: bool = False) -> ResolvedKey:
        try:
            return await self._resolver.key(key_id, refresh=refresh)
        except (Gone, NotFound) as error:
            raise KeyGone(key_id, str(error)) from error
        except (Unreachable, Unauthenticated, Forbidden):
            raise
        except (FederationError, KeysError, SchemaError) as error:
            raise Unauthenticated(f"{key_id}: {error}") from error

    def _check_host(self, url: str) -> None:
        """Nothing is asked of a blocked host, and nobody outside signs with a key of ours."""
        try:
            host = host_of(url)
        except SchemaError as error:
            raise Unauthenticated(f"the key id is not an URL: {error}") from error
        if host == self._ids.host:
            raise Unauthenticated(f"{url} is ours, and we send nothing to ourselves")
        if self._policy.blocked(host):
            raise Forbidden(f"{host} is blocked")
