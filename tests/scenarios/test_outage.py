"""A peer that is down while we publish, and comes back: nothing is lost, nothing is sent twice, the order is kept."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation import operate
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


@pytest.mark.parametrize(("days", "arrives"), [(7, True), (15, False)])
async def test_a_week_is_waited_for_and_a_fortnight_is_the_end(days: int, arrives: bool):
    """SECURITY 160: what is dropped leaves a record that an operator sees, and can send again."""
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await b.go_dark()
        posts = [await alice.post(f"Number {number}.") for number in range(3)]
        for _ in range(2 * days):
            a.later(hours=12)
            await settled(a)
        b.clock.offset = a.clock.offset
        await b.listen()
        a.later(hours=13)
        b.later(hours=13)
        await settled(a, b)
        came = [row.activity_id for row in await b.messages() if row.type == "Create"]
        if arrives:
            assert came == [row.id for row in await a.sent("Create")], "in the order in which they were written"
            return
        assert came == []
        assert {row.state for row in await a.queue()} == {"given_up"}
        assert all(row.last_error for row in await a.queue())
        assert await a.node.db.write(operate.retry, None) == 3
        await settled(a, b)
        assert {entry["object_id"] for entry in await bob.timeline()} == set(posts)


async def test_a_clock_that_is_two_hours_wrong_loses_nothing():
    """SECURITY 175: what the other side refuses as too old or too new is sent again when the clock is right."""
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        for hours in (-2, 2):
            a.later(hours=hours)
            post_id = await alice.post(f"It is {hours} hours from now.", audience="followers")
            await settled(a, b)
            assert await b.object(post_id) is None
            assert len(await a.queue()) == 1
            a.later(hours=-hours)
            a.later(hours=13)
            b.later(hours=13)
            await settled(a, b)
            assert await a.queue() == []
            assert post_id in [entry["object_id"] for entry in await bob.timeline()]
