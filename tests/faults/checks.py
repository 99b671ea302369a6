"""What must be true of a node that has come to rest, whatever was done to its process before."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from federation.tables import activities, deliveries, follows, inbox_messages, objects, reactions
from node.notifications.tables import notifications
from node.search.tables import search_index
from node.social.tables import post_sources, timeline
from tests.faults.crowd import Neighbour
from tests.faults.load import Ledger, Said
from tests.processes import Place

RESTLESS = sa.union_all(
    sa.select(inbox_messages.c.id).where(inbox_messages.c.state == "pending"),
    sa.select(deliveries.c.id).where(deliveries.c.state == "pending"),
)


@dataclass(frozen=True)
class Kept:
    """What stands in the database."""

    messages: dict[str, Any]
    objects: dict[str, Any]
    timeline: frozenset[str]
    follows: dict[str, Any]
    reactions: Counter[tuple[str, str, str]]
    told: Counter[tuple[str, str]]
    activities: dict[str, Any]
    deliveries: Sequence[Any]
    sources: dict[str, str]
    found: frozenset[str]


async def kept(place: Place, local: str) -> Kept:
    """Read it all."""

    async def rows(*columns: Any, where: Any = None) -> list[Any]:
        statement = sa.select(*columns)
        return await place.rows(statement if where is None else statement.where(where))

    return Kept(
        {row.activity_id: row for row in await rows(inbox_messages)},
        {row.id: row for row in await rows(objects)},
        frozenset(row.object_id for row in await rows(timeline, where=timeline.c.reader == local)),
        {row.follower: row for row in await rows(follows, where=follows.c.followee == local)},
        Counter((row.kind, row.actor, row.object_id) for row in await rows(reactions)),
        Counter((row.kind, row.actor) for row in await rows(notifications)),
        {row.id: row for row in await rows(activities)},
        await rows(deliveries),
        {row.object_id: row.body_md for row in await rows(post_sources)},
        frozenset(row.subject for row in await rows(search_index)),
    )


def wrong(now: Kept, ledger: Ledger, base: Sequence[Neighbour], crowd: Sequence[Neighbour]) -> Iterator[str]:
    """Every way in which it is not as it must be. base: whose people have followed from the beginning."""
    yield from ledger.odd
    for neighbour in crowd:
        yield from neighbour.odd
    yield from _incoming(now, ledger)
    yield from _outgoing(now, ledger, base)
    yield from _whole(now)
    yield from _sent(now, crowd)


def _incoming(now: Kept, ledger: Ledger) -> Iterator[str]:
    """What was acknowledged is there and has had its effect."""
    ended = {said.about for said in ledger.taken.values() if said.kind == "delete"}
    for said in ledger.taken.values():
        row = now.messages.get(said.id)
        if row is None:
            yield f"{said.kind} {said.id} was acknowledged and is not there"
        elif row.state != "done" or row.reason is not None:
            yield f"{said.kind} {said.id} is {row.state}: {row.reason}"
        elif not _has_effect(now, said, ended):
            yield f"{said.kind} {said.id} is done and has no effect, or half of one"


def _has_effect(now: Kept, said: Said, ended: set[str]) -> bool:
    stands, shown = now.objects.get(said.about), said.about in now.timeline
    whole = stands is not None and stands.deleted_at is None and shown
    if said.kind == "delete":
        return stands is not None and stands.deleted_at is not None and stands.body is None and not shown
    if said.kind == "update":
        return whole and stands is not None and b"<p>changed</p>" in stands.body
    if said.kind == "follow":
        follow = now.follows.get(said.sender.id)
        accepted = follow is not None and follow.state == "accepted" and follow.activity_id == said.id
        answers = [row for row in now.activities.values() if row.type == "Accept" and row.object_id == said.id]
        return accepted and len(answers) == 1 and now.told["follow", said.sender.id] == 1
    if said.kind == "like":
        return now.reactions["like", said.sender.id, said.about] == 1 == now.told["like", said.sender.id]
    if said.kind == "boost":
        return whole and now.reactions["boost", said.sender.id, said.about] == 1
    if said.kind == "mention":
        return whole and now.told["mention", said.sender.id] == 1
    return said.about in ended or whole


def _outgoing(now: Kept, ledger: Ledger, base: Sequence[Neighbour]) -> Iterator[str]:
    """What was acknowledged was told; and whatever was told, acknowledged or not, was told to everybody, and whole."""
    creates = defaultdict(list)
    for row in now.activities.values():
        if row.type == "Create":
            creates[row.object_id].append(row.id)
    texts = Counter(now.sources.values())
    for text in ledger.published:
        if texts[text] != 1:
            yield f"“{text}” was acknowledged and is there {texts[text]} times"
    inboxes: defaultdict[str, set[str]] = defaultdict(set)
    for row in now.deliveries:
        inboxes[row.activity_id].add(row.inbox)
    for row in now.objects.values():
        if not row.local:
            continue
        if row.id not in now.timeline or row.id not in now.sources or row.id not in now.found:
            yield f"{row.id} is half there"
        if len(creates[row.id]) != 1:
            yield f"{row.id} was created {len(creates[row.id])} times"
        for neighbour in base:
            if any(f"{neighbour.origin}/inbox" not in inboxes[create] for create in creates[row.id]):
                yield f"{row.id} was never to go to {neighbour.origin}"


def _whole(now: Kept) -> Iterator[str]:
    """No half effects, whoever promised what."""
    for row in now.deliveries:
        if row.state != "done":
            yield f"the delivery of {row.activity_id} to {row.inbox} is {row.state}: {row.last_error}"
        if row.activity_id not in now.activities:
            yield f"{row.activity_id} is to be delivered and is not there"
    brought = {row.subject for row in now.messages.values() if row.state == "done"}
    for row in now.objects.values():
        if not row.local and row.id not in brought:
            yield f"{row.id} is there, and what brought it is not"
    answered = Counter(row.object_id for row in now.activities.values() if row.type == "Accept")
    queued = {row.activity_id for row in now.deliveries}
    for row in now.activities.values():
        if row.type in ("Accept", "Create") and row.id not in queued:
            yield f"{row.type} {row.id} goes to nobody"
    for row in now.follows.values():
        if row.activity_id in now.messages and answered[row.activity_id] != 1:
            yield f"{row.activity_id} was answered {answered[row.activity_id]} times"


def _sent(now: Kept, crowd: Sequence[Neighbour]) -> Iterator[str]:
    """What the others have: all that the node believes to have delivered, and nothing that it does not know."""
    at = {f"{neighbour.origin}/inbox": neighbour for neighbour in crowd}
    for row in now.deliveries:
        inbox = row.inbox if row.inbox in at else f"{row.inbox.partition('/users/')[0]}/inbox"
        if row.state == "done" and row.activity_id not in at[inbox].bodies:
            yield f"{row.activity_id} counts as delivered to {row.inbox} and never came there"
    for neighbour in crowd:
        created: Counter[str] = Counter()
        for activity_id, body in neighbour.bodies.items():
            known = now.activities.get(activity_id)
            if known is None or known.body != body:
                yield f"{activity_id} came to {neighbour.origin}, and the node does not know it so"
            said = json.loads(body)
            if said["type"] == "Create":
                created[said["object"]["id"]] += 1
        for object_id, times in created.items():
            if times > 1:
                yield f"{object_id} came to {neighbour.origin} under {times} activity ids"
