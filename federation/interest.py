"""What of all that arrives is kept: what somebody here follows, what names somebody here, what is held already.

Anybody may sign anything, so without this rule a stranger could fill the database, or have other servers asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from federation.blocks import local_blockers
from federation.ids import Ids
from federation.policy import Policy
from federation.relays import accepted
from federation.statements import Hot
from federation.storage import Tx
from federation.tables import follows, objects
from federation.types import Received
from schemas.actors import is_actor
from schemas.base import id_of, ids_of
from schemas.urls import host_of

BRINGS = frozenset({"Create", "Announce", "Update", "Move"})
TAKES_BACK = frozenset({"Undo", "Delete", "Block", "Reject"})
HEARD = TAKES_BACK | {"Flag"}
"""Of whomever somebody here has blocked too: a report is for whoever runs the node, not for whom it is about."""
MAX_TAGS = 1_000


@dataclass(frozen=True, slots=True)
class Interest:
    """followed: authors whom somebody here follows. held: ids of objects that stand here. blocked_by: who here wants
    nothing of an author. relays: that may tell of anything public.
    """

    ids: Ids
    followed: frozenset[str]
    held: frozenset[str]
    blocked_by: Mapping[str, frozenset[str]]
    relays: frozenset[str] = frozenset()

    def covers(self, received: Received, policy: Policy) -> bool:
        """Whether anybody or anything here is concerned; all verbs but those that bring something always are.

        From a limited host only what is followed is heard: naming somebody here is not enough.
        """
        if self._is_unwanted(received):
            return False
        if received.signer.actor_id in self.relays:
            return True
        if received.envelope.type not in BRINGS or received.envelope.actor in self.followed:
            return True
        if received.envelope.type == "Update" and (received.object_id in self.held or _is_of_actor(received)):
            return True
        return names_local(received, self.ids) and not policy.limited(host_of(received.envelope.actor))

    def _is_unwanted(self, received: Received) -> bool:
        """Whether who here it answers or acts on has blocked its actor, or everybody whom it is for, or whom it names.

        Others here who follow the actor hear the rest; what only takes back is heard all the same.
        """
        actor = received.envelope.actor
        by = self.blocked_by.get(actor)
        if not by or received.envelope.type in HEARD:
            return False
        addressed = received.audience.everybody
        if addressed and all(self.ids.holder(url) in by for url in addressed):
            return True
        if received.envelope.type != "Update" and any(self.ids.holder(url) in by for url in _acted_on(received)):
            return True
        if actor in self.followed:
            return False
        people = {url for url in map(self.ids.holder, named(received)) if url is not None}
        return bool(people) and people <= by


def interest_in(tx: Tx, ids: Ids, received: Sequence[Received]) -> Interest:
    """What is to be known about these, in four statements at most."""
    authors = {one.envelope.actor for one in received if one.envelope.type in BRINGS}
    updated = {one.object_id for one in received if one.envelope.type == "Update" and one.object_id}
    blocked_by = local_blockers(tx, {one.envelope.actor for one in received})
    return Interest(ids, _followed(tx, authors), _held(tx, updated), blocked_by, accepted(tx))


def _followed(tx: Tx, authors: set[str]) -> frozenset[str]:
    if not authors:
        return frozenset()
    return frozenset(row.followee for row in tx.all(_FOLLOWED, authors=list(authors)))


def _held(tx: Tx, object_ids: set[str]) -> frozenset[str]:
    if not object_ids:
        return frozenset()
    return frozenset(row.id for row in tx.all(_HELD, ids=list(object_ids)))


_FOLLOWED = Hot(
    sa.select(follows.c.followee)
    .distinct()
    .where(follows.c.followee.in_(sa.bindparam("authors", expanding=True)))
    .where(follows.c.state == sa.literal_column("'accepted'"))
)
_HELD = Hot(sa.select(objects.c.id).where(objects.c.id.in_(sa.bindparam("ids", expanding=True))))


def _is_of_actor(received: Received) -> bool:
    """A changed profile: its actor is known here at least as somebody who signs."""
    if received.object is None:
        return received.object_id == received.envelope.actor
    return is_actor(received.object)


def names_local(received: Received, ids: Ids) -> bool:
    """Whether an activity or its object names anybody or anything here: addressed, mentioned, replied to, acted on."""
    return any(ids.is_local(url) for url in named(received))


def named(received: Received) -> Iterator[str]:
    """Every id that an activity or its object addresses, mentions, answers or acts on."""
    document, inner = received.document, received.object or {}
    yield from received.audience.everybody
    yield from _acted_on(received)
    target = id_of(document.get("target"))
    yield from () if target is None else (target,)
    yield from ids_of(inner.get("to"))
    yield from ids_of(inner.get("cc"))
    yield from _mentions(inner.get("tag"))
    yield from _mentions(document.get("tag"))


def _acted_on(received: Received) -> list[str]:
    """What is liked, passed on, followed or answered."""
    about = (received.object_id, id_of((received.object or {}).get("inReplyTo")))
    return [url for url in about if url is not None]


def _mentions(tags: object) -> list[str]:
    listed = tags if isinstance(tags, list) else [tags]
    hrefs = (tag.get("href") for tag in listed[:MAX_TAGS] if isinstance(tag, dict))
    return [href for href in hrefs if isinstance(href, str)]
