"""The pages of a visitor who asks, and of whoever is asked: what they refuse, how often, and what they tell nobody."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from node.app import web_application
from node.mail.tables import mails
from node.market.commands import publish_gig
from node.market.rules import parse_gig
from node.messages.tables import asks, conversations
from node.settings import Secret
from tests.node.house import serving, settle_in, sign_in, state
from tests.people import GIG

VERA = {"name": "Vera", "address": "vera@example.org", "text": "Are you free in May?"}


@pytest.fixture
async def house(ground):
    """`(node, visitor)`: a mail server is named, and nobody is signed in."""
    object.__setattr__(ground.settings.mail, "smtp_url", Secret("smtp://127.0.0.1:9"))
    async with opened(ground) as made:
        yield made


@asynccontextmanager
async def opened(ground):
    node, _ = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        yield node, visitor
    await node.client.close()


async def letters(node):
    return [row.text for row in await node.db.read(lambda tx: tx.rows(sa.select(mails).order_by(mails.c.id)))]


def link(text):
    return re.search(r"https://alice\.example(/\S+)", text)[1]


async def test_without_a_mail_server_nobody_is_asked_for_anything(ground):
    async with opened(ground) as (node, visitor):
        page = await visitor.get("/@alice/ask")
        assert "This server sends no mail" in page.text
        assert 'name="address"' not in page.text
        token = await visitor.token("/sign-in")
        before = await state(node.db)
        page = await visitor.post("/@alice/ask", csrf=token, **VERA)
        assert (page.status, "sends no mail" in page.text) == (422, True)
        assert await state(node.db) == before


async def test_120_questions_are_taken_as_often_as_somebody_asks_and_no_oftener(house):
    node, visitor = house
    token = await visitor.token("/@alice/ask")

    async def ask(**changes):
        return (await visitor.post("/@alice/ask", csrf=token, **VERA | changes)).status

    before = await state(node.db)
    assert await ask(address="not an address") == 422
    assert await ask(text="") == 422
    assert await state(node.db) == before
    assert [await ask() for _ in range(4)] == [200, 200, 200, 429]  # to one address
    before = await state(node.db)
    assert [await ask(address=f"v{n}@example.org") for n in range(3)] == [200, 429, 429]  # from one network
    after = {row.table: row.digest for row in await state(node.db)}
    changed = {row.table for row in before if after[row.table] != row.digest}
    assert changed == {"asks", "mails"}
    assert len(await letters(node)) == 4


async def test_a_link_is_a_key_and_looking_at_it_sends_nothing(house):
    node, visitor = house
    gig = await node.db.write(
        publish_gig, await node.author(node.ids.actor("alice")), parse_gig(GIG, node.clock.now().date())
    )
    await visitor.submit(f"/@alice/ask?about={gig}", about=gig, website="", **VERA)
    path = link((await letters(node))[0])
    before = await state(node.db)
    page = await visitor.get(path)
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert await state(node.db) == before
    wrong = await visitor.post(f"{path}x", csrf=await visitor.token(path))
    assert wrong.status == 404
    for secret in (path.rpartition("/")[2], "x"):  # not confirmed, and never there
        absent = await visitor.get(f"/enquiries/{secret}")
        assert (absent.status, absent.text) == (404, (await visitor.get("/enquiries/y")).text)
    assert await state(node.db) == before
    page = await visitor.submit(path)
    assert (page.status, "Are you free in May?" in page.text) == (200, True)
    [row] = await node.db.read(lambda tx: tx.rows(sa.select(conversations)))
    assert (row.about, row.state) == (gig, "enquiry")
    assert (await visitor.post(path, csrf=await visitor.token(page.url))).status == 404  # once


async def test_who_cannot_be_asked_and_what_nobody_asks(house):
    node, visitor = house
    token = await visitor.token("/@alice/ask")
    before = await state(node.db)
    for handle in ("nobody", "instance.actor", "bo@bo.example"):
        assert (await visitor.get(f"/@{handle}/ask")).status == 404, handle
        asked = VERA | {"address": f"{handle.partition('@')[0]}@example.org"}
        assert (await visitor.post(f"/@{handle}/ask", csrf=token, **asked)).status == 404, handle
    page = await visitor.post("/@alice/ask", csrf=token, website="https://buy.example", **VERA)
    assert "Look into your mail" in page.text  # a program that fills in everything is told what it wants to hear
    assert await state(node.db) == before
    foreign = "https://bo.example/users/bo/gigs/1"
    await visitor.post("/@alice/ask", csrf=token, about=foreign, **VERA | {"address": "w@example.org"})
    [row] = await node.db.read(lambda tx: tx.rows(sa.select(asks)))
    assert row.about is None


async def test_an_address_for_notices_is_confirmed_by_whom_it_belongs_to(house):
    node, visitor = house
    await sign_in(visitor)
    token = await visitor.token("/settings/notices")
    before = await state(node.db)
    for wrong in ("alice", "a@b.example\r\nBcc: c@d.example"):
        page = await visitor.post("/settings/notices/address", csrf=token, address=wrong)
        assert (page.status, "not a mail address" in page.text) == (422, True)
    assert (await visitor.post("/settings/notices", csrf=token, reach="hourly")).status == 422
    assert await state(node.db) == before
    page = await visitor.post("/settings/notices/address", csrf=token, address="alice@example.org")
    path = link((await letters(node))[0])
    assert "Not confirmed yet" in (await visitor.get("/settings/notices")).text
    before = await state(node.db)
    assert (await visitor.get(path)).status == 200
    assert (await visitor.post(f"{path}x", csrf=token)).status == 404
    assert await state(node.db) == before
    assert "Confirmed" in (await visitor.post(path, csrf=token)).text
    assert 'value="never" selected' in (await visitor.post("/settings/notices", csrf=token, reach="never")).text
