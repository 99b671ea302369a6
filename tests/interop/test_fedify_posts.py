"""With two servers that we did not write: what stands first, warnings, pictures with their words, and polls."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from federation import featured
from node.errors import Invalid
from node.media import attachments
from node.media.pictures import Pictures
from node.social import commands as social
from node.social import queries, voting
from node.social.rules import parse_post
from node.social.views import PostView
from tests.interop.meeting import GENERATIONS, follow_both_ways, follow_there, is_kept, meeting
from tests.nodes import Home, Somebody, settled

ALT = 'A red square <b>&"'
PICTURE = "https://pictures.example/square.jpeg"


async def pinned(a: Home, actor_id: str) -> list[str]:
    """What somebody, here or elsewhere, lets stand first."""
    return await a.node.db.read(featured.pinned, actor_id)


async def seen(somebody: Somebody, object_id: str) -> PostView:
    """A post as its page shows it to them."""
    return await somebody.home.node.db.read(queries.post, object_id, somebody.id)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_what_stands_first_is_known_on_the_other_side(generation: str):
    """Read from the collection when somebody begins to follow, and changed by Add and Remove from then on."""
    async with meeting(generation) as (alice, peer):
        a = alice.home
        first = await peer.said("note", content="<p>Read this first.</p>")
        await peer.tell("pin", id=first)
        await follow_both_ways(alice, peer)
        assert await pinned(a, peer.actor) == [first]

        second = await peer.said("note", content="<p>Then this.</p>")
        await a.works_until(lambda: is_kept(a, second), True)
        await a.takes(await peer.said("pin", id=second))
        assert await pinned(a, peer.actor) == [second, first]
        shown = await a.node.db.read(queries.pinned_posts, peer.actor)
        assert [post.id for post in shown] == [second, first]
        await a.takes(await peer.said("unpin", id=first))
        assert await pinned(a, peer.actor) == [second]

        post_id = await alice.post("This of mine comes first.")
        collection = (await peer.tell("lookup", id=alice.id))["featured"]
        assert await peer.tell("items", id=collection) == []
        for command, verb, expected in ((social.pin, "Add", [post_id]), (social.unpin, "Remove", [])):
            assert await alice.do(command, post_id)
            await settled(a)
            said = (await peer.activity(verb, post_id))["activity"]
            assert (said["actor"], said["target"]) == (alice.id, collection)
            assert await peer.tell("items", id=collection) == expected
        assert (await peer.errors(), await a.queue()) == ([], [])


def square() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), "red").save(out, "JPEG")
    return out.getvalue()


async def upload(somebody: Somebody, alt: str) -> attachments.Media:
    """What the form of a post does with a picture."""
    node = somebody.home.node
    pictures = Pictures(node.settings.media)
    made = await pictures.prepare(square())
    await pictures.keep(made.files)
    return await node.db.write(attachments.add, somebody.id, made, alt)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_warning_and_the_words_of_a_picture_arrive_on_the_other_side(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        await follow_both_ways(alice, peer)
        media = await upload(alice, ALT)
        form = {"body": "Look.", "warning": "A colour", "media": media.id}
        post_id = await alice.do(social.post, parse_post(form))
        await settled(a)
        there = (await peer.activity("Create", post_id))["object"]
        assert (there["summary"], there["sensitive"]) == ("A colour", True)
        picture = there["attachment"]
        assert (picture["type"], picture["mediaType"], picture["name"]) == ("Document", "image/jpeg", ALT)
        assert (picture["url"], picture["width"], picture["height"]) == (a.origin + media.path, 90, 60)
        async with a.visitor() as anybody, anybody.http.get(picture["url"]) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg"), "it stands where they are told"

        image = {"url": PICTURE, "mediaType": "image/jpeg", "name": ALT}
        note = await peer.said("note", content="<p>Look.</p>", summary="A colour", sensitive=True, image=image)
        await a.works_until(lambda: is_kept(a, note), True)
        here = await seen(alice, note)
        assert (here.warning, here.sensitive, here.files) == ("A colour", True, ())
        assert [(one.url, one.description) for one in here.pictures] == [(PICTURE, ALT)]
        assert (await peer.errors(), await a.queue()) == ([], [])


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_their_poll_is_read_here_and_our_votes_count_there(generation: str):
    async with meeting(generation) as (alice, peer):
        a = alice.home
        carol = await a.add("carol")
        await follow_there(alice, peer.actor)
        poll_id = await peer.said("poll", content="<p>What do you drink?</p>", options=["Tea", "Rain"], several=True)
        await a.works_until(lambda: is_kept(a, poll_id), True)
        assert await offered(alice, poll_id) == {"Tea": 0, "Rain": 0}

        for somebody, chosen in ((alice, ["Tea", "Rain"]), (carol, ["Rain"])):
            await somebody.do(voting.vote, poll_id, chosen)
        await settled(a)
        assert await a.node.db.read(voting.chosen, poll_id, alice.id) == ["Rain", "Tea"]
        votes = [event["activity"] for event in await peer.heard("Create")]
        assert sorted((vote["actor"], vote["object"]["name"]) for vote in votes) == [
            (alice.id, "Rain"), (alice.id, "Tea"), (carol.id, "Rain"),
        ]  # fmt: skip
        assert all((vote["to"], vote["object"]["inReplyTo"]) == ([peer.actor], poll_id) for vote in votes)
        there = await peer.tell("lookup", id=poll_id)
        assert {one["name"]: one["replies"]["totalItems"] for one in there["anyOf"]} == {"Tea": 1, "Rain": 2}
        assert there["votersCount"] == 2

        a.later(seconds=5)
        await a.takes(await peer.said("update", id=poll_id))
        assert await offered(alice, poll_id) == {"Tea": 1, "Rain": 2}
        single = await peer.said("poll", content="<p>And with it?</p>", options=["Cake", "Bread"])
        await a.works_until(lambda: is_kept(a, single), True)
        assert await offered(alice, single, several=False) == {"Cake": 0, "Bread": 0}
        with pytest.raises(Invalid):
            await alice.do(voting.vote, single, ["Cake", "Bread"])
        assert (await peer.errors(), await a.queue()) == ([], [])


async def offered(somebody: Somebody, poll_id: str, *, several: bool = True) -> dict[str, int]:
    """What can be chosen, and how often it was, as the page of a poll shows it."""
    poll = (await seen(somebody, poll_id)).poll
    assert poll is not None
    assert poll.several is several
    return {option.name: option.votes for option in poll.options}
