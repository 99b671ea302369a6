"""The worker that looks things up: what a new followee published before, and the missing parts of a conversation.

What it finds goes through the same table of handlers as what others send, but is news for nobody: nobody is told, and
only the follower for whom it was asked has it in the timeline, at its own time. Each lookup has a budget of requests,
of requests to one host, and of seconds; what is left then is not asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from federation import featured
from federation.authenticate import Authenticator
from federation.authority import same_origin
from federation.errors import FederationError
from federation.gathering import Budget, Gatherer
from federation.objects import is_stored
from federation.prepare import Preparer
from federation.storage import Tx
from federation.tables import follows, objects
from federation.types import Received
from node.context import Node
from node.credentials.working import look_at_shown
from node.inboxes import on_object
from node.profiles.inbox import on_card
from node.social import lookups, timelines
from node.social.lookups import Lookup
from schemas.base import id_of
from schemas.errors import SchemaError
from schemas.profiles import is_card
from schemas.terms import NOTE_TYPES, PUBLIC

MAX_OBJECTS = 20  # of one outbox
MAX_ABOVE = 20
MAX_BELOW = 40
POLL_SECONDS = 30.0
REQUESTS, OF_HOST, SECONDS = 40, 30, 30.0

_log = structlog.get_logger()


class Seeker:
    """See the module's docstring."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wake = asyncio.Event()
        preparer = Preparer(
            node.db, node.ids, node.resolver, Authenticator(node.ids, node.resolver, node.policy, node.clock)
        )
        self._gatherer = Gatherer(node.resolver, preparer)
        self._ways: dict[lookups.Kind, Callable[[Lookup], Awaitable[None]]] = {
            "outbox": self._outbox,
            "context": self._context,
            "card": self._card,
            "credentials": self._credentials,
        }
        node.db.subscribe(lookups.TOPIC, lambda payload: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.drain()
            except FederationError as error:  # a locked or full database: the next round will do
                _log.warning("lookups.failed", error=str(error)[:500])
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Do what is due; returns how many lookups that were."""
        count = 0
        while await self._node.db.read(lookups.is_due):
            lookup = await self._node.db.write(lookups.claim)
            if lookup is None:
                break
            await self._ways[lookup.kind](lookup)
            await self._node.db.write(lookups.done, lookup.id)
            count += 1
        return count

    def _budget(self) -> Budget:
        return Budget(REQUESTS, OF_HOST, asyncio.get_running_loop().time() + SECONDS)

    # ---- what somebody published before

    async def _outbox(self, lookup: Lookup) -> None:
        budget = self._budget()
        try:
            actor = await self._node.resolver.actor(lookup.subject)
        except FederationError:
            return
        pinned = await self._published(actor.document.get("featured"), actor.id, budget)
        await self._published(actor.outbox, actor.id, budget)
        await self._node.db.write(_show_followee, lookup, pinned)

    async def _published(self, collection: Any, owner: str, budget: Budget) -> list[str]:
        """Store what stands first in a collection of somebody, if it is their own and for everybody; its ids."""
        stored: list[str] = []
        async for item in self._gatherer.members(collection, owner, budget):
            object_id = _brought(item)
            if object_id is None or not same_origin(object_id, owner):
                continue
            found = await self._known_or_found(object_id, budget)
            if found:
                stored.append(object_id)
            if len(stored) >= MAX_OBJECTS:
                break
        return stored

    async def _known_or_found(self, object_id: str, budget: Budget) -> bool:
        """Whether an object stands here, now at the latest."""
        if await self._node.db.read(is_stored, object_id):
            return True
        found = await self._gatherer.found(object_id, budget)
        return found is not None and found.object_id == object_id and await self._keep(found)

    async def _keep(self, found: Received) -> bool:
        """Store what was found like what was sent. What is not for everybody is not looked for."""
        assert found.object is not None
        if PUBLIC not in found.audience.everybody or found.object.get("type") not in (*NOTE_TYPES, "Proposal"):
            return False
        try:
            await self._node.db.write(on_object, found, self._node.authors)
        except (FederationError, SchemaError) as error:
            _log.info("lookups.not_kept", object=found.object_id, reason=str(error)[:500])
            return False
        return True

    # ---- a CV that is too long for its actor's document

    async def _card(self, lookup: Lookup) -> None:
        found = await self._gatherer.found(lookup.subject, self._budget())
        if found is None or found.object is None or found.object_id != lookup.subject or not is_card(found.object):
            return
        if PUBLIC not in found.audience.everybody:
            return
        try:
            await self._node.db.write(on_card, found, self._node.authors)
        except (FederationError, SchemaError) as error:
            _log.info("lookups.not_kept", object=found.object_id, reason=str(error)[:500])

    # ---- what stands on a profile elsewhere

    async def _credentials(self, lookup: Lookup) -> None:
        await look_at_shown(self._node, lookup.subject)

    # ---- around a post

    async def _context(self, lookup: Lookup) -> None:
        budget = self._budget()
        top = await self._above(lookup.subject, budget)
        for post_id in dict.fromkeys((lookup.subject, top)):
            await self._below(post_id, budget)

    async def _above(self, post_id: str, budget: Budget) -> str:
        """Fetch what a post answers, what that answers, and so on; returns the topmost that stands here then."""
        seen = {post_id}
        for _ in range(MAX_ABOVE):
            above = await self._node.db.read(_answered_by, post_id)
            if above is None or above in seen:
                break
            seen.add(above)
            if self._node.ids.is_local(above) or not await self._known_or_found(above, budget):
                break
            post_id = above
        return post_id

    async def _below(self, post_id: str, budget: Budget) -> None:
        """Fetch the answers that a post's own server lists."""
        document = await self._node.db.read(_document, post_id)
        if document is None or self._node.ids.is_local(post_id):
            return
        listed = 0
        async for item in self._gatherer.members(document.get("replies"), post_id, budget):
            object_id = id_of(item)
            listed += 1
            if listed > MAX_BELOW:
                break
            if object_id is not None and not self._node.ids.is_local(object_id):
                await self._answer(object_id, budget)

    async def _answer(self, object_id: str, budget: Budget) -> None:
        """Fetch an answer, and keep it if what it answers stands here."""
        if await self._node.db.read(is_stored, object_id):
            return
        found = await self._gatherer.found(object_id, budget)
        if found is None or found.object is None:
            return
        above = id_of(found.object.get("inReplyTo"))
        if above is not None and await self._node.db.read(is_stored, above):
            await self._keep(found)


def _brought(item: Any) -> str | None:
    """The object of a Create in an outbox, or an object that stands in a collection itself; nothing of a boost."""
    if isinstance(item, dict) and "actor" in item:
        return id_of(item.get("object")) if item.get("type") == "Create" else None
    return id_of(item)


def _answered_by(tx: Tx, post_id: str) -> str | None:
    statement = sa.select(objects.c.in_reply_to).where(objects.c.id == post_id, objects.c.deleted_at.is_(None))
    above: str | None = tx.scalar(statement)
    return above


def _document(tx: Tx, post_id: str) -> dict[str, Any] | None:
    body = tx.scalar(sa.select(objects.c.body).where(objects.c.id == post_id, objects.c.deleted_at.is_(None)))
    return None if body is None else dict(msgspec.json.decode(body))


def _show_followee(tx: Tx, lookup: Lookup, pinned: Sequence[str]) -> None:
    """Into the timeline of the follower, if they still follow; and what is pinned to the profile, as it is there."""
    this = (follows.c.follower == lookup.reader, follows.c.followee == lookup.subject, follows.c.state == "accepted")
    if tx.row(sa.select(follows.c.follower).where(*this)) is None:
        return
    timelines.catch_up(tx, lookup.reader, lookup.subject)
    theirs = sa.select(objects.c.id).where(objects.c.owner == lookup.subject, objects.c.id.in_(pinned))
    owned = {row.id for row in tx.rows(theirs)}
    for object_id in reversed([one for one in pinned if one in owned]):
        featured.add(tx, lookup.subject, object_id)
