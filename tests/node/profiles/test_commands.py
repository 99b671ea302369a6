"""A profile is one signed document, read alike for people here and elsewhere; followers hear of what is new in it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
import sqlalchemy as sa

from federation.clock import iso
from federation.known_actors import store_actor
from federation.tables import activities, actors, deliveries
from keys.encoding import public_from_multibase
from keys.errors import BadSignature
from keys.proofs import read_proof
from node.errors import Gone, Invalid, NotFound
from node.profiles import commands, queries
from node.profiles.rules import form_of, parse_profile
from node.profiles.sources import own_person
from node.web import words
from schemas.actors import parse_actor
from schemas.jsonld import normalise
from schemas.money import Rate
from tests.node.house import settle_in, state
from tests.node.neighbours import BO, actor, follow, know

FORM = {
    "name": "Amara Okafor",
    "headline": "I turn <research> & data into pages",
    "summary": "For **eleven** years.\n\n<script>alert(1)</script>",
    "skills": "Python, singing to goats",
    "rate": "68",
    "currency": "EUR",
    "unit": "hour",
    "availability": "limited",
    "hours_per_week": "24",
    "languages": "en, ig",
    "links": "https://okafor.example/work\nhttps://code.example/?a=1&b=2",
    "discoverable": "yes",
    "indexable": "yes",
}


@pytest.fixture
async def house(ground):
    """`(node, author)` of somebody whom Bo follows."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, know(tx, actor()), account.actor_id))
    yield node, await node.author(account.actor_id)
    await node.client.close()


def draft(node, **changes: str):
    return parse_profile(FORM | changes, node.clock.now().date())


async def document_of(node, actor_id: str) -> dict:
    body = await node.db.read(lambda tx: tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id)))
    return msgspec.json.decode(body)


async def sent(node) -> list:
    rows = await node.db.read(lambda tx: tx.rows(sa.select(activities).order_by(activities.c.id)))
    return [(row.type, row.object_id) for row in rows]


async def test_set_up_writes_the_first_profile(house):
    node, author = house
    person = await node.db.read(queries.person, author.actor_id)
    assert (person.name, person.handle, person.type) == ("Alice Okafor", "alice@alice.example", "Person")
    assert (person.page, person.url) == ("/@alice", "https://alice.example/@alice")
    assert not person.says_something
    assert not person.collective
    assert await sent(node) == [], "nobody is told of it"


async def test_a_collective_is_an_organization(ground):
    node, account = await settle_in(ground, kind="collective")
    person = await node.db.read(queries.person, account.actor_id)
    await node.client.close()
    assert (person.type, person.collective) == ("Organization", True)


async def test_a_saved_profile_is_signed_whole_and_sent_to_followers(house):
    node, author = house
    assert await node.db.write(commands.save_profile, author, draft(node)) == 1
    document = await document_of(node, author.actor_id)
    claim = read_proof(document)
    claim.verify(public_from_multibase(document["assertionMethod"][0]["publicKeyMultibase"]))
    for name in ("headline", "availability", "schema:makesOffer", "attachment", "summary", "publicKey"):
        altered = read_proof(document | {name: "something else"})
        with pytest.raises(BadSignature):
            altered.verify(author.ed25519.public)
    assert await sent(node) == [("Update", author.actor_id)]
    inboxes = await node.db.read(lambda tx: tx.rows(sa.select(deliveries.c.inbox)))
    assert [row.inbox for row in inboxes] == ["https://bo.example/inbox"]


async def test_the_document_says_it_to_programs_and_to_everybody(house):
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    document = await document_of(node, author.actor_id)
    assert document["schema:makesOffer"]["schema:priceSpecification"]["schema:price"] == "68.00"
    assert document["availability"]["hoursPerWeek"] == "24"
    rows = [(row["name"], row["value"]) for row in document["attachment"]]
    said_on = words.day(node.clock.now())
    assert rows[:2] == [
        ("Free from", f"Now, a little: 24 hours a week (said on {said_on})"),
        ("Rate", "EUR 68 an hour"),
    ]
    rel = 'rel="me nofollow noopener noreferrer"'
    assert rows[2] == ("Web", f'<a href="https://okafor.example/work" {rel}>okafor.example/work</a>')
    assert rows[3] == ("Web", f'<a href="https://code.example/?a=1&amp;b=2" {rel}>code.example/?a=1&amp;b=2</a>')
    assert document["summary"].startswith("<p><strong>I turn &lt;research&gt; &amp; data into pages</strong></p>")
    assert "<script" not in document["summary"]


async def test_people_elsewhere_are_read_as_people_here(house, ground):
    """The same document, seen from another node: the same person, but that it is not theirs to edit."""
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    here = await node.db.read(queries.person, author.actor_id)
    document = await document_of(node, author.actor_id)
    elsewhere = normalise(msgspec.json.decode(msgspec.json.encode(document)))
    moved = msgspec.json.decode(msgspec.json.encode(elsewhere).replace(b"alice.example", b"other.example"))
    await node.db.write(lambda tx: store_actor(tx, parse_actor(moved), "signed", acct="alice@other.example"))
    there = await node.db.read(queries.person, moved["id"])
    differs = {name for name, value in asdict(here).items() if asdict(there)[name] != value}
    assert differs == {"id", "handle", "page", "url", "host", "local"}
    assert there.rate == Rate(Decimal("68.00"), "EUR", "hour")
    assert there.availability == here.availability
    assert there.links == ("https://okafor.example/work", "https://code.example/?a=1&b=2")
    assert (
        there.summary_html == "<p>For <strong>eleven</strong> years.</p>\n<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )
    assert there.page == "/@alice@other.example"


async def test_a_save_that_changes_nothing_sends_nothing(house):
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    before = await state(node.db)
    node.clock.offset += timedelta(days=3)
    person = await node.db.read(own_person, author.actor_id)
    again = parse_profile(form_of(person, node.clock.now().date()), node.clock.now().date())
    assert await node.db.write(commands.save_profile, author, again) == 0
    assert await state(node.db) == before


async def test_an_old_answer_is_confirmed_by_a_save(house):
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    node.clock.offset += timedelta(days=31)
    assert await node.db.write(commands.save_profile, author, draft(node)) == 1
    person = await node.db.read(queries.person, author.actor_id)
    assert node.clock.now() - person.availability.updated < timedelta(minutes=1)


async def test_confirming_changes_nothing_but_the_time_of_the_answer(house):
    node, author = house
    with pytest.raises(NotFound, match="not said yet"):
        await node.db.write(commands.confirm_availability, author)
    await node.db.write(commands.save_profile, author, draft(node))
    before = await node.db.read(queries.person, author.actor_id)
    node.clock.offset += timedelta(days=40)
    assert await node.db.write(commands.confirm_availability, author) == 1
    after = await node.db.read(queries.person, author.actor_id)
    assert after.availability.updated - before.availability.updated > timedelta(days=39)
    same = {"availability": None}
    assert asdict(after) | same == asdict(before) | same
    document = await document_of(node, author.actor_id)
    read_proof(document).verify(author.ed25519.public)


async def test_a_day_that_has_passed_is_no_reason_to_refuse_another_change(house):
    node, author = house
    soon = (node.clock.now().date() + timedelta(days=5)).isoformat()
    await node.db.write(commands.save_profile, author, draft(node, free_from=soon))
    node.clock.offset += timedelta(days=9)
    today = node.clock.now().date()
    form = form_of(await node.db.read(own_person, author.actor_id), today)
    assert form["free_from"] == ""
    await node.db.write(commands.save_profile, author, parse_profile(form | {"headline": "Another"}, today))


async def test_what_is_not_said_is_not_in_the_document(house):
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    await node.db.write(commands.save_profile, author, parse_profile({"name": "Amara"}, date(2026, 11, 25)))
    document = await document_of(node, author.actor_id)
    assert not {"availability", "headline", "schema:makesOffer", "schema:knowsAbout"} & set(document)
    assert (document["attachment"], document["summary"], document["discoverable"]) == ([], "", False)


async def test_a_profile_too_long_to_be_sent_is_refused_whole(house):
    node, author = house
    before = await state(node.db)
    long = "**a** " * 1_600
    skills = ", ".join(f"skill {'x' * 60} {number}={'https://a.example/' + 'y' * 900}" for number in range(50))
    with pytest.raises(Invalid, match="too long"):
        await node.db.write(commands.save_profile, author, draft(node, summary=long, skills=skills))
    assert await state(node.db) == before


async def test_a_picture_stays_until_it_is_taken_away(house):
    node, author = house
    name = "0" * 40 + ".webp"
    await node.db.write(commands.save_profile, author, draft(node), picture=name)
    assert (await node.db.read(queries.person, author.actor_id)).picture == f"/media/{name}"
    icon = (await document_of(node, author.actor_id))["icon"]
    assert icon == {"type": "Image", "mediaType": "image/webp", "url": f"https://alice.example/media/{name}"}
    assert await node.db.read(queries.picture_is_used, name)
    await node.db.write(commands.save_profile, author, draft(node, headline="Another"))
    assert (await node.db.read(queries.person, author.actor_id)).picture == f"/media/{name}"
    await node.db.write(commands.save_profile, author, draft(node), picture="")
    assert (await node.db.read(queries.person, author.actor_id)).picture is None
    assert not await node.db.read(queries.picture_is_used, name)


async def test_texts_of_strangers_are_made_safe(house):  # SECURITY 55, 96, 99
    node, _ = house
    hostile = actor(
        name="Bo\u202e\u200b Lindqvist" + "x" * 400,
        headline="Head\u2066line",
        summary='<p onclick="x()">Hi<script>alert(1)</script><img src="https://spy.example/p.png" alt="me"></p>',
        icon={"type": "Image", "url": "https://spy.example/p.png"},
        attachment=[
            {"type": "PropertyValue", "name": "Web", "value": '<a href="javascript:alert(1)" rel="me">x</a>'},
            {"type": "PropertyValue", "name": "Web", "value": '<a rel="me" href="https://bo.example/">x</a>'},
            {"type": "PropertyValue", "name": "Web", "value": "https://plain.example/"},
        ],
    )
    bo = await node.db.read(queries.person, await node.db.write(know, hostile, "delivered"))
    assert len(bo.name) == 100
    assert bo.name.startswith("Bo Lindqvist")
    assert bo.headline == "Headline"
    assert bo.summary_html == "<p>Hi[me]</p>"
    assert bo.links == ("https://bo.example/", "https://plain.example/")
    assert bo.picture == "https://spy.example/p.png", "which `shown` makes an address of ours on a page"
    assert bo.verification == "delivered"


ODD = (None, 0, True, "", "x", [], {}, [[]], [{}], {"id": BO}, "9" * 400, -1, 1e300)


@pytest.mark.parametrize("name", ["availability", "headline", "schema:knowsAbout", "schema:knowsLanguage", "icon",
                                  "schema:makesOffer", "attachment", "summary", "name", "url", "published",
                                  "discoverable"])  # fmt: skip
async def test_whatever_stands_in_a_field_a_person_can_be_read(house, name: str):  # SECURITY 86
    node, _ = house
    for value in ODD:
        bo = await node.db.read(queries.person, await node.db.write(know, actor() | {name: value}, "signed"))
        assert bo.name


async def test_people_are_found_by_what_they_are_called(house):
    node, author = house
    await node.db.write(know, actor("https://split.example/users/cy"), "signed", acct="cy@handles.example")
    for handle, actor_id in (
        ("alice", author.actor_id),
        ("bo@bo.example", BO),
        ("cy@handles.example", "https://split.example/users/cy"),
    ):
        assert (await node.db.read(queries.person_called, handle)).id == actor_id
    for handle in ("bo", "cy", "cy@split.example", "nobody", "nobody@bo.example", "instance.actor", "", "@", "a@b@c"):
        with pytest.raises(NotFound):
            await node.db.read(queries.person_called, handle)


async def test_who_has_ended_is_gone(house):
    node, _ = house
    await node.db.write(lambda tx: tx.execute(sa.update(actors).where(actors.c.id == BO).values(gone_at=tx.now)))
    with pytest.raises(Gone):
        await node.db.read(queries.person, BO)


async def test_several_people_in_one_go(house):
    node, author = house
    found = await node.db.read(queries.people, [BO, author.actor_id, BO, "https://nobody.example/users/x"])
    assert {person.handle for person in found.values()} == {"bo@bo.example", "alice@alice.example"}
    assert await node.db.read(queries.audience, author.actor_id) == (1, 1)


async def test_the_evidence_names_the_key_and_the_time(house):
    node, author = house
    await node.db.write(commands.save_profile, author, draft(node))
    evidence = await node.db.read(queries.evidence, author.actor_id)
    assert evidence.key == author.ed25519.public.multibase
    assert evidence.short_key == f"{evidence.key[:6]}…{evidence.key[-4:]}"
    assert iso(evidence.created) == (await document_of(node, author.actor_id))["updated"]
    assert await node.db.read(queries.evidence, BO) is None, "Bo's document carries no proof"
