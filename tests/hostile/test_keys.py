"""Keys of others that change, expire, or were in other hands: through the inbox (SECURITY 22, 31, 183, 184)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from federation.clock import iso
from federation.known_keys import has_new_owner
from federation.tables import actor_keys
from keys.proofs import add_proof
from keys.rotation import confirm
from tests.federation.world import Peer, RemoteActor, World, ed25519, rsa

HOUR = timedelta(hours=1)


def multikey(actor: RemoteActor, name: str, by: str | None = None, **ends: str) -> dict[str, Any]:
    """A key of proofs, perhaps named by another one."""
    key = {
        "id": f"{actor.id}#{name}",
        "type": "Multikey",
        "controller": actor.id,
        "publicKeyMultibase": ed25519(name).public.multibase,
    }
    proof = {} if by is None else {"proof": confirm(key, ed25519(by), f"{actor.id}#{by}", actor.peer.clock.now())}
    return key | proof | ends


def signed(actor: RemoteActor, name: str, ago: timedelta = timedelta()) -> dict[str, Any]:
    """Something said with a proof by one of those keys, and a date."""
    at = actor.peer.clock.now() - ago
    return add_proof(actor.activity("Create", actor.note()), ed25519(name), f"{actor.id}#{name}", at)


async def known(world: World, actor: RemoteActor) -> dict[str, tuple[str, str]]:
    """Of each key: whether it is in force, and who says that it is theirs; by the end of its id."""
    rows = await world.rows(sa.select(actor_keys).where(actor_keys.c.actor_id == actor.id))
    ends = {row.id: "revoked" if row.revoked_at else "retired" if row.retired_at else "in force" for row in rows}
    return {row.id.partition("#")[2]: (ends[row.id], row.vouched) for row in rows}


async def meet(world: World, actor: RemoteActor, *keys: dict[str, Any], **more: Any) -> None:
    """The document at the actor's origin says this now, and we have read it."""
    actor.publish(assertionMethod=list(keys), **more)
    world.clock.offset += timedelta(minutes=10)  # so that nobody asks too often
    await world.resolver.actor(actor.id, refresh=True)


async def test_183_what_a_key_signed_before_it_expired_counts_and_what_later_does_not(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    await meet(world, bob, multikey(bob, "one"))
    await meet(world, bob, multikey(bob, "two", by="one"), multikey(bob, "one", expires=iso(world.clock.now() - HOUR)))
    assert await world.deliver(bob, signed(bob, "one", 2 * HOUR)) == "done"
    before = await world.state()
    peer.asked.clear()
    for ago in (timedelta(), HOUR / 2):
        assert await world.post(bob, signed(bob, "one", ago)) == 401
    assert (await world.state(), peer.asked) == (before, [])


async def test_184_a_revoked_key_says_nothing_more_whatever_date_it_writes(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    await meet(world, bob, multikey(bob, "one"))
    now = iso(world.clock.now())
    gone, two = multikey(bob, "one", revoked=now), multikey(bob, "two")
    for listed, more in (([two, gone], {}), ([two], {"verificationMethod": [gone]})):
        await meet(world, bob, *listed, **more)
        before = await world.state()
        peer.asked.clear()
        for ago in (timedelta(), 48 * HOUR):
            assert await world.post(bob, signed(bob, "one", ago)) == 401
        assert (await world.state(), peer.asked) == (before, [])


async def test_184_a_revocation_is_never_taken_back(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    await meet(world, bob, multikey(bob, "one"))
    await meet(world, bob, multikey(bob, "two"), multikey(bob, "one", revoked=iso(world.clock.now())))
    await meet(world, bob, multikey(bob, "two"), multikey(bob, "one"))
    assert (await known(world, bob))["one"][0] == "revoked"
    before = await world.state()
    assert await world.post(bob, signed(bob, "one")) == 401
    assert await world.state() == before


async def test_183_a_chain_of_keys_is_followed_by_whoever_missed_a_link(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await meet(world, bob, multikey(bob, "one"))
    end = iso(world.clock.now())
    links = multikey(bob, "two", by="one", expires=end), multikey(bob, "one", expires=end)
    await meet(world, bob, multikey(bob, "three", by="two"), *links)
    keys = await known(world, bob)
    assert {keys[name][1] for name in ("two", "three")} == {"key"}


async def test_022_a_document_signed_with_the_old_key_confirms_all_that_it_lists(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    bob.publish()
    new = rsa("new bob")
    changed = bob.document(publicKey={"id": f"{bob.id}#second", "owner": bob.id, "publicKeyPem": new.public.pem})
    peer.documents["/users/bob"] = bob.prove(changed)
    world.clock.offset += timedelta(minutes=10)
    await world.resolver.actor(bob.id, refresh=True)
    assert (await known(world, bob))["second"] == ("in force", "key")


async def test_022_an_update_signed_with_the_old_key_confirms_the_new_one_under_the_same_id(
    world: World, peer: Peer
) -> None:
    """As Mastodon changes keys: one RSA key, always under the same id."""
    bob = peer.actor()
    await world.follow(bob)
    bob.publish(assertionMethod=[])
    await world.know(bob)
    await meet(world, bob)
    old, new = bob.rsa, rsa("new bob")
    bob.rsa = new
    bob.publish(assertionMethod=[])
    update = bob.activity("Update", bob.document(assertionMethod=[]))
    assert await world.deliver(bob, update, key=old) == "done"
    rows = await world.rows(
        sa.select(actor_keys).where(actor_keys.c.actor_id == bob.id, actor_keys.c.retired_at.is_(None))
    )
    assert [(row.public, row.vouched) for row in rows] == [(new.public.pem, "key")]


async def test_022_an_update_that_names_other_keys_than_its_origin_confirms_nothing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    await world.know(bob)
    old = bob.rsa
    bob.rsa = rsa("new bob")
    bob.publish()
    lie = replace(bob, rsa=rsa("mallory")).document()
    assert await world.deliver(bob, bob.activity("Update", lie), key=old) == "done"
    rows = await world.rows(sa.select(actor_keys).where(actor_keys.c.id == bob.key_id))
    assert [(row.public, row.vouched) for row in rows] == [(bob.rsa.public.pem, "server")]


async def test_022_who_only_lists_the_old_key_beside_another_has_not_shown_that_they_have_it(
    world: World, peer: Peer
) -> None:
    bob = peer.actor()
    await meet(world, bob, multikey(bob, "one"))
    await meet(world, bob, multikey(bob, "one"), multikey(bob, "two"))
    keys = await known(world, bob)
    assert (keys["one"], keys["two"]) == (("in force", "first"), ("in force", "server"))


async def test_022_a_first_key_of_its_kind_beside_one_that_stays_is_no_alarm(world: World, peer: Peer) -> None:
    """A server has learned to sign documents."""
    bob = peer.actor()
    await meet(world, bob)
    await meet(world, bob, multikey(bob, "one"))
    assert (await known(world, bob))["one"] == ("in force", "first")


async def test_031_a_key_that_expired_names_no_successor(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await meet(world, bob, multikey(bob, "one"))
    end = iso(world.clock.now())
    await meet(world, bob, multikey(bob, "two", by="one"), multikey(bob, "one", expires=end))
    await meet(world, bob, multikey(bob, "three", by="one"), multikey(bob, "one", expires=end))
    assert (await known(world, bob))["three"] == ("in force", "server")


async def test_022_the_actor_of_a_server_stands_for_all_of_it(world: World, peer: Peer) -> None:
    bob, server = peer.actor(), peer.actor("server")
    host = bob.id.split("/")[2]
    await meet(world, bob, multikey(bob, "one"))
    await meet(world, server, multikey(server, "one"), type="Application")
    await meet(world, bob, multikey(bob, "two"))
    assert not await world.db.read(has_new_owner, host)
    await meet(world, server, multikey(server, "two"), type="Application")
    assert await world.db.read(has_new_owner, host)
