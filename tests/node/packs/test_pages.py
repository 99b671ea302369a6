"""Starter packs through a real port: publish, look, bring by address or by file, follow some."""

from __future__ import annotations

import json
from datetime import timedelta

import aiohttp
import pytest
import sqlalchemy as sa

from federation.tables import follows
from keys.proofs import read_proof
from node.app import web_application
from node.packs.commands import tidy
from node.packs.tables import pack_visits
from node.relations.worker import RelationsWorker
from schemas.packs import MAX_MEMBERS, parse_pack
from tests.node.house import PASSWORD, serving, settle_in, state
from tests.node.neighbours import BO, actor, know
from tests.node.social.test_commands import neighbour

AP = {"Accept": "application/activity+json"}
EVE = "https://eve.example/users/eve"
FORM = {"name": "People who draw", "summary": "For a start.", "members": "@bo@bo.example\n@carol@alice.example"}


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`: Alice is signed in and follows nobody; Bo, Eve and Carol are known."""
    node, account = await settle_in(ground)

    def write(tx):
        know(tx, actor(), acct="bo@bo.example")
        know(tx, actor(EVE) | {"discoverable": False}, acct="eve@eve.example")

    await node.db.write(write)
    await neighbour(node)
    async with serving(web_application(node)) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


async def made(visitor, **changes):
    """A pack of Alice's; returns its page's path and its document."""
    page = await visitor.submit("/packs/new", **FORM | changes)
    assert page.status == 200, page.text
    path = page.url.removeprefix(visitor.origin)
    assert path.startswith("/@alice/packs/"), page.text
    return path, json.loads((await visitor.get(path, **AP)).text)


async def send_file(visitor, body: bytes, page="/packs"):
    form = aiohttp.FormData({"csrf": await visitor.token(page)})
    form.add_field("file", body, filename="pack.json", content_type="application/json")
    headers = {"Accept": "text/html", "Origin": visitor.origin}
    async with visitor.http.post(f"{visitor.origin}/packs/bring", data=form, headers=headers) as answer:
        return answer.status, str(answer.url), await answer.text()


async def test_a_pack_is_signed_and_served_as_a_collection(house):
    _, author, visitor = house
    path, document = await made(visitor)
    assert document["type"] == "Collection"
    assert document["items"][0] == {"type": "Link", "href": BO, "name": "@bo@bo.example"}
    assert (document["totalItems"], document["attributedTo"]) == (2, author.actor_id)
    read_proof(document).verify(author.ed25519.public)
    assert parse_pack(document).members[1].handle == "carol@alice.example"
    visitor.http.cookie_jar.clear()
    file = await visitor.get(f"{path}?as=file")
    assert json.loads(file.text) == document
    assert file.headers["Content-Type"].startswith("application/json")
    assert file.headers["Content-Disposition"].startswith("attachment")
    page = await visitor.get(path)
    assert "People who draw" in page.text
    assert "Bo Lindqvist" in page.text
    assert "Follow some" not in page.text


async def test_it_is_changed_where_it_stands_and_taken_away_for_ever(house):
    _, author, visitor = house
    path, before = await made(visitor)
    name = path.rpartition("/")[2]
    page = await visitor.submit(
        f"/packs/{name}/edit", **FORM | {"name": "People who paint", "members": "bo@bo.example"}
    )
    assert "People who paint" in page.text
    after = json.loads((await visitor.get(path, **AP)).text)
    assert (after["id"], after["totalItems"]) == (before["id"], 1)
    assert after["updated"] >= after["published"] == before["published"]
    read_proof(after).verify(author.ed25519.public)
    assert "Delete this pack?" in (await visitor.get(f"/packs/{name}/delete")).text
    await visitor.submit(f"/packs/{name}/delete")
    assert (await visitor.get(path)).status == 410
    assert (await visitor.get(path, **AP)).status == 410
    assert "You publish no pack yet" in (await visitor.get("/packs")).text


LACKS = [
    ({"name": ""}, "Give it a name"),
    ({"members": ""}, "Name at least one person"),
    ({"members": "@eve@eve.example"}, "Wants to stand in no list"),
    ({"members": "@nobody@alice.example"}, "Nobody is to be found here"),
    ({"members": " ".join(f"@p{number}@bo.example" for number in range(MAX_MEMBERS + 1))}, "at most 150 people"),
]


async def test_what_a_pack_lacks_is_said(house):
    node, _, visitor = house
    before = await state(node.db)
    for changes, sentence in LACKS:
        page = await visitor.submit("/packs/new", **FORM | changes)
        assert page.status == 422, changes
        assert sentence in page.text
    assert await state(node.db) == before


async def test_a_file_is_taken_over_and_some_are_followed(house):
    """Whoever made it lives here, so that their key can be asked for; the file comes from anywhere."""
    node, author, visitor = house
    _, document = await made(visitor)
    status, url, text = await send_file(visitor, json.dumps(document, ensure_ascii=False).encode())
    assert status == 200, text
    assert "Signature verified" in text
    assert f'value="{BO}" checked' in text
    visit = url.removeprefix(visitor.origin)
    page = await visitor.submit(visit, who=f"{author.ids.origin}/users/carol")
    assert page.url.startswith(f"{visitor.origin}/settings/lists/")
    worker = RelationsWorker(node)
    while await worker.step():
        pass
    rows = await node.db.read(lambda tx: tx.rows(sa.select(follows.c.followee, follows.c.state)))
    assert [tuple(row) for row in rows] == [(f"{author.ids.origin}/users/carol", "accepted")]
    assert "You follow them" in (await visitor.get(visit)).text
    page = await visitor.submit(visit, who="https://mallory.example/users/mallory")
    assert (page.status, "Choose somebody first" in page.text) == (422, True)


async def test_what_was_changed_or_is_no_pack_is_refused(house):
    node, _author, visitor = house
    _, document = await made(visitor)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    many = unsigned | {"items": [f"https://h{number}.example/u" for number in range(MAX_MEMBERS + 1)]}
    strange = [
        document | {"name": "Other people"},
        document | {"items": [*document["items"], {"type": "Link", "href": EVE}]},
        document | {"attributedTo": BO},
        unsigned,
        many,
        unsigned | {"items": []},
        unsigned | {"items": [{"href": "javascript:alert(1)"}, 7, None, ["x"]]},
        unsigned | {"type": "Note"},
        unsigned | {"id": "x"},
        {},
    ]
    bodies = [json.dumps(one).encode() for one in strange]
    bodies += [
        b"",
        b"[]",
        b"\xff",
        b'{"type":"Collection","type":"x"}',
        b"[" * 10_000,
        b'{"a":"' + b"x" * 199_000 + b'"}',
    ]
    before = await state(node.db)
    for body in bodies:
        status, _url, text = await send_file(visitor, body)
        assert status == 422, body[:200]
        assert 'class="notice bad"' in text
    assert (await send_file(visitor, b"x" * 300_000))[0] == 413
    for address in (
        "",
        "x",
        "ftp://x/y",
        "https://127.0.0.1/x",
        "https://alice.example/users/alice",
        "https://nobody.invalid/p",
    ):
        page = await visitor.submit("/packs/bring", page="/packs", url=address)
        assert page.status == 422, address
    assert await state(node.db) == before


async def test_a_visit_is_ones_own_and_ends_after_a_week(house):
    node, author, visitor = house
    path, _ = await made(visitor)
    page = await visitor.submit("/packs/bring", page="/packs", url=f"{author.ids.origin}{path}")
    visit = page.url.removeprefix(visitor.origin)
    assert "Bo Lindqvist" in page.text
    await node.db.write(lambda tx: tx.execute(sa.update(pack_visits).values(reader=f"{author.ids.origin}/users/carol")))
    assert (await visitor.get(visit)).status == 404
    for _number in range(21):
        await visitor.submit("/packs/bring", page="/packs", url=f"{author.ids.origin}{path}")
    rows = await node.db.read(lambda tx: tx.rows(sa.select(pack_visits.c.reader)))
    assert len([row for row in rows if row.reader == author.actor_id]) == 20
    node.clock.offset += timedelta(days=8)
    await node.db.write(tidy)
    assert await node.db.read(lambda tx: tx.rows(sa.select(pack_visits))) == []


async def test_the_first_day_begins_with_a_pack_or_a_handle(house):
    _, _author, visitor = house
    page = await visitor.get("/home")
    assert 'href="/setup/hello"' in page.text
    page = await visitor.get("/setup/hello")
    assert "Whose work do you want to see?" in page.text
    page = await visitor.post(
        "/packs/bring", csrf=await visitor.token("/setup/hello"), url="nonsense", **{"from": "hello"}
    )
    assert page.status == 422
    assert "Whose work do you want to see?" in page.text
    page = await visitor.submit("/people/follow", page="/setup/hello", who="@carol@alice.example")
    assert page.url.endswith("/@carol")
    assert "You follow 1 person" in (await visitor.get("/setup/hello")).text
