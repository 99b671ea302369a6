"""Gigs of others: kept as their owners sign them, bounded, and never shown to whom they were not sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.clock import iso
from federation.errors import Forbidden, Refused
from federation.tables import objects
from node.errors import NotFound
from node.market import commands, inbox, queries
from node.market.queries import Filter
from node.market.tables import gigs
from schemas.errors import SchemaError
from schemas.market import is_gig
from schemas.terms import PUBLIC
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received

GIG = f"{BO}/gigs/1"


def gig(**changes: Any) -> dict[str, Any]:
    """As Bo's server sends it."""
    return {
        "type": "Note",
        "id": GIG,
        "attributedTo": BO,
        "purpose": "offer",
        "vf:name": "Charts that everybody can read",
        "content": "<p>One week.</p>",
        "published": "2026-11-20T10:00:00Z",
        "to": [PUBLIC],
        "cc": [f"{BO}/followers"],
        "url": "https://bo.example/@bo/gigs/1",
        "publishes": {"type": "Intent", "id": f"{GIG}#primary",
                      "resourceQuantity": {"hasUnit": "hour", "hasNumericalValue": "1"}},
        "reciprocal": {"type": "Intent", "resourceConformsTo": "urn:iso:std:iso:4217:SEK",
                       "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "900.00"}},
    } | changes  # fmt: skip


@pytest.fixture
async def house(ground):
    """`(node, actor id)` of somebody who follows Bo; the clock stands after Bo's first gig."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor())))
    yield node, account.actor_id
    await node.client.close()


async def take(node, verb: str, thing: dict[str, Any], **how: Any) -> None:
    await node.db.write(inbox.on_gig, received(verb, thing, **how), node.authors)


async def test_a_gig_comes_and_can_be_read(house):
    node, _ = house
    await take(node, "Create", gig())
    view = await node.db.read(queries.gig, GIG)
    assert (view.title, str(view.price), view.currency) == ("Charts that everybody can read", "900.00", "SEK")
    assert (view.local, view.verification, view.body_md) == (False, "signed", None)
    assert view.path == "/seen?id=https%3A%2F%2Fbo.example%2Fusers%2Fbo%2Fgigs%2F1"
    assert [found.id for found in await node.db.read(queries.board, Filter())] == [GIG]


async def test_it_changes_and_closes_with_its_owner(house):
    node, _ = house
    await take(node, "Create", gig())
    changed = gig(**{"vf:name": "Charts, cheaper", "updated": "2026-11-21T10:00:00Z"})
    await take(node, "Update", changed, number=2, verification="delivered")
    view = await node.db.read(queries.gig, GIG)
    assert (view.title, view.verification) == ("Charts, cheaper", "delivered")
    assert iso(view.published) == "2026-11-20T10:00:00Z"
    closed = gig(updated="2026-11-22T10:00:00Z", endTime="2026-11-22T10:00:00Z")
    await take(node, "Update", closed, number=3)
    view = await node.db.read(queries.gig, GIG)
    assert view.state(node.clock.now()) == "closed"
    assert await node.db.read(queries.board, Filter()) == []
    assert len(await node.db.read(queries.board)) == 1


async def test_what_comes_late_or_twice_changes_nothing(house):
    node, _ = house
    await take(node, "Update", gig(**{"vf:name": "New", "updated": "2026-11-22T10:00:00Z"}))
    before = await state(node.db)
    await take(node, "Create", gig(), number=2)
    await take(node, "Update", gig(updated="2026-11-21T10:00:00Z"), number=3)
    assert await state(node.db) == before
    assert (await node.db.read(queries.gig, GIG)).title == "New"


async def test_somebody_else_cannot_bring_or_change_it(house):  # SECURITY 13, 15
    node, _ = house
    eve = "https://bo.example/users/eve"
    await take(node, "Create", gig())
    before = await state(node.db)
    with pytest.raises(Forbidden):
        await take(node, "Update", gig(content="Mine"), by=eve, number=2)
    with pytest.raises(Forbidden):
        await take(node, "Create", gig(id=f"{BO}/gigs/2"), by=eve, number=3)
    assert await state(node.db) == before


async def test_a_boosted_gig_is_its_owners(house):
    node, _ = house
    await take(node, "Announce", gig(), by="https://cy.example/users/cy")
    assert (await node.db.read(queries.gig, GIG)).owner == BO


async def test_what_is_not_for_everybody_is_in_no_list(house):  # SECURITY 128
    node, actor_id = house
    for number, to in enumerate(([f"{BO}/followers"], [actor_id])):
        gig_id = f"{BO}/gigs/private-{number}"
        await take(node, "Create", gig(id=gig_id, to=to, cc=[]), number=number)
        with pytest.raises(NotFound):
            await node.db.read(queries.gig, gig_id)
        assert gig_id in await node.db.read(queries.views, [gig_id])
    unlisted = f"{BO}/gigs/unlisted"
    await take(node, "Create", gig(id=unlisted, to=[f"{BO}/followers"], cc=[PUBLIC]), number=9)
    assert (await node.db.read(queries.gig, unlisted)).visibility == "unlisted"
    assert await node.db.read(queries.board) == []


async def test_a_far_future_stands_on_top_of_nothing(house):  # SECURITY 176
    node, _ = house
    await take(node, "Create", gig(published="2199-01-01T00:00:00Z"))
    view = await node.db.read(queries.gig, GIG)
    assert view.published <= node.clock.now()


async def test_its_owner_takes_it_away(house):
    node, _ = house
    await take(node, "Create", gig())
    await node.db.write(commands.forget, [GIG, "https://bo.example/never"])
    assert await node.db.read(lambda tx: tx.rows(sa.select(gigs))) == []


async def test_only_one_of_ours_is_found_by_its_page(house):
    """What a stranger calls the page of a gig may be anybody's."""
    node, _ = house
    await take(node, "Create", gig(url="https://alice.example/@alice/gigs/1"))
    with pytest.raises(NotFound):
        await node.db.read(queries.gig, "https://alice.example/@alice/gigs/1")


ODD = (None, 0, True, "", "x", [], {}, [[]], [{}], {"id": BO}, "9" * 400, "-1", -1, "1e-999999", 1e300, "NaN",
       ["x"] * 1_001)  # fmt: skip
FIELDS = ("purpose", "vf:name", "content", "published", "updated", "endTime", "url", "tag", "publishes", "reciprocal",
          "to", "cc", "schema:skills", "attributedTo", "type")  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
async def test_whatever_stands_in_a_field_it_is_taken_or_refused(house, name: str):  # SECURITY 81, 86, 89
    node, _ = house
    for number, value in enumerate(ODD):
        thing = gig(id=f"{BO}/gigs/{name}-{number}") | {name: value}
        try:
            if is_gig(thing):
                await take(node, "Create", thing, number=number)
        except (Refused, SchemaError):
            assert (
                await node.db.read(lambda tx, thing=thing: tx.row(sa.select(gigs).where(gigs.c.id == thing["id"])))
                is None
            )
    for view in await node.db.read(queries.board):
        assert view.title
        assert view.state(node.clock.now())


@pytest.mark.parametrize(
    "member", ["resourceQuantity", "availableQuantity", "minimumQuantity", "resourceConformsTo", "id"]
)
async def test_whatever_stands_inside_an_intent_too(house, member: str):
    node, _ = house
    for number, value in enumerate(
        (*ODD, {"hasUnit": ["hour"], "hasNumericalValue": {}}, {"hasNumericalValue": "1e-99"})
    ):
        thing = gig(id=f"{BO}/gigs/{number}")
        thing |= {part: thing[part] | {member: value} for part in ("publishes", "reciprocal")}
        try:
            await take(node, "Create", thing, number=number)
        except (Refused, SchemaError):
            continue
    stored = await node.db.read(lambda tx: tx.rows(sa.select(gigs.c.price, gigs.c.available, gigs.c.minimum)))
    assert all(len(text or "") <= 26 for row in stored for text in row), "no number fills memory"


async def test_a_clock_that_runs_ahead_is_no_reason_to_refuse(house):
    node, _ = house
    soon = iso(node.clock.now() + timedelta(minutes=30))
    await take(node, "Create", gig(published=soon))
    row = await node.db.read(lambda tx: tx.row(sa.select(objects.c.published).where(objects.c.id == GIG)))
    assert iso(row.published) == soon
