"""Gigs of ours: each change is signed, and reaches every copy."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa

from federation import outbox
from federation.tables import activities, deliveries, objects
from keys.proofs import read_proof
from node.errors import Gone, Invalid, NotAllowed, NotFound
from node.market import commands, queries
from node.market.queries import Filter
from node.market.rules import form_of, parse_gig
from schemas.market import parse_gig as parse_document
from tests.node.house import settle_in, state
from tests.node.neighbours import actor, follow, know

FORM = {
    "purpose": "offer",
    "title": "Audit of one form",
    "body": "I look at **your** form.",
    "skills": "Python, usability testing",
    "price": "85",
    "currency": "EUR",
    "unit": "hour",
    "available": "40",
}


@pytest.fixture
async def house(ground):
    """`(node, author)` of somebody whom Bo follows."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, know(tx, actor()), account.actor_id))
    yield node, await node.author(account.actor_id)
    await node.client.close()


def draft(node, **changes: str):
    return parse_gig(FORM | changes, node.clock.now().date())


async def published(node, author, **changes: str) -> str:
    return await node.db.write(commands.publish_gig, author, draft(node, **changes))


async def document_of(node, gig_id: str) -> dict:
    return msgspec.json.decode(
        await node.db.read(lambda tx: tx.scalar(sa.select(objects.c.body).where(objects.c.id == gig_id)))
    )


async def sent(node) -> list[str]:
    rows = await node.db.read(lambda tx: tx.rows(sa.select(activities.c.type).order_by(activities.c.published)))
    return [row.type for row in rows]


async def test_a_gig_is_signed_stored_and_sent(house):
    node, author = house
    gig_id = await published(node, author)
    document = await document_of(node, gig_id)
    read_proof(document).verify(author.ed25519.public)
    assert document["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
    assert document["cc"] == [author.followers]
    assert await sent(node) == ["Create"]
    assert await node.db.read(lambda tx: tx.scalar(sa.select(deliveries.c.inbox))) == "https://bo.example/inbox"
    view = await node.db.read(queries.gig, gig_id)
    assert (view.title, view.body_html) == ("Audit of one form", "<p>I look at <strong>your</strong> form.</p>")
    assert (str(view.price), view.currency, view.unit, str(view.available)) == ("85.00", "EUR", "hour", "40")
    assert (view.local, view.verification, view.state(node.clock.now())) == (True, "signed", "open")
    assert view.path == f"/@alice/gigs/{view.name}"
    assert view.page == f"https://alice.example{view.path}"


async def test_what_the_page_shows_is_what_others_are_told(house):
    node, author = house
    until = (node.clock.now().date() + timedelta(days=3)).isoformat()
    gig_id = await published(node, author, until=until, minimum="2")
    view = await node.db.read(queries.gig, gig_id)
    gig = parse_document(await document_of(node, gig_id))
    for name in ("purpose", "title", "unit", "price", "currency", "available", "minimum", "skills", "end_time"):
        assert getattr(view, name) == getattr(gig, name), name


async def test_a_change_reaches_every_copy(house):
    node, author = house
    gig_id = await published(node, author)
    node.clock.offset += timedelta(minutes=5)
    changed = draft(node, title="Audit of two forms", price="90.50", purpose="request")
    assert await node.db.write(commands.edit_gig, author, gig_id, changed) == 1
    document = await document_of(node, gig_id)
    read_proof(document).verify(author.ed25519.public)
    assert await sent(node) == ["Create", "Update"]
    assert document["vf:name"] == "Audit of two forms"
    assert document["purpose"] == "offer", "what is offered stays an offer"
    assert document["updated"] > document["published"]
    view = await node.db.read(queries.gig, gig_id)
    assert (view.title, str(view.price)) == ("Audit of two forms", "90.50")
    assert view.updated > view.published


async def test_a_change_that_changes_nothing_sends_nothing(house):
    node, author = house
    gig_id = await published(node, author, until=(node.clock.now().date() + timedelta(days=3)).isoformat())
    before = await state(node.db)
    today = node.clock.now().date()
    same = parse_gig(form_of(await node.db.read(queries.own_gig, author.actor_id, gig_id), today), today)
    assert await node.db.write(commands.edit_gig, author, gig_id, same) == 0
    assert await state(node.db) == before


async def test_a_closed_gig_says_so_in_words_and_stays_closed(house):
    node, author = house
    gig_id = await published(node, author)
    node.clock.offset += timedelta(minutes=5)
    assert await node.db.write(commands.close_gig, author, gig_id) == 1
    document = await document_of(node, gig_id)
    read_proof(document).verify(author.ed25519.public)
    assert document["content"].startswith("<p><strong>Closed.</strong> This gig takes no more answers.</p>")
    assert document["endTime"] == document["updated"]
    assert document["endTime"] > document["published"]
    view = await node.db.read(queries.gig, gig_id)
    assert view.state(node.clock.now()) == "closed"
    assert view.body_html == "<p>I look at <strong>your</strong> form.</p>"

    before = await state(node.db)
    assert await node.db.write(commands.close_gig, author, gig_id) == 0
    with pytest.raises(NotAllowed, match="is closed"):
        await node.db.write(commands.edit_gig, author, gig_id, draft(node, title="Open again"))
    assert await state(node.db) == before


async def test_a_gig_may_be_closed_in_the_second_in_which_it_was_published(house):
    node, author = house
    gig_id = await published(node, author)
    await node.db.write(commands.close_gig, author, gig_id)
    assert (await node.db.read(queries.gig, gig_id)).state(node.clock.now()) == "closed"


async def test_an_ended_gig_may_be_given_another_last_day(house):
    node, author = house
    tomorrow = (node.clock.now().date() + timedelta(days=1)).isoformat()
    gig_id = await published(node, author, until=tomorrow)
    node.clock.offset += timedelta(days=3)
    view = await node.db.read(queries.own_gig, author.actor_id, gig_id)
    assert view.state(node.clock.now()) == "ended"
    today = node.clock.now().date()
    assert form_of(view, today)["until"] == ""
    later = parse_gig(form_of(view, today) | {"until": (today + timedelta(days=9)).isoformat()}, today)
    await node.db.write(commands.edit_gig, author, gig_id, later)
    assert (await node.db.read(queries.gig, gig_id)).state(node.clock.now()) == "open"


async def test_midnight_may_pass_between_form_and_save(house):
    node, author = house
    today = draft(node, until=node.clock.now().date().isoformat())
    node.clock.offset += timedelta(days=1)
    before = await state(node.db)
    with pytest.raises(Invalid, match="has passed"):
        await node.db.write(commands.publish_gig, author, today)
    assert await state(node.db) == before


async def test_a_gig_too_long_to_be_sent_is_refused_whole(house):
    node, author = house
    before = await state(node.db)
    with pytest.raises(Invalid) as wrong:
        await published(node, author, body="漢" * 19_000)
    assert list(wrong.value.errors) == ["body"]
    assert await state(node.db) == before


async def test_nobody_changes_a_gig_of_somebody_else(house):
    node, author = house
    gig_id = await published(node, author)
    for wanted in ("https://bo.example/users/bo/gigs/1", "nothing", gig_id + "x"):
        with pytest.raises(NotFound):
            await node.db.read(queries.own_gig, author.actor_id, wanted)
    with pytest.raises(NotFound):
        await node.db.read(queries.own_gig, "https://alice.example/users/eve", gig_id)


async def test_a_gig_is_found_by_any_of_its_addresses(house):
    node, author = house
    gig_id = await published(node, author)
    name = gig_id.rpartition("/")[2]
    for wanted in (gig_id, name, f"https://alice.example/@alice/gigs/{name}"):
        assert (await node.db.read(queries.own_gig, author.actor_id, wanted)).id == gig_id


async def test_the_board_is_filtered_by_what_and_words_and_state(house):
    node, author = house
    first = await published(node, author)
    node.clock.offset += timedelta(minutes=1)
    second = await published(
        node, author, purpose="request", title="100% Übersetzung", body="Ein _Text_", skills="German"
    )
    node.clock.offset += timedelta(minutes=1)
    third = await published(node, author, title="Old one")
    await node.db.write(commands.close_gig, author, third)

    async def found(**wanted) -> list[str]:
        gigs = await node.db.read(queries.board, Filter(**wanted))
        assert await node.db.read(queries.count, Filter(**wanted)) == len(gigs)
        return [gig.id for gig in gigs]

    assert await found() == [second, first]
    assert await found(over=True) == [third, second, first]
    assert await found(purpose="request") == [second]
    assert await found(words="ÜBERSETZUNG") == [second]
    assert await found(words="usability form") == [first]
    assert await found(words="german") == [second]
    assert await found(words="100%") == [second]
    assert await found(words="%") == [second], "a percent sign is a percent sign"
    assert await found(words="_") == [], "and the Markdown is not searched"
    assert await found(owner=author.actor_id, over=True) == [third, second, first]
    assert await found(owner="https://bo.example/users/bo") == []


async def test_a_gig_that_was_taken_away_is_gone(house):
    node, author = house
    gig_id = await published(node, author)

    def take_away(tx) -> None:
        outbox.delete(tx, author, gig_id)
        commands.forget(tx, [gig_id])

    await node.db.write(take_away)
    with pytest.raises(Gone):
        await node.db.read(queries.gig, gig_id)
    with pytest.raises(NotFound):
        await node.db.read(queries.gig, gig_id + "x")
    assert await node.db.read(queries.board) == []
