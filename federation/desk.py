"""What whoever checks a credential has at hand: a network or none, and what is known from before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from federation.errors import FederationError, Unacceptable
from federation.verdict_words import Offline
from federation.verdicts import NO_MEMORY, NO_PINS, Fetch, Memory, Pins
from schemas.actors import Actor, parse_actor
from schemas.errors import SchemaError
from schemas.jsonld import normalise

Quads = Callable[[dict[str, Any]], Awaitable[bytes]]
"""RDF canonicalisation (RDFC-1.0) of something that a stranger wrote; raises FederationError when it is too much."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a checker has.

    now: the time as of which is asked. fetch: None without a network. pins: keys that are trusted already. memory: what
    is known of this very document. lists: status lists that came along, or were kept. people: by did:key, the ids of
    actors that are known to have claimed it; by the id of an actor, those of the same person. shown_by: whoever
    presents it as their own, if anybody does.
    """

    now: datetime
    fetch: Fetch | None
    quads: Quads
    pins: Pins = NO_PINS
    memory: Memory = NO_MEMORY
    lists: tuple[dict[str, Any], ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shown_by: str | None = None
    asked: dict[str, Actor | FederationError] = field(default_factory=dict)
    """Whom this check has asked already, and what came of it."""

    async def actor(self, actor_id: str) -> Actor | FederationError:
        """An actor as its origin says today, or why that is not known: asked once in a check."""
        if actor_id not in self.asked:
            try:
                self.asked[actor_id] = await self._actor(actor_id)
            except FederationError as error:
                self.asked[actor_id] = error
        return self.asked[actor_id]

    async def _actor(self, actor_id: str) -> Actor:
        try:
            actor = parse_actor(normalise(await self.document(actor_id)))
        except SchemaError as error:
            raise Unacceptable(f"{actor_id} is no actor: {error}") from error
        if actor.id != actor_id:
            raise Unacceptable(f"{actor_id} answers as {actor.id}")
        return actor

    async def document(self, url: str) -> dict[str, Any]:
        """What stands at an address; raises FederationError."""
        if self.fetch is None:
            raise Offline("no network")
        return await self.fetch(url)
