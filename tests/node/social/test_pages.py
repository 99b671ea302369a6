"""Home, posts and people, through a real port."""

from __future__ import annotations

import json

import pytest

from node.app import web_application
from node.inboxes import HANDLERS
from node.social import commands
from node.social.rules import parse_post
from tests.node.house import PASSWORD, serving, settle_in, state
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


async def sign_in(visitor) -> None:
    await visitor.submit("/sign-in", name="alice", password=PASSWORD)


async def test_an_empty_home_teaches(house):
    _, _, visitor = house
    assert (await visitor.get("/home")).url.startswith(f"{visitor.origin}/sign-in")
    await sign_in(visitor)
    page = await visitor.get("/home")
    assert page.status == 200
    assert "It is quiet here, so far" in page.text
    assert 'href="/people"' in page.text
    assert "First steps" in page.text


async def test_a_post_is_written_shown_and_deleted(house):
    _, _, visitor = house
    await sign_in(visitor)
    page = await visitor.submit("/home", body="Good *morning*", audience="public")
    assert "<em>morning</em>" in page.text
    assert page.text.count("Signature verified") == 1
    path = page.text.partition('href="/@alice/posts/')[2].partition('"')[0].partition("#")[0]
    post = await visitor.get(f"/@alice/posts/{path}")
    assert "Delete" in post.text
    assert json.loads((await visitor.get(f"/@alice/posts/{path}", **AP)).text)["type"] == "Note"
    page = await visitor.submit(f"/posts/{path}/delete")
    assert "It is quiet here" in page.text
    assert (await visitor.get(f"/@alice/posts/{path}")).status == 410


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"body": ""}, "Write something first."),
        ({"body": "x" * 10_001}, "at most 10,000 characters"),
        ({"body": "x", "audience": "nobody"}, "Choose who can see it"),
        ({"body": "x", "to": "somebody"}, "is not a handle"),
        ({"body": "x", "to": "http://127.0.0.1/users/x"}, "is not an address that this server may ask"),
    ],
)
async def test_a_post_that_cannot_be_stays_in_its_form(house, fields, sentence):
    node, _, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit("/home", **fields)
    assert page.status == 422
    assert sentence in page.text
    assert await state(node.db) == before


async def test_the_three_states_are_shown(house):
    node, _, visitor = house
    await sign_in(visitor)
    for number, verification in enumerate(("signed", "delivered", "unchecked")):
        message = received("Create", note(node, number), number=number, verification=verification)
        await node.db.write(HANDLERS["Create", "Note"], message, node.authors)
    page = await visitor.get("/home")
    for words in ("Signature verified", "Delivered by its server", "Could not check"):
        assert page.text.count(words) == 1
    assert "Bo Lindqvist" in page.text


async def test_126_a_private_post_looks_like_an_absent_one(house):
    node, author, visitor = house
    draft = parse_post({"body": "For followers", "audience": "followers"})
    post_id = await node.db.write(commands.post, author, draft)
    name = post_id.rpartition("/")[2]
    absent = f"{'0' * 26}"
    private, nothing = await visitor.get(f"/@alice/posts/{name}"), await visitor.get(f"/@alice/posts/{absent}")
    assert private.status == nothing.status == 404
    assert private.text == nothing.text
    assert (await visitor.get(f"/seen?id={post_id}")).status == 404
    await sign_in(visitor)
    assert "For followers" in (await visitor.get(f"/@alice/posts/{name}")).text


@pytest.mark.parametrize(
    "url",
    ["/seen", "/seen?id=", "/seen?id=x", "/seen?id=https://nobody.example/1", "/seen?id=%00", "/home?before=x&show=x",
     "/people?show=x"],
)  # fmt: skip
async def test_094_garbage_in_a_query_is_no_fault(house, url):
    _, _, visitor = house
    await sign_in(visitor)
    assert (await visitor.get(url)).status in (200, 400, 404)


async def test_people_are_listed_and_let_go(house):
    _, _, visitor = house
    await sign_in(visitor)
    page = await visitor.get("/people")
    assert "Bo Lindqvist" in page.text
    assert "Has not said whether they are free" in page.text
    person = await visitor.get("/@bo@bo.example")
    assert "Unfollow" in person.text
    page = await visitor.submit("/people/unfollow", page="/@bo@bo.example", who=BO)
    assert "Follow" in page.text
    assert "You follow nobody yet" in (await visitor.get("/people")).text


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("", "Write a handle such as @name@server"),
        ("bo", "is not a handle"),
        ("@nobody@alice.example", "Nobody is to be found at"),
        ("http://10.0.0.1/users/x", "is not an address that this server may ask"),
        ("@alice@alice.example", "That is you"),
        ("x" * 5000, "is not a handle"),
    ],
)
async def test_a_follow_that_cannot_be_says_why_and_changes_nothing(house, who, sentence):
    node, _, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit("/people/follow", page="/home", who=who)
    assert page.status == 422
    assert sentence in page.text
    assert await state(node.db) == before
