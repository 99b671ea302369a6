"""What other servers are told about a post: its answers by their ids, and how often it was liked and passed on."""

from __future__ import annotations

import json

import pytest

from node.app import web_application
from node.inboxes import HANDLERS
from node.social import commands
from node.social.rules import parse_post
from tests.node.house import serving, settle_in
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.social.test_inbox import note

AP = {"Accept": "application/activity+json"}


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`: Alice follows Bo; nobody is signed in."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor(), acct="bo@bo.example")))
    async with serving(web_application(node)) as visitor:
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


async def read(visitor, url: str) -> dict:
    page = await visitor.get(url.removeprefix("https://alice.example"), **AP)
    assert page.status == 200, (url, page.text)
    return json.loads(page.text)


async def test_answers_are_told_by_their_ids_and_in_pages(house):
    node, author, visitor = house
    post_id = await node.db.write(commands.post, author, parse_post({"body": "Who knows?"}))
    for number in range(45):
        answer = note(node, number, inReplyTo=post_id)
        await node.db.write(HANDLERS["Create", "Note"], received("Create", answer, number=number), node.authors)
    whispered = note(node, 90, inReplyTo=post_id, to=[author.actor_id], cc=[])
    await node.db.write(HANDLERS["Create", "Note"], received("Create", whispered, number=90), node.authors)
    collection = await read(visitor, f"{post_id}/replies")
    assert (collection["type"], collection["totalItems"]) == ("OrderedCollection", 45)
    first = await read(visitor, collection["first"])
    second = await read(visitor, first["next"])
    found = first["orderedItems"] + second["orderedItems"]
    assert sorted(found) == sorted(f"{BO}/notes/{number}" for number in range(45))
    assert "next" not in second
    assert (await visitor.get(f"/users/alice/posts/{post_id.rpartition('/')[2]}/replies?after=%00", **AP)).status == 400


async def test_how_often_it_was_liked_is_told_and_not_by_whom(house):
    node, author, visitor = house
    post_id = await node.db.write(commands.post, author, parse_post({"body": "Who knows?"}))
    like = received("Like", {"id": post_id})
    await node.db.write(HANDLERS["Like", "*"], like, node.authors)
    likes, shares = await read(visitor, f"{post_id}/likes"), await read(visitor, f"{post_id}/shares")
    assert (likes["totalItems"], shares["totalItems"]) == (1, 0)
    assert BO not in json.dumps(likes)


async def test_126_of_what_is_not_for_everybody_nothing_is_told(house):
    node, author, visitor = house
    private = await node.db.write(commands.post, author, parse_post({"body": "Psst", "audience": "followers"}))
    gone = await node.db.write(commands.post, author, parse_post({"body": "Gone"}))
    await node.db.write(commands.delete_post, author, gone)
    never = f"{author.actor_id}/posts/{'0' * 26}"
    for collection in ("replies", "likes", "shares"):
        answers = [
            await visitor.get(f"{one.removeprefix('https://alice.example')}/{collection}", **AP)
            for one in (private, gone, never)
        ]
        assert {answer.status for answer in answers} == {404}
        assert len({answer.text for answer in answers}) == 1


async def test_pins_are_told_whole(house):
    node, author, visitor = house
    post_id = await node.db.write(commands.post, author, parse_post({"body": "First of all"}))
    await node.db.write(commands.pin, author, post_id)
    document = await read(visitor, author.actor_id)
    assert document["featured"] == f"{author.actor_id}/featured"
    assert (await read(visitor, document["featured"]))["orderedItems"] == [post_id]
    assert (await visitor.get("/users/nobody/featured", **AP)).status == 404
