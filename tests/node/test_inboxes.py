"""THE table: what reaches which slice, what a change of kind leaves behind, and what a tombstone takes along."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation.clock import iso
from federation.errors import FederationError
from federation.handlers import find, shared
from federation.tables import objects
from node.inboxes import HANDLERS, deleted
from node.learning.tables import modules
from node.market.tables import gigs
from node.social import queries
from node.social.tables import timeline
from schemas.terms import NOTE_TYPES, PUBLIC
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received

THING = f"{BO}/things/1"
GIG = {
    "purpose": "offer",
    "vf:name": "Audit of one form",
    "publishes": {"type": "Intent", "action": "deliverService", "resourceQuantity": {"hasUnit": "hour"}},
}
MODULE = {"type": "Article", "name": "Reading a contract", "learningResourceType": "module"}


@pytest.fixture
async def house(ground):
    """`(node, actor id)` of somebody who follows Bo."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor())))
    yield node, account.actor_id
    await node.client.close()


def thing(node, **more):
    return {
        "id": THING,
        "type": "Note",
        "attributedTo": BO,
        "content": "<p>Hello</p>",
        "published": iso(node.clock.now()),
        "to": [PUBLIC],
        "cc": [],
    } | more


async def take(node, message):
    handler = find(HANDLERS, message.envelope.type, message.object["type"])
    await node.db.write(handler, message, node.authors)


async def views(node) -> tuple[str | None, int, int]:
    """`(kind, gigs, modules)`: as what the thing is stored, and in which lists it stands."""

    def read(tx):
        kind = tx.scalar(sa.select(objects.c.kind).where(objects.c.id == THING))
        counts = (tx.scalar(sa.select(sa.func.count()).select_from(table)) for table in (gigs, modules))
        return kind, *counts

    return await node.db.read(read)


SHAPES = [({}, ("post", 0, 0)), (GIG, ("gig", 1, 0)), (MODULE, ("module", 0, 1))]


@pytest.mark.parametrize(("shape", "stored"), SHAPES, ids=["post", "gig", "module"])
@pytest.mark.parametrize("verb", ["Create", "Announce"])
async def test_each_kind_goes_to_its_slice_and_home(house, shape, stored, verb):
    node, reader = house
    await take(node, received(verb, thing(node, **shape)))
    assert await views(node) == stored
    (entry,) = await node.db.read(queries.home, reader)
    assert (entry.kind, entry.object_id) == (stored[0], THING)


@pytest.mark.parametrize(("before", "_"), SHAPES, ids=["was post", "was gig", "was module"])
@pytest.mark.parametrize(("after", "stored"), SHAPES, ids=["is post", "is gig", "is module"])
async def test_what_changes_its_kind_stands_only_where_it_belongs(house, before, _, after, stored):
    node, _reader = house
    await take(node, received("Create", thing(node, **before)))
    await take(node, received("Update", thing(node, **after, updated=iso(node.clock.now())), number=2))
    assert await views(node) == stored


@pytest.mark.parametrize(("shape", "_"), SHAPES, ids=["post", "gig", "module"])
async def test_a_tombstone_is_nowhere(house, shape, _):
    node, reader = house
    await take(node, received("Create", thing(node, **shape)))
    await node.db.write(deleted, [THING])
    assert (await views(node))[1:] == (0, 0)
    assert await node.db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(timeline))) == 0
    assert await node.db.read(queries.home, reader) == []


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        (GIG, {"attributedTo": "https://eve.example/users/eve"}),
        (MODULE, {"id": None}),
        ({}, {"attributedTo": [BO, BO]}),
    ],
    ids=["gig", "module", "post"],
)
async def test_013_what_is_not_its_senders_is_kept_by_nobody(house, shape, changes):
    node, _ = house
    message = received("Create", thing(node, **shape))
    message.object.update(changes)
    before = await state(node.db)
    with pytest.raises(FederationError):
        await take(node, message)
    assert await state(node.db) == before


def test_every_text_has_a_handler_and_no_shared_verb_lacks_one():
    for verb in ("Create", "Update"):
        assert all(find(HANDLERS, verb, kind) for kind in (*NOTE_TYPES, "Proposal"))
        assert find(HANDLERS, verb, "Person") is None  # an actor's: federation's own
    assert find(HANDLERS, "Announce", None)
    ours = {verb for verb, _ in HANDLERS}
    assert ours & {verb for verb, _ in shared()} == {"Update", "Undo", "Accept", "Reject", "Block", "Follow"}
