"""Which conversation a message comes into, who may look there, and the way of a visitor's question."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.blocks import add_block
from node.errors import Invalid, NotAllowed, NotFound
from node.inboxes import HANDLERS, deleted
from node.market.commands import publish_gig
from node.market.rules import parse_gig
from node.messages import asking, commands, queries, rules
from node.messages.counts import unread
from node.messages.tables import asks, conversations
from node.notifications import queries as notifications
from node.notifications.rules import KINDS
from node.social import commands as social
from node.social.rules import PostDraft
from node.unguessable import digest_of
from schemas.actors import parse_actor
from tests.node.house import state
from tests.node.lodgers import lodging
from tests.node.neighbours import BO, actor, follow, know, received
from tests.people import GIG

EVE = "https://eve.example/users/eve"
CAPTURE = Path(__file__).parents[2] / "vectors" / "captures" / "gotosocial-create-note-direct-reply.json"
VERA = {"name": "Vera", "address": "vera@example.org", "text": "Are you free in May?"}


@pytest.fixture
async def house(db, clock):
    """`(node, alice, carol)`: both live here; Alice follows Bo, and nobody knows more of Eve than her name."""
    node = lodging(db, clock)
    alice, carol = await node.moves_in("alice"), await node.moves_in("carol")

    def meet(tx):
        follow(tx, alice.actor_id, know(tx, actor(), acct="bo@bo.example"))
        know(tx, actor(EVE, name="Eve"), acct="eve@eve.example")

    await db.write(meet)
    return node, alice, carol


async def arrives(node, by, *to, number=1, **more):
    """A direct Note from elsewhere; returns its id."""
    note = {
        "id": f"{by}/notes/{number}", "type": "Note", "attributedTo": by, "content": f"<p>Note {number}</p>",
        "published": "2026-01-01T00:00:00Z", "to": list(to),
        "tag": [{"type": "Mention", "href": one, "name": "@x"} for one in to],
    } | more  # fmt: skip
    await node.db.write(HANDLERS["Create", "Note"], received("Create", note, by=by, number=number), node.authors)
    return note["id"]


async def listed(node, reader, *, enquiries=False):
    lines = await node.db.read(queries.lines, reader.actor_id, enquiries=enquiries)
    return [(line.title, line.preview, line.unread) for line in lines]


async def test_144_a_first_word_from_a_stranger_waits_apart(house):
    node, alice, _ = house
    await arrives(node, BO, alice.actor_id)
    await arrives(node, EVE, alice.actor_id)
    await arrives(node, EVE, alice.actor_id, BO, number=2)  # whoever else she names
    assert await listed(node, alice) == [("Bo Lindqvist", "Note 1", 1)]
    assert await listed(node, alice, enquiries=True) == [("Bo Lindqvist, Eve", "Note 2", 1), ("Eve", "Note 1", 1)]
    news, _ = await node.db.read(notifications.page, alice.actor_id, KINDS)
    assert [line.kind for line in news] == ["enquiry", "enquiry", "message"]
    eve = await node.db.read(queries.with_person, alice.actor_id, EVE)
    assert news[1].conversation == eve
    thread = await node.db.read(queries.thread, alice.actor_id, eve)
    draft = PostDraft("Yes?", "direct", in_reply_to=thread.last)
    await node.db.write(social.post, alice, draft, parse_actor(actor(EVE)))
    assert await listed(node, alice) == [("Eve", "Yes?", 0), ("Bo Lindqvist", "Note 1", 1)]


async def test_144_a_flood_of_first_words_rings_only_so_often(house, monkeypatch):
    node, alice, _ = house
    monkeypatch.setattr(commands, "MAX_RINGS", 2)
    strangers = [f"https://s{number}.example/users/s" for number in range(4)]
    for one in strangers:
        await node.db.write(lambda tx, one=one: know(tx, actor(one)))
        await arrives(node, one, alice.actor_id)
    assert len(await listed(node, alice, enquiries=True)) == 4
    assert tuple(await node.db.read(unread, alice.actor_id)) == (4, 2)
    await arrives(node, BO, alice.actor_id)  # whom she follows
    assert tuple(await node.db.read(unread, alice.actor_id)) == (5, 3)
    node.clock.offset += timedelta(hours=1, minutes=1)
    await arrives(node, EVE, alice.actor_id)
    assert tuple(await node.db.read(unread, alice.actor_id)) == (6, 4)
    node.clock.offset += timedelta(days=366)
    await node.db.write(commands.tidy)
    assert await listed(node, alice, enquiries=True) == []
    assert len(await listed(node, alice)) == 1


async def test_messages_of_the_same_people_stand_together_and_are_read_once(house):
    node, alice, _ = house
    for number in range(3):
        await arrives(node, BO, alice.actor_id, number=number)
    assert await listed(node, alice) == [("Bo Lindqvist", "Note 2", 3)]
    assert tuple(await node.db.read(unread, alice.actor_id)) == (1, 3)
    talk = await node.db.read(queries.with_person, alice.actor_id, BO)
    assert await node.db.read(queries.is_new, alice.actor_id, talk)
    await node.db.write(commands.read, alice.actor_id, talk)
    assert tuple(await node.db.read(unread, alice.actor_id)) == (0, 0)
    thread = await node.db.read(queries.thread, alice.actor_id, talk)
    assert [one.post.html for one in thread.said] == [f"<p>Note {number}</p>" for number in range(3)]
    await node.db.write(deleted, [f"{BO}/notes/{number}" for number in range(3)])
    assert await listed(node, alice) == []
    assert (await node.db.read(notifications.page, alice.actor_id, KINDS))[0] == []


async def test_what_comes_back_from_an_archive_stands_at_its_own_time(house):
    node, alice, _ = house
    at = node.clock.now()
    post = await node.db.write(social.post, alice, PostDraft("In May", "direct"), parse_actor(actor()))
    await node.db.write(commands.forget, [post])
    node.clock.offset += timedelta(days=9)
    await node.db.write(commands.file_restored, node.ids, post, alice.actor_id)
    [line] = await node.db.read(queries.lines, alice.actor_id, enquiries=False)
    assert (line.preview, line.unread, line.at - at < timedelta(minutes=1)) == ("In May", 0, True)
    await arrives(node, BO, alice.actor_id)
    [line] = await node.db.read(queries.lines, alice.actor_id, enquiries=False)
    assert (line.unread, line.at - at > timedelta(days=8)) == (1, True)
    public = await node.db.write(social.post, alice, PostDraft("For all", "public"))
    before = await state(node.db)
    await node.db.write(commands.file_restored, node.ids, public, alice.actor_id)
    assert await state(node.db) == before


async def test_a_long_conversation_has_pages(house):
    node, alice, _ = house
    for number in range(queries.MAX_SAID + 1):
        await arrives(node, BO, alice.actor_id, number=number)
    talk = await node.db.read(queries.with_person, alice.actor_id, BO)
    thread = await node.db.read(queries.thread, alice.actor_id, talk)
    assert (len(thread.said), thread.newest) == (queries.MAX_SAID, True)
    assert thread.last == f"{BO}/notes/{queries.MAX_SAID}"
    before = await node.db.read(queries.thread, alice.actor_id, talk, before=thread.earlier)
    assert ([one.post.html for one in before.said], before.earlier) == (["<p>Note 0</p>"], None)


async def test_the_list_has_pages(house, monkeypatch):
    node, alice, _ = house
    monkeypatch.setattr(queries, "MAX_LISTED", 2)
    people = [f"https://p{number}.example/users/p" for number in range(5)]
    for one in people:
        await node.db.write(lambda tx, one=one: know(tx, actor(one, name=one[8:10])))
        await arrives(node, one, alice.actor_id)
    seen, before = [], None
    for _ in range(3):
        lines = await node.db.read(queries.lines, alice.actor_id, enquiries=True, before=before)
        seen += [line.title for line in lines]
        before = lines[-1].id
    assert seen == ["p4", "p3", "p2", "p1", "p0"]


async def test_111_a_conversation_is_its_readers_alone(house):
    node, alice, carol = house
    await arrives(node, BO, alice.actor_id)
    talk = await node.db.read(queries.with_person, alice.actor_id, BO)
    before = await state(node.db)
    with pytest.raises(NotFound):
        await node.db.read(queries.thread, carol.actor_id, talk)
    with pytest.raises(NotFound):
        await node.db.write(asking.answer_visitor, carol.actor_id, talk, "x")
    with pytest.raises(NotFound):
        await node.db.write(commands.close, carol.actor_id, talk, block=True)
    await node.db.write(commands.read, carol.actor_id, talk)
    assert await state(node.db) == before


async def test_134_what_a_blocked_person_wrote_is_not_shown(house):
    node, alice, _ = house
    await arrives(node, BO, alice.actor_id)
    await arrives(node, EVE, alice.actor_id, BO, number=2)
    await node.db.write(add_block, alice.actor_id, EVE)
    assert await listed(node, alice) == [("Bo Lindqvist", "Note 1", 1)]
    [group] = await node.db.read(queries.lines, alice.actor_id, enquiries=True)
    assert (await node.db.read(queries.thread, alice.actor_id, group.id)).said == []
    await node.db.write(add_block, BO, alice.actor_id)
    assert await listed(node, alice) == []


async def test_a_captured_question_about_a_gig_is_an_enquiry(house):
    """What GoToSocial sends when somebody answers a gig in private, but for the addresses."""
    node, alice, _ = house
    gig = await node.db.write(publish_gig, alice, parse_gig(GIG, node.clock.now().date()))
    body = json.loads(CAPTURE.read_text())["request"]["body"]
    for theirs, ours in (
        ("http://127.0.0.1:9601/users/ana", alice.actor_id),
        ("http://127.0.0.1:9601/gigs/e-noname", gig),
        ("http://127.0.0.1:8301/users/gert", BO),
    ):
        assert theirs in body
        body = body.replace(theirs, ours)
    note = json.loads(body)["object"]
    await node.db.write(HANDLERS["Create", "Note"], received("Create", note), node.authors)
    [line] = await node.db.read(queries.lines, alice.actor_id, enquiries=True)
    assert (line.via, line.about, line.preview) == ("direct", gig, "In private: my budget is 500")
    assert await listed(node, alice) == []


async def test_an_open_answer_to_a_gig_is_an_enquiry_too(house):
    node, alice, _ = house
    gig = await node.db.write(publish_gig, alice, parse_gig(GIG, node.clock.now().date()))
    public = "https://www.w3.org/ns/activitystreams#Public"
    await arrives(node, EVE, public, cc=[alice.actor_id], inReplyTo=gig, tag=[])
    [line] = await node.db.read(queries.lines, alice.actor_id, enquiries=True)
    assert (line.via, line.about, line.people[0].id) == ("reply", gig, EVE)


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<p><a href="https://b.example/@bo">@bo@b.example</a></p>\n<p>Hello</p>', "<p>Hello</p>"),
        (
            '<p><a href="https://b.example/@bo">@bo</a> <a href="https://b.example/@al">@al</a> Hello</p>',
            "<p>Hello</p>",
        ),
        (
            '<p><a href="https://b.example/x">a link</a> Hello</p>',
            '<p><a href="https://b.example/x">a link</a> Hello</p>',
        ),
        ("<p>Hello <a>@bo</a></p>", "<p>Hello <a>@bo</a></p>"),
        ("<p><span>@bo</span></p>", "<p><span>@bo</span></p>"),
    ],
)
def test_the_names_at_the_beginning_are_left_out(html, shown):
    assert queries.without_address(html) == shown


# ---- visitors


async def asked(node, reader, **changes):
    question = rules.parse_question(VERA | changes)
    return await node.db.write(asking.ask, reader.actor_id, question, None, "en")


async def test_a_question_is_seen_once_it_is_confirmed_and_only_once(house):
    node, alice, _ = house
    secret = await asked(node, alice)
    assert await listed(node, alice, enquiries=True) == []
    assert tuple(await node.db.read(unread, alice.actor_id)) == (0, 0)
    for wrong in (secret[:-1], secret + "x", digest_of(secret)):
        assert not await node.db.write(asking.confirm_question, wrong)
    assert await node.db.write(asking.confirm_question, secret)
    before = await state(node.db)
    assert not await node.db.write(asking.confirm_question, secret)
    assert await state(node.db) == before
    assert await listed(node, alice, enquiries=True) == [("Vera", "Are you free in May?", 1)]
    assert tuple(await node.db.read(unread, alice.actor_id)) == (1, 1)
    [line] = (await node.db.read(notifications.page, alice.actor_id, KINDS))[0]
    [row] = await node.db.read(lambda tx: tx.rows(sa.select(conversations)))
    assert (line.conversation, line.visitor) == (row.id, "Vera")
    assert secret not in str(row)


async def test_a_closed_conversation_takes_nothing_more_and_a_blocked_one_is_gone(house):
    node, alice, _ = house
    first = await asked(node, alice)
    await node.db.write(asking.confirm_question, first)
    [line] = await node.db.read(queries.lines, alice.actor_id, enquiries=True)
    _, second = await node.db.write(asking.answer_visitor, alice.actor_id, line.id, "From the 7th on.")
    with pytest.raises(NotFound):  # each answer brings a new link
        await node.db.read(queries.of_visitor, first)
    await node.db.write(asking.write_as_visitor, second, "Then the 7th.")
    await node.db.write(commands.close, alice.actor_id, line.id, block=False)
    before = await state(node.db)
    with pytest.raises(NotAllowed):
        await node.db.write(asking.write_as_visitor, second, "And?")
    with pytest.raises(NotAllowed):
        await node.db.write(asking.answer_visitor, alice.actor_id, line.id, "No.")
    with pytest.raises(NotFound):
        await node.db.write(asking.write_as_visitor, second + "x", "And?")
    assert await state(node.db) == before
    assert [one.text for one in (await node.db.read(queries.of_visitor, second)).said][-1] == "Then the 7th."
    await node.db.write(commands.close, alice.actor_id, line.id, block=True)
    with pytest.raises(NotFound):
        await node.db.read(queries.of_visitor, second)
    before = await state(node.db)
    assert await asked(node, alice, address="VERA@example.org") is None
    assert await asked(node, alice, website="https://buy.example", address="x@example.org") is None
    assert await state(node.db) == before


async def test_143_what_visitors_write_has_a_lifetime(house):
    node, alice, _ = house
    late, kept = await asked(node, alice), await asked(node, alice)
    await node.db.write(asking.confirm_question, kept)
    node.clock.offset += timedelta(days=2, minutes=1)
    assert not await node.db.write(asking.confirm_question, late)
    await node.db.write(commands.tidy)
    assert await node.db.read(lambda tx: tx.rows(sa.select(asks))) == []
    assert len(await listed(node, alice, enquiries=True)) == 1
    node.clock.offset += timedelta(days=364)
    await node.db.write(commands.tidy)
    assert await listed(node, alice, enquiries=True) == []
    with pytest.raises(NotFound):
        await node.db.read(queries.of_visitor, kept)


async def test_a_flood_of_questions_pushes_out_its_own_oldest(house, monkeypatch):
    node, alice, carol = house
    monkeypatch.setattr(asking, "MAX_WAITING", 3)
    other = await asked(node, carol)
    secrets = [await asked(node, alice) for _ in range(5)]
    assert [await node.db.write(asking.confirm_question, one) for one in secrets] == [False, False, True, True, True]
    assert await node.db.write(asking.confirm_question, other)


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"address": ""}, {"text": ""}, {"text": "x" * 5_001}, {"name": "x" * 81},
     {"address": "a@b.example\r\nBcc: c@d.example"}],
)  # fmt: skip
def test_a_question_must_say_who_asks_and_what(changes):
    with pytest.raises(Invalid) as error:
        rules.parse_question(VERA | changes)
    assert list(error.value.errors) == list(changes)


async def test_whoever_leaves_takes_their_conversations_along(house):
    node, alice, carol = house
    await arrives(node, BO, alice.actor_id, carol.actor_id)
    secret = await asked(node, alice)
    await node.db.write(asking.confirm_question, secret)
    await asked(node, alice)
    await node.db.write(commands.forget_all_of, alice.actor_id)
    assert await listed(node, alice) == await listed(node, alice, enquiries=True) == []
    assert len(await listed(node, carol, enquiries=True)) == 1
    assert await node.db.read(lambda tx: tx.rows(sa.select(asks))) == []
