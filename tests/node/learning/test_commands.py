"""Modules of ours: signed, announced, changed and taken away on every copy."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from federation.tables import activities, deliveries, objects
from keys.proofs import read_proof
from node.errors import Gone, NotFound
from node.learning import commands, queries
from node.learning.rules import form_of, parse_module
from node.social import queries as timelines
from schemas.learning import is_announcement, is_module
from schemas.learning import parse_module as parse_document
from tests.node.house import settle_in, state
from tests.node.neighbours import actor, follow, know

FORM = {
    "title": "Reading a contract",
    "summary": "What to look for, and in which order.",
    "body": "# Reading a contract\n\n## Who\n\nBegin with the **parties**.\n\n## What\n\nThen the work.",
    "skills": "contract law",
    "licence": "CC-BY-4.0",
    "minutes": "90",
}


@pytest.fixture
async def house(ground):
    """`(node, author)` of somebody whom Bo follows."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, know(tx, actor()), account.actor_id))
    yield node, await node.author(account.actor_id)
    await node.client.close()


async def published(node, author, **changes: str) -> str:
    return await node.db.write(commands.publish_module, author, parse_module(FORM | changes))


async def bodies(node) -> list[dict]:
    rows = await node.db.read(lambda tx: tx.rows(sa.select(activities.c.body).order_by(activities.c.id)))
    return [msgspec.json.decode(row.body) for row in rows]


async def stored(node, object_id: str) -> dict:
    found = sa.select(objects.c.body).where(objects.c.id == object_id)
    return msgspec.json.decode(await node.db.read(lambda tx: tx.scalar(found)))


async def test_a_module_is_an_article_and_the_note_that_announces_it(house):
    node, author = house
    module_id = await published(node, author)
    view = await node.db.read(queries.module, module_id)
    article, note = await stored(node, module_id), await stored(node, view.announcement)
    for document in (article, note):
        read_proof(document).verify(author.ed25519.public)
    assert is_module(article)
    assert not is_announcement(article)
    assert is_announcement(note)
    assert note["type"] == "Note"
    assert "name" not in note
    assert view.page in note["content"]
    assert article["content"].startswith("<h1>Reading a contract</h1>")
    assert [body["type"] for body in await bodies(node)] == ["Create", "Create"]
    rows = await node.db.read(lambda tx: tx.rows(sa.select(deliveries.c.inbox)))
    assert [row.inbox for row in rows] == ["https://bo.example/inbox"] * 2


async def test_what_travels_reads_back_as_what_was_written(house):
    node, author = house
    parsed = parse_document(await stored(node, await published(node, author)))
    assert (parsed.title, parsed.summary, parsed.minutes) == ("Reading a contract", FORM["summary"], 90)
    assert parsed.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert [skill.name for skill in parsed.skills] == ["contract law"]


async def test_the_title_stands_once_on_the_page(house):
    node, author = house
    view = await node.db.read(queries.module, await published(node, author))
    assert "Reading a contract" not in view.body_html
    assert view.body_html.startswith("<h2>Who</h2>") or view.body_html.startswith("<h3>Who</h3>")
    assert view.duration == "1 hour 30 minutes"
    assert view.path == f"/@alice/learn/{view.name}"


async def test_the_author_sees_the_module_once_in_the_timeline(house):
    node, author = house
    module_id = await published(node, author)
    entries = await node.db.read(timelines.home, author.actor_id)
    assert [(entry.object_id, entry.kind, entry.verification) for entry in entries] == [(module_id, "module", "signed")]


async def test_a_long_module_travels_as_its_id_and_stands_whole_at_it(house):
    node, author = house
    module_id = await published(
        node, author, body="\n\n".join(f"Paragraph {number} of many." for number in range(4000))
    )
    create, announce = sorted(await bodies(node), key=lambda body: isinstance(body["object"], dict))
    assert create["object"] == module_id
    assert announce["object"]["type"] == "Note"
    assert max(len(msgspec.json.encode(body)) for body in (create, announce)) < 50_000
    document = await stored(node, module_id)
    assert "Paragraph 3999" in document["content"]
    read_proof(document).verify(author.ed25519.public)


async def test_a_change_reaches_both_and_no_change_reaches_nobody(house):
    node, author = house
    module_id = await published(node, author)
    view = await node.db.read(queries.own_module, author.actor_id, module_id)
    before = await state(node.db)
    assert await node.db.write(commands.edit_module, author, module_id, parse_module(form_of(view))) == 0
    assert await state(node.db) == before
    draft = parse_module(form_of(view) | {"title": "Reading any contract"})
    assert await node.db.write(commands.edit_module, author, view.name, draft) == 1
    assert [body["type"] for body in await bodies(node)] == ["Create", "Create", "Update", "Update"]
    changed = await node.db.read(queries.module, module_id)
    assert (changed.title, changed.published, changed.announcement) == (draft.title, view.published, view.announcement)
    assert "Reading any contract" in (await stored(node, view.announcement))["content"]


async def test_a_deleted_module_leaves_two_tombstones_and_no_view(house):
    node, author = house
    module_id = await published(node, author)
    view = await node.db.read(queries.module, module_id)
    await node.db.write(commands.delete_module, author, module_id)
    with pytest.raises(Gone):
        await node.db.read(queries.module, module_id)
    assert await node.db.read(timelines.home, author.actor_id) == []
    gone = sa.select(objects.c.type).where(objects.c.id.in_([module_id, view.announcement]))
    assert [row.type for row in await node.db.read(lambda tx: tx.rows(gone))] == ["Tombstone", "Tombstone"]
    assert [body["type"] for body in await bodies(node)][2:] == ["Delete", "Delete"]


async def test_nobody_else_changes_it(house):
    node, author = house
    module_id = await published(node, author)
    before = await state(node.db)
    for who in ("https://bo.example/users/bo", "https://alice.example/users/carol"):
        with pytest.raises(NotFound):
            await node.db.read(queries.own_module, who, module_id)
    assert await state(node.db) == before


async def test_lists_know_whose_it_is(house):
    node, author = house
    await published(node, author)
    assert [view.title for view in await node.db.read(queries.modules, author.actor_id)] == ["Reading a contract"]
    assert await node.db.read(queries.modules, "https://bo.example/users/bo") == []
    assert await node.db.read(queries.count) == 1


async def test_without_a_summary_the_announcement_says_how_it_begins(house):
    node, author = house
    view = await node.db.read(queries.module, await published(node, author, summary=""))
    said = (await stored(node, view.announcement))["content"]
    assert "Who Begin with the parties." in said
    assert said.count("Reading a contract") == 1


async def test_the_longest_module_reads_back_whole(house):
    node, author = house
    body = "\n\n".join(f"Paragraph {number} of a *long* text & its <end>." for number in range(4_000))
    module_id = await published(node, author, body=body)
    parsed = parse_document(await stored(node, module_id))
    assert "Paragraph 3999 of" in parsed.content
    by_id, embedded = sorted((body["object"] for body in await bodies(node)), key=lambda told: isinstance(told, dict))
    assert by_id == module_id  # the text travels when it is asked for
    assert embedded["type"] == "Note"
