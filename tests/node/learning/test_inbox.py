"""Modules of others."""

from __future__ import annotations

import pytest

from federation.clock import iso
from federation.errors import Unacceptable
from node.inboxes import HANDLERS, deleted
from node.learning import queries
from node.learning.inbox import on_module
from node.social import queries as timelines
from schemas.base import Audience
from schemas.learning import Module, write_module
from schemas.money import Skill
from schemas.terms import PUBLIC
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received


@pytest.fixture
async def house(ground):
    """`(node, actor id)` of somebody who follows Bo."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor())))
    yield node, account.actor_id
    await node.client.close()


def article(node, **changes):
    module = Module(
        id=f"{BO}/learn/1",
        owner=BO,
        title="Charts that everybody can read",
        content="<h1>Charts that everybody can read</h1><script>alert(1)</script><h2>Why</h2><p>Because.</p>",
        summary="Dashes and markers.",
        licence="https://creativecommons.org/licenses/by/4.0/",
        skills=(Skill("data visualisation", None),),
        minutes=120,
        url="https://bo.example/@bo/learn/1",
    )
    document = write_module(module, audience=Audience((PUBLIC,)), published=iso(node.clock.now()), updated=None)
    return document | changes


async def take(node, message):
    handler = HANDLERS[message.envelope.type, message.object["type"]]
    await node.db.write(handler, message, node.authors)


async def test_a_module_arrives_and_is_shown(house):
    node, reader = house
    await take(node, received("Create", article(node)))
    view = await node.db.read(queries.module, f"{BO}/learn/1")
    assert (view.title, view.minutes, view.verification, view.local) == (
        "Charts that everybody can read", 120, "signed", False,
    )  # fmt: skip
    assert view.body_html == "<h2>Why</h2><p>Because.</p>"
    assert view.path == "/seen?id=https%3A%2F%2Fbo.example%2Fusers%2Fbo%2Flearn%2F1"
    (entry,) = await node.db.read(timelines.home, reader)
    assert (entry.kind, entry.title, entry.verification) == ("module", "Charts that everybody can read", "signed")


async def test_it_changes_and_goes(house):
    node, reader = house
    await take(node, received("Create", article(node)))
    later = article(node, name="Charts for all", updated=iso(node.clock.now()))
    await take(node, received("Update", later, number=2, verification="delivered"))
    view = await node.db.read(queries.module, f"{BO}/learn/1")
    assert (view.title, view.verification) == ("Charts for all", "delivered")
    await node.db.write(deleted, [view.id])
    assert await node.db.read(queries.views, [view.id]) == {}
    assert await node.db.read(timelines.home, reader) == []


async def test_a_second_create_changes_nothing(house):
    node, _ = house
    await take(node, received("Create", article(node)))
    before = await state(node.db)
    await take(node, received("Create", article(node, name="Another"), number=2))
    assert await state(node.db) == before


@pytest.mark.parametrize(
    "changes",
    [{"content": None}, {"name": {"a": 1}}, {"timeRequired": "x" * 10_000}, {"teaches": [[]]}, {"license": 0},
     {"summary": "x" * 1_000_000}, {"name": "\u202ename " * 100_000}, {"published": "9999-12-31T23:59:59+14:00"}],
)  # fmt: skip
async def test_086_odd_values_never_break_the_shelf(house, changes):
    node, reader = house
    await take(node, received("Create", article(node) | changes))
    (view,) = await node.db.read(queries.modules)
    assert len(view.title) <= 200
    assert "\u202e" not in view.title
    assert len(view.summary) <= 600
    (entry,) = await node.db.read(timelines.home, reader)
    assert entry.at <= node.clock.now()


async def test_what_is_no_module_is_refused_and_leaves_nothing(house):
    node, _ = house
    before = await state(node.db)
    with pytest.raises(Unacceptable):
        await node.db.write(on_module, received("Create", article(node, attributedTo=None)), node.authors)
    assert await state(node.db) == before
