"""Approval, blocks, moving and agreeing on followers, between whole nodes; what others are told, and what they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from federation import relays
from federation.blocks import remove_block
from federation.errors import NotFound, Refused
from federation.moves import known_actor, remember_move
from federation.outbox import publish, update_actor
from federation.synchronise import digest
from federation.tables import actors, blocks, follows, reactions
from node.errors import Invalid
from node.errors import NotFound as NotHere
from node.moderation import commands as moderation
from node.moderation.rules import parse_report
from node.moderation.tables import reports
from node.notifications.tables import notifications
from node.relations import commands, moving
from node.relations.worker import RelationsWorker
from node.social.commands import boost_out, like, post
from node.social.rules import parse_post
from schemas import activities
from schemas.base import Audience
from schemas.terms import PUBLIC
from tests.nodes import Home, cluster, settled

if TYPE_CHECKING:
    from tests.nodes import Databases
    from tests.people import Somebody


async def approve_by_hand(somebody: Somebody) -> None:
    """What the checkbox of the profile form does."""

    def write(tx: Any, author: Any) -> None:
        held = msgspec.json.decode(tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id)))
        del held["proof"]
        update_actor(tx, author, held | {"manuallyApprovesFollowers": True})

    await somebody.do(write)


async def told(somebody: Somebody) -> list[tuple[str, str]]:
    """`(kind, actor)` of all notifications, oldest first."""
    mine = notifications.c.reader == somebody.id
    rows = await somebody.home.rows(sa.select(notifications).where(mine).order_by(notifications.c.id))
    return [(row.kind, row.actor) for row in rows]


async def titles(somebody: Somebody) -> list[str]:
    return [entry["title"] for entry in await somebody.timeline()]


async def test_129_who_approves_by_hand_decides() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await approve_by_hand(alice)
        await bob.follow(alice)
        await settled(a, b)
        assert await a.follow_state(bob.id, alice.id) == "requested"
        assert await b.follow_state(bob.id, alice.id) == "requested"
        assert ("follow_request", bob.id) in await told(alice)
        await alice.post("Before she agreed.", audience="followers")
        await alice.do(commands.accept_follower, bob.id)
        await settled(a, b)
        assert await b.follow_state(bob.id, alice.id) == "accepted"
        assert ("follow_request", bob.id) not in await told(alice)
        await alice.post("For those whom I know.", audience="followers")
        await settled(a, b)
        assert await titles(bob) == ["For those whom I know."]

        await alice.do(commands.turn_away, bob.id)
        await settled(a, b)
        assert await a.follow_state(bob.id, alice.id) is None
        assert await b.follow_state(bob.id, alice.id) == "rejected"
        assert await titles(bob) == [], "what was for followers alone is seen no more"


async def test_a_request_that_is_withdrawn_is_no_news_any_more() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        alice, bob, carol = await a.set_up("alice"), await b.set_up("bob"), await a.add("carol")
        await approve_by_hand(alice)
        await bob.follow(alice)
        await carol.follow(alice)
        await settled(a, b)
        assert {("follow_request", bob.id), ("follow_request", carol.id)} <= set(await told(alice))
        await bob.unfollow(alice)
        await settled(a, b)
        assert await told(alice) == [("follow_request", carol.id)], "hers stands"
        await carol.unfollow(alice)
        assert await told(alice) == []


async def test_a_neighbour_asks_too() -> None:
    async with cluster("a.example") as (a,):
        alice = await a.set_up("alice")
        carol = await a.add("carol")
        await approve_by_hand(alice)
        assert await carol.follow(alice) == "requested"
        assert ("follow_request", carol.id) in await told(alice)
        await alice.do(commands.accept_follower, carol.id)
        assert await a.follow_state(carol.id, alice.id) == "accepted"


async def test_134_a_block_is_told_and_kept_on_both_sides(databases: Databases) -> None:
    """Follows end both ways, what the blocked one sends is dropped, whoever passes it on; Undo opens again."""
    async with cluster("a.example", "b.example", "c.example", databases=databases) as (a, b, c):
        alice, mallory, carol = await a.set_up("alice"), await b.set_up("mallory"), await c.set_up("carol")
        for one, other in ((alice, mallory), (mallory, alice), (alice, carol), (carol, mallory)):
            await one.follow(other)
        await settled(a, b, c)
        await mallory.post("Before the block.")
        await settled(a, b, c)
        assert await titles(alice) == ["Before the block."]

        assert await alice.do(commands.block, mallory.id)
        await settled(a, b, c)
        for home in (a, b):
            assert await home.follow_state(alice.id, mallory.id) in (None, "rejected")
            assert await home.follow_state(mallory.id, alice.id) in (None, "rejected")
            assert [(row.actor, row.target) for row in await home.rows(sa.select(blocks))] == [(alice.id, mallory.id)]
        assert await titles(alice) == []

        news = await told(alice)
        post_id = await mallory.post("I am still here, @alice.", to=None)
        await mallory.post("And this is for you.", to=await a_person(b, alice.id), audience="public")
        await settled(a, b, c)
        assert await titles(alice) == []
        assert await told(alice) == news

        await carol.do(boost_out, post_id)
        await settled(a, b, c)
        assert await titles(alice) == [], "nobody else brings it in either"
        assert await told(alice) == news

        assert await alice.do(commands.unblock, mallory.id)
        await settled(a, b, c)
        assert await b.rows(sa.select(blocks)) == []
        assert await mallory.follow(alice) == "requested"
        await settled(a, b, c)
        assert await b.follow_state(mallory.id, alice.id) == "accepted"


async def test_134_a_neighbour_who_follows_the_blocked_one_brings_nothing_in(databases: Databases) -> None:
    """What is said to others stands here for them; what is done to whoever has blocked counts for nobody."""
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, carol, mallory = await a.set_up("alice"), await a.add("carol"), await b.set_up("mallory")
        for one, other in ((carol, mallory), (mallory, alice)):
            await one.follow(other)
        await settled(a, b)
        post_id = await alice.post("Who knows a good typeface?")
        await settled(a, b)
        assert await alice.do(commands.block, mallory.id)
        named = await a_person(a, mallory.id)
        draft = parse_post({"body": f"Of {mallory.handle}."})
        late = await alice.do(post, draft, None, {mallory.handle.removeprefix("@"): named})
        await settled(a, b)
        assert mallory.id.encode() in (await a.object(late)).body
        assert await b.object(late) is None, "whom she has blocked her node sends nothing, named or not"

        for command in (like, boost_out):
            with pytest.raises(NotHere):
                await mallory.do(command, post_id)
        with pytest.raises(Invalid):
            await mallory.do(post, parse_post({"body": "I do.", "in_reply_to": post_id}))

        await b.node.db.write(remove_block, alice.id, mallory.id)  # a server that does not heed it
        answer = await mallory.do(post, parse_post({"body": "I do.", "in_reply_to": post_id}))
        whisper = await mallory.post("And now?", audience="direct", to=await a_person(b, alice.id))
        await mallory.post("Said to whoever likes to hear it.")
        for command in (like, boost_out):
            assert await mallory.do(command, post_id)
        await settled(a, b)
        assert await titles(carol) == ["Said to whoever likes to hear it."]
        assert [await a.object(one) for one in (answer, whisper)] == [None, None]
        assert await a.rows(sa.select(reactions)) == []

        def flag(tx: Any, author: Any) -> None:
            audience, flag_id = Audience((alice.id,)), author.ids.activity(author.actor_id, tx.now)
            said = activities.activity(
                "Flag", flag_id, author.actor_id, alice.id, audience=audience, published="2026-12-01T00:00:00Z"
            )
            publish(tx, author, said, audience, object_id=flag_id)

        await mallory.do(flag)
        await settled(a, b)
        assert [row.reporter for row in await a.rows(sa.select(reports))] == [mallory.id], "it is not hers to end that"


async def a_person(home: Home, actor_id: str) -> Any:
    return await home.node.resolver.actor(actor_id)


async def test_134_who_is_blocked_reads_nothing_with_a_signature() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        alice, mallory = await a.set_up("alice"), await b.set_up("mallory")
        post_id = await alice.post("For everybody.")
        await mallory.follow(alice)
        await settled(a, b)
        client = b.node.client
        client._instance = mallory.author  # from now on her own key signs what her node asks
        assert (await client.get_document(post_id)).document["id"] == post_id
        await alice.do(commands.block, mallory.id)
        for url in (post_id, alice.id, f"{alice.id}/outbox", f"{alice.id}/followers"):
            with pytest.raises(NotFound):
                await client.get_document(url)


async def test_43_followers_follow_along_once() -> None:
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, bob, fresh = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("fresh")
        carol, dora = await a.add("carol"), await a.add("dora")
        for one in (bob, carol, dora):
            await one.follow(alice)
        await settled(a, b)
        await fresh.do(moving.set_aliases, [alice.id])
        target = await a.node.resolver.actor(fresh.id, refresh=True)
        await dora.do(commands.block, fresh.id)
        await alice.do(moving.move_away, target, a.node.authors)
        await settled(a, b, c)
        assert await b.follow_state(bob.id, alice.id) is None
        assert await b.follow_state(bob.id, fresh.id) == "accepted"
        left = [(row.follower, row.followee, row.state) for row in await a.rows(sa.select(follows))]
        assert left == [(carol.id, fresh.id, "accepted")], "neighbours too, but whoever wants nothing of the new one"
        assert ("moved", fresh.id) in await told(bob)
        assert await told(carol) == [("moved", fresh.id)]
        assert await told(dora) == []
        held = await a.node.db.read(known_actor, alice.id)
        assert held is not None
        assert held.moved_to == fresh.id


async def test_43_a_move_to_somebody_who_does_not_say_so_changes_nothing() -> None:
    """Forged by the old account's own server, which is the only one that could."""
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, bob, victim = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("victim")
        await bob.follow(alice)
        await settled(a, b)
        before = await b.rows(sa.select(follows))

        def move(tx: Any, author: Any, target: str) -> None:
            audience = Audience((author.followers,))
            said = activities.activity(
                "Move", author.ids.activity(author.actor_id, tx.now), author.actor_id, author.actor_id,
                audience=audience, published="2026-12-01T00:00:00Z",
            )  # fmt: skip
            publish(tx, author, said | {"target": target}, audience, object_id=author.actor_id)

        for target in (victim.id, alice.id, bob.id):
            await alice.do(move, target)
            await settled(a, b, c)
            assert await b.rows(sa.select(follows)) == before, target
        await victim.do(moving.set_aliases, [alice.id])
        await b.node.db.write(remember_move, victim.id, alice.id)  # it came from there: a circle
        await alice.do(move, victim.id)
        await settled(a, b, c)
        assert await b.rows(sa.select(follows)) == before
        assert [kind for kind, _ in await told(bob)] == []


async def test_141_a_report_comes_from_the_server_and_not_from_who_reports() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        alice, mallory = await a.set_up("alice"), await b.set_up("mallory")
        await alice.follow(mallory)
        await settled(a, b)
        post_id = await mallory.post("Something unpleasant.")
        await settled(a, b)
        instance = await a.node.author(a.node.ids.instance_actor)
        draft = parse_report({"words": "This is unpleasant.", "forward": "yes"}, [post_id])
        await a.node.db.write(moderation.report, instance, alice.id, mallory.id, draft)
        await settled(a, b)
        [taken] = await b.rows(sa.select(reports))
        assert (taken.target, taken.words) == (mallory.id, "This is unpleasant.")
        assert taken.reporter == a.node.ids.instance_actor
        assert post_id in taken.object_ids
        [flag] = await a.sent("Flag")
        assert alice.id.encode() not in flag.body
        assert b"alice" not in flag.body
        assert [kind for kind, _ in await told(mallory)].count("report") == 1


async def test_8fcf_a_side_that_has_forgotten_is_corrected(databases: Databases) -> None:
    """Alice's node lost Bob's follow, as after a restored backup; Dora follows unknown to her own node."""
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        dora, eve = await b.add("dora"), await b.add("eve")
        for one in (bob, dora, eve):
            await one.follow(alice)
        await settled(a, b)
        await alice.post("All agree.", audience="followers")
        await settled(a, b)
        worker = RelationsWorker(b.node)
        assert await worker.drain() == 0, "nothing to compare"

        lost = sa.delete(follows).where(follows.c.follower == bob.id)
        await a.node.db.write(lambda tx: tx.execute(lost))
        lost = sa.delete(follows).where(follows.c.follower == dora.id)
        await b.node.db.write(lambda tx: tx.execute(lost))
        await alice.post("They no longer agree.", audience="followers")
        await settled(a, b)
        assert await worker.drain() == 1
        await settled(a, b)
        assert await b.follow_state(bob.id, alice.id) is None
        assert await a.follow_state(dora.id, alice.id) is None
        assert await b.follow_state(eve.id, alice.id) == await a.follow_state(eve.id, alice.id) == "accepted"
        assert "They no longer agree." not in await titles(bob)

        lost = sa.delete(follows).where(follows.c.follower == eve.id)
        await b.node.db.write(lambda tx: tx.execute(lost))
        await alice.post("Again.", audience="followers")
        await settled(a, b)
        assert await worker.drain() == 0, "not again within an hour"
        b.later(hours=2)
        a.later(hours=2)
        await alice.post("And again.", audience="followers")
        await settled(a, b)
        assert await worker.drain() == 1


async def test_142_the_part_of_a_host_is_for_that_host() -> None:
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, bob, carol = await a.set_up("alice"), await b.set_up("bob"), await c.set_up("carol")
        for one in (bob, carol):
            await one.follow(alice)
        await settled(a, b, c)
        url = f"{alice.id}/followers_synchronization"
        for home, one in ((b, bob), (c, carol)):
            found = (await home.node.client.get_document(url)).document
            assert found["orderedItems"] == [one.id]
            assert digest(found["orderedItems"]) == digest([one.id])
        async with a.visitor() as nobody:
            page = await nobody.get(url.removeprefix(a.origin), Accept="application/activity+json")
            assert page.status == 401
            assert bob.id not in page.text


async def test_ae0c_what_a_relay_tells_of_is_kept_for_a_time_and_is_nobodys_news() -> None:
    async with cluster("a.example", "b.example", "c.example") as (a, b, c):
        alice, relay, carol = await a.set_up("alice"), await b.set_up("relay"), await c.set_up("carol")
        await relay.follow(carol)
        await settled(b, c)
        earlier, later = await carol.post("Told of too early."), await carol.post("Found through a relay.")
        await settled(a, b, c)
        await relay.do(boost_out, earlier)
        instance = await a.node.author(a.node.ids.instance_actor)
        told_by = await a.node.resolver.actor(relay.id)
        await a.node.db.write(relays.add_relay, instance, told_by, "litepub")
        await settled(a, b, c)
        assert [row.state for row in await a.node.db.read(relays.listed)] == ["accepted"]
        assert await a.object(earlier) is None
        await relay.do(boost_out, later)
        await settled(a, b, c)
        assert (await a.object(later)).owner == carol.id
        assert await alice.timeline() == []
        assert await told(alice) == []

        await a.node.db.write(relays.remove_relay, instance, relay.id)
        third = await carol.post("After the relay was removed.")
        await settled(a, b, c)
        await relay.do(boost_out, third)
        await settled(a, b, c)
        assert await a.object(third) is None
        a.later(days=31)
        assert await a.node.db.write(relays.forget_relayed) == [later]
        assert await a.object(later) is None


async def test_ae0c_mastodons_way_is_a_follow_of_everybody() -> None:
    async with cluster("a.example", "b.example") as (a, b):
        await a.set_up("alice")
        relay = await b.set_up("relay")
        instance = await a.node.author(a.node.ids.instance_actor)
        actor = await a.node.resolver.actor(relay.id)
        await a.node.db.write(relays.add_relay, instance, actor, "mastodon")
        [follow] = await a.sent("Follow")
        said = msgspec.json.decode(follow.body)
        assert (said["actor"], said["object"], said["to"]) == (instance.actor_id, PUBLIC, [relay.id])
        with pytest.raises(Refused):
            await a.node.db.write(relays.add_relay, instance, actor, "mastodon")
