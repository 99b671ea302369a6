"""Pictures of other servers, shown by this one: no reader is seen by a server that they did not choose to visit.

Fetched by the guarded client, decoded and made anew in a process of its own, so that nothing of what a stranger's
server sent reaches a browser; kept in a cache under what they contain. Whoever wants one that is on its way waits for
it; one that could not be had is not asked for again for a while.
"""

from __future__ import annotations

from datetime import timedelta

from federation.errors import Busy, FederationError, Forbidden, Unreachable
from federation.fetches import Flights
from node.context import Node
from node.errors import Invalid, NotFound
from node.language import _
from node.media import cache
from node.media.addresses import PURPOSE, Addresses, Wanted
from node.media.names import media_name
from node.media.pictures import Pictures
from schemas.urls import Url, host_of

MAX_BYTES = 10_000_000
NOT_NOW = timedelta(minutes=5)  # its server does not answer
NO = timedelta(hours=12)  # it is no picture, too large, or not there

NOTHING = _("This picture is not to be had.")


class RemotePictures:
    """The cache of one node, and the way to what is not in it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._made = Pictures(node.settings.media_cache)
        self._flights: Flights[tuple[str, bytes]] = Flights()
        self.addresses = Addresses(node.vault.derived(PURPOSE))

    async def picture(self, wanted: Wanted) -> tuple[str, bytes]:
        """Its name and content. Raises NotFound: nobody names it any more, a blocked host, or not to be had.

        Raises Busy when its server is being asked for as many as it may be.
        """
        self._refuse_blocked(wanted)
        held = await self._node.db.read(cache.held, wanted)
        if held is not None and held.name is not None and await self._node.db.read(cache.stands, wanted.subject):
            body = await self._made.read(held.name)
            if body is not None:
                if held.stale:
                    await self._node.db.write(cache.touch, wanted)
                return held.name, body
        if held is not None and held.tired:
            raise NotFound(NOTHING)
        return await self._flights.run(wanted.id, lambda: self._fetch(wanted))

    async def named(self, wanted: Wanted) -> tuple[str, str]:
        """Handle and name of whom a portrait shows; where that is not known, their host."""
        return await self._node.db.read(cache.named, wanted.subject) or (host_of(wanted.subject), "")

    def _refuse_blocked(self, wanted: Wanted) -> None:
        if any(self._node.policy.blocked(host_of(address)) for address in (wanted.subject, wanted.url)):
            raise NotFound(NOTHING)

    async def _fetch(self, wanted: Wanted) -> tuple[str, bytes]:
        if not await self._node.db.read(cache.names, wanted.subject, wanted.url):
            raise NotFound(NOTHING)
        try:
            found = await self._node.client.get_picture(wanted.url, max_bytes=MAX_BYTES, check=self._check)
            (made,) = await self._made.make(found.body, wanted.shape, most=MAX_BYTES)
        except Busy:
            raise
        except (FederationError, Invalid) as error:
            until = NOT_NOW if isinstance(error, Unreachable) else NO
            await self._node.db.write(cache.give_up, wanted, until)
            raise NotFound(NOTHING) from error
        name = media_name(made)
        await self._node.db.write(cache.remember, wanted, name, len(made), self._node.settings.media_cache_bytes)
        await self._made.keep({name: made})
        return name, made

    def _check(self, url: Url) -> None:
        if self._node.policy.blocked(url.host):
            raise Forbidden(f"{url.host} is blocked")
