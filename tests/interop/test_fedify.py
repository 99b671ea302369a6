"""With two servers that we did not write, one of each signature generation: what each hears of the other."""

from __future__ import annotations

from typing import Any

import pytest

from keys.phrases import new_phrase
from node.identity import opening
from node.social import commands as social
from node.social.rules import parse_post
from tests.interop.meeting import GENERATIONS, follow_both_ways, is_kept, meeting, reacted
from tests.interop.peers import Peer
from tests.nodes import Home, settled


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_we_publish_is_understood_there(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)

        await alice.save_profile(headline="Designs what people understand", name="Alice Ångström")
        await settled(a)
        profile = (await peer.activity("Update", alice.id))["object"]
        assert (profile["type"], profile["name"]) == ("Person", "Alice Ångström")

        gig_id = await alice.publish_gig(title="Interfaces that people understand", price="85.00")
        await settled(a)
        gig = (await peer.activity("Create", gig_id))["object"]
        assert gig["type"] == "Note"
        assert "Interfaces that people understand" in gig["content"]
        assert "85.00" in gig["content"]
        assert (await peer.tell("lookup", id=gig_id))["content"] == gig["content"], "the same at its own address"

        a.later(minutes=1)
        await alice.edit_gig(gig_id, price="70.00")
        await settled(a)
        assert "70.00" in (await peer.activity("Update", gig_id))["object"]["content"]

        module_id = await alice.publish_module(title="Reading a contract")
        await settled(a)
        module = (await peer.activity("Create", module_id))["object"]
        assert (module["type"], module["name"]) == ("Article", "Reading a contract")
        note = await peer.event(lambda event: _is_note_about(event, module_id, a))
        assert note["activity"]["type"] == "Create"

        post_id = await alice.post("Here and gone.")
        await settled(a)
        await peer.activity("Create", post_id)
        await alice.delete(post_id)
        await settled(a)
        assert (await peer.activity("Delete", post_id))["object"]["type"] == "Tombstone"
        assert (await peer.errors(), await a.queue()) == ([], [])


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_an_identity_in_our_document_turns_nothing_away(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)
        code = new_phrase()
        await opening.make(a.node, await alice.author(), code)
        await opening.try_code(a.node, await alice.author(), code)
        a.later(minutes=1)
        await opening.succeed(a.node, await alice.author(), code, new_phrase())
        await settled(a)
        profile = (await peer.activity("Update", alice.id))["object"]
        assert profile["name"] == "Alice"
        post_id = await alice.post("Still heard.")
        await settled(a)
        assert "Still heard." in (await peer.activity("Create", post_id))["object"]["content"]
        assert (await peer.errors(), await a.queue()) == ([], [])


def _is_note_about(event: dict[str, Any], module_id: str, a: Home) -> bool:
    found = event.get("object") or {}
    page = a.node.ids.object_page(module_id)
    return found.get("type") == "Note" and any(url in found.get("content", "") for url in (page, module_id))


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_they_write_arrives_here_in_its_state(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)

        note = (await peer.tell("note", content="<p>Good morning from elsewhere.</p>"))["id"]
        await a.works_until(lambda: is_kept(a, note), True)
        [entry] = [entry for entry in await alice.timeline() if entry["object_id"] == note]
        assert (entry["kind"], entry["verification"]) == ("post", "signed"), "by the proof of its Create"
        assert (await a.object(note)).visibility == "public"

        private = (await peer.tell("note", content="<p>Only for you.</p>", to=[alice.id]))["id"]
        await a.works_until(lambda: is_kept(a, private), True)
        assert (await a.object(private)).visibility == "direct"

        await a.takes((await peer.tell("update", id=note, content="<p>Good evening.</p>"))["id"])
        assert b"Good evening" in (await a.object(note)).body

        await a.takes((await peer.tell("delete", id=note))["id"])
        assert (await a.object(note)).type == "Tombstone"
        assert note not in [entry["object_id"] for entry in await alice.timeline()]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_both_sides_stop_following(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)
        follow = next(event for event in reversed(await a.messages()) if event.type == "Follow")
        await peer.tell("undo", id=follow.activity_id)
        await a.works_until(lambda: a.follow_state(peer.actor, alice.id), None)

        await alice.unfollow(peer.actor)
        await settled(a)
        undo = await peer.activity("Undo")
        assert undo["activity"]["actor"] == alice.id
        assert await a.follow_state(alice.id, peer.actor) is None


@pytest.mark.parametrize(("generation", "scheme"), GENERATIONS.items())
async def test_each_generation_of_signatures_is_found_and_remembered(generation: str, scheme: str):
    """The first knock is RFC 9421; who cannot read it is knocked again, and only once."""
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)
        first = [(post["scheme"], post["status"]) for post in _posts(peer)]
        expected = [("rfc9421", 202)] if generation == "fedify-2" else [("rfc9421", 401), ("cavage", 202)]
        assert first[: len(expected)] == expected
        assert set(first[len(expected) :]) <= {(scheme, 202)}

        before = len(_posts(peer))
        await alice.post("By now we know each other.")
        await settled(a)
        await peer.event(lambda event: event["event"] == "request" and len(_posts(peer)) > before)
        assert [(post["scheme"], post["status"]) for post in _posts(peer)[before:]] == [(scheme, 202)]


def _posts(peer: Peer) -> list[dict[str, Any]]:
    return [event for event in peer.events if event["event"] == "request" and event["method"] == "POST"]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_server_that_only_reads_signed_requests(generation: str):
    """Authorised fetch: our instance actor signs what the node asks for."""
    async with meeting(generation, "--secure") as (alice, peer):
        await follow_both_ways(alice, peer)
        asked = [event for event in peer.events if event["event"] == "request" and event["path"] == "/users/bob"]
        assert (GENERATIONS[generation], 200) in [(event["scheme"], event["status"]) for event in asked]
        assert None not in [event["scheme"] for event in asked if event["status"] == 200]
        note = (await peer.tell("note", content="<p>Behind a closed door.</p>"))["id"]
        await alice.home.works_until(lambda: is_kept(alice.home, note), True)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_they_say_of_our_posts_counts_here(generation: str):
    """An answer, a like and a boost, and both of these taken back."""
    async with meeting(generation) as (alice, peer):
        a = alice.home
        post_id = await alice.post("Who knows a good typeface?")

        answer = (await peer.tell("note", content="<p>I do.</p>", to=[alice.id], inReplyTo=post_id))["id"]
        await a.works_until(lambda: is_kept(a, answer), True)
        assert (await a.object(answer)).in_reply_to == post_id

        like, boost = (await peer.tell("like", id=post_id))["id"], (await peer.tell("boost", id=post_id))["id"]
        await a.takes(like)
        await a.takes(boost)
        assert await reacted(a, post_id) == [("boost", peer.actor), ("like", peer.actor)]
        for done in (like, boost):
            await a.takes((await peer.tell("undo", id=done))["id"])
        assert await reacted(a, post_id) == []


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_we_say_of_their_posts_is_understood_there(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)
        note = (await peer.tell("note", content="<p>Good morning from elsewhere.</p>"))["id"]
        await a.works_until(lambda: is_kept(a, note), True)

        for command, verb in ((social.like, "Like"), (social.boost_out, "Announce")):
            assert await alice.do(command, note)
            await settled(a)
            assert (await peer.activity(verb, note))["activity"]["actor"] == alice.id
        for number, command in enumerate((social.unlike, social.unboost_out), 1):
            assert await alice.do(command, note)
            await settled(a)
            assert len(await peer.heard("Undo")) == number

        answer = await alice.do(social.post, parse_post({"body": "Good evening.", "in_reply_to": note}))
        await settled(a)
        heard = (await peer.activity("Create", answer))["object"]
        assert heard["inReplyTo"] == note
        assert heard["tag"]["href"] == peer.actor
        assert (await peer.errors(), await a.queue()) == ([], [])
