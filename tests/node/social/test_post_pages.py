"""A conversation as a page, and the small forms under it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.clock import iso
from node.app import web_application
from node.errors import Invalid
from node.inboxes import HANDLERS
from node.messages import queries as messages
from node.social import commands, lookups, queries, reactions, voting
from node.social.rules import parse_post
from tests.node.house import serving, settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.social.test_commands import sent as activities_of
from tests.node.social.test_inbox import note
from tests.node.social.test_pages import sign_in


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`: Alice follows Bo, and is signed in."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor(), acct="bo@bo.example")))
    async with serving(web_application(node)) as visitor:
        await sign_in(visitor)
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


async def arrives(node, number: int = 1, **changes) -> str:
    """A note of Bo's comes in."""
    thing = note(node, number, **changes)
    await node.db.write(HANDLERS["Create", "Note"], received("Create", thing, number=number), node.authors)
    return thing["id"]


def seen(object_id: str) -> str:
    return f"/seen?id={object_id}"


async def test_a_conversation_stands_in_its_order(house):
    node, author, visitor = house
    first = await node.db.write(commands.post, author, parse_post({"body": "The first thing"}))
    answer = await arrives(node, 1, content="<p>The answer</p>", inReplyTo=first)
    await arrives(node, 2, content="<p>Later still</p>", inReplyTo=answer)
    await arrives(node, 3, content="<p>Another one</p>", inReplyTo=first)
    page = await visitor.get(seen(answer))
    places = [page.text.index(words) for words in ("The first thing", ">The answer", "Your answer", "Later still")]
    assert places == sorted(places)
    assert "Another one" not in page.text
    page = await visitor.get((await node.db.read(queries.post, first, None)).path)
    assert "Another one" in page.text
    assert "Later still" in page.text


async def test_an_answer_is_written_under_what_it_answers_and_found_there(house):
    node, author, visitor = house
    theirs = await arrives(node)
    page = await visitor.submit(
        "/posts/new", page=seen(theirs), body="I think so too", in_reply_to=theirs, audience="public"
    )
    assert page.status == 200
    answer = (await node.db.read(queries.home, author.actor_id))[0]
    view = await node.db.read(queries.post, answer.object_id, None)
    assert (view.in_reply_to, view.owner) == (theirs, author.actor_id)
    assert view.html.startswith('<p><a class="u-url mention" href="https://bo.example/@bo"')
    assert "I think so too" in (await visitor.get(seen(theirs))).text


async def test_50_an_answer_is_for_no_more_people_than_what_it_answers(house):
    node, author, visitor = house
    private = await arrives(node, to=[author.actor_id], cc=[])
    page = await visitor.get(seen(private))
    assert 'value="public"' not in page.text.partition('id="answer"')[2]
    await visitor.submit("/posts/new", page=seen(private), body="Between us", in_reply_to=private, audience="public")
    [line] = await node.db.read(messages.lines, author.actor_id, enquiries=False)
    assert line.preview == "Between us"
    thread = await node.db.read(messages.thread, author.actor_id, line.id)
    assert [one.post.visibility for one in thread.said] == ["direct", "direct"]


async def test_128_what_is_not_for_a_reader_is_no_part_of_the_page(house):
    node, author, visitor = house
    first = await node.db.write(commands.post, author, parse_post({"body": "For everybody"}))
    await arrives(node, 1, content="<p>Whispered</p>", inReplyTo=first, to=[author.actor_id], cc=[])
    path = (await node.db.read(queries.post, first, None)).path
    assert "Whispered" in (await visitor.get(path)).text
    visitor.http.cookie_jar.clear()
    assert "Whispered" not in (await visitor.get(path)).text


async def test_liking_and_passing_on_are_small_forms_that_lead_back(house):
    node, author, visitor = house
    theirs = await arrives(node)
    tally = (await node.db.read(reactions.tallies, [theirs], author.actor_id))[theirs]
    assert (tally.liked, tally.boosted) == (False, False)
    for verb in ("like", "boost"):
        page = await visitor.submit(f"/posts/{verb}", page="/home", id=theirs, back="/home#here")
        assert page.url.startswith(f"{visitor.origin}/home")
    tally = (await node.db.read(reactions.tallies, [theirs], author.actor_id))[theirs]
    assert (tally.likes, tally.boosts, tally.liked, tally.boosted) == (1, 1, True, True)
    page = await visitor.get("/home")
    assert "Unlike" in page.text
    assert "Take back" in page.text
    for verb in ("unlike", "unboost"):
        await visitor.submit(f"/posts/{verb}", page="/home", id=theirs, back="/home")
    tally = (await node.db.read(reactions.tallies, [theirs], author.actor_id))[theirs]
    assert (tally.likes, tally.boosts, tally.liked, tally.boosted) == (0, 0, False, False)


async def test_122_a_form_leads_nowhere_else(house):
    node, _, visitor = house
    theirs = await arrives(node)
    for back in ("//evil.example", "https://evil.example", "/\\evil.example"):
        page = await visitor.submit("/posts/like", page="/home", id=theirs, back=back)
        assert page.url == f"{visitor.origin}/home"


async def test_what_is_not_here_can_neither_be_liked_nor_answered(house):
    node, _, visitor = house
    before = await state(node.db)
    page = await visitor.submit("/posts/like", page="/home", id="https://nobody.example/1", back="/home")
    assert page.status == 404
    page = await visitor.submit("/posts/new", page="/home", body="x", in_reply_to="https://nobody.example/1")
    assert page.status == 422
    assert "not here any more" in page.text
    assert await state(node.db) == before


async def test_a_post_is_changed_and_says_so(house):
    node, author, visitor = house
    post_id = await node.db.write(commands.post, author, parse_post({"body": "Good *morning*", "warning": "Weather"}))
    name = post_id.rpartition("/")[2]
    page = await visitor.get(f"/posts/{name}/edit")
    assert "Good *morning*" in page.text
    assert 'value="Weather"' in page.text
    node.clock.offset += timedelta(minutes=1)
    page = await visitor.submit(f"/posts/{name}/edit", body="Good *evening*", warning="")
    assert "<em>evening</em>" in page.text
    assert ", changed " in page.text
    page = await visitor.submit(f"/posts/{name}/edit", body="")
    assert page.status == 422
    assert "Write something first." in page.text


async def test_a_name_that_nobody_has_stays_text_with_a_hint(house):
    _, _, visitor = house
    page = await visitor.submit("/home", body="Ask @nobody@alice.example and @bo@bo.example", audience="public")
    assert "Some names stay plain text" in page.text
    assert "@nobody@alice.example" in page.text
    assert 'class="u-url mention"' in page.text
    page = await visitor.get("/home?unknown=<script>@x@y")
    assert "<script>" not in page.text


async def test_a_post_is_pinned_and_unpinned(house):
    node, author, visitor = house
    names = []
    for number in range(6):
        post_id = await node.db.write(commands.post, author, parse_post({"body": f"Number {number}"}))
        names.append(post_id.rpartition("/")[2])
    for name in names[:5]:
        page = await visitor.submit(f"/posts/{name}/pin", page=f"/@alice/posts/{name}")
        assert "Unpin" in page.text
    page = await visitor.submit(f"/posts/{names[5]}/pin", page=f"/@alice/posts/{names[5]}")
    assert page.status == 403
    assert "You may pin 5 posts" in page.text
    await visitor.submit(f"/posts/{names[0]}/unpin", page=f"/@alice/posts/{names[0]}")
    pinned = await node.db.read(queries.pinned_posts, author.actor_id)
    assert [post.short_name for post in pinned] == names[4:0:-1]
    shown = await node.db.read(queries.posts_of, author.actor_id)
    assert [post.pinned for post in shown] == [True] * 4 + [False] * 2


async def test_72_what_is_missing_is_asked_for_once_and_by_nobody_who_is_not_signed_in(house):
    node, author, visitor = house
    theirs = await arrives(node, inReplyTo="https://elsewhere.example/1")
    visitor.http.cookie_jar.clear()
    before = await state(node.db)
    assert (await visitor.get(seen(theirs))).status == 200
    assert await state(node.db) == before
    await sign_in(visitor)
    for _ in range(2):
        assert "is being looked for" in (await visitor.get(seen(theirs))).text
    found = await node.db.write(lookups.claim)
    assert (found.kind, found.subject, found.reader) == ("context", theirs, author.actor_id)
    assert await node.db.write(lookups.claim) is None


async def test_175_a_look_up_that_was_asked_for_by_a_fast_clock_waits_no_longer(house):
    node, author, _ = house
    node.clock.offset = timedelta(days=30)
    assert await node.db.write(lookups.ask, "context", "https://elsewhere.example/1", author.actor_id)
    node.clock.offset = timedelta()
    assert await node.db.write(lookups.claim) is None
    await node.db.write(lookups.tidy)
    assert await node.db.write(lookups.claim) is not None


async def test_a_poll_is_answered_once(house):
    node, author, visitor = house
    offered = [{"type": "Note", "name": name, "replies": {"totalItems": 2}} for name in ("Tea", "Rain")]
    ends = iso(node.clock.now() + timedelta(days=1))
    poll = note(node, 1, type="Question", oneOf=offered, endTime=ends)
    await node.db.write(HANDLERS["Create", "Question"], received("Create", poll), node.authors)
    place = seen(poll["id"])
    for wrong in (["Coffee"], ["Tea", "Rain"], []):
        before = await state(node.db)
        with pytest.raises(Invalid):
            await node.db.write(voting.vote, author, poll["id"], wrong)
        assert await state(node.db) == before
    page = await visitor.submit("/posts/vote", page=place, id=poll["id"], choice="Rain", back=place)
    assert "You chose: Rain" in page.text
    (sent,) = [activity for activity in await activities_of(node) if activity["type"] == "Create"]
    assert (sent["object"]["name"], sent["object"]["inReplyTo"], sent["to"]) == ("Rain", poll["id"], [BO])
    assert "content" not in sent["object"]
    before = await state(node.db)
    assert (await visitor.submit("/posts/vote", page="/home", id=poll["id"], choice="Tea")).status == 422
    assert await state(node.db) == before
    node.clock.offset += timedelta(days=2)
    with pytest.raises(Invalid, match="over"):
        await node.db.write(voting.vote, author, poll["id"], ["Tea"])


async def test_a_poll_and_an_article_and_a_quote_are_shown(house):
    node, _, visitor = house
    options = [
        {"type": "Note", "name": name, "replies": {"totalItems": votes}} for name, votes in (("Tea", 3), ("Rain", 1))
    ]
    poll = note(node, 1, type="Question", oneOf=options, endTime=iso(node.clock.now()), votersCount=4)
    await node.db.write(HANDLERS["Create", "Question"], received("Create", poll), node.authors)
    page = await visitor.get(seen(poll["id"]))
    assert "Tea" in page.text
    assert "This is over." in page.text
    article = await arrives(node, 2, type="Article", name="Long reading", url="https://bo.example/long")
    page = await visitor.get(seen(article))
    assert "Long reading" in page.text
    assert "See it where it was published" in page.text
    quote = await arrives(node, 3, quoteUrl="https://elsewhere.example/9")
    assert "It quotes another post" in (await visitor.get(seen(quote))).text
    assert "Tea" in (await visitor.get("/home")).text
