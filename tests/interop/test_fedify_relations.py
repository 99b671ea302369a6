"""With two servers that we did not write: who may follow, who wants nothing of whom, who moves, and who is reported."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from federation.moves import known_actor
from federation.tables import blocks, deliveries, follows, moves
from node.errors import Invalid, NotFound
from node.moderation import commands as moderation
from node.moderation import queries as reported
from node.moderation.rules import parse_report
from node.relations import commands as relations
from node.relations import moving
from node.social import commands as social
from node.social import queries
from node.social.rules import parse_post
from node.social.wire import handle_of
from schemas.actors import Actor
from tests.interop.meeting import (
    GENERATIONS,
    follow_both_ways,
    follow_here,
    follow_there,
    is_kept,
    meeting,
    reacted,
    shown,
    told,
)
from tests.interop.peers import Event, Peer
from tests.nodes import Home, Somebody, settled


async def blocked(a: Home) -> list[tuple[str, str]]:
    """Who blocks whom, as our node knows it."""
    return [(row.actor, row.target) for row in await a.rows(sa.select(blocks))]


async def followed(a: Home) -> list[tuple[str, str, str]]:
    """Every follow that our node knows, with its state."""
    return sorted((row.follower, row.followee, row.state) for row in await a.rows(sa.select(follows)))


async def went_out(a: Home, object_id: str) -> int:
    """How many deliveries there are, done or not, of what is about an object."""
    return len(await a.rows(sa.select(deliveries).where(deliveries.c.object_id == object_id)))


async def state_of(a: Home, activity_id: str) -> str | None:
    """What came of an activity that was sent here; None before it arrives."""
    return next((row.state for row in await a.messages(activity_id)), None)


def undoes(event: Event, kind: str) -> bool:
    return event["event"] == "activity" and event["activity"]["type"] == "Undo" and event["object"]["type"] == kind


def unfollows(event: Event, actor_id: str) -> bool:
    return undoes(event, "Follow") and event["activity"]["actor"] == actor_id


async def post_naming(somebody: Somebody, person: Actor) -> str:
    """A post for everybody that names somebody elsewhere."""
    handle = handle_of(person)
    post_id = await somebody.do(social.post, parse_post({"body": f"Of @{handle}."}), None, {handle: person})
    assert person.id.encode() in (await somebody.home.object(post_id)).body
    return str(post_id)


# ---- approval by hand


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_who_follows_is_decided_by_hand(generation: str):
    async with meeting(generation) as (alice, peer):
        await ours_decides(alice, peer)
        await theirs_decides(alice, peer)
        assert (await peer.errors(), await alice.home.queue()) == ([], [])


async def ours_decides(alice: Somebody, peer: Peer) -> None:
    a = alice.home
    await alice.save_profile(approves="yes")
    assert (await peer.tell("lookup", id=alice.id))["manuallyApprovesFollowers"] is True

    asked = await peer.said("follow", id=alice.id)
    await a.takes(asked)
    assert await a.follow_state(peer.actor, alice.id) == "requested"
    assert await told(alice) == [("follow_request", peer.actor)]
    early = await alice.post("Before she agreed.", audience="followers")
    await settled(a)
    assert await went_out(a, early) == 0
    assert not await peer.reads(early), "nor is it to be had with his signature"
    assert await peer.heard("Accept") == []

    await alice.do(relations.accept_follower, peer.actor)
    await settled(a)
    assert (await peer.activity("Accept", asked))["activity"]["actor"] == alice.id
    assert await a.follow_state(peer.actor, alice.id) == "accepted"
    known = await alice.post("For those whom I know.", audience="followers")
    await settled(a)
    assert (await peer.activity("Create", known))["object"]["to"] == f"{alice.id}/followers"
    assert await peer.reads(known)

    await alice.do(relations.turn_away, peer.actor)
    refused = await peer.said("follow", by="bobby", id=alice.id)
    await a.takes(refused)
    await alice.do(relations.turn_away, peer.person("bobby"))
    late = await alice.post("For those who are left.", audience="followers")
    await settled(a)
    await peer.activity("Reject", asked)
    assert (await peer.activity("Reject", refused))["activity"]["object"]["actor"] == peer.person("bobby")
    assert (await followed(a), await went_out(a, late)) == ([], 0)
    assert not await peer.reads(known), "what he was sent he can read here no more"
    assert [event["object"]["id"] for event in await peer.heard("Create")] == [known]
    assert len(await peer.heard("Accept")) == 1


async def theirs_decides(alice: Somebody, peer: Peer) -> None:
    a = alice.home
    for name in ("bob", "bobby"):
        await peer.tell("profile", by=name, manuallyApprovesFollowers=True)
    assert await alice.follow(peer.actor) == "requested"
    await settled(a)
    asked = (await peer.activity("Follow", peer.actor))["activity"]["id"]
    assert (await a.node.resolver.actor(peer.actor)).manually_approves
    early = await peer.said("note", content="<p>Before he agreed.</p>", to=["followers"])
    assert await a.follow_state(alice.id, peer.actor) == "requested"

    await peer.tell("accept", id=asked)
    await a.works_until(lambda: a.follow_state(alice.id, peer.actor), "accepted")
    known = await peer.said("note", content="<p>For those whom I know.</p>", to=["followers"])
    await a.works_until(lambda: is_kept(a, known), True)
    assert (await a.object(known)).visibility == "followers"
    assert not await is_kept(a, early)
    assert known in await shown(alice)

    await peer.tell("reject", id=asked)
    await a.works_until(lambda: a.follow_state(alice.id, peer.actor), "rejected")
    assert known not in await shown(alice), "what was for followers alone is seen no more"
    with pytest.raises(NotFound):
        await a.node.db.read(queries.post, known, alice.id)

    assert await alice.follow(peer.person("bobby")) == "requested"
    await settled(a)
    asked = (await peer.activity("Follow", peer.person("bobby")))["activity"]["id"]
    await peer.tell("reject", id=asked)
    await a.works_until(lambda: a.follow_state(alice.id, peer.person("bobby")), "rejected")


# ---- blocks


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_block_parts_two_until_it_is_taken_back(generation: str):
    async with meeting(generation) as (alice, peer):
        carol = await alice.home.add("carol")
        await follow_there(carol, peer.actor)
        await ours_blocks(alice, peer, carol)
        await theirs_blocks(alice, peer, carol)
        assert (await peer.errors(), await alice.home.queue()) == ([], [])


async def ours_blocks(alice: Somebody, peer: Peer, carol: Somebody) -> None:
    """Follows end both ways; what he says to her or of hers counts no more, though a neighbour still follows him."""
    a = alice.home
    asked = await follow_both_ways(alice, peer)
    before = await peer.said("note", content="<p>Before the block.</p>")
    await a.works_until(lambda: is_kept(a, before), True)
    post_id = await alice.post("Who knows a good typeface?")
    await settled(a)
    assert await peer.reads(post_id)
    assert await alice.do(social.boost_out, before)

    assert await alice.do(relations.block, peer.actor)
    await settled(a)
    assert (await peer.activity("Block", peer.actor))["activity"]["actor"] == alice.id
    await peer.activity("Reject", asked)
    await peer.event(lambda event: unfollows(event, alice.id))
    assert await blocked(a) == [(alice.id, peer.actor)]
    assert await followed(a) == [(carol.id, peer.actor, "accepted")]
    assert await shown(alice) == [post_id]
    assert not await peer.reads(post_id), "not even what is for everybody, with his signature"
    assert not await peer.reads(alice.id)

    assert await alice.do(social.unboost_out, before)
    await settled(a)
    await peer.event(lambda event: undoes(event, "Announce"))

    news = await told(alice)
    bob = await a.node.resolver.actor(peer.actor)
    late = [await alice.post("Without him.", audience="followers"), await post_naming(alice, bob)]
    later = await peer.said("note", content="<p>Can you hear me?</p>", cc=[alice.id])
    whisper = await peer.said("note", content="<p>And now?</p>", to=[alice.id])
    answer = await peer.said("note", content="<p>I do.</p>", cc=[alice.id], inReplyTo=post_id)
    done = [await peer.said(verb, id=post_id) for verb in ("like", "boost")]
    done += [await peer.said("follow", id=alice.id)]
    for done_id in done:
        await a.takes(done_id)
    await a.works_until(lambda: is_kept(a, later), True)
    assert await shown(carol) == [later, before], "what is for everybody stands there for his follower"
    assert await reacted(a, post_id) == []
    assert (await is_kept(a, answer), await is_kept(a, whisper)) == (False, False)
    assert (await told(alice), await shown(alice)) == (news, [*reversed(late), post_id])
    assert [await went_out(a, one) for one in late] == [0, 0], "not even where she names him"
    assert await followed(a) == [(carol.id, peer.actor, "accepted")]

    await a.takes(await peer.said("flag", ids=[alice.id], content="She has blocked me."))
    assert [report.words for report in await a.node.db.read(reported.listed)] == ["She has blocked me."]
    await a.takes(await peer.said("delete", id=before))
    assert (await a.object(before)).type == "Tombstone", "what takes back is heard all the same"

    assert await alice.do(relations.unblock, peer.actor)
    await settled(a)
    undo = await peer.event(lambda event: undoes(event, "Block"))
    assert undo["activity"]["object"]["id"] == (await peer.heard("Block"))[0]["activity"]["id"]
    assert (await blocked(a), await peer.reads(post_id)) == ([], True)
    await follow_here(peer, alice)
    await a.takes(await peer.said("like", id=post_id))
    assert await reacted(a, post_id) == [("like", peer.actor)]


async def theirs_blocks(alice: Somebody, peer: Peer, carol: Somebody) -> None:
    """He follows her by now, as the block before is over."""
    a = alice.home
    await follow_there(alice, peer.actor)
    note = await peer.said("note", content="<p>Before the block.</p>")
    await a.works_until(lambda: is_kept(a, note), True)
    post_id = await alice.post("Before it too.")
    await settled(a)
    await peer.activity("Create", post_id)

    block = await peer.said("block", id=alice.id)
    await a.takes(block)
    assert await blocked(a) == [(peer.actor, alice.id)]
    assert await followed(a) == [(carol.id, peer.actor, "accepted")]
    assert note not in await shown(alice)
    bob = await a.node.resolver.actor(peer.actor)
    for command in (social.like, social.boost_out):
        with pytest.raises(NotFound):
            await alice.do(command, note)
    with pytest.raises(Invalid):
        await alice.do(social.post, parse_post({"body": "I heard that.", "in_reply_to": note}))
    with pytest.raises(Invalid):
        await alice.do(social.follow, bob)
    late = [await alice.post("For whoever is left.", audience="followers"), await post_naming(alice, bob)]
    await alice.delete(post_id)
    await settled(a)
    assert [await went_out(a, one) for one in (note, *late)] == [0, 0, 0]
    await peer.activity("Delete", post_id)

    await a.takes(await peer.said("undo", id=block))
    assert await blocked(a) == []
    await follow_there(alice, peer.actor)


# ---- moving house


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_followers_follow_along_to_whoever_says_to_be_the_same(generation: str):
    """From bob to bobby, from bobby to Alice, and from her to bob."""
    async with meeting(generation) as (alice, peer):
        a, bobby = alice.home, peer.person("bobby")
        carol = await a.add("carol")
        for somebody in (alice, carol):
            await follow_there(somebody, peer.actor)
        before = await followed(a)
        refused = await peer.said("move", target=bobby)
        await a.works_until(lambda: state_of(a, refused), "refused")
        assert (await followed(a), await a.rows(sa.select(moves)), await told(alice)) == (before, [], [])

        await peer.tell("profile", by="bobby", alsoKnownAs=[peer.actor])
        await a.takes(await peer.said("move", target=bobby))
        accepted = [(one.id, bobby, "accepted") for one in (alice, carol)]
        await a.works_until(lambda: followed(a), sorted(accepted))
        undone = [await peer.event(lambda event, one=one: unfollows(event, one.id)) for one in (alice, carol)]
        assert {undo["activity"]["object"]["object"] for undo in undone} == {peer.actor}
        assert await told(alice) == await told(carol) == [("moved", bobby)]

        await alice.do(moving.set_aliases, [bobby])
        assert (await peer.tell("lookup", id=alice.id))["alsoKnownAs"] == bobby
        await a.takes(await peer.said("move", by="bobby", target=alice.id))
        assert await followed(a) == [(carol.id, alice.id, "accepted")]

        await follow_here(peer, alice, by="bobby")
        with pytest.raises(Invalid):
            await alice.do(moving.move_away, await a.node.resolver.actor(peer.actor), a.node.authors)
        await peer.tell("profile", alsoKnownAs=[alice.id])
        bob = await a.node.resolver.actor(peer.actor, refresh=True)
        assert await alice.do(moving.move_away, bob, a.node.authors) == 1
        await settled(a)
        move = (await peer.activity("Move", alice.id))["activity"]
        assert (move["actor"], move["target"]) == (alice.id, peer.actor)
        assert (await peer.tell("lookup", id=alice.id))["movedTo"] == peer.actor
        assert len(await peer.heard("Move")) == 1
        assert (await a.node.db.read(known_actor, alice.id)).moved_to == peer.actor
        there = [(bobby, alice.id, "accepted"), (carol.id, peer.actor, "accepted")]
        await a.works_until(lambda: followed(a), sorted(there))
        assert (await peer.errors(), await a.queue()) == ([], [])


# ---- reports


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_reports_reach_the_other_side(generation: str):
    """Theirs stands in the list of whoever runs the node; ours says the instance, and not who reports."""
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_there(alice, peer.actor)
        post_id = await alice.post("Something unpleasant.")
        note = await peer.said("note", content="<p>Something worse.</p>")
        await a.works_until(lambda: is_kept(a, note), True)

        await a.takes(await peer.said("flag", ids=[alice.id, post_id], content="This is unpleasant."))
        [report] = await a.node.db.read(reported.listed)
        assert (report.target_id, report.words, report.object_ids) == (alice.id, "This is unpleasant.", [post_id])
        assert report.reporter is not None
        assert (report.reporter.id, report.settled) == (peer.actor, False)
        assert [kind for kind, _ in await told(alice)] == ["report"], "she runs it"

        instance = await a.node.author(a.node.ids.instance_actor)
        draft = parse_report({"words": "This is worse.", "forward": "yes"}, [note])
        await a.node.db.write(moderation.report, instance, alice.id, peer.actor, draft)
        await settled(a)
        flag = (await peer.activity("Flag"))["activity"]
        assert (flag["actor"], flag["content"]) == (instance.actor_id, "This is worse.")
        assert flag["object"] == [peer.actor, note]
        assert alice.id not in msgspec.json.encode(flag).decode()
        assert (await peer.errors(), await a.queue()) == ([], [])
