"""The board, a gig and its forms, through a real port."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from federation.tables import blocks, host_rules, mutes
from node.app import web_application
from node.market import commands, inbox, queries
from node.market.pages import PAGE_SIZE
from node.market.rules import parse_gig
from tests.node.house import PASSWORD, serving, settle_in, state
from tests.node.market.test_inbox import gig
from tests.node.neighbours import BO, actor, follow, know, received
from tests.node.profiles.test_pages import AP, Checked, words

FORM = {
    "purpose": "request",
    "title": "Charts <for> the visitor survey",
    "body": "Six charts.\n\n## How we pay\n\nBy bank transfer.",
    "skills": "data visualisation",
    "more_skills": "Python",
    "price": "52",
    "currency": "GBP",
    "unit": "hour",
    "available": "40",
    "minimum": "10",
}


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`, nobody signed in."""
    node, account = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


async def sign_in(visitor) -> None:
    await visitor.submit("/sign-in", name="alice", password=PASSWORD)


async def published(node, author, **changes: str) -> queries.GigView:
    draft = parse_gig(FORM | changes, node.clock.now().date())
    return await node.db.read(queries.gig, await node.db.write(commands.publish_gig, author, draft))


def main(text: str) -> str:
    return text.partition("<main")[2].partition("</main>")[0]


async def test_a_gig_goes_from_form_to_page_to_change_to_close(house):
    node, _, visitor = house
    await sign_in(visitor)
    until = (node.clock.now().date() + timedelta(days=9)).isoformat()
    page = await visitor.submit("/gigs/new", **FORM, until=until)
    assert re.fullmatch(rf"{visitor.origin}/@alice/gigs/[0-9a-z]{{26}}", page.url)
    said = words(page.text)
    for words_of in ("Looking for somebody", "Charts <for> the visitor survey", "GBP 52 an hour", "How we pay",
                     "At least 10 hours, 40 hours in all", "Answer by", "Signature verified"):  # fmt: skip
        assert words_of in said
    assert f'<time datetime="{until}T23:59:59Z">' in page.text
    path = page.url.removeprefix(visitor.origin)
    name = path.rpartition("/")[2]

    form = await visitor.get(f"/gigs/{name}/edit")
    for value in ("52.00", "data visualisation, Python", until, "40"):
        assert f'value="{value}"' in form.text
    node.clock.offset += timedelta(minutes=1)
    page = await visitor.submit(f"/gigs/{name}/edit", **FORM | {"price": "60.50", "more_skills": ""})
    assert page.url == visitor.origin + path
    assert "GBP 60.50 an hour" in words(page.text)
    assert "Answer by" not in words(page.text)

    page = await visitor.submit(f"/gigs/{name}/close")
    assert page.url == visitor.origin + path
    said = words(page.text)
    assert "This gig is closed It takes no more answers." in said
    assert "Closed on" in said
    assert "Edit" not in main(page.text)
    for refused in ("edit", "close"):
        assert (await visitor.get(f"/gigs/{name}/{refused}")).status == 403
    assert [view.state(node.clock.now()) for view in await node.db.read(queries.board)] == ["closed"]


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_published(house):
    node, _, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit("/gigs/new", **FORM | {"price": "lots", "title": "", "until": "2020-01-01"})
    assert page.status == 422
    for field in ("price", "title", "until"):
        assert f'id="{field}-error"' in page.text
        assert f'href="#{field}"' in page.text
    assert 'value="lots"' in page.text
    assert "Not published yet. 3 things to mend" in words(page.text)
    assert "Six charts." in page.text
    assert await state(node.db) == before


async def test_a_wrong_change_changes_nothing(house):
    node, author, visitor = house
    view = await published(node, author)
    await sign_in(visitor)
    before = await state(node.db)
    page = await visitor.submit(f"/gigs/{view.name}/edit", **FORM | {"minimum": "41"})
    assert page.status == 422
    assert "more than there is in all" in page.text
    assert await state(node.db) == before


async def test_a_stranger_publishes_changes_and_closes_nothing(house):
    node, author, visitor = house
    view = await published(node, author)
    before = await state(node.db)
    for path in ("/gigs/new", f"/gigs/{view.name}/edit", f"/gigs/{view.name}/close"):
        assert "/sign-in?next=" in (await visitor.get(path)).url
        assert (await visitor.post(path, **FORM)).status == 403
    assert "/edit" not in main((await visitor.get(view.path)).text)
    assert await state(node.db) == before


@pytest.mark.parametrize("name", ["nothing", "0" * 26, "x" * 3_000, "%2e%2e", "a%2Fb"])
async def test_a_gig_that_is_not_there_is_a_page_that_says_so(house, name: str):
    _, _, visitor = house
    await sign_in(visitor)
    for path in (f"/@alice/gigs/{name}", f"/gigs/{name}/edit", f"/gigs/{name}/close"):
        assert (await visitor.get(path)).status == 404


async def test_a_gig_is_read_by_programs(house):
    node, author, visitor = house
    for purpose, kind in (("request", "JobPosting"), ("offer", "Service")):
        view = await published(node, author, purpose=purpose)
        page = await visitor.get(view.path)
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)[1])
        assert data["@type"] == kind
        assert "Charts <for> the visitor survey" in (data.get("title"), data.get("name"))
        price = data.get("baseSalary") or data["offers"]["priceSpecification"]
        assert (price["price"], price["priceCurrency"], price["unitCode"]) == ("52.00", "GBP", "HUR")
        assert '<meta property="og:title" content="Charts &lt;for&gt; the visitor survey">' in page.text
        document = await visitor.get(view.path, Accept=AP)
        assert json.loads(document.text)["id"] == view.id
        assert document.headers["Content-Type"].startswith(AP)


async def test_the_board_has_a_tab_for_each_kind_and_finds_words(house):
    node, author, visitor = house
    await published(node, author)
    await published(node, author, purpose="offer", title="Voices for museums", skills="sound design")
    said = words((await visitor.get("/gigs")).text)
    assert "All 2 Wanted 1 Offered 1" in said
    assert "Mine" not in said
    offers = words((await visitor.get("/gigs?purpose=offer")).text)
    assert "Voices for museums" in offers
    assert "Charts <for>" not in offers
    for query in ("words=museum", "q=sound+design", "purpose=nonsense&words=MUSEUMS"):
        found = words((await visitor.get(f"/gigs?{query}")).text)
        assert "Voices for museums" in found
        assert "Charts <for>" not in found
    assert "Nothing fits" in words((await visitor.get("/gigs?words=zebra")).text)
    await sign_in(visitor)
    assert "Mine 2" in words((await visitor.get("/gigs?purpose=mine")).text)


async def test_closed_gigs_stand_on_the_board_only_when_asked_for(house):
    node, author, visitor = house
    view = await published(node, author)
    await node.db.write(commands.close_gig, author, view.id)
    assert "No gigs yet" in words((await visitor.get("/gigs")).text)
    assert "Closed on" in words((await visitor.get("/gigs?over=yes")).text)
    await sign_in(visitor)
    assert "Closed on" in words((await visitor.get("/gigs?purpose=mine")).text)


async def test_an_empty_board_teaches(house):
    _, _, visitor = house
    assert "Offer work" not in words((await visitor.get("/gigs")).text)
    await sign_in(visitor)
    assert "Offer work" in words((await visitor.get("/gigs")).text)


async def test_gigs_of_others_stand_beside_ours_with_who_says_it(house):
    node, author, visitor = house
    await published(node, author)
    await node.db.write(know, actor(), acct="bo@bo.example")
    await node.db.write(inbox.on_gig, received("Create", gig(), verification="delivered"), node.authors)
    page = await visitor.get("/gigs")
    said = words(page.text)
    assert "Charts that everybody can read" in said
    assert "SEK 900 an hour" in said
    assert "Bo Lindqvist @bo@bo.example" in said
    assert "Delivered by its server" in said
    assert "/seen?id=https%3A%2F%2Fbo.example%2Fusers%2Fbo%2Fgigs%2F1" in page.text


async def test_pictures_and_files_of_a_gig_are_shown_with_it_and_fold_when_they_are_sensitive(house):
    node, author, visitor = house
    await node.db.write(lambda tx: follow(tx, author.actor_id, know(tx, actor())))
    chart = {"type": "Image", "url": "https://bo.example/chart.png", "mediaType": "image/png", "name": "A chart <1>"}
    brief = {"type": "Document", "url": "https://bo.example/brief.pdf", "mediaType": "application/pdf"}
    await sign_in(visitor)
    for number, folds in enumerate((False, True), 1):
        document = gig(
            attachment=[chart, brief],
            sensitive=folds,
            published=f"2026-11-2{number}T10:00:00Z",
            id=f"{BO}/gigs/{number}",
        )
        await node.db.write(inbox.on_gig, received("Create", document, number=number), node.authors)
        said = main((await visitor.get(f"/seen?id={quote(document['id'], safe='')}")).text)
        home = main((await visitor.get("/home")).text).partition(' class="embed"')[2].partition("</article>")[0]
        for text in (said, home):
            assert re.search(r'<img src="/media/remote/[^"]+/shown/[^"]+" alt="A chart &lt;1&gt;"', text)
            assert ("would not show to everybody" in text) is folds
        assert 'href="https://bo.example/brief.pdf" rel="nofollow noopener noreferrer"' in said


async def test_gigs_of_a_blocked_server_are_not_shown(house):  # SECURITY, rule 8
    node, _, visitor = house
    await node.db.write(know, actor())
    await node.db.write(inbox.on_gig, received("Create", gig()), node.authors)
    rule = {"host": "bo.example", "rule": "block", "reason": ""}
    await node.db.write(lambda tx: tx.execute(host_rules.insert().values(created_at=tx.now, **rule)))
    await node.db.read(node.policy.load)
    assert "Charts that everybody can read" not in (await visitor.get("/gigs")).text


@pytest.mark.parametrize("table", [blocks, mutes], ids=["blocked", "muted"])
async def test_gigs_of_whom_the_reader_blocks_or_mutes_are_neither_shown_nor_counted(house, table):
    node, author, visitor = house
    await node.db.write(know, actor())
    await node.db.write(inbox.on_gig, received("Create", gig()), node.authors)
    apart = {"actor": author.actor_id, "target": BO}
    await node.db.write(lambda tx: tx.execute(table.insert().values(created_at=tx.now, **apart)))
    assert "Charts that everybody can read" in (await visitor.get("/gigs")).text, "everybody else sees them"
    await sign_in(visitor)
    page = await visitor.get("/gigs")
    assert "Charts that everybody can read" not in page.text
    assert "All 0" in words(page.text)


async def test_many_gigs_are_shown_a_page_at_a_time(house):
    node, author, visitor = house
    for number in range(PAGE_SIZE + 3):
        await published(node, author, title=f"Gig number {number:02}.")
        node.clock.offset += timedelta(seconds=1)
    first = await visitor.get("/gigs?purpose=request")
    assert first.text.count('<article class="card">') == PAGE_SIZE
    assert "Page 1 of 2" in words(first.text)
    assert 'href="/gigs?purpose=request&amp;page=2"' in first.text
    second = await visitor.get("/gigs?purpose=request&page=2")
    assert second.text.count('<article class="card">') == 3
    assert "Gig number 00." in words(second.text)
    for odd in ("0", "-1", "1e9", "999999999999", "²", "x", ""):  # SECURITY 94
        page = await visitor.get(f"/gigs?page={odd}")
        assert page.status == 200


async def test_words_may_be_anything(house):
    _, _, visitor = house
    for query in ("%25%27%22%3Cscript%3E", "x" * 5_000, "%F0%9F%99%82", "a%0Ab", "+" * 50):
        page = await visitor.get(f"/gigs?words={query}")
        assert page.status == 200
        assert "<script>" not in main(page.text)


@pytest.mark.parametrize("state_of_it", ["open", "closed"])
async def test_pages_are_well_formed(house, state_of_it: str):
    node, author, visitor = house
    view = await published(node, author)
    await sign_in(visitor)
    paths = [view.path, "/gigs", f"/gigs/{view.name}/edit", f"/gigs/{view.name}/close", "/@alice"]
    if state_of_it == "closed":
        await node.db.write(commands.close_gig, author, view.id)
        paths = [view.path, "/gigs?over=yes", "/gigs?purpose=mine"]
    for path in paths:
        page = await visitor.get(path)
        assert page.status == 200
        checked = Checked()
        checked.feed(page.text)
        assert checked.open == []
