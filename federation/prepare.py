"""A stored message -> `Received`: everything that its handler needs, fetched and proven beforehand.

What an activity embeds counts only if its owner says it (SECURITY, rule 4):

- an object of the actor itself, under the actor's origin, is `delivered` by its own server, and `signed` when the
  activity's proof or the object's own holds; where it has one of its own, that one must hold;
- an object that the activity only names is fetched from its origin;
- somebody else's object inside an Announce is left aside and fetched from its origin; inside anything else it is no
  reason to believe it;
- an activity that its actor did not sign (a forward) says nothing but where to look: what its origin serves counts,
  and nothing else that the forwarder wrote reaches a handler.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from federation.authenticate import Authenticator
from federation.authority import belongs_to, owner_of, same_origin
from federation.errors import Forbidden, Gone, NotFound, Refused, Unacceptable, Unauthenticated, Unreachable
from federation.handlers.actors import key_in_force, keys_are_known
from federation.ids import Ids
from federation.key_documents import verification_of
from federation.known_keys import listed_keys
from federation.objects import is_stored
from federation.resolve import Resolver
from federation.storage import Database
from federation.types import Received, Signer, Verification
from schemas.actors import is_actor, parse_actor
from schemas.base import Envelope, audience_of, envelope_of, first_object, id_of
from schemas.errors import SchemaError
from schemas.jsonld import normalise

BRINGS_OBJECT = frozenset({"Create", "Update"})
NAMES_OBJECT = frozenset({"Announce"})
NAMES_ACTOR = frozenset({"Move"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it was read: what stands in it, and what may have to be asked elsewhere before it can be used."""

    received: Received

    @property
    def forwarded(self) -> bool:
        """Whether somebody else than the actor sent it, without a proof by the actor."""
        return self.received.signer.actor_id != self.received.envelope.actor

    @property
    def is_ready(self) -> bool:
        """Whether nothing has to be asked."""
        verb, embedded = self.received.envelope.type, self.received.object
        if self.forwarded or verb in NAMES_OBJECT or verb in NAMES_ACTOR:
            return False
        if verb not in BRINGS_OBJECT:
            return True
        return embedded is not None and "proof" not in embedded and not is_actor(embedded)


_signer = msgspec.json.Decoder(Signer)


def read(body: bytes, signer: str) -> Draft:
    """Read a stored message; the door has read these bytes strictly before. Raises Refused or SchemaError."""
    document = familiar(msgspec.json.decode(body))
    return draft_of(document, envelope_of(document), body, _signer.decode(signer))


def draft_of(document: dict[str, Any], envelope: Envelope, body: bytes, sender: Signer) -> Draft:
    """A message that has been read. Raises Refused or SchemaError."""
    inner = first_object(document.get("object"))
    received = Received(
        signer=sender,
        envelope=envelope,
        body=body,
        document=document,
        object_id=id_of(inner or document.get("object")),
        object=None if inner is None else _own(inner, envelope.actor),
        audience=audience_of(document),
        verification="signed" if sender.how == "proof" else "delivered",
    )
    if envelope.type in BRINGS_OBJECT and received.object is None and inner is not None:
        raise Forbidden(f"{envelope.actor} brings an object that is not its own: {received.object_id}")
    return Draft(received)


def familiar(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the terms that are read here; rewritten JSON-LD loses the proofs, which do not cover it."""
    view = normalise(document)
    return view if view is document else _without_proofs(view)


def _without_proofs(document: dict[str, Any]) -> dict[str, Any]:
    inner = document.get("object")
    bare = {name: value for name, value in document.items() if name != "proof"}
    return bare | {"object": _without_proofs(inner)} if isinstance(inner, dict) else bare


def _own(value: dict[str, Any], actor_id: str) -> dict[str, Any] | None:
    """An embedded object, if it is the actor's own (or, without an id, part of what the actor says)."""
    if id_of(value) is None:
        return value if owner_of(value) in (None, actor_id) else None
    return value if belongs_to(value, actor_id) else None


class Preparer:
    """Asks other servers for what a draft lacks."""

    def __init__(self, db: Database, ids: Ids, resolver: Resolver, authenticator: Authenticator) -> None:
        self._db = db
        self._ids = ids
        self._resolver = resolver
        self._authenticator = authenticator

    def at_once(self, draft: Draft) -> Received | None:
        """What the handler gets, if that can be said without asking anybody or waiting for anything; else None."""
        received = draft.received
        if draft.is_ready:
            return received
        embedded = None if draft.forwarded or received.envelope.type not in BRINGS_OBJECT else received.object
        if embedded is None or is_actor(embedded):
            return None
        proven = self._authenticator.proves_at_once(embedded, received.envelope.actor)
        return _with(received, embedded, "signed") if proven else None

    async def complete(self, draft: Draft) -> Received:
        """What the handler gets. Raises Refused for good, Unreachable for now."""
        received, verb = draft.received, draft.received.envelope.type
        if draft.forwarded:
            return await self._from_origin(received)
        if verb in NAMES_OBJECT:
            return await self._announced(received)
        if verb in NAMES_ACTOR:
            return await self._moved(received)
        if received.object is None:
            return await self._fetched(received)
        if is_actor(received.object):
            return await self._actor(received, received.object)
        return await self._proven(received, received.object, received.verification)

    async def found(self, object_id: str) -> Received:
        """An object that nobody sent: as its origin serves it, as if its owner had just told of it.

        Raises as `complete`; Forbidden for what names no owner of its own origin.
        """
        document = await self._fetch(object_id)
        owner, found_id = owner_of(document), id_of(document)
        if owner is None or found_id is None or not belongs_to(document, owner):
            raise Forbidden(f"{object_id} names no owner of its own origin")
        told = Received(
            signer=self._authenticator.served_by(owner),
            envelope=Envelope(found_id, "Create", owner),
            body=b"",
            document={"id": found_id, "type": "Create", "actor": owner, "object": document},
            object_id=found_id,
            object=document,
            audience=audience_of(document),
            verification="delivered",
        )
        return await self._owned(told, document, owner)

    async def _proven(self, received: Received, document: dict[str, Any], otherwise: Verification) -> Received:
        """A proof of the object that cannot be checked for now costs it only the word `signed`."""
        try:
            holds = await self._authenticator.proves(document, received.envelope.actor)
        except Unreachable:
            return _with(received, document, "unchecked")
        return _with(received, document, "signed" if holds else otherwise)

    async def _fetched(self, received: Received) -> Received:
        """A Create or Update that only names its object."""
        if received.object_id is None:
            raise Refused(f"{received.envelope.type} of nothing")
        if not same_origin(received.object_id, received.envelope.actor):
            raise Forbidden(f"{received.object_id} is not under the origin of {received.envelope.actor}")
        if received.object_id == received.envelope.actor:
            return await self._refreshed(received)
        document = await self._fetch(received.object_id)
        if not belongs_to(document, received.envelope.actor):
            raise Forbidden(f"{received.object_id} is not {received.envelope.actor}'s")
        return await self._proven(received, document, "delivered")

    async def _announced(self, received: Received) -> Received:
        """The object of an Announce: known here, or what its own origin says."""
        object_id = received.object_id
        if object_id is None:
            raise Refused("Announce of nothing")
        if self._ids.is_local(object_id) or await self._db.read(is_stored, object_id):
            return _with(received, None, received.verification)
        try:
            document = await self._fetch(object_id)
        except Unreachable:
            embedded = first_object(received.document.get("object"))
            if embedded is None or not await self._proven_by_owner(embedded):
                raise
            return _with(received, embedded, "signed")
        owner = owner_of(document)
        if owner is None or not belongs_to(document, owner):
            raise Forbidden(f"{object_id} names no owner of its own origin")
        return await self._owned(received, document, owner)

    async def _proven_by_owner(self, document: dict[str, Any]) -> bool:
        """Whether its owner has signed it; asked only while its origin, which may have a newer one, is away."""
        owner = owner_of(document)
        try:
            return (
                owner is not None and belongs_to(document, owner) and await self._authenticator.proves(document, owner)
            )
        except (Refused, Unreachable):
            return False

    async def _owned(self, received: Received, document: dict[str, Any], owner: str) -> Received:
        try:
            await self._resolver.actor(owner)
            holds = await self._authenticator.proves(document, owner)
        except Unauthenticated:
            holds = False  # its own origin serves it so: it stands there, but is signed by nobody
        return _with(received, document, "signed" if holds else "delivered")

    async def _actor(self, received: Received, embedded: dict[str, Any]) -> Received:
        """A changed profile with the keys that we know is taken as it came; new keys only from the actor's origin."""
        if received.object_id != received.envelope.actor:
            raise Forbidden(f"{received.envelope.actor} may not change {received.object_id}")
        try:
            actor = parse_actor(embedded)
        except SchemaError as error:
            raise Unacceptable(f"the actor: {error}") from error
        if await self._db.read(keys_are_known, actor):
            return await self._proven(received, embedded, received.verification)
        keys = {key.public for key in listed_keys(actor).values()}
        signer = await self._db.read(key_in_force, actor.id, received.signer.key_id)
        # a key from before has signed what names the new ones: they are more than the word of a server
        return await self._refreshed(received, named=frozenset(keys - {signer} if signer else ()))

    async def _moved(self, received: Received) -> Received:
        """A Move: what its target is, its own origin is asked anew; the handler reads it from the database then."""
        target = id_of(received.document.get("target"))
        if target is None:
            raise Refused("Move to nowhere")
        try:
            await self._resolver.actor(target, refresh=True)
        except (Gone, NotFound) as error:
            raise Refused(f"{target} is gone: {error}") from error
        return _with(received, None, received.verification)

    async def _refreshed(self, received: Received, named: frozenset[str] = frozenset()) -> Received:
        try:
            actor = await self._resolver.actor(received.envelope.actor, refresh=True, named=named)
        except (Gone, NotFound) as error:
            raise Refused(f"{received.envelope.actor} is gone: {error}") from error
        return _with(received, actor.document, verification_of(actor))

    async def _from_origin(self, received: Received) -> Received:
        """A forward: only what the origin of its object says, about an object of its actor."""
        verb, object_id = received.envelope.type, received.object_id
        if object_id is None or not same_origin(object_id, received.envelope.actor):
            raise Refused(f"forwarded by {received.signer.actor_id} and not to be had from its origin")
        if verb == "Delete":
            await self._require_gone(object_id)
            return _bare(received, object_id, None)
        if verb not in BRINGS_OBJECT or object_id == received.envelope.actor:
            raise Refused(f"{verb}, forwarded by {received.signer.actor_id}, counts only when signed by its actor")
        fetched = await self._fetched(received)
        assert fetched.object is not None
        return _bare(fetched, object_id, fetched.object)

    async def _require_gone(self, object_id: str) -> None:
        try:
            document = (await self._resolver.object(object_id)).document
        except (Gone, NotFound):
            return
        if document.get("type") != "Tombstone":
            raise Forbidden(f"{object_id} still stands at its origin")

    async def _fetch(self, object_id: str) -> dict[str, Any]:
        try:
            fetched = await self._resolver.object(object_id)
            document = familiar(fetched.document)
        except (Gone, NotFound) as error:
            raise Refused(f"{object_id} is gone: {error}") from error
        except SchemaError as error:
            raise Unacceptable(f"{object_id}: {error}") from error
        if document.get("type") == "Tombstone":
            raise Refused(f"{object_id} is gone")
        return document


def _with(received: Received, document: dict[str, Any] | None, verification: Verification) -> Received:
    return replace(
        received,
        object_id=received.object_id if document is None else id_of(document),
        object=document,
        verification=verification,
    )


def _bare(received: Received, object_id: str, document: dict[str, Any] | None) -> Received:
    """A forwarded activity with all that its forwarder wrote taken away, but who, what and about which object."""
    envelope = received.envelope
    bare = {"id": envelope.id, "type": envelope.type, "actor": envelope.actor, "object": document or object_id}
    verification = received.verification if document else "delivered"
    audience = audience_of(document or {})
    return replace(received, document=bare, object=document, audience=audience, verification=verification)
