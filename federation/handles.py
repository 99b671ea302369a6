"""Handles: who is meant by `@name@host`, and which handle may be shown for an actor (WebFinger, RFC 7033).

Anybody can serve a WebFinger document that names anybody. So a handle counts only both ways: the handle's host points
to the actor, and the actor's own host, by its `webfinger` property (FEP-2c59) or its WebFinger, names that handle
(SECURITY 51). It may live on another domain than the actor; a domain that does not agree loses only its handle.
"""

from __future__ import annotations

from urllib.parse import quote

from federation.errors import FederationError, NotFound, Unacceptable, Unreachable
from federation.fetches import Fetches
from federation.ids import Ids
from schemas.actors import Actor
from schemas.discovery import Jrd, parse_handle, parse_webfinger
from schemas.errors import SchemaError
from schemas.terms import JRD_JSON
from schemas.urls import host_of


class Handles:
    """Asks WebFinger; see the module's docstring."""

    def __init__(self, fetches: Fetches, ids: Ids) -> None:
        self._fetches = fetches
        self._schemes = ("http", "https") if ids.origin.startswith("http://") else ("https",)

    async def ask(self, name: str, host: str) -> Jrd:
        """What a host says of a name. Raises NotFound when it knows no such account, else as `Fetches.json`."""
        resource = quote(f"acct:{name}@{host}", safe=":@")
        *others, last = [f"{scheme}://{host}/.well-known/webfinger?resource={resource}" for scheme in self._schemes]
        for url in others:
            try:
                return await self._read(url)
            except Unreachable:
                continue
        return await self._read(last)

    async def _read(self, url: str) -> Jrd:
        document = await self._fetches.json(url, JRD_JSON)
        try:
            return parse_webfinger(document)
        except SchemaError as error:
            raise Unacceptable(f"{url}: {error}") from error

    async def actor_id(self, name: str, host: str) -> str:
        """The id of the actor that a handle's host points to; NotFound when it points to none."""
        jrd = await self.ask(name, host)
        if jrd.self_href is None:
            raise NotFound(f"{host} knows {name}, but names no ActivityPub actor")
        return jrd.self_href

    async def confirmed(self, actor: Actor) -> str | None:
        """The handle `name@host` that an actor and the handle's host agree upon; None when they do not."""
        try:
            claimed = actor.webfinger or (await self.ask(actor.username, host_of(actor.id))).subject
            name, host = parse_handle(claimed)
            points_to = await self.actor_id(name, host)
        except (FederationError, SchemaError):
            return None
        return f"{name}@{host}" if points_to == actor.id else None
