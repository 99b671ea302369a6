"""The verbs that every node shares, through the real endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from federation.handlers.follow import answer_follow
from federation.tables import activities, actors, blocks, deliveries, follows, objects
from keys.material import generate_rsa
from tests.federation.world import Peer, RemoteActor, World


async def relations(world: World) -> set[tuple[str, str, str]]:
    """(follower, followee, state), by their names."""
    rows = await world.rows(sa.select(follows))
    return {(row.follower.rpartition("/")[2], row.followee.rpartition("/")[2], row.state) for row in rows}


async def sent(world: World) -> list[dict[str, Any]]:
    rows = await world.rows(sa.select(activities.c.body).order_by(activities.c.id))
    return [json.loads(row.body) for row in rows]


async def follow(world: World, actor: RemoteActor, **more: Any) -> dict[str, Any]:
    activity = actor.activity("Follow", world.alice, **more)
    assert await world.deliver(actor, activity) == "done"
    return activity


async def by_hand(world: World) -> None:
    """alice approves her followers herself."""
    await world.db.write(
        lambda tx: tx.execute(sa.update(actors).where(actors.c.id == world.alice).values(manually_approves=True))
    )


async def test_a_follow_is_accepted_and_answered(world: World, peer: Peer) -> None:
    bob = peer.actor()
    asked = await follow(world, bob)
    assert await relations(world) == {("bob", "alice", "accepted")}
    (accept,) = await sent(world)
    assert (accept["type"], accept["actor"], accept["to"]) == ("Accept", world.alice, [bob.id])
    assert accept["object"] == {name: asked[name] for name in ("id", "type", "actor", "object")}
    (delivery,) = await world.rows(sa.select(deliveries))
    assert (delivery.inbox, delivery.state) == (f"{bob.id}/inbox", "pending")


async def test_a_follow_that_comes_again_is_answered_again(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await follow(world, bob)
    again = await follow(world, bob)
    assert await relations(world) == {("bob", "alice", "accepted")}
    assert [accept["object"]["id"] for accept in await sent(world)][1] == again["id"]


async def test_who_approves_by_hand_is_asked(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await by_hand(world)
    asked = await follow(world, bob)
    assert await relations(world) == {("bob", "alice", "requested")}
    assert await sent(world) == []

    def accept(tx: Any) -> None:
        author = world.authors.load(tx, world.alice)
        answer_follow(tx, author, bob.id, asked["id"], verb="Accept")

    await world.db.write(accept)
    assert [one["type"] for one in await sent(world)] == ["Accept"]


async def test_an_accepted_follower_stays_accepted(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await follow(world, bob)
    await by_hand(world)
    await follow(world, bob)
    assert await relations(world) == {("bob", "alice", "accepted")}


@pytest.mark.parametrize("target", ["nobody", "instance.actor", "bob/x", "../alice"])
async def test_nobody_to_follow(world: World, peer: Peer, target: str) -> None:
    bob = peer.actor()
    fate = await world.deliver(bob, bob.activity("Follow", f"{world.ids.origin}/users/{target}"))
    assert fate.startswith("refused")
    for other in (bob.id, "https://elsewhere.example/users/x", None, {}):
        assert (await world.deliver(bob, bob.activity("Follow", other))).startswith("refused")
    assert await relations(world) == set()
    assert await sent(world) == []


async def test_who_is_blocked_does_not_follow(world: World, peer: Peer) -> None:
    bob = peer.actor()

    def block(tx: Any) -> None:
        tx.execute(tx.insert(blocks).values(actor=world.alice, target=bob.id, created_at=tx.now))

    await world.db.write(block)
    assert await world.deliver(bob, bob.activity("Follow", world.alice)) == "done: it concerns nobody here"
    assert await relations(world) == set()
    assert await sent(world) == []


@pytest.mark.parametrize("form", ["id", "embedded", "without id", "another id"])
async def test_our_follow_is_accepted_and_rejected(world: World, peer: Peer, form: str) -> None:
    bob = peer.actor()
    follow_id = await world.follow(bob)
    await world.db.write(lambda tx: tx.execute(sa.update(follows).values(state="requested")))
    embedded = {"id": follow_id, "type": "Follow", "actor": world.alice, "object": bob.id}
    answer: Any = {
        "id": follow_id,
        "embedded": embedded,
        "without id": {name: value for name, value in embedded.items() if name != "id"},
        "another id": embedded | {"id": f"{bob.id}/follows/1"},
    }[form]
    assert await world.deliver(bob, bob.activity("Accept", answer)) == "done"
    assert await relations(world) == {("alice", "bob", "accepted")}
    assert await world.deliver(bob, bob.activity("Reject", answer)) == "done"
    assert await relations(world) == {("alice", "bob", "rejected")}


async def test_an_answer_to_what_we_never_asked(world: World, peer: Peer) -> None:
    bob = peer.actor()
    for answer in ("https://elsewhere.example/x", None, {"type": "Follow", "actor": world.alice, "object": bob.id}):
        assert (await world.deliver(bob, bob.activity("Accept", answer))).startswith("refused")
    assert await relations(world) == set()


@pytest.mark.parametrize("form", ["id", "embedded", "without id"])
async def test_a_follow_is_taken_back(world: World, peer: Peer, form: str) -> None:
    bob = peer.actor()
    asked = await follow(world, bob)
    undone: Any = {
        "id": asked["id"],
        "embedded": asked,
        "without id": {"type": "Follow", "actor": bob.id, "object": world.alice},
    }[form]
    assert await world.deliver(bob, bob.activity("Undo", undone)) == "done"
    assert await relations(world) == set()


async def test_an_undo_of_what_is_not_here_changes_nothing(world: World, peer: Peer) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    await follow(world, carol)
    assert await world.deliver(bob, bob.activity("Undo", f"{bob.id}/follows/9")) == "done"
    assert (await world.deliver(bob, bob.activity("Undo", {"type": "Like", "actor": bob.id}))).startswith("refused")
    assert await relations(world) == {("carol", "alice", "accepted")}


async def test_a_block_ends_both_directions_and_is_taken_back(world: World, peer: Peer) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    await follow(world, bob)
    await follow(world, carol)
    await world.follow(bob)
    block = bob.activity("Block", world.alice)
    assert await world.deliver(bob, block) == "done"
    assert await relations(world) == {("carol", "alice", "accepted")}
    assert len(await world.rows(sa.select(blocks))) == 1
    assert await world.deliver(bob, bob.activity("Undo", block)) == "done"
    assert await world.rows(sa.select(blocks)) == []
    assert (await world.deliver(bob, bob.activity("Block", carol.id))).startswith("refused")


async def test_a_changed_profile(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    peer.asked.clear()
    update = bob.activity("Update", bob.document(name="Robert", updated="2026-02-01T00:00:00Z"))
    assert await world.deliver(bob, update) == "done"
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert row.name == "Robert"
    assert peer.asked == []  # the keys are those that we know: nothing has to be asked
    older = bob.activity("Update", bob.document(name="Old Bob", updated="2026-01-01T00:00:00Z"))
    assert await world.deliver(bob, older) == "done"
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert row.name == "Robert"


async def test_a_changed_profile_with_a_proof(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    bob.publish(name="Robert")
    proven = bob.prove(bob.document(name="Robert"))
    assert await world.deliver(bob, bob.activity("Update", proven)) == "done"
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert (row.name, row.verification) == ("Robert", "signed")
    broken = bob.activity("Update", proven | {"name": "Forged"})
    assert (await world.deliver(bob, broken)).startswith("refused: Unauthenticated")
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert row.name == "Robert"


@pytest.mark.parametrize("form", ["embedded", "id"])
async def test_a_profile_with_a_new_key_comes_from_its_origin(world: World, peer: Peer, form: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    old, bob.rsa = bob.rsa, generate_rsa()
    bob.publish(name="From the origin")
    told: Any = bob.document(name="As told") if form == "embedded" else bob.id
    assert await world.deliver(bob, bob.activity("Update", told), key=old) in ("done", "done: it concerns nobody here")
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert row.name == "From the origin"


async def test_a_profile_that_is_none(world: World, peer: Peer) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    await world.know(bob, carol)
    before = await world.state(but=("inbox_messages",))
    for lie in (
        carol.document(name="x"),
        bob.document(id=carol.id),
        bob.document(inbox="https://elsewhere.example/inbox"),
        bob.document(preferredUsername="a/b"),
        bob.document(inbox=None),
    ):
        assert (await world.deliver(bob, bob.activity("Update", lie))).startswith("refused")
    assert await world.state(but=("inbox_messages",)) == before


@pytest.mark.parametrize("form", ["id", "tombstone", "whole"])
async def test_an_object_is_deleted(world: World, peer: Peer, form: str) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note()
    await world.deliver(bob, bob.activity("Create", note))
    told: Any = {"id": note["id"], "tombstone": {"id": note["id"], "type": "Tombstone"}, "whole": note}[form]
    assert await world.deliver(bob, bob.activity("Delete", told)) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert (row.type, row.body) == ("Tombstone", None)
    assert world.deleted == [note["id"]]


async def test_an_actor_ends_with_all_that_it_was(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await follow(world, bob)
    await world.follow(bob)
    note = bob.note()
    await world.deliver(bob, bob.activity("Create", note))
    assert await world.deliver(bob, bob.activity("Delete", bob.id)) == "done"
    assert await relations(world) == set()
    assert world.deleted == [note["id"]]
    (row,) = await world.rows(sa.select(actors).where(actors.c.id == bob.id))
    assert row.gone_at is not None


async def test_a_delete_of_nothing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    for nothing in (None, {}, [], ["https://a.example/1", "https://a.example/2"], 5):
        assert (await world.deliver(bob, bob.activity("Delete", nothing))).startswith("refused")


async def test_what_nothing_handles_is_done(world: World, peer: Peer) -> None:
    bob = peer.actor()
    for verb in ("Like", "Travel", "EmojiReact"):
        assert await world.deliver(bob, bob.activity(verb, world.alice)) == "done: nothing here handles it"
