"""SECURITY A and C: moving house, pins, and what people here type in: nothing happens that they did not ask for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from federation import operate
from federation.errors import Unsafe
from federation.tables import featured, follows
from schemas.terms import AS_CONTEXT, PUBLIC
from tests.fuzz.arena import FORBIDDEN, Arena, arena
from tests.fuzz.cast import ALICE, BOB, CANARY, EVE, MALLORY, VERA, ZOE, Actor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Arena]:
    async with arena(tmp_path / "data") as made:
        yield made


def said(actor: Actor, number: int, verb: str, obj: Any, **more: Any) -> dict[str, Any]:
    named = {"@context": AS_CONTEXT, "id": f"{actor.id}/activities/{number}", "type": verb, "actor": actor.id}
    return named | {"object": obj, "to": [PUBLIC]} | more


async def says(node: Arena, actor: Actor, activity: dict[str, Any]) -> None:
    assert await node.send(actor, json.dumps(activity).encode()) == 202
    await node.settle()


ASKED_ANEW = {"actors", "actor_keys", "moves", "search_index", "search_progress"}
"""What changes when an actor elsewhere is asked again who they are."""


async def state(node: Arena) -> dict[str, str]:
    """All tables but those, and that of messages, which are kept whatever comes of them."""
    tables = await node.node.db.read(operate.state)
    return {one.table: one.digest for one in tables if one.table not in ASKED_ANEW | {"inbox_messages"}}


def serve(node: Arena, actor: Actor, **more: Any) -> None:
    node.world.documents[actor.id] = json.dumps(actor.document(**more)).encode()


async def followed(node: Arena) -> set[str]:
    rows = await node.rows(sa.select(follows.c.followee).where(follows.c.follower == ALICE))
    return {row.followee for row in rows}


async def test_043_a_move_to_who_does_not_say_so(node: Arena) -> None:
    """Not to the victim, not to somebody who names another, not in somebody else's name, not to nowhere."""
    serve(node, ZOE, alsoKnownAs=[EVE.id])
    before = await state(node)
    forged = said(MALLORY, 3, "Move", BOB.id, target=MALLORY.id)
    for activity in (
        said(BOB, 1, "Move", BOB.id, target=VERA.id),
        said(BOB, 2, "Move", BOB.id, target=ZOE.id),
        said(BOB, 4, "Move", BOB.id, target=f"{VERA.id}/none"),
        said(BOB, 5, "Move", BOB.id, target=ALICE),
        said(BOB, 6, "Move", BOB.id),
        said(BOB, 7, "Move", VERA.id, target=ZOE.id),
    ):
        await says(node, BOB, activity)
    await says(node, MALLORY, forged)
    assert await state(node) == before


async def test_043_one_move_and_then_a_circle(node: Arena) -> None:
    serve(node, ZOE, alsoKnownAs=[BOB.id])
    await says(node, BOB, said(BOB, 1, "Move", BOB.id, target=ZOE.id))
    assert ZOE.id in await followed(node)
    serve(node, BOB, alsoKnownAs=[ZOE.id])
    serve(node, EVE, alsoKnownAs=[BOB.id, ZOE.id])
    before = await state(node)
    await says(node, BOB, said(BOB, 2, "Move", BOB.id, target=EVE.id))
    await says(node, BOB, said(BOB, 3, "Move", BOB.id, target=ZOE.id))
    assert await state(node) == before


async def test_044_nobody_pins_or_unpins_for_others(node: Arena) -> None:
    await says(node, VERA, said(VERA, 90, "Add", f"{VERA.id}/notes/0", target=f"{VERA.id}/featured"))
    assert [row.actor for row in await node.rows(sa.select(featured.c.actor))] == [VERA.id]
    note = {"id": f"{BOB.id}/notes/1", "type": "Note", "attributedTo": BOB.id, "content": "x", "to": [PUBLIC]}
    await says(node, BOB, said(BOB, 1, "Create", note))
    before = await state(node)
    for number, (actor, verb, thing, target) in enumerate(
        [
            (BOB, "Add", f"{VERA.id}/notes/3", f"{VERA.id}/featured"),
            (BOB, "Remove", f"{VERA.id}/notes/0", f"{VERA.id}/featured"),
            (BOB, "Add", f"{VERA.id}/notes/3", f"{BOB.id}/featured"),
            (MALLORY, "Add", note["id"], f"{BOB.id}/featured"),
            (BOB, "Add", note["id"], f"{ALICE}/featured"),
            (BOB, "Add", node.ours["public"], f"{ALICE}/featured"),
            (BOB, "Add", node.ours["public"], f"{BOB.id}/featured"),
            (BOB, "Add", note["id"], f"{BOB.id}/followers"),
        ],
        10,
    ):
        await says(node, actor, said(actor, number, verb, thing, target=target))
    assert await state(node) == before


async def test_044_a_page_of_a_collection_on_another_server_is_not_asked_for(node: Arena) -> None:
    elsewhere = f"{VERA.origin}/pages/1"
    outbox = {"id": f"{ZOE.id}/outbox", "type": "OrderedCollection", "first": elsewhere}
    node.world.documents[outbox["id"]] = json.dumps(outbox).encode()
    wish = {"follower": ALICE, "followee": ZOE.id, "activity_id": f"{ALICE}/follows/zoe", "state": "requested"}
    await node.node.db.write(lambda tx: tx.execute(sa.insert(follows).values(wish | {"created_at": tx.now})))
    asked = {"id": wish["activity_id"], "type": "Follow", "actor": ALICE, "object": ZOE.id}
    await says(node, ZOE, said(ZOE, 1, "Accept", asked))
    assert outbox["id"] in node.world.asked
    assert elsewhere not in node.world.asked


FORMS = ["http://{host}/x", "http://{host}:{port}/x", "http://127.0.0.45:{port}/x", "http://2130706477:{port}/x"]


@pytest.mark.parametrize("form", FORMS)
async def test_061_076_what_people_type_in_leads_nowhere_forbidden(node: Arena, form: str) -> None:
    """A pack's address, what is searched for, and what whoever runs the node is told to ask (a relay)."""
    address, port = node.node.settings.network.hosts[CANARY]
    assert address == FORBIDDEN
    url = form.format(host=CANARY, port=port)
    page = await node.get("alice", "/packs")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token is not None
    headers = {"Cookie": f"freehold={node.sessions['alice']}", "Origin": node.place, "Accept": "text/html"}
    data = {"csrf": token[1], "url": url}
    async with node.http.post(f"{node.place}/packs/bring", data=data, headers=headers) as answer:
        assert answer.status == 422
    assert (await node.get("alice", f"/search?q={url}")).status in (200, 303, 404, 422)
    with pytest.raises(Unsafe):
        await node.node.resolver.actor(url, refresh=True)
    await node.settle()
    assert node.world.knocks == []
