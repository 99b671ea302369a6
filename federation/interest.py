"""What of all that arrives is kept: what somebody here follows, what names somebody here, what is held already.

Anybody may sign anything, so without this rule a stranger could fill the database, or have other servers asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from federation.ids import Ids
from federation.policy import Policy
from federation.storage import Tx
from federation.tables import follows, objects
from federation.types import Received
from schemas.actors import is_actor
from schemas.base import id_of, ids_of
from schemas.urls import host_of

BRINGS = frozenset({"Create", "Announce", "Update"})
MAX_TAGS = 1_000


@dataclass(frozen=True, slots=True)
class Interest:
    """followed: authors whom somebody here follows. held: ids of objects that stand here."""

    ids: Ids
    followed: frozenset[str]
    held: frozenset[str]

    def covers(self, received: Received, policy: Policy) -> bool:
        """Whether anybody or anything here is concerned; all verbs but those that bring something always are.

        From a limited host only what is followed is heard: naming somebody here is not enough.
        """
        if received.envelope.type not in BRINGS or received.envelope.actor in self.followed:
            return True
        if received.envelope.type == "Update" and (received.object_id in self.held or _is_of_actor(received)):
            return True
        return names_local(received, self.ids) and not policy.limited(host_of(received.envelope.actor))


def interest_in(tx: Tx, ids: Ids, received: Sequence[Received]) -> Interest:
    """What is to be known about these, in two statements at most."""
    authors = {one.envelope.actor for one in received if one.envelope.type in BRINGS}
    updated = {one.object_id for one in received if one.envelope.type == "Update" and one.object_id}
    return Interest(ids, _followed(tx, authors), _held(tx, updated))


def _followed(tx: Tx, authors: set[str]) -> frozenset[str]:
    if not authors:
        return frozenset()
    statement = sa.select(follows.c.followee).distinct()
    wanted = statement.where(follows.c.followee.in_(authors), follows.c.state == "accepted")
    return frozenset(row.followee for row in tx.rows(wanted))


def _held(tx: Tx, object_ids: set[str]) -> frozenset[str]:
    if not object_ids:
        return frozenset()
    return frozenset(row.id for row in tx.rows(sa.select(objects.c.id).where(objects.c.id.in_(object_ids))))


def _is_of_actor(received: Received) -> bool:
    """A changed profile: its actor is known here at least as somebody who signs."""
    if received.object is None:
        return received.object_id == received.envelope.actor
    return is_actor(received.object)


def names_local(received: Received, ids: Ids) -> bool:
    """Whether an activity or its object names anybody or anything here: addressed, mentioned, replied to, acted on."""
    document, inner = received.document, received.object or {}
    if any(ids.is_local(url) for url in received.audience.everybody):
        return True
    named = [received.object_id, id_of(document.get("target")), id_of(inner.get("inReplyTo"))]
    named += [*ids_of(inner.get("to")), *ids_of(inner.get("cc"))]
    if any(url is not None and ids.is_local(url) for url in named):
        return True
    return any(ids.is_local(url) for url in _mentions(inner.get("tag")) + _mentions(document.get("tag")))


def _mentions(tags: object) -> list[str]:
    listed = tags if isinstance(tags, list) else [tags]
    hrefs = (tag.get("href") for tag in listed[:MAX_TAGS] if isinstance(tag, dict))
    return [href for href in hrefs if isinstance(href, str)]
