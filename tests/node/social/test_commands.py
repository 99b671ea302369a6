"""Posts, follows and timelines: who gets what, and nobody else."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa

from federation.authors import create_local_actor
from federation.tables import activities, deliveries, follows, objects
from node.errors import Gone, Invalid, NotFound
from node.messages import queries as messages
from node.profiles.commands import first_profile
from node.social import commands, queries
from node.social.rules import parse_post
from schemas.actors import parse_actor
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, keys, know


@pytest.fixture
async def house(ground):
    """`(node, author)`: Bo is known, and follows Alice."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, know(tx, actor(), acct="bo@bo.example"), account.actor_id))
    yield node, await node.author(account.actor_id)
    await node.client.close()


async def neighbour(node, username: str = "carol"):
    """One more person on this node."""

    def write(tx):
        return create_local_actor(tx, node.authors, username, keys(), first_profile(tx, username, "person"))

    return await node.db.write(write)


async def said(node, author, body: str = "Good *morning*", audience: str = "public", person=None) -> str:
    return await node.db.write(commands.post, author, parse_post({"body": body, "audience": audience}), person)


async def sent(node) -> list[dict]:
    rows = await node.db.read(lambda tx: tx.rows(sa.select(activities.c.body).order_by(activities.c.published)))
    return [msgspec.json.decode(row.body) for row in rows]


async def home(node, reader: str) -> list[str]:
    return [entry.object_id for entry in await node.db.read(queries.home, reader)]


async def test_a_public_post_is_signed_sent_and_shown(house):
    node, author = house
    post_id = await said(node, author)
    (create,) = await sent(node)
    note = create["object"]
    assert (note["type"], note["content"]) == ("Note", "<p>Good <em>morning</em></p>")
    assert "proof" in note
    assert "name" not in note
    assert await node.db.read(lambda tx: tx.scalar(sa.select(deliveries.c.inbox))) == "https://bo.example/inbox"
    (entry,) = await node.db.read(queries.home, author.actor_id)
    assert (entry.object_id, entry.reason, entry.verification, entry.title) == (
        post_id,
        "own",
        "signed",
        "Good morning",
    )
    view = await node.db.read(queries.post, post_id, None)
    assert view.path == f"/@alice/posts/{view.short_name}"


async def test_140_what_is_not_public_carries_no_proof(house):
    node, author = house
    await said(node, author, audience="followers")
    await said(node, author, audience="direct", person=parse_actor(actor()))
    for activity in await sent(node):
        assert "proof" not in activity
        assert "proof" not in activity["object"]


async def test_a_direct_post_mentions_and_reaches_one_person(house):
    node, author = house
    await node.db.write(lambda tx: know(tx, actor("https://eve.example/users/eve")))
    await node.db.write(lambda tx: follow(tx, "https://eve.example/users/eve", author.actor_id))
    await said(node, author, audience="direct", person=parse_actor(actor()))
    (create,) = await sent(node)
    assert create["to"] == [BO]
    assert create["cc"] == []
    assert create["object"]["tag"] == [{"type": "Mention", "name": "@bo@bo.example", "href": BO}]
    rows = await node.db.read(lambda tx: tx.rows(sa.select(deliveries.c.inbox)))
    assert [row.inbox for row in rows] == [f"{BO}/inbox"]


async def test_a_direct_post_without_a_person_is_refused(house):
    node, author = house
    before = await state(node.db)
    with pytest.raises(Invalid) as caught:
        await said(node, author, audience="direct")
    assert "to" in caught.value.errors
    assert await state(node.db) == before


async def test_128_131_on_one_node_each_sees_what_is_for_them(house):
    node, alice = house
    carol, dave = await neighbour(node), await neighbour(node, "dave")
    carol_as_target = await node.resolver.actor(carol.actor_id)
    await node.db.write(commands.follow, carol, await node.resolver.actor(alice.actor_id))
    public = await said(node, alice)
    followers = await said(node, alice, audience="followers")
    direct = await said(node, alice, audience="direct", person=carol_as_target)
    assert set(await home(node, carol.actor_id)) == {public, followers}
    assert [line.preview for line in await node.db.read(messages.lines, carol.actor_id, enquiries=False)] == [
        "Good morning"
    ]
    assert set(await home(node, dave.actor_id)) == set()
    for post_id in (followers, direct):
        assert (await node.db.read(queries.post, post_id, carol.actor_id)).id == post_id
        for reader in (dave.actor_id, None, "https://eve.example/users/eve"):
            with pytest.raises(NotFound):
                await node.db.read(queries.post, post_id, reader)
            assert await node.db.read(queries.kind_of, post_id, reader) is None


async def test_a_deleted_post_is_gone_for_everybody(house):
    node, author = house
    post_id = await said(node, author)
    assert await node.db.write(commands.delete_post, author, post_id) == 1
    assert await home(node, author.actor_id) == []
    with pytest.raises(Gone):
        await node.db.read(queries.post, post_id, None)
    assert [activity["type"] for activity in await sent(node)] == ["Create", "Delete"]


async def test_following_somebody_elsewhere_asks_once(house):
    node, author = house
    target = parse_actor(actor())
    assert await node.db.write(commands.follow, author, target) == "requested"
    before = await state(node.db)
    assert await node.db.write(commands.follow, author, target) == "requested"
    assert await state(node.db) == before
    (asked,) = await sent(node)
    assert (asked["type"], asked["object"], asked["to"]) == ("Follow", BO, [BO])
    (relation,) = await node.db.read(queries.following, author.actor_id)
    assert (relation.handle, relation.state) == ("bo@bo.example", "requested")


async def test_unfollowing_takes_back_what_was_asked(house):
    node, author = house
    target = parse_actor(actor())
    await node.db.write(commands.follow, author, target)
    assert await node.db.write(commands.unfollow, author, target) is True
    asked, undone = await sent(node)
    assert (undone["type"], undone["object"]["id"]) == ("Undo", asked["id"])
    assert await node.db.read(queries.following, author.actor_id) == []
    before = await state(node.db)
    assert await node.db.write(commands.unfollow, author, target) is False
    assert await state(node.db) == before


async def test_somebody_here_is_followed_without_the_network(house):
    node, alice = house
    carol = await neighbour(node)
    assert await node.db.write(commands.follow, carol, await node.resolver.actor(alice.actor_id)) == "accepted"
    assert await sent(node) == []
    post_id = await said(node, alice)
    assert await home(node, carol.actor_id) == [post_id]
    await node.db.write(commands.unfollow, carol, await node.resolver.actor(alice.actor_id))
    assert await home(node, carol.actor_id) == []
    assert await home(node, alice.actor_id) == [post_id]


async def test_nobody_follows_themself(house):
    node, author = house
    before = await state(node.db)
    with pytest.raises(Invalid):
        await node.db.write(commands.follow, author, await node.resolver.actor(author.actor_id))
    assert await state(node.db) == before


async def test_the_timeline_is_read_in_pages(house):
    node, author = house
    written = [await said(node, author, f"Number {number}") for number in range(7)]
    seen: list[str] = []
    before = None
    while page := await node.db.read(queries.home, author.actor_id, limit=3, before=before):
        seen += [entry.object_id for entry in page]
        before = page[-1].cursor
    assert sorted(seen) == sorted(written)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "99999999999999999999-https://a.example/",
        "9" * 17 + "-https://a.example/",
        "1-",
        "1-\x00",
        "-1-https://a.example/",
    ],
)
async def test_094_a_cursor_that_is_none_is_the_first_page(house, cursor):
    node, author = house
    post_id = await said(node, author)
    page = await node.db.read(queries.home, author.actor_id, before=cursor)
    assert [entry.object_id for entry in page] == [post_id]


async def test_176_nothing_stands_on_top_for_ever(house):
    node, author = house
    post_id = await said(node, author)
    later = node.clock.now() + timedelta(days=4000)
    await node.db.write(commands.forget, [post_id])
    await node.db.write(commands.into_timelines, author.ids, post_id, author.actor_id, later)
    (entry,) = await node.db.read(queries.home, author.actor_id)
    assert entry.at <= node.clock.now()


async def test_a_boost_shows_what_is_public_and_only_that(house):
    node, alice = house
    carol = await neighbour(node)
    eve = "https://eve.example/users/eve"
    await node.db.write(lambda tx: know(tx, actor(eve), acct="eve@eve.example"))
    await node.db.write(lambda tx: follow(tx, carol.actor_id, eve))
    public, private = await said(node, alice), await said(node, alice, audience="followers")
    for post_id in (public, private):
        await node.db.write(commands.boost, post_id, eve)
    (entry,) = await node.db.read(queries.home, carol.actor_id)
    assert (entry.object_id, entry.reason, entry.via) == (public, "boosted", "eve@eve.example")


async def test_followers_are_listed_with_where_they_stand(house):
    node, author = house
    (relation,) = await node.db.read(queries.followers, author.actor_id)
    assert (relation.id, relation.state) == (BO, "accepted")
    assert await node.db.read(queries.count_relations, author.actor_id) == (0, 1)
    assert await node.db.read(queries.follow_state, BO, author.actor_id) == "accepted"


async def test_a_rejected_follow_may_be_asked_again(house):
    node, author = house
    target = parse_actor(actor())
    await node.db.write(commands.follow, author, target)
    await node.db.write(
        lambda tx: tx.execute(sa.update(follows).where(follows.c.followee == BO).values(state="rejected"))
    )
    assert await node.db.write(commands.follow, author, target) == "requested"
    assert len(await sent(node)) == 2


async def test_an_ended_owner_leaves_nothing_strange(house):
    """A timeline row whose object is gone is passed over."""
    node, author = house
    post_id = await said(node, author)
    await node.db.write(
        lambda tx: tx.execute(sa.update(objects).where(objects.c.id == post_id).values(deleted_at=tx.now))
    )
    assert await node.db.read(queries.home, author.actor_id) == []
