"""The shelf, a module and its forms, through a real port."""

from __future__ import annotations

import json
import re

import pytest

from federation.tables import blocks, mutes
from node.app import web_application
from node.inboxes import HANDLERS
from node.learning import queries
from tests.node.house import PASSWORD, serving, settle_in, state
from tests.node.learning.test_commands import FORM
from tests.node.learning.test_inbox import article
from tests.node.neighbours import BO, actor, follow, know, received

AP = {"Accept": "application/activity+json"}


@pytest.fixture
async def house(ground):
    """`(node, visitor)`, nobody signed in."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor())))
    async with serving(web_application(node)) as visitor:
        yield node, visitor
    await node.client.close()


async def sign_in(visitor) -> None:
    await visitor.submit("/sign-in", name="alice", password=PASSWORD)


async def test_a_module_goes_from_form_to_page_to_change_to_end(house):
    _, visitor = house
    await sign_in(visitor)
    page = await visitor.submit("/learn/new", **FORM)
    assert page.status == 200
    path = page.url.removeprefix(visitor.origin)
    assert "Signature verified" in page.text
    assert 'href="#t-who"' in page.text
    assert 'id="t-who"' in page.text
    assert page.text.count("<h1") == 1
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)[1])
    assert (data["@type"], data["timeRequired"]) == ("LearningResource", "PT1H30M")
    name = path.rpartition("/")[2]
    edited = await visitor.submit(f"/learn/{name}/edit", **FORM | {"title": "Reading any contract"})
    assert '<h1 class="display" dir="auto">Reading any contract</h1>' in edited.text
    question = await visitor.get(f"/learn/{name}/delete")
    assert "Delete “" in question.text
    shelf = await visitor.submit(f"/learn/{name}/delete")
    assert "Nothing to learn here yet" in shelf.text
    assert (await visitor.get(path)).status == 410


async def test_errors_stand_beside_their_fields_and_nothing_is_lost(house):
    node, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit("/learn/new", **FORM | {"minutes": "a while", "title": ""})
    assert page.status == 422
    assert 'id="minutes-error"' in page.text
    assert 'href="#title"' in page.text
    assert "Begin with the **parties**" in page.text
    assert await state(node.db) == before


async def test_a_module_of_20_mb_is_refused_and_nothing_changes(house):
    node, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit("/learn/new", **FORM | {"body": "x" * 20_000_000})
    assert page.status == 413
    page = await visitor.submit("/learn/new", **FORM | {"body": "x" * 500_000})
    assert page.status == 422
    assert "200,000 characters" in page.text
    assert await state(node.db) == before


async def test_a_server_gets_the_document_and_a_stranger_no_form(house):
    _, visitor = house
    await sign_in(visitor)
    path = (await visitor.submit("/learn/new", **FORM)).url
    page = await visitor.get(path, **AP)
    assert json.loads(page.text)["type"] == "Article"
    visitor.http.cookie_jar.clear()
    assert "/edit" not in (await visitor.get(path)).text
    assert (await visitor.get("/learn/new")).url.startswith(f"{visitor.origin}/sign-in")


async def test_what_others_teach_stands_on_the_shelf_with_its_seal(house):
    node, visitor = house
    message = received("Create", article(node), verification="unchecked")
    await node.db.write(HANDLERS["Create", "Article"], message, node.authors)
    shelf = await visitor.get("/learn")
    assert "Charts that everybody can read" in shelf.text
    assert "Could not check" in shelf.text
    page = await visitor.get("/seen?id=https%3A%2F%2Fbo.example%2Fusers%2Fbo%2Flearn%2F1")
    assert page.status == 200
    assert "This is a copy" in page.text
    assert "alert(1)" not in page.text.replace("application/ld+json", "")


async def test_the_picture_of_a_module_is_shown_on_its_page_and_at_home(house):
    node, visitor = house
    document = article(node, image={"type": "Image", "url": "https://bo.example/sail.png", "name": "A sail"})
    await node.db.write(HANDLERS["Create", "Article"], received("Create", document), node.authors)
    await sign_in(visitor)
    for path in ("/seen?id=https%3A%2F%2Fbo.example%2Fusers%2Fbo%2Flearn%2F1", "/home"):
        text = (await visitor.get(path)).text
        assert re.search(r'<img src="/media/remote/[^"]+/shown/[^"]+" alt="A sail"', text), path


@pytest.mark.parametrize("table", [blocks, mutes], ids=["blocked", "muted"])
async def test_modules_of_whom_the_reader_blocks_or_mutes_are_not_on_the_shelf(house, table):
    node, visitor = house
    await node.db.write(HANDLERS["Create", "Article"], received("Create", article(node)), node.authors)
    apart = {"actor": node.ids.actor("alice"), "target": BO}
    await node.db.write(lambda tx: tx.execute(table.insert().values(created_at=tx.now, **apart)))
    assert "Charts that everybody can read" in (await visitor.get("/learn")).text, "everybody else sees them"
    await sign_in(visitor)
    assert "Charts that everybody can read" not in (await visitor.get("/learn")).text
    assert await node.db.read(queries.count) == 1
    assert await node.db.read(lambda tx: queries.count(tx, reader=apart["actor"])) == 0
