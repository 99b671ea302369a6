"""A peer that is down while we publish, and comes back: nothing is lost, nothing is sent twice, the order is kept."""

from __future__ import annotations

import sqlalchemy as sa

from federation.tables import peers
from tests.nodes import Databases, cluster, settled


async def test_a_peer_is_down_while_we_publish_and_comes_back(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)

        await b.go_dark()
        gig_id = await alice.publish_gig()
        await settled(a)
        a.later(minutes=1)
        b.later(minutes=1)
        await alice.edit_gig(gig_id, price="70.00")
        post_id = await alice.post("Written while you were away.")
        await settled(a)
        circuit = await a.rows(sa.select(peers))
        assert [row.failing_since is not None for row in circuit] == [True]
        assert len(await a.queue()) == 3
        waiting = [row.activity_id for row in await a.queue()]

        await b.listen()
        await settled(a, b)
        assert len(await a.queue()) == 3, "the circuit is open: the host is left in peace until its time comes"

        a.later(hours=13)
        b.later(hours=13)
        await settled(a, b)
        assert await a.queue() == []
        assert [row.failing_since for row in await a.rows(sa.select(peers))] == [None]
        arrived = [row.activity_id for row in await b.messages() if row.actor_id == alice.id]
        assert sorted(arrived[-3:]) == sorted(waiting)
        assert arrived.index(waiting[0]) < arrived.index(waiting[1]), "the gig, then its change"
        titles = {entry["object_id"]: entry for entry in await bob.timeline()}
        assert set(titles) == {gig_id, post_id}


async def test_a_host_that_speaks_is_tried_again_at_once():
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await alice.follow(bob)
        await settled(a, b)
        await b.go_dark()
        post_id = await alice.post("Are you there?")
        await settled(a)
        assert len(await a.queue()) == 1

        await b.listen()
        await bob.post("I am back.")
        await settled(a, b)
        assert await a.queue() == []
        assert post_id in [entry["object_id"] for entry in await bob.timeline()]


async def test_a_dead_host_delays_nobody_else():
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice = await a.set_up("alice")
        bob, carla = await b.set_up("bob"), await c.set_up("carla")
        await bob.follow(alice)
        await carla.follow(alice)
        await settled(a, b, c)
        await b.go_dark()
        for number in range(5):
            await alice.post(f"Number {number}.")
        await settled(a, c)
        assert len(await carla.timeline()) == 5
        assert len(await a.queue()) == 5
