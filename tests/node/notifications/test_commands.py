"""Who is told what, once; what is forgotten when; what of it goes by mail, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from federation.tables import blocks, mutes
from node.mail.tables import mails
from node.messages.counts import unread
from node.notifications import commands, queries, rules
from node.notifications.letters import sentence, write_letters
from node.notifications.tables import notifications
from node.social import commands as social
from node.social.rules import parse_post
from tests.node.house import state
from tests.node.lodgers import ORIGIN, lodging
from tests.node.neighbours import BO, actor, follow, know

EVE = "https://eve.example/users/eve"


@pytest.fixture
async def house(db, clock):
    """`(node, author)`: Bo and Eve are known, and Bo follows Alice."""
    node = lodging(db, clock)
    alice = await node.moves_in("alice")

    def meet(tx):
        follow(tx, know(tx, actor(), acct="bo@bo.example"), alice.actor_id)
        know(tx, actor(EVE, name="Eve"), acct="eve@eve.example")

    await db.write(meet)
    return node, alice


async def told(node, reader, kinds=rules.KINDS):
    lines, _ = await node.db.read(queries.page, reader, kinds)
    return [str(sentence(line)) for line in lines]


async def test_somebody_is_told_once_and_never_of_themselves(house):
    node, alice = house
    for _ in range(3):
        await node.db.write(commands.notify, alice.actor_id, "follow", actor=BO)
    assert await told(node, alice.actor_id) == ["Bo Lindqvist follows you."]
    before = await state(node.db)
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=alice.actor_id)
    await node.db.write(commands.notify, BO, "follow", actor=EVE)  # not ours
    await node.db.write(commands.notify, f"{alice.actor_id}x", "follow", actor=EVE)
    assert await state(node.db) == before


@pytest.mark.parametrize("table", [blocks, mutes], ids=["blocked", "muted"])
async def test_134_nothing_comes_from_whom_one_does_not_want(house, table):
    node, alice = house
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=EVE)
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=BO)
    assert (await node.db.read(unread, alice.actor_id)).notifications == 2
    values = {"actor": alice.actor_id, "target": EVE}

    def unwanted(tx):
        tx.execute(sa.insert(table).values(created_at=tx.now, **values))

    await node.db.write(unwanted)
    assert await told(node, alice.actor_id) == ["Bo Lindqvist follows you."]
    assert (await node.db.read(unread, alice.actor_id)).notifications == 1
    before = await state(node.db)
    await node.db.write(commands.notify, alice.actor_id, "mention", actor=EVE, object_id=f"{EVE}/notes/1")
    assert await state(node.db) == before


async def test_lines_of_one_kind_about_one_thing_stand_together(house):
    node, alice = house
    post = await node.db.write(social.post, alice, parse_post({"body": "Good morning"}))
    for who in (BO, EVE):
        await node.db.write(commands.notify, alice.actor_id, "like", actor=who, object_id=post)
    assert await told(node, alice.actor_id) == ["Eve and 1 other like “Good morning”."]
    await node.db.write(commands.take_back, alice.actor_id, "like", actor=EVE, object_id=post)
    assert await told(node, alice.actor_id) == ["Bo Lindqvist likes “Good morning”."]
    await node.db.write(social.delete_post, alice, post)
    assert await told(node, alice.actor_id) == []


async def test_pages_follow_each_other_without_a_gap(house):
    node, alice = house

    def many(tx):
        for number in range(queries.PAGE_SIZE + 5):
            commands.notify(tx, alice.actor_id, "operator", object_id=str(number), words=f"thing {number}")

    await node.db.write(many)
    first, last = await node.db.read(queries.page, alice.actor_id, rules.KINDS)
    second, end = await node.db.read(queries.page, alice.actor_id, rules.KINDS, before=last)
    assert (len(first), len(second), end) == (queries.PAGE_SIZE, 5, None)
    assert len({line.words for line in first + second}) == queries.PAGE_SIZE + 5
    assert await node.db.write(commands.mark_read, alice.actor_id, until=second[0].id) == 5
    assert (await node.db.read(unread, alice.actor_id)).notifications == queries.PAGE_SIZE


async def test_143_what_was_told_has_a_lifetime(house):
    node, alice = house
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=BO)
    await node.db.write(commands.mark_read, alice.actor_id)
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=EVE)
    await node.db.write(commands.give_address, alice.actor_id, "alice@example.org")
    kept = [("follow", BO), ("follow", EVE)]
    for days, left in ((89, kept), (2, kept[1:]), (272, kept[1:]), (3, [])):
        node.clock.offset += timedelta(days=days)
        await node.db.write(commands.tidy)
        rows = await node.db.read(lambda tx: tx.rows(sa.select(notifications).order_by(notifications.c.id)))
        assert [(row.kind, row.actor) for row in rows] == left, days
    assert (await node.db.read(queries.mail_settings, alice.actor_id)).address == ""


async def test_a_letter_says_nothing_that_is_not_for_everybody(house):
    node, alice = house
    secret = await node.db.write(commands.give_address, alice.actor_id, "alice@example.org")
    assert not await node.db.write(commands.confirm_address, alice.actor_id, secret + "x")
    assert not await node.db.write(commands.confirm_address, BO, secret)
    assert await node.db.write(commands.confirm_address, alice.actor_id, secret)
    assert not await node.db.write(commands.confirm_address, alice.actor_id, secret)  # once
    await node.db.write(commands.choose, alice.actor_id, dict.fromkeys(rules.KINDS, "now"))
    close = await node.db.write(social.post, alice, parse_post({"body": "Kept close", "audience": "followers"}))
    everybody = await node.db.write(social.post, alice, parse_post({"body": "Seen by all"}))
    for post in (close, everybody):
        await node.db.write(commands.notify, alice.actor_id, "like", actor=BO, object_id=post)
    assert await node.db.write(write_letters, ORIGIN) == 1
    assert await node.db.write(write_letters, ORIGIN) == 0
    [mail] = await node.db.read(lambda tx: tx.rows(sa.select(mails)))
    assert "likes “Seen by all”" in mail.text
    assert "Kept close" not in mail.text
    assert "Kept close" in " ".join(await told(node, alice.actor_id))


async def test_daily_letters_come_once_a_day_and_never_for_what_was_read(house):
    node, alice = house
    secret = await node.db.write(commands.give_address, alice.actor_id, "alice@example.org")
    await node.db.write(commands.confirm_address, alice.actor_id, secret)
    await node.db.write(commands.choose, alice.actor_id, dict.fromkeys(rules.KINDS, "daily") | {"like": "never"})
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=BO)
    await node.db.write(commands.notify, alice.actor_id, "like", actor=BO, object_id="x")
    assert await node.db.write(write_letters, ORIGIN) == 0
    node.clock.offset += timedelta(hours=25)
    assert await node.db.write(write_letters, ORIGIN) == 1
    await node.db.write(commands.notify, alice.actor_id, "follow", actor=EVE)
    assert await node.db.write(write_letters, ORIGIN) == 0
    await node.db.write(commands.mark_read, alice.actor_id)
    node.clock.offset += timedelta(hours=25)
    assert await node.db.write(write_letters, ORIGIN) == 0
    [mail] = await node.db.read(lambda tx: tx.rows(sa.select(mails)))
    assert mail.subject == "Bo Lindqvist follows you."
    assert await node.db.write(commands.unsubscribe, mail.unsubscribe.rpartition("/")[2])
    assert not await node.db.write(commands.unsubscribe, mail.unsubscribe.rpartition("/")[2])


@pytest.mark.parametrize(
    "text",
    ["", "alice", "alice@", "@b.example", "a@b", "a@b.example, c@d.example", "a@b.example\nBcc: c@d.example",
     "<a@b.example>", "a b@c.example", "a@@b.example", "ä@b.example", f"{'a' * 250}@b.example"],
)  # fmt: skip
def test_110_what_is_no_address_is_none(text):
    with pytest.raises(ValueError, match="not a mail address"):
        rules.parse_address(text)


def test_an_address_keeps_its_name_and_lowers_its_host():
    assert rules.parse_address(" Alice.B+x@Example.ORG ") == "Alice.B+x@example.org"


def test_every_kind_has_a_choice_a_tab_and_a_sentence():
    assert {kind for choice in rules.CHOICES for kind in choice.kinds} == set(rules.KINDS)
    assert {kind for key, (_, kinds) in rules.TABS.items() if key for kind in kinds} == set(rules.KINDS)
    for kind in rules.KINDS:
        assert sentence(replace(LINE, kind=kind))


LINE = queries.News(0, "follow", (), 0, None, "", "words", None, True)  # type: ignore[arg-type]
