from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from federation import prepare
from federation.errors import Forbidden
from federation.known_actors import TOPIC as ACTORS
from federation.tables import objects
from schemas.terms import AS_CONTEXT
from tests.federation.world import Peer, RemoteActor, World

CAVAGE = '{"actor_id":"%s","key_id":"k","how":"cavage"}'
PROOF = '{"actor_id":"%s","key_id":"k","how":"proof"}'


def draft(actor: RemoteActor, activity: dict[str, Any], signer: str = CAVAGE) -> prepare.Draft:
    return prepare.read(json.dumps(activity).encode(), signer % actor.id)


async def test_what_can_be_used_at_once(peer: Peer) -> None:
    bob = peer.actor()
    assert draft(bob, bob.activity("Create", bob.note())).is_ready
    assert draft(bob, bob.activity("Follow", "https://a.example/u")).is_ready
    assert draft(bob, bob.activity("Delete", bob.id)).is_ready
    for activity in (
        bob.activity("Create", f"{bob.id}/notes/1"),
        bob.activity("Create", bob.prove(bob.note())),
        bob.activity("Announce", bob.note()),
        bob.activity("Update", bob.document()),
        bob.activity("Update", bob.id),
    ):
        assert not draft(bob, activity).is_ready, activity
    carol = peer.actor("carol")
    assert not draft(carol, bob.activity("Create", bob.note())).is_ready


async def test_how_far_the_author_is_known(peer: Peer) -> None:
    bob = peer.actor()
    assert draft(bob, bob.activity("Create", bob.note())).received.verification == "delivered"
    assert draft(bob, bob.activity("Create", bob.note()), PROOF).received.verification == "signed"


async def test_an_object_of_another_is_not_read(peer: Peer) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    with pytest.raises(Forbidden):
        draft(bob, bob.activity("Create", carol.note()))
    assert draft(bob, bob.activity("Undo", carol.activity("Follow", bob.id))).received.object is None


async def test_rewritten_json_ld_loses_its_proofs(peer: Peer) -> None:
    bob = peer.actor()
    context = [AS_CONTEXT, {"summary": "https://other.example/x"}]
    document = prepare.familiar(bob.activity("Create", bob.prove(bob.note()), proof={}) | {"@context": context})
    assert "proof" not in document
    assert "proof" not in document["object"]
    plain = bob.activity("Create", bob.prove(bob.note()))
    assert prepare.familiar(plain) is plain


async def test_a_bare_id_is_fetched_from_its_origin(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    for note, verification in ((bob.note(), "delivered"), (bob.prove(bob.note()), "signed")):
        peer.serve(note)
        assert await world.deliver(bob, bob.activity("Create", note["id"])) == "done"
        assert world.handled[-1].object == note
        assert world.handled[-1].verification == verification


async def test_a_proof_of_an_activity_says_nothing_about_what_is_fetched(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note()
    peer.serve(note)
    assert await world.deliver(bob, bob.prove(bob.activity("Create", note["id"]))) == "done"
    assert world.handled[0].verification == "delivered"


async def test_a_proof_that_cannot_be_checked_for_now(world: World, peer: Peer) -> None:
    """The object is by its server, and carries a proof whose key cannot be had at the moment."""
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    key_id = f"{peer.origin}/keys/1"
    peer.documents["/keys/1"] = 500
    note = bob.prove(bob.note(), method=key_id)
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    assert world.handled[0].verification == "unchecked"


async def test_a_proof_is_checked_at_once_where_its_key_is_at_hand(world: World, peer: Peer) -> None:
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    preparer = world.worker._preparer
    proven = draft(bob, bob.activity("Create", bob.prove(bob.note())))
    assert preparer.at_once(proven) is None
    for actor in (bob, mallory):
        await world.resolver.key(actor.proof_key_id)
    await world.quiet(ACTORS)  # that they are known now is heard of too, and what is in memory is read again
    for actor in (bob, mallory):
        await world.resolver.key(actor.proof_key_id)
    received = preparer.at_once(proven)
    assert received is not None
    assert received.verification == "signed"
    for lie in (bob.prove(bob.note()) | {"content": "changed"}, mallory.prove(bob.note()), bob.note(proof={})):
        assert preparer.at_once(draft(bob, bob.activity("Create", lie))) is None
    await world.block("127.0.0.2")
    assert preparer.at_once(proven) is None


async def test_an_object_s_proof_must_hold_also_under_a_proven_activity(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.prove(bob.note()) | {"content": "changed"}
    assert (await world.deliver(bob, bob.prove(bob.activity("Create", note)))).startswith("refused: Unauthenticated")
    assert await world.rows(sa.select(objects)) == []


async def test_announcing_what_is_known_asks_nobody(world: World, peer: Peer, other: Peer) -> None:
    bob, friend = peer.actor(), other.actor("friend")
    await world.follow(bob)
    await world.follow(friend)
    note = bob.note()
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    peer.asked.clear()
    assert await world.deliver(friend, friend.activity("Announce", note["id"])) == "done"
    assert await world.deliver(friend, friend.activity("Announce", f"{world.alice}/posts/1")) == "done"
    assert peer.asked == []
    assert [received.object for received in world.handled[1:]] == [None, None]


async def test_while_an_origin_is_away_a_proof_of_the_owner_counts(world: World, peer: Peer, other: Peer) -> None:
    bob, friend = peer.actor(), other.actor("friend")
    await world.know(bob)
    await world.resolver.key(bob.proof_key_id)
    await world.follow(friend)
    notes = [
        bob.prove(bob.note()),
        bob.note(),
        bob.prove(bob.note()) | {"content": "changed"},
        friend.prove(bob.note()),
    ]
    for note in notes:
        peer.documents[note["id"].removeprefix(peer.origin)] = 503
    fates = [await world.deliver(friend, friend.activity("Announce", note)) for note in notes]
    assert [fate.partition(":")[0] for fate in fates] == ["done", "pending", "pending", "pending"]
    (received,) = world.handled
    assert (received.object, received.verification) == (notes[0], "signed")


@pytest.mark.parametrize("answer", [404, 410, "tombstone"])
async def test_a_forwarded_delete_is_checked(world: World, peer: Peer, other: Peer, answer: Any) -> None:
    bob, relay = peer.actor(), other.actor("relay")
    await world.follow(bob)
    note = bob.note()
    peer.serve(note)
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    delete = bob.activity("Delete", note["id"]) | {"signature": {}}
    assert (await world.deliver(relay, delete)).startswith("refused: Forbidden")  # it still stands there
    tombstone = {"id": note["id"], "type": "Tombstone"}
    peer.documents[note["id"].removeprefix(peer.origin)] = tombstone if answer == "tombstone" else answer
    world.clock.offset += world.clock.offset.resolution * 600_000_000
    again = bob.activity("Delete", note["id"]) | {"signature": {}}
    assert await world.deliver(relay, again) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert row.body is None


@pytest.mark.parametrize("verb", ["Follow", "Undo", "Block", "Accept", "Like"])
async def test_what_only_its_actor_may_say_is_not_forwarded(world: World, peer: Peer, other: Peer, verb: str) -> None:
    bob, relay = peer.actor(), other.actor("relay")
    before = await world.state(but=("inbox_messages", "actors", "actor_keys"))
    fate = await world.deliver(relay, bob.activity(verb, world.alice) | {"signature": {}})
    assert fate.startswith("refused")
    assert await world.state(but=("inbox_messages", "actors", "actor_keys")) == before
