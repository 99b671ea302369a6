"""Likes, boosts and pins of others, through the table that a server uses: what counts, and whose word it takes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation import featured
from federation.errors import FederationError, Forbidden, Refused
from federation.handlers import find, shared
from federation.pages import outbox_page
from federation.tables import objects, reactions
from node.errors import Invalid, NotAllowed, NotFound
from node.inboxes import HANDLERS, deleted
from node.notifications.tables import notifications
from node.social import commands, queries
from node.social.reactions import Tally, tallies
from node.social.rules import parse_post
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.social.test_commands import neighbour, sent
from tests.node.social.test_inbox import EVE, note

PINS = f"{BO}/featured"


@pytest.fixture
async def house(ground):
    """`(node, author, post id)`: Bo and Eve are known, Bo follows Alice, who has written something for everybody."""
    node, account = await settle_in(ground)
    author = await node.author(account.actor_id)

    def meet(tx):
        know(tx, actor(EVE))
        follow(tx, know(tx, actor(featured=PINS), acct="bo@bo.example"), author.actor_id)
        follow(tx, author.actor_id, BO)

    await node.db.write(meet)
    yield node, author, await node.db.write(commands.post, author, parse_post({"body": "Good morning"}))
    await node.client.close()


def said(verb: str, thing, *, by: str = BO, number: int = 1, **more):
    """An activity about an id or a whole object."""
    whole = thing if isinstance(thing, dict) else {"id": thing}
    message = received(verb, whole, by=by, number=number)
    message.document.update({"object": thing} | more)
    embedded = isinstance(thing, dict) and thing.get("actor", by) == by and verb != "Like"
    return type(message)(
        message.signer, message.envelope, message.body, message.document, message.object_id,
        thing if embedded else None, message.audience, message.verification,
    )  # fmt: skip


async def take(node, message) -> None:
    kind = (message.object or {}).get("type")
    handler = find(HANDLERS, message.envelope.type, kind) or find(shared(deleted), message.envelope.type, kind)
    await node.db.write(handler, message, node.authors)


async def tally(node, post_id: str, reader: str | None = None) -> Tally:
    return (await node.db.read(tallies, [post_id], reader))[post_id]


async def told(node) -> list[tuple[str, str]]:
    rows = await node.db.read(lambda tx: tx.rows(sa.select(notifications.c.kind, notifications.c.actor)))
    return sorted((row.kind, row.actor) for row in rows if row.kind in ("like", "boost", "reply", "mention"))


@pytest.mark.parametrize("embedded", [False, True], ids=["by id", "embedded"])
async def test_a_like_counts_once_and_is_told_once(house, embedded):
    node, _author, post_id = house
    thing = {"id": post_id, "type": "Note"} if embedded else post_id
    await take(node, said("Like", thing))
    await take(node, said("Like", thing, number=2))
    assert (await tally(node, post_id)).likes == 1
    assert await told(node) == [("like", BO)]


@pytest.mark.parametrize("verb", ["Like", "Announce"])
@pytest.mark.parametrize("embedded", [False, True], ids=["by id", "embedded"])
async def test_19_only_its_own_actor_takes_a_reaction_back(house, verb, embedded):
    node, _author, post_id = house
    given = said(verb, post_id)
    await take(node, given)
    assert sum((await tally(node, post_id))[1:3]) == 1
    whole = {"id": given.envelope.id, "type": verb, "actor": BO, "object": post_id}
    before = await state(node.db)
    with pytest.raises(Forbidden):
        await take(node, said("Undo", whole if embedded else given.envelope.id, by=EVE, number=2))
    assert await state(node.db) == before
    await take(node, said("Undo", whole if embedded else given.envelope.id, number=3))
    assert sum((await tally(node, post_id))[1:3]) == 0
    assert await told(node) == [], "it is no news any more"


async def test_19_who_undoes_a_like_of_their_own_takes_nobody_elses(house):
    node, _author, post_id = house
    await take(node, said("Like", post_id))
    before = await state(node.db)
    never = {"id": f"{EVE}/likes/1", "type": "Like", "actor": EVE, "object": post_id}
    await take(node, said("Undo", never, by=EVE, number=2))
    assert await state(node.db) == before


@pytest.mark.parametrize("audience", ["followers", "direct"])
async def test_128_what_somebody_may_not_read_they_neither_like_nor_pass_on(house, audience):
    node, author, _ = house
    bo = {} if audience == "followers" else {"to": "@bo@bo.example"}
    draft = parse_post({"body": "Kept close", "audience": audience} | bo)
    person = await node.resolver.actor(BO) if audience == "direct" else None
    private = await node.db.write(commands.post, author, draft, person)
    before = await state(node.db)
    with pytest.raises(Refused):
        await take(node, said("Like", private, by=EVE))
    await take(node, said("Announce", private, number=2))  # whoever may read it may not pass it on either
    assert await state(node.db) == before
    with pytest.raises(Invalid, match="not for everybody"):
        await node.db.write(commands.boost_out, author, private)
    with pytest.raises(NotAllowed):
        await node.db.write(commands.pin, author, private)
    assert await state(node.db) == before
    await take(node, said("Like", private, number=3))
    assert (await tally(node, private)).likes == 1


async def test_what_others_like_elsewhere_is_not_kept(house):
    node, _, _ = house
    await take(node, received("Create", note(node)))
    before = await state(node.db)
    for thing in (f"{BO}/notes/1", f"{BO}/notes/2"):
        with pytest.raises(Refused):
            await take(node, said("Like", thing, by=EVE))
    assert await state(node.db) == before


async def test_likes_and_boosts_go_out_and_are_taken_back(house):
    node, author, _ = house
    await take(node, received("Create", note(node)))
    theirs = f"{BO}/notes/1"
    for command in (commands.like, commands.boost_out, commands.unlike, commands.unboost_out):
        assert await node.db.write(command, author, theirs)
        before = await state(node.db)
        assert not await node.db.write(command, author, theirs)
        assert await state(node.db) == before
    liked, announced, unliked, unannounced = (await sent(node))[-4:]
    assert (liked["type"], liked["object"], liked["to"]) == ("Like", theirs, [BO])
    assert (announced["type"], announced["object"]) == ("Announce", theirs)
    assert announced["cc"] == [author.followers, BO]
    assert (unliked["object"]["id"], unliked["object"]["type"]) == (liked["id"], "Like")
    assert (unannounced["object"]["id"], unannounced["object"]["object"]) == (announced["id"], theirs)
    assert "proof" in announced
    assert "proof" not in liked, "a like is between two"


async def test_a_deleted_post_is_nowhere(house):
    """Its likes, its place on the profile, its counts, what was typed, and what announced it."""
    node, author, post_id = house
    carol = await neighbour(node)
    await take(node, said("Like", post_id))
    await node.db.write(commands.boost_out, carol, post_id)
    await node.db.write(commands.pin, author, post_id)
    answer = note(node, 5, inReplyTo=post_id)
    await take(node, received("Create", answer, number=5))
    assert (await tally(node, post_id)).replies == 1
    await take(node, said("Delete", answer["id"], number=6))
    assert (await tally(node, post_id)).replies == 0
    await node.db.write(commands.delete_post, author, post_id)
    assert await tally(node, post_id) == Tally()
    assert await node.db.read(featured.pinned, author.actor_id) == []
    assert (await node.db.read(outbox_page, carol.actor_id, None))["orderedItems"] == []
    shown = (await node.db.read(outbox_page, author.actor_id, None))["orderedItems"]
    assert {one["type"] for one in shown} == {"Delete", "Remove"}
    with pytest.raises(NotFound):
        await node.db.write(commands.like, author, post_id)


async def test_an_ended_actor_leaves_no_reaction(house):
    node, _author, post_id = house
    await take(node, said("Like", post_id))
    await take(node, said("Delete", BO, number=2))
    assert await node.db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(reactions))) == 0


async def test_44_somebody_pins_only_their_own_in_their_own(house):
    node, _author, post_id = house
    await take(node, received("Create", note(node)))
    theirs = f"{BO}/notes/1"
    before = await state(node.db)
    for message in (
        said("Add", theirs, by=EVE, target=PINS),
        said("Add", theirs, target=f"{BO}/followers"),
        said("Add", theirs),
        said("Add", theirs, target=None),
        said("Add", post_id, target=PINS),
        said("Add", f"{BO}/notes/2", target=PINS),
    ):
        with pytest.raises(FederationError):
            await take(node, message)
        assert await state(node.db) == before
    await take(node, said("Add", theirs, target=PINS))
    assert [post.id for post in await node.db.read(queries.posts_of, BO)] == [theirs]
    assert (await node.db.read(queries.pinned_posts, BO))[0].pinned
    held = await state(node.db)
    with pytest.raises(Forbidden):
        await take(node, said("Remove", theirs, by=EVE, target=PINS))
    assert await state(node.db) == held
    await take(node, said("Remove", theirs, target=PINS))
    assert await state(node.db) == before


async def test_16_50_an_answer_belongs_to_whoever_wrote_it(house):
    node, _author, post_id = house
    answer = note(node, 7, inReplyTo=post_id)
    await take(node, received("Create", answer, number=7))
    before = await state(node.db)
    with pytest.raises(Forbidden):
        await take(node, said("Delete", answer["id"], by=EVE, number=8))
    moved = answer | {"inReplyTo": f"{BO}/notes/1", "updated": answer["published"]}
    with pytest.raises(Forbidden):
        await take(node, received("Update", moved, number=9))
    assert await state(node.db) == before


async def test_an_edit_never_shows_a_private_post_to_more_people(house):
    node, author, _ = house
    private = await node.db.write(commands.post, author, parse_post({"body": "Hello", "audience": "followers"}))
    eve = await node.resolver.actor(EVE)
    changed = parse_post({"body": "Hello @eve@eve.example", "audience": "public"})
    await node.db.write(commands.edit_post, author, private, changed, {"eve@eve.example": eve})
    update = (await sent(node))[-1]
    assert (update["type"], update["to"], update["cc"]) == ("Update", [author.followers], [])
    assert update["object"]["tag"] == []
    row = await node.db.read(lambda tx: tx.row(sa.select(objects).where(objects.c.id == private)))
    assert row.visibility == "followers"
    before = await state(node.db)
    assert await node.db.write(commands.edit_post, author, private, changed, {"eve@eve.example": eve}) == 0
    assert await state(node.db) == before
    carol = await neighbour(node)
    with pytest.raises(NotFound):
        await node.db.write(commands.edit_post, carol, private, changed)


async def test_what_a_post_says_on_the_wire(house):
    node, author, _ = house
    await take(node, received("Create", note(node)))
    bo = await node.resolver.actor(BO)
    form = {"body": "I know @bo@bo.example, #Typo", "warning": "Names", "audience": "unlisted"}
    form |= {"in_reply_to": f"{BO}/notes/1"}
    answer = await node.db.write(commands.post, author, parse_post(form), None, {"bo@bo.example": bo})
    written = (await sent(node))[-1]["object"]
    assert written["to"] == [author.followers]
    assert set(written["cc"]) == {"https://www.w3.org/ns/activitystreams#Public", BO}
    assert (written["summary"], written["sensitive"], written["inReplyTo"]) == ("Names", True, f"{BO}/notes/1")
    assert written["tag"] == [
        {"type": "Mention", "name": "@bo@bo.example", "href": BO},
        {"type": "Hashtag", "name": "#Typo", "href": "https://alice.example/tags/typo"},
    ]
    assert 'href="https://alice.example/tags/typo" class="mention hashtag" rel="tag">#Typo</a>' in written["content"]
    assert written["content"].count("mention") == 2, "who is named is not named again"
    assert [written[name] for name in ("replies", "likes", "shares")] == [
        f"{answer}/{name}" for name in ("replies", "likes", "shares")
    ]
    assert (await node.db.read(queries.post, answer, None)).visibility == "unlisted"
