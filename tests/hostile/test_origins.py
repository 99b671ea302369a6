"""SECURITY A, continued: who may say what about which id."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from federation.tables import actor_keys, actors, follows, inbox_messages, objects
from schemas.terms import PUBLIC
from tests.federation.world import SQLITE, Peer, RemoteActor, World, rsa

UNSIGNED = {"content-type": "application/activity+json"}


async def stored(world: World) -> dict[str, str]:
    """The contents that stand at each object's id."""
    rows = await world.rows(sa.select(objects.c.id, objects.c.body))
    return {row.id: json.loads(row.body)["content"] if row.body else "" for row in rows}


async def known(world: World, actor: RemoteActor) -> dict[str, Any]:
    """Let an actor be followed and one note of it stand here."""
    await world.follow(actor)
    note = actor.note("original", published="2026-01-01T00:00:00Z")
    assert await world.deliver(actor, actor.activity("Create", note)) == "done"
    return note


async def test_002_a_document_with_another_id_than_its_address(world: World, peer: Peer, other: Peer) -> None:
    victim = peer.actor("victim")
    await world.know(victim)
    mallory = other.actor("mallory")
    forged = victim.document(
        publicKey={"id": mallory.key_id, "owner": victim.id, "publicKeyPem": rsa("evil").public.pem}
    )
    other.documents["/users/mallory"] = forged
    body = json.dumps(victim.activity("Create", victim.note())).encode()
    before = await world.state()
    assert await world.send(body, mallory.signed_headers(world.ids.shared_inbox, body, key=rsa("evil"))) == 401
    (row,) = await world.rows(sa.select(actor_keys.c.public).where(actor_keys.c.id == victim.key_id))
    assert row.public == victim.rsa.public.pem
    after = await world.state()
    assert {name for name in after if after[name] != before[name]} <= {
        "actors"
    }  # the victim's refresh, from its origin
    assert await world.rows(sa.select(actors.c.id).where(actors.c.id == mallory.id)) == []


async def test_011_a_key_on_one_origin_for_an_actor_on_another(world: World, peer: Peer, other: Peer) -> None:
    """The key's document names the victim as its owner; the victim does not list it."""
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    key_id = f"{other.origin}/key"
    other.documents["/key"] = {"id": key_id, "owner": victim.id, "publicKeyPem": rsa("mallory").public.pem}
    body = json.dumps(victim.activity("Create", victim.note())).encode()
    async with world.nothing_happens(key_of=victim):
        other.asked.clear()
        headers = mallory.signed_headers(world.ids.shared_inbox, body, key_id=key_id)
        assert await world.send(body, headers) == 401
        other.asked.clear()


async def test_013_somebody_else_s_object_in_a_create(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(mallory)
    theirs = victim.note("never said")
    mine = mallory.note()
    for lie in (
        theirs,
        theirs | {"attributedTo": mallory.id},
        mine | {"attributedTo": victim.id},
        mine | {"attributedTo": [mallory.id, victim.id]},
        mine | {"attributedTo": None},
        [theirs],
        {"type": "Note", "attributedTo": victim.id, "content": "no id"},
    ):
        fate = await world.deliver(mallory, mallory.activity("Create", lie))
        assert fate.startswith("refused"), lie
    assert await stored(world) == {}
    assert world.handled == []
    assert peer.asked == []


async def test_013_a_bare_id_on_another_origin(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(mallory)
    note = victim.note()
    peer.serve(note)
    assert (await world.deliver(mallory, mallory.activity("Create", note["id"]))).startswith("refused: Forbidden")
    assert peer.asked == []


async def test_013_a_fetched_object_of_somebody_else_of_that_host(world: World, peer: Peer) -> None:
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    await world.follow(mallory)
    note = bob.note()
    peer.serve(note)
    assert (await world.deliver(mallory, mallory.activity("Create", note["id"]))).startswith("refused: Forbidden")
    assert await stored(world) == {}


async def test_014_what_is_announced_comes_from_its_origin(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(mallory)
    note = victim.note("what victim said")
    peer.serve(note)
    assert await world.deliver(mallory, mallory.activity("Announce", note | {"content": "a lie"})) == "done"
    assert await stored(world) == {note["id"]: "<p>what victim said</p>"}
    (received,) = world.handled
    assert received.verification == "delivered"


async def test_014_an_announced_proof_is_seen(world: World, peer: Peer, other: Peer) -> None:
    author, friend = peer.actor("author"), other.actor("friend")
    await world.follow(friend)
    note = author.prove(author.note())
    peer.serve(note)
    assert await world.deliver(friend, friend.activity("Announce", note["id"])) == "done"
    assert world.handled[0].verification == "signed"


@pytest.mark.parametrize("what", ["nothing there", "another id", "no owner", "a private address", "itself"])
async def test_014_an_announce_of_what_is_not_there(world: World, peer: Peer, other: Peer, what: str) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(mallory)
    note = victim.note()
    object_id = note["id"]
    if what == "another id":
        peer.documents[object_id.removeprefix(peer.origin)] = note | {"id": f"{victim.id}/notes/other"}
    elif what == "no owner":
        peer.serve({name: value for name, value in note.items() if name != "attributedTo"})
    elif what == "a private address":
        object_id = "http://127.0.0.41:80/x"
    elif what == "itself":
        object_id = f"{mallory.id}/activities/1"
    activity = mallory.activity("Announce", object_id)
    fate = await world.deliver(mallory, activity)
    assert not fate.startswith("done"), fate
    assert await stored(world) == {}


@pytest.mark.parametrize("verb", ["Update", "Delete"])
async def test_015_another_of_the_same_host(world: World, peer: Peer, verb: str) -> None:
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    note = await known(world, bob)
    await world.follow(mallory)
    for lie in (note | {"content": "changed"}, note | {"content": "changed", "attributedTo": mallory.id}):
        fate = await world.deliver(mallory, mallory.activity(verb, lie))
        assert fate.startswith("refused"), fate
        assert await stored(world) == {note["id"]: "<p>original</p>"}
    assert (await world.deliver(mallory, mallory.activity(verb, note["id"]))).startswith("refused")
    assert await stored(world) == {note["id"]: "<p>original</p>"}


async def test_016_another_server_deletes(world: World, peer: Peer, other: Peer) -> None:
    bob, mallory = peer.actor("bob"), other.actor("mallory")
    note = await known(world, bob)
    for target in (note["id"], {"id": note["id"], "type": "Tombstone"}, bob.id, world.alice, f"{world.alice}/posts/1"):
        fate = await world.deliver(mallory, mallory.activity("Delete", target))
        assert fate.startswith("refused"), target
    assert await stored(world) == {note["id"]: "<p>original</p>"}
    rows = await world.rows(sa.select(actors.c.id).where(actors.c.gone_at.is_not(None)))
    assert rows == []


async def test_016_a_tombstone_by_another_does_not_keep_the_owner_s_object_out(world: World, peer: Peer) -> None:
    """Deleting ahead of the Create what is not one's own."""
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    await world.follow(bob)
    note = bob.note("kept")
    await world.deliver(mallory, mallory.activity("Delete", note["id"]))
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    assert await stored(world) == {note["id"]: "<p>kept</p>"}


async def follow_of(world: World, follower: RemoteActor) -> dict[str, Any]:
    follow = follower.activity("Follow", world.alice)
    assert await world.deliver(follower, follow) == "done"
    return follow


async def followers(world: World) -> list[str]:
    return [row.follower for row in await world.rows(sa.select(follows.c.follower).order_by(follows.c.follower))]


async def test_019_somebody_else_undoes(world: World, peer: Peer, other: Peer) -> None:
    bob, mallory = peer.actor("bob"), other.actor("mallory")
    follow = await follow_of(world, bob)
    for undone in (
        follow,
        follow["id"],
        follow | {"actor": mallory.id},
        {"type": "Follow", "actor": bob.id, "object": world.alice},
        [follow],
        {"id": follow["id"]},
    ):
        await world.deliver(mallory, mallory.activity("Undo", undone))
        assert await followers(world) == [bob.id], undone
    assert await world.deliver(bob, bob.activity("Undo", follow)) == "done"
    assert await followers(world) == []


async def test_019_somebody_else_accepts(world: World, peer: Peer, other: Peer) -> None:
    """alice asked bob; mallory says yes, or no, in bob's place."""
    bob, mallory = peer.actor("bob"), other.actor("mallory")
    follow_id = await world.follow(bob)
    await world.db.write(lambda tx: tx.execute(sa.update(follows).values(state="requested")))
    follow = {"id": follow_id, "type": "Follow", "actor": world.alice, "object": bob.id}
    for verb in ("Accept", "Reject"):
        for answer in (follow, follow_id, follow | {"object": mallory.id}):
            assert (await world.deliver(mallory, mallory.activity(verb, answer))).startswith("refused")
            (row,) = await world.rows(sa.select(follows.c.state))
            assert row.state == "requested"


@pytest.mark.parametrize("part", ["actor", "id"])
async def test_nothing_comes_in_under_our_own_origin(world: World, peer: Peer, part: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    ours = {"actor": world.alice, "id": f"{world.alice}/activities/1"}
    for activity in (
        bob.activity("Create", bob.note(), **{part: ours[part]}),
        bob.activity("Create", bob.note(), **ours),
    ):
        async with world.nothing_happens():
            assert await world.post(bob, activity) == 403


async def test_nothing_is_taken_that_is_signed_with_a_key_of_ours(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = json.dumps(bob.activity("Create", bob.note())).encode()
    key_id = f"{world.alice}#main-key"
    async with world.nothing_happens():
        assert await world.send(body, bob.signed_headers(world.ids.shared_inbox, body, key_id=key_id)) == 401


async def test_an_object_under_our_origin_is_nobody_else_s(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    lie = bob.note() | {"id": f"{world.alice}/posts/1"}
    for verb in ("Create", "Update"):
        for attributed in (bob.id, world.alice):
            fate = await world.deliver(bob, bob.activity(verb, lie | {"attributedTo": attributed}))
            assert fate.startswith("refused")
    assert await stored(world) == {}


async def test_040_an_activity_s_id_on_another_origin(world: World, peer: Peer, other: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Create", bob.note(), id=f"{other.origin}/activities/1")) == 403


async def test_041_the_end_of_somebody_whom_we_never_met(world: World, peer: Peer) -> None:
    bob = peer.actor()
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Delete", bob.id)) == 202
        assert await world.send(json.dumps(bob.activity("Delete", bob.id)).encode(), UNSIGNED) == 202


@pytest.mark.parametrize(("answer", "status"), [(410, 202), (404, 202), (500, 503), (200, 401)])
async def test_041_an_end_whose_key_is_gone(world: World, peer: Peer, answer: int, status: int) -> None:
    bob = peer.actor()
    note = await known(world, bob)
    await world.db.write(lambda tx: tx.execute(sa.delete(actor_keys).where(actor_keys.c.actor_id == bob.id)))
    await world.quiet("actors")
    await world.db.write(lambda tx: tx.notify("actors", bob.id))
    await world.quiet("actors")
    if answer == 200:
        bob.publish(publicKey=None)
    else:
        peer.documents["/users/bob"] = answer
    assert await world.post(bob, bob.activity("Delete", bob.id)) == status
    ended = status == 202
    assert await stored(world) == {note["id"]: "" if ended else "<p>original</p>"}
    assert (await followers(world) == []) is ended
    assert world.deleted == ([note["id"]] if ended else [])


async def test_041_a_gone_key_of_another_ends_nobody_and_asks_nobody(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.know(victim)
    other.documents["/users/mallory"] = 410
    peer.asked.clear()
    async with world.nothing_happens(key_of=mallory):
        body = json.dumps(victim.activity("Delete", victim.id)).encode()
        assert await world.send(body, mallory.signed_headers(world.ids.shared_inbox, body)) == 401
    assert peer.asked == []


async def test_041_an_end_that_is_signed(world: World, peer: Peer) -> None:
    bob = peer.actor()
    note = await known(world, bob)
    assert await world.deliver(bob, bob.activity("Delete", bob.id)) == "done"
    assert await stored(world) == {note["id"]: ""}
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Delete", bob.id)) == 202  # nothing is left to end


async def test_047_another_port_is_another_origin(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    elsewhere = bob.id.replace(peer.origin, "http://127.0.0.2:1")
    note = bob.note() | {"id": f"{elsewhere}/notes/1"}
    assert (await world.deliver(bob, bob.activity("Create", note))).startswith("refused: Forbidden")
    secure = bob.id.replace("http://", "https://")
    async with world.nothing_happens():
        for actor in (elsewhere, secure):
            assert await world.post(bob, bob.activity("Create", bob.note(), actor=actor)) == 403
    assert await stored(world) == {}


DOUBTFUL = [
    "https://good.example\\@evil.example/", "https://good.example#@evil.example/", "https://%2e/x",
    "https://a\tb.example/x", "https://user@host.example/x", "https://user:pass@host.example/x",
    "https://host.example:99999/x", "https:///x", "https://", "//host.example/x", "javascript:alert(1)",
    "data:text/plain,x", "https://host..example/x", "https://-host.example/x", "https://host.example/\u202ex",
    "https://[::1/x", "https://0x7f.1/x", "https://127.1/x", "https://2130706433/x", "ftp://host.example/x",
    "https://host.example /x", " https://host.example/x", "x" * 5_000, "https://host.example/" + "x" * 3_000,
]  # fmt: skip


@SQLITE
@pytest.mark.parametrize("url", DOUBTFUL)
async def test_054_doubtful_urls_are_no_ids(world: World, peer: Peer, url: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        for part in ("id", "actor"):
            assert await world.post(bob, bob.activity("Create", bob.note(), **{part: url})) in (400, 403)
    body = json.dumps(bob.activity("Create", bob.note())).encode()
    if '"' not in url and url.isascii() and "\t" not in url and "\\" not in url and len(url) < 4_000:
        async with world.nothing_happens():
            assert await world.send(body, bob.signed_headers(world.ids.shared_inbox, body, key_id=url)) in (401, 503)


@SQLITE
@pytest.mark.parametrize("url", DOUBTFUL)
async def test_054_doubtful_urls_are_never_stored_as_an_object_s_id(world: World, peer: Peer, url: str) -> None:
    bob = peer.actor()
    await world.follow(bob)
    for verb, obj in (("Create", bob.note(id=url)), ("Create", url), ("Announce", url), ("Delete", url)):
        activity = bob.activity(verb, obj, to=[PUBLIC])
        assert await world.post(bob, activity) in (202, 400)
    await world.worker.drain()
    assert await stored(world) == {}
    rows = await world.rows(sa.select(inbox_messages.c.state))
    assert {row.state for row in rows} <= {"refused", "pending"}
