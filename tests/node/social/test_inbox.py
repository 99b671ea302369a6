"""Posts of others, through the table that a server uses."""

from __future__ import annotations

import pytest

from federation.clock import iso
from federation.errors import Refused, Unacceptable
from node.errors import NotFound
from node.inboxes import HANDLERS, deleted
from node.messages import queries as messages
from node.social import queries
from node.social.inbox import on_post
from schemas.learning import ANNOUNCES
from schemas.terms import NOTE_TYPES, PUBLIC
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.social.test_commands import neighbour

EVE = "https://eve.example/users/eve"


@pytest.fixture
async def house(ground):
    """`(node, actor id)` of somebody who follows Bo."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor(), acct="bo@bo.example")))
    yield node, account.actor_id
    await node.client.close()


def note(node, number: int = 1, **changes):
    return {
        "id": f"{BO}/notes/{number}",
        "type": "Note",
        "attributedTo": BO,
        "content": "<p>Hello</p>",
        "published": iso(node.clock.now()),
        "to": [PUBLIC],
        "cc": [f"{BO}/followers"],
    } | changes


async def take(node, message):
    kind = (message.object or {}).get("type")
    handler = HANDLERS.get((message.envelope.type, kind)) or HANDLERS[message.envelope.type, "*"]
    await node.db.write(handler, message, node.authors)


async def test_a_note_arrives_changes_and_goes(house):
    node, reader = house
    await take(node, received("Create", note(node), verification="delivered"))
    (entry,) = await node.db.read(queries.home, reader)
    assert (entry.title, entry.handle, entry.reason, entry.verification) == (
        "Hello", "bo@bo.example", "followed", "delivered",
    )  # fmt: skip
    await take(
        node, received("Update", note(node, content="<p>Hello again</p>", updated=iso(node.clock.now())), number=2)
    )
    (entry,) = await node.db.read(queries.home, reader)
    assert (entry.title, entry.verification) == ("Hello again", "signed")
    await node.db.write(deleted, [f"{BO}/notes/1"])
    assert await node.db.read(queries.home, reader) == []


@pytest.mark.parametrize("kind", sorted(NOTE_TYPES))
async def test_everything_that_reads_as_a_text_is_shown(house, kind):
    node, reader = house
    await take(node, received("Create", note(node, type=kind, name="A name")))
    (entry,) = await node.db.read(queries.home, reader)
    assert entry.title == ("Hello" if kind == "Note" else "A name")


async def test_131_a_direct_note_is_for_whom_it_names(house):
    node, alice = house
    carol = await neighbour(node)
    await node.db.write(lambda tx: follow(tx, carol.actor_id, BO))
    await take(node, received("Create", note(node, to=[alice], cc=[], tag={"type": "Mention", "href": alice})))
    [line] = await node.db.read(messages.lines, alice, enquiries=False)
    assert (line.preview, line.unread) == ("Hello", 1)
    assert await node.db.read(messages.lines, carol.actor_id, enquiries=False) == []
    for reader in (alice, carol.actor_id):  # a message, and so in no timeline
        assert await node.db.read(queries.home, reader) == []
    with pytest.raises(NotFound):
        await node.db.read(queries.post, f"{BO}/notes/1", carol.actor_id)


async def test_a_mention_by_a_stranger_reaches_the_mentioned(house):
    node, alice = house
    carol = await neighbour(node)
    await node.db.write(lambda tx: know(tx, actor(EVE)))
    thing = note(node, id=f"{EVE}/notes/1", attributedTo=EVE, tag=[{"type": "Mention", "href": carol.actor_id}])
    await take(node, received("Create", thing, by=EVE))
    assert [entry.reason for entry in await node.db.read(queries.home, carol.actor_id)] == ["addressed"]
    assert await node.db.read(queries.home, alice) == []


async def test_what_only_announces_a_module_is_not_shown_beside_it(house):
    node, reader = house
    link = {"type": "Link", "href": f"{BO}/learn/1", "rel": ANNOUNCES}
    await take(node, received("Create", note(node, tag=[link])))
    assert await node.db.read(queries.home, reader) == []


async def test_a_boost_brings_what_others_wrote(house):
    node, reader = house
    await node.db.write(lambda tx: know(tx, actor(EVE), acct="eve@eve.example"))
    await take(node, received("Announce", note(node, id=f"{EVE}/notes/1", attributedTo=EVE)))
    (entry,) = await node.db.read(queries.home, reader)
    assert (entry.owner, entry.reason, entry.via) == (EVE, "boosted", "bo@bo.example")


async def test_a_boost_is_taken_back_by_who_made_it_and_by_nobody_else(house):
    node, reader = house
    await node.db.write(lambda tx: know(tx, actor(EVE), acct="eve@eve.example"))
    await take(node, received("Announce", note(node, id=f"{EVE}/notes/1", attributedTo=EVE)))
    before = await state(node.db)
    announce = {"id": f"{EVE}/activities/9", "type": "Announce", "actor": EVE, "object": f"{EVE}/notes/1"}
    await take(node, received("Undo", announce, by=EVE, number=2))
    assert await state(node.db) == before
    mine = announce | {"id": f"{BO}/activities/1", "actor": BO}
    await take(node, received("Undo", mine, number=3))
    assert await node.db.read(queries.home, reader) == []


async def test_a_warning_stands_before_the_text_and_its_pictures(house):
    node, reader = house
    picture = {"type": "Document", "mediaType": "image/png", "url": "https://bo.example/a.png", "name": "A harbour"}
    await take(node, received("Create", note(node, summary="Spiders", attachment=[picture])))
    (entry,) = await node.db.read(queries.home, reader)
    view = await node.db.read(queries.post, entry.object_id, None)
    assert (entry.title, view.warning) == ("Spiders", "Spiders")
    assert [(one.url, one.description) for one in view.pictures] == [("https://bo.example/a.png", "A harbour")]


@pytest.mark.parametrize(
    "changes",
    [{"content": None}, {"content": "<script>alert(1)</script>"}, {"summary": ["x"]}, {"tag": [[], 0, {"type": []}]},
     {"attachment": "x"}, {"published": "2026-13-45"}, {"published": "9999-12-31T23:59:59+14:00"}, {"name": 0},
     {"content": "<p>" + "\u202e" * 1000}, {"to": PUBLIC, "cc": None}, {"content": "x" * 400_000}],
)  # fmt: skip
async def test_086_odd_values_never_break_a_timeline(house, changes):
    node, reader = house
    await take(node, received("Create", note(node) | changes))
    (entry,) = await node.db.read(queries.home, reader)
    assert entry.title
    assert len(entry.title) <= 200
    assert entry.at <= node.clock.now()
    assert "script" not in (await node.db.read(queries.post, entry.object_id, reader)).html


async def test_what_has_no_author_is_refused_and_leaves_nothing(house):
    node, _ = house
    before = await state(node.db)
    with pytest.raises(Unacceptable):
        await node.db.write(on_post, received("Create", note(node, attributedTo=None)), node.authors)
    assert await state(node.db) == before


def for_followers(node, number: int = 1, **changes):
    return note(node, number, to=[f"{BO}/followers"], cc=[]) | changes


async def private_and_public(node, reader: str) -> tuple[str, str]:
    """What Bo wrote for his followers, and what he wrote for everybody; both are at home."""
    hidden, shown = for_followers(node), note(node, 2)
    await take(node, received("Create", hidden))
    await take(node, received("Create", shown, number=2))
    assert {entry.object_id for entry in await node.db.read(queries.home, reader)} == {hidden["id"], shown["id"]}
    return hidden["id"], shown["id"]


async def test_129_who_is_rejected_sees_what_is_for_followers_no_more(house):
    node, reader = house
    hidden, shown = await private_and_public(node, reader)
    asked = {"id": f"{reader}#{BO}", "type": "Follow", "actor": reader, "object": BO}
    await take(node, received("Reject", asked, number=3))
    assert [entry.object_id for entry in await node.db.read(queries.home, reader)] == [shown]
    assert await node.db.read(queries.follow_state, reader, BO) == "rejected"
    with pytest.raises(NotFound):
        await node.db.read(queries.post, hidden, reader)


async def test_134_who_is_blocked_sees_nothing_of_theirs_at_home(house):
    node, reader = house
    await private_and_public(node, reader)
    await take(node, received("Block", {"id": reader}, number=3))
    assert await node.db.read(queries.home, reader) == []
    assert await node.db.read(queries.follow_state, reader, BO) is None


async def test_129_a_stranger_rejects_for_nobody_else(house):
    node, reader = house
    await private_and_public(node, reader)
    before = await state(node.db)
    asked = {"id": f"{reader}#{BO}", "type": "Follow", "actor": reader, "object": BO}
    with pytest.raises(Refused):
        await take(node, received("Reject", asked, by=EVE, number=3))
    assert await state(node.db) == before


async def test_what_becomes_for_fewer_people_leaves_the_others(house):
    node, reader = house
    await take(node, received("Create", note(node)))
    narrowed = note(node, to=[EVE], cc=[], updated=iso(node.clock.now()))
    await take(node, received("Update", narrowed, number=2))
    assert await node.db.read(queries.home, reader) == []


async def test_a_long_post_is_cut_in_lists_and_whole_on_its_page(house):
    node, reader = house
    await take(node, received("Create", note(node, content="<p>word </p>" * 30_000)))
    post_id = f"{BO}/notes/1"
    listed = (await node.db.read(queries.posts, [post_id]))[post_id]
    whole = await node.db.read(queries.post, post_id, reader)
    assert (listed.cut, whole.cut) == (True, False)
    assert len(listed.html) < 20_000
    assert whole.html.count("<p>") == 30_000
    assert (await node.db.read(queries.home, reader))[0].title.startswith("word word")
