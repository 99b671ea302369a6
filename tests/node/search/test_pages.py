"""Search and hashtags through a real port."""

from __future__ import annotations

import pytest

from node.app import web_application
from node.search.indexing import Indexer
from tests.node.house import PASSWORD, serving, settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.search.test_commands import HOSTILE, publish, said
from tests.node.social.test_inbox import note, take

MARKER = "xylophone"


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


async def test_the_bar_finds_what_this_node_knows(house):
    node, author, visitor = house
    await publish(node, author, title=f"A {MARKER} tuned")
    await said(node, author, f"I play the {MARKER}")
    await take(node, received("Create", note(node, content=f"<p>My <b>{MARKER}</b></p><script>x</script>")))
    await Indexer(node.db).drain()
    assert "/sign-in" in (await visitor.get(f"/search?q={MARKER}")).url
    await sign_in(visitor)
    page = await visitor.get(f"/search?q={MARKER}")
    assert page.status == 200
    assert "3 found" in page.text
    assert f"A {MARKER} tuned" in page.text
    assert "<script>x" not in page.text
    assert 'content="noindex"' in page.text
    posts = await visitor.get(f"/search?q={MARKER}&kind=posts")
    assert f"A {MARKER} tuned" not in posts.text
    assert "2 found" in posts.text
    people = await visitor.get("/search?q=lindqvist&kind=people")
    assert 'href="/@bo@bo.example"' in people.text
    assert "Nothing fits" in (await visitor.get("/search?q=trombone")).text
    assert "What are you looking for" in (await visitor.get("/search")).text
    assert "What are you looking for" in (await visitor.get("/search?q=%3F%3F")).text
    assert 'action="/search"' in (await visitor.get("/home")).text


async def test_a_handle_an_address_or_a_hashtag_leads_there(house):
    node, _author, visitor = house
    await sign_in(visitor)
    await take(node, received("Create", note(node, content="<p>Hello</p>")))
    leads = {
        "@alice@alice.example": "/@alice",
        "alice@alice.example": "/@alice",
        f"{BO}/notes/1": f"/seen?id={BO}/notes/1",
        "https://alice.example/@alice": "/@alice",
        "#Contract_Law": "/tags/contract_law",
        "https://alice.example//evil.example": "/",
    }
    for typed, path in leads.items():
        async with visitor.http.get(f"{visitor.origin}/search", params={"q": typed}, allow_redirects=False) as answer:
            assert answer.status == 303, typed
            assert answer.headers["Location"].replace("%3A", ":").replace("%2F", "/") == path, typed
    before = await state(node.db)
    for typed in ("@nobody@alice.example", "https://127.0.0.1/x", "http://bo.example/x", "https://nobody.invalid/"):
        async with visitor.http.get(f"{visitor.origin}/search", params={"q": typed}) as answer:
            assert answer.status == 422, typed
            assert "words-error" in await answer.text()
    assert await state(node.db) == before


async def test_nothing_that_is_typed_breaks_the_page(house):
    _, _, visitor = house
    await sign_in(visitor)
    for text in HOSTILE:
        for more in ({}, {"kind": "posts"}, {"kind": "nonsense", "page": "999999999"}):
            query = {"q": text.encode("utf-8", "replace").decode()} | more
            async with visitor.http.get(f"{visitor.origin}/search", params=query) as answer:
                assert answer.status == (400 if "\x00" in text else 200), text
    async with visitor.http.get(f"{visitor.origin}/search?q=%ff%00%ed%a0%80") as answer:
        assert answer.status < 500


async def test_a_hashtag_has_a_page_and_can_be_followed(house):
    node, author, visitor = house
    await said(node, author, f"I play the #{MARKER}")
    await said(node, author, f"For followers: #{MARKER} secret", "followers")
    page = await visitor.get(f"/tags/{MARKER}")
    assert page.status == 200
    assert "I play the" in page.text
    assert "secret" not in page.text
    assert "Follow this hashtag" not in page.text
    assert (await visitor.get(f"/tags/{MARKER.upper()}")).url.endswith(f"/tags/{MARKER}")
    assert "Nothing carries it yet" in (await visitor.get("/tags/trombone")).text
    for nonsense in ("1", "%23", "a b", "a%2Fb", "%F0%9F%99%82", "x" * 300):
        assert (await visitor.get(f"/tags/{nonsense}")).status == 404, nonsense
    await sign_in(visitor)
    page = await visitor.submit(f"/tags/{MARKER}/follow", page=f"/tags/{MARKER}")
    assert "Stop following" in page.text
    page = await visitor.submit(f"/tags/{MARKER}/unfollow", page=f"/tags/{MARKER}")
    assert "Follow this hashtag" in page.text


async def test_ones_skills_are_suggested_as_hashtags(house):
    _node, _, visitor = house
    await sign_in(visitor)
    page = await visitor.get("/profile/edit")
    assert page.status == 200
    await visitor.submit("/profile/edit", name="Alice", skills="contract law, illustration")
    page = await visitor.get(f"/tags/{MARKER}")
    assert 'href="/tags/contractlaw"' in page.text
    assert 'href="/tags/illustration"' in page.text
