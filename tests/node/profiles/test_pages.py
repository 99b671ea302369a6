"""The page of a person, and the form behind it, through a real port."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import aiohttp
import pytest
import sqlalchemy as sa
from PIL import Image

from federation.tables import activities
from node.app import web_application
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from node.market.commands import close_gig, publish_gig
from node.market.rules import parse_gig
from node.profiles import commands, queries
from node.profiles.rules import form_of, parse_profile
from node.profiles.sources import own_person
from node.social.commands import post
from node.social.rules import parse_post
from node.web.words import day
from tests.node.house import PASSWORD, serving, settle_in, state, token_in
from tests.node.neighbours import BO, actor, follow, know

AP = "application/activity+json"
FORM = {
    "name": "Alice Okafor",
    "headline": "I turn research into pages",
    "summary": "For **eleven** years.",
    "skills": "Python",
    "more_skills": "sailing",
    "rate": "68",
    "currency": "EUR",
    "unit": "hour",
    "availability": "open",
    "hours_per_week": "24",
    "languages": "English, Igbo",
    "links": "https://okafor.example/work",
    "discoverable": "yes",
    "indexable": "yes",
}


@pytest.fixture
async def house(ground):
    """`(node, actor id, visitor)`, nobody signed in."""
    node, account = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        yield node, account.actor_id, visitor
    await node.client.close()


async def save(visitor, picture: bytes | None = None, filename: str = "me.png", **fields: str):
    """What a browser sends from the edit page."""
    form = aiohttp.FormData(default_to_multipart=True)
    page = await visitor.get("/profile/edit")
    for name, value in {"csrf": token_in(page.text), **fields}.items():
        form.add_field(name, value)
    form.add_field("picture", picture or b"", filename=filename if picture else "", content_type="image/png")
    headers = {"Accept": "text/html", "Origin": visitor.origin}
    async with visitor.http.post(f"{visitor.origin}/profile/edit", data=form, headers=headers) as answer:
        return answer.status, str(answer.url).removeprefix(visitor.origin), await answer.text()


async def sign_in(visitor) -> None:
    await visitor.submit("/sign-in", name="alice", password=PASSWORD)


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), colour).save(out, "PNG")
    return out.getvalue()


def words(html: str) -> str:
    """The text of a page on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).replace("\xa0", " ").split())


async def test_the_answer_comes_first(house):
    node, actor_id, visitor = house
    day = (node.clock.now() + timedelta(days=12)).date()
    draft = parse_profile(FORM | {"free_from": day.isoformat()}, node.clock.now().date())
    await node.db.write(commands.save_profile, await node.author(actor_id), draft)
    page = await visitor.get("/@alice")
    said = words(page.text)
    assert page.status == 200
    assert said.index("Are you free yet?") < said.index("About")
    assert f"Yes, from {day.day} {day:%B} {day.year} , 24 hours a week." in said
    assert f'<time datetime="{day.isoformat()}">' in page.text
    assert "EUR 68 an hour" in said
    assert "English, Igbo" in said
    assert '<section class="answer" aria-labelledby="ask">' in page.text
    assert "Signature verified" in said


@pytest.mark.parametrize(("status", "kind", "says"), [("limited", "limited", "A little"), ("busy", "busy", "No.")])
async def test_the_panel_has_the_colour_of_its_word(house, status, kind, says):
    node, actor_id, visitor = house
    draft = parse_profile(FORM | {"availability": status}, node.clock.now().date())
    await node.db.write(commands.save_profile, await node.author(actor_id), draft)
    page = await visitor.get("/@alice")
    assert f'<section class="answer {kind}"' in page.text
    assert f"Are you free yet? {says}" in words(page.text)


async def test_a_profile_is_read_by_programs(house):
    node, actor_id, visitor = house
    await node.db.write(
        commands.save_profile, await node.author(actor_id), parse_profile(FORM, node.clock.now().date())
    )
    page = await visitor.get("/@alice")
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)[1])
    assert (data["@type"], data["name"], data["alternateName"]) == ("Person", "Alice Okafor", "@alice@alice.example")
    assert data["makesOffer"]["priceSpecification"]["price"] == "68.00"
    assert [skill["name"] for skill in data["knowsAbout"]] == ["Python", "sailing"]
    assert f'<link rel="alternate" type="application/activity+json" href="{actor_id}">' in page.text
    for property_name in ("og:title", "og:description", "og:url", "og:type"):
        assert f'property="{property_name}"' in page.text
    for name in ("h-card", "p-name", "p-job-title", "p-summary", "u-uid", "p-skill", 'rel="me '):
        assert name in page.text
    assert 'name="robots"' not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"], "the data is not executed"


async def test_who_asks_for_the_document_gets_it(house):
    _, actor_id, visitor = house
    page = await visitor.get("/@alice", Accept=AP)
    assert page.headers["Content-Type"].startswith(AP)
    assert json.loads(page.text)["id"] == actor_id
    assert "Accept" in page.headers["Vary"]


async def test_what_somebody_offers_and_teaches_stands_on_their_page(house):
    node, actor_id, visitor = house
    author, today = await node.author(actor_id), node.clock.now().date()
    gig = parse_gig(
        {"purpose": "offer", "title": "Two days with your worst form", "price": "640", "unit": "day"}, today
    )
    module = parse_module(
        {"title": "Five questions", "body": "Who rings you?", "licence": "CC-BY-4.0", "minutes": "20"}
    )
    gig_id = await node.db.write(publish_gig, author, gig)
    await node.db.write(publish_module, author, module)
    await node.db.write(post, author, parse_post({"body": "Good **morning**."}))
    await node.db.write(post, author, parse_post({"body": "Between us.", "audience": "followers"}))
    said = words((await visitor.get("/@alice")).text)
    assert "Gigs Offers work EUR 640 a day Two days with your worst form" in said
    assert "Teaches Module Five questions" in said
    assert "Posts Good morning . " in said
    assert "Between us" not in said
    assert said.count("Five questions") == 1, "the post that announces the module is not shown beside it"
    await node.db.write(close_gig, author, gig_id)
    assert "worst form" not in words((await visitor.get("/@alice")).text), "only what is open"


async def test_a_profile_may_keep_away_from_search_engines(house):
    node, actor_id, visitor = house
    draft = parse_profile(FORM | {"indexable": ""}, node.clock.now().date())
    await node.db.write(commands.save_profile, await node.author(actor_id), draft)
    assert '<meta name="robots" content="noindex">' in (await visitor.get("/@alice")).text


async def test_an_empty_profile_teaches_its_owner_and_nobody_else(house):
    _, _, visitor = house
    said = words((await visitor.get("/@alice")).text)
    assert "They have not said yet." in said
    assert "Write your profile" not in said
    await sign_in(visitor)
    said = words((await visitor.get("/@alice")).text)
    for teaches in ("You have not said yet.", "Say when you are free", "Write your profile", "Offer work"):
        assert teaches in said


async def test_an_old_answer_says_so_and_its_owner_confirms_it(house):
    node, actor_id, visitor = house
    await node.db.write(
        commands.save_profile, await node.author(actor_id), parse_profile(FORM, node.clock.now().date())
    )
    node.clock.offset += timedelta(days=31)
    await sign_in(visitor)
    said_on = (node.clock.now() - timedelta(days=31)).date()
    assert f"Not confirmed since {day(said_on)}" in words((await visitor.get("/@alice")).text)
    page = await visitor.submit("/profile/confirm", page="/@alice")
    assert "Not confirmed" not in words(page.text)
    assert "Said today" in words(page.text)


async def test_a_saved_form_comes_back_as_it_was(house):
    node, actor_id, visitor = house
    await sign_in(visitor)
    status, path, text = await save(visitor, **FORM)
    assert (status, path) == (200, "/@alice")
    assert "sailing" in words(text)
    person = await node.db.read(own_person, actor_id)
    expected = FORM | {"skills": "Python, sailing", "rate": "68.00", "free_from": ""}
    del expected["more_skills"]
    assert {name: value for name, value in form_of(person).items() if name in expected} == expected
    page = await visitor.get("/profile/edit")
    for value in ("68.00", "Python, sailing", "English, Igbo", "https://okafor.example/work", "For **eleven** years."):
        assert value in page.text


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_changed(house):
    node, _, visitor = house
    await sign_in(visitor)
    await save(visitor, **FORM)
    before = await state(node.db)
    status, _, text = await save(visitor, **FORM | {"rate": "lots", "links": "okafor.example", "headline": "Kept <b>"})
    assert status == 422
    assert re.search(r'id="rate"[^>]*value="lots"[^>]*aria-describedby="rate-error"[^>]*aria-invalid="true"', text)
    assert "Write digits only, such as 68 or 68.50, without the currency." in text
    assert 'href="#rate"' in text
    assert 'href="#links"' in text
    assert "Kept &lt;b&gt;" in text, "nothing that was typed is lost"
    assert "2 things to mend" in text
    assert await state(node.db) == before


async def test_a_save_that_changes_nothing_sends_nothing(house):
    node, actor_id, visitor = house
    await node.db.write(lambda tx: follow(tx, know(tx, actor()), actor_id))
    await sign_in(visitor)
    await save(visitor, **FORM)
    count = sa.select(sa.func.count()).select_from(activities)
    assert await node.db.read(lambda tx: tx.scalar(count)) == 1
    await save(visitor, **FORM)
    assert await node.db.read(lambda tx: tx.scalar(count)) == 1
    assert "sent to your one follower" in (await visitor.get("/profile/edit")).text


async def test_a_picture_is_taken_in_shown_and_taken_away(house):
    node, actor_id, visitor = house
    await sign_in(visitor)
    await save(visitor, picture(), "../../x.png", **FORM)
    first = (await node.db.read(queries.person, actor_id)).picture
    page = await visitor.get("/@alice")
    assert f'src="{first}"' in page.text
    assert f'<meta property="og:image" content="https://alice.example{first}">' in page.text
    assert (await visitor.http.get(visitor.origin + first)).status == 200
    await save(visitor, picture("blue"), **FORM)
    second = (await node.db.read(queries.person, actor_id)).picture
    assert second != first
    assert (await visitor.http.get(visitor.origin + first)).status == 404, "what nobody shows is removed"
    await save(visitor, **FORM)
    assert (await node.db.read(queries.person, actor_id)).picture == second
    await save(visitor, remove_picture="yes", **FORM)
    assert (await node.db.read(queries.person, actor_id)).picture is None
    assert list(node.settings.media.iterdir()) == []
    assert "/avatars/alice%40alice.example.svg?name=Alice%20Okafor" in (await visitor.get("/@alice")).text


@pytest.mark.parametrize("body", [b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", b"<html>" * 99,
                                  b"\x89PNG\r\n\x1a\n" + bytes(100), b"x" * 4_500_000])  # fmt: skip
async def test_what_is_no_picture_is_refused_beside_its_field(house, body: bytes):
    node, _, visitor = house
    await sign_in(visitor)
    before = await state(node.db)
    status, _, text = await save(visitor, body, "portrait.jpg", **FORM)
    assert status == 422
    assert 'id="picture-error"' in text
    assert await state(node.db) == before
    assert not node.settings.media.exists()


async def test_a_stranger_edits_nothing(house):
    node, _, visitor = house
    before = await state(node.db)
    page = await visitor.get("/profile/edit")
    assert page.url.startswith(f"{visitor.origin}/sign-in?next=")
    for path in ("/profile/edit", "/profile/confirm"):
        assert (await visitor.post(path, **FORM)).status == 403
    assert await state(node.db) == before


async def test_a_person_elsewhere_is_shown_from_what_this_node_holds(house):
    node, _, visitor = house
    bo = actor(
        headline="Charts <b>that</b> everybody can read",
        availability={"status": "open", "from": "2199-12-07", "hoursPerWeek": "20", "updated": "2026-11-01T00:00:00Z"},
    )
    await node.db.write(know, bo, "delivered", acct="bo@bo.example")
    page = await visitor.get("/@bo@bo.example")
    said = words(page.text)
    assert "Bo Lindqvist Charts <b>that</b> everybody can read @bo@bo.example" in said
    assert "Yes, from 7 December 2199 , 20 hours a week." in said
    assert "Delivered by its server" in said
    assert '<meta name="robots" content="noindex">' in page.text
    assert '<link rel="canonical" href="https://bo.example/@bo">' in page.text
    await sign_in(visitor)
    page = await visitor.get("/@bo@bo.example")
    assert re.search(rf'action="/people/follow">.*?value="{re.escape(BO)}"', page.text, re.DOTALL)


async def test_the_whole_handle_of_somebody_here_leads_to_their_page(house):
    _, _, visitor = house
    assert (await visitor.get("/@alice@alice.example")).url == f"{visitor.origin}/@alice"


@pytest.mark.parametrize(
    "path",
    [
        "/@nobody",
        "/@nobody@bo.example",
        "/@instance.actor",
        "/@%00",
        "/@a%2Fb",
        "/@a%0Db@alice.example",
        "/@%C3%A9@alice.example",
        "/@" + "x" * 3_000,
    ],
)
async def test_nobody_is_a_page_that_says_so(house, path: str):
    _, _, visitor = house
    assert (await visitor.get(path)).status == (400 if "%00" in path else 404)


class Checked(HTMLParser):
    """Tags are closed in order, ids stand once, and no inline script or style is there."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert "style" not in given
        assert not [name for name in given if name.startswith("on")]
        assert tag != "style"
        assert tag != "script" or given["type"] == "application/ld+json"
        if "id" in given:
            assert given["id"] not in self.ids, given["id"]
            self.ids.add(given["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/@alice", "/profile/edit", "/gigs", "/gigs/new"])
async def test_pages_are_well_formed(house, path: str):
    node, actor_id, visitor = house
    await node.db.write(
        commands.save_profile, await node.author(actor_id), parse_profile(FORM, node.clock.now().date())
    )
    await sign_in(visitor)
    page = await visitor.get(path)
    assert page.status == 200
    checked = Checked()
    checked.feed(page.text)
    assert checked.open == []
