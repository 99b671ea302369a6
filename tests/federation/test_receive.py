from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa

from federation.authenticate import Authenticator
from federation.documents import Documents
from federation.receive import InboxDoor
from federation.tables import inbox_messages
from schemas.terms import AS_CONTEXT
from tests.federation.world import Peer, World


async def message(world: World) -> sa.Row[tuple[object, ...]]:
    (row,) = await world.rows(sa.select(inbox_messages))
    return row


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_signed_activity_is_stored_as_it_came(world: World, peer: Peer, scheme: str) -> None:
    bob = peer.actor()
    activity = bob.activity("Create", bob.note("ünïcode"))
    body = json.dumps(activity, ensure_ascii=False, indent=1).encode()
    assert await world.post(bob, body, scheme=scheme) == 202
    row = await message(world)
    assert (row.activity_id, row.type, row.actor_id, row.state) == (activity["id"], "Create", bob.id, "pending")
    assert (row.body, row.subject) == (body, activity["object"]["id"])
    assert json.loads(row.signer) == {"actor_id": bob.id, "key_id": bob.key_id, "how": scheme}


async def test_a_proof_needs_no_http_signature(world: World, peer: Peer) -> None:
    bob = peer.actor()
    proven = bob.prove(bob.activity("Create", bob.note()))
    body = json.dumps(proven).encode()
    assert await world.send(body, {"content-type": "application/activity+json"}) == 202
    assert json.loads((await message(world)).signer)["how"] == "proof"


async def test_a_proof_counts_whoever_relays_it(world: World, peer: Peer, other: Peer) -> None:
    """FEP-8b32: what is proven may come from anybody; it keeps its place as its actor's own."""
    bob, relay = peer.actor(), other.actor("relay")
    await world.follow(bob)
    proven = bob.prove(bob.activity("Create", bob.note()))
    assert await world.deliver(relay, proven) == "done"
    row = await message(world)
    assert (row.activity_id, json.loads(row.signer)["actor_id"]) == (proven["id"], bob.id)
    assert world.handled[0].verification == "signed"
    assert other.asked == []


async def test_a_foreign_signature_member_does_not_break_a_proof(world: World, peer: Peer) -> None:
    bob = peer.actor()
    proven = bob.prove(bob.activity("Create", bob.note())) | {"signature": {"type": "RsaSignature2017"}}
    assert await world.send(json.dumps(proven).encode(), {"content-type": "application/activity+json"}) == 202


async def test_a_proof_of_a_kind_that_is_not_read_says_nothing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    proof = {"type": "DataIntegrityProof", "cryptosuite": "other-2030", "proofValue": "z1"}
    activity = bob.activity("Create", bob.note(), proof=proof)
    body = json.dumps(activity).encode()
    assert await world.send(body, {"content-type": "application/activity+json"}) == 401
    assert await world.post(bob, activity) == 202


async def test_personal_and_shared_inbox_are_one_door(world: World, peer: Peer) -> None:
    bob = peer.actor()
    for path in ("/inbox", "/users/alice/inbox", "/users/instance.actor/inbox"):
        assert await world.post(bob, bob.activity("Create", bob.note()), path=path) == 202


@pytest.mark.parametrize("name", ["nobody", "Alice", "a%20b", ".alice", "%00", "x" * 3_000])
async def test_there_is_no_inbox_of_nobody(world: World, peer: Peer, name: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Create", bob.note()), path=f"/users/{name}/inbox") in (404, 405)


async def test_a_refusal_says_how_to_sign(world: World) -> None:
    headers = {"content-type": "application/activity+json"}
    body = b'{"id":"http://127.0.0.2:1/1","type":"Like","actor":"http://127.0.0.2:1/u"}'
    async with world.http.post(world.ids.shared_inbox, data=body, headers=headers) as response:
        assert response.status == 401
        assert '"@method" "@target-uri"' in response.headers["Accept-Signature"]
        assert await response.json() == {"error": "The signature is missing or does not hold."}


async def test_an_inbox_is_not_read(world: World) -> None:
    for path in ("/inbox", "/users/alice/inbox"):
        async with world.http.get(f"{world.ids.origin}{path}") as response:
            assert response.status == 405


async def test_unfamiliar_json_ld_is_read(world: World, peer: Peer) -> None:
    """A member of another name that means `summary`: stored as it came, understood as it is meant."""
    bob = peer.actor()
    await world.follow(bob)
    context = [AS_CONTEXT, {"summary": "https://other.example/x", "short": "as:summary"}]
    note = bob.note(short="in short")
    del note["@context"]
    activity = bob.activity("Create", note, **{"@context": context})
    assert await world.deliver(bob, activity) == "done"
    (received,) = world.handled
    assert received.object is not None
    assert received.object["summary"] == "in short"


async def test_unfamiliar_json_ld_counts_for_more_of_the_rate(world: World, peer: Peer) -> None:
    from federation.bodies import DEFAULT_LIMITS
    from federation.receive import UNUSUAL_TOKENS

    bob = peer.actor()
    context = [AS_CONTEXT, {"summary": "https://other.example/x"}]
    statuses = []
    for _ in range(int(DEFAULT_LIMITS.host.burst / UNUSUAL_TOKENS) + 1):
        statuses.append(await world.post(bob, bob.activity("Like", "https://a.example/1", **{"@context": context})))
    assert statuses[0] == 202
    assert statuses[-1] == 429


async def test_behind_a_proxy_the_door_asks_who_it_is(world: World, peer: Peer) -> None:
    """Refusals are counted for the address that the given function names."""
    from aiohttp import web

    from federation.bodies import DoorLimits
    from federation.rates import Rate
    from tests.federation.world import listening, origin_of, serving

    authenticator = Authenticator(world.ids, world.resolver, world.policy, world.clock)
    door = InboxDoor(
        world.db, world.ids, world.resolver, authenticator, world.policy, Documents(world.db, world.ids),
        limits=DoorLimits(failures=Rate(0.001, 2)), peer=lambda request: request.headers["X-Real"],
    )  # fmt: skip
    app = web.Application()
    app.add_routes([web.post("/inbox", door.post)])
    listener = listening("127.0.0.1")

    async def knock(address: str) -> int:
        headers = {"content-type": "application/activity+json", "X-Real": address}
        async with world.http.post(f"{origin_of(listener)}/inbox", data=b"{}", headers=headers) as response:
            return response.status

    async with serving(app, listener):
        assert [await knock("192.0.2.1") for _ in range(3)] == [400, 400, 429]
        assert await knock("192.0.2.2") == 400
        assert [await knock("2001:db8::1"), await knock("2001:db8::2")] == [400, 400]
        assert await knock("2001:db8::ffff") == 429  # one /64 is one peer
        assert await knock("2001:db8:0:1::1") == 400


async def test_many_at_once_share_commits(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    posts = [world.post(bob, bob.activity("Create", bob.note())) for _ in range(60)]
    assert set(await asyncio.gather(*posts)) == {202}
    rows = await world.rows(sa.select(inbox_messages.c.received_at))
    assert len(rows) == 60
    assert len({row.received_at for row in rows}) < 50
