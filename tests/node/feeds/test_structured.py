"""What search engines and previews are told of a gig, a module and a post; and of whom they are told nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from node.app import web_application
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from node.profiles.commands import save_profile
from node.profiles.rules import form_of, parse_profile
from node.profiles.sources import own_person
from node.social.commands import edit_post, like
from node.social.rules import parse_post
from tests.node.house import serving, settle_in
from tests.node.search.test_commands import publish, said
from tests.people import MODULE

HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028&"


class Page(HTMLParser):
    """The scripts and the metas of a page, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[tuple[str | None, str]] = []
        self.metas: dict[str, str] = {}
        self._kind: str | None = None
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "script":
            self._inside, self._kind = True, given.get("type")
            self.scripts.append((self._kind, ""))
        if tag == "meta":
            self.metas[given.get("property") or given.get("name") or ""] = given.get("content") or ""

    def handle_endtag(self, tag):
        if tag == "script":
            self._inside = False

    def handle_data(self, data):
        if self._inside:
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data

    @property
    def data(self):
        ((kind, text),) = self.scripts
        assert kind == "application/ld+json"
        return json.loads(text)


@pytest.fixture
async def house(ground):
    node, account = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


def path_of(object_id: str) -> str:
    name = object_id.rpartition("/")[2]
    kind = object_id.split("/")[-2]
    return f"/@alice/{kind}/{name}"


async def test_nothing_breaks_out_of_what_search_engines_read(house):
    node, author, visitor = house
    gig = await publish(node, author, title=f"Gig {HOSTILE}", body=HOSTILE)
    module = await node.db.write(publish_module, author, parse_module(MODULE | {"title": f"Module {HOSTILE}"}))
    post = await said(node, author, f"Post `{HOSTILE}`")
    for object_id, kind, title in (
        (gig, "Service", "name"),
        (module, "LearningResource", "name"),
        (post, "SocialMediaPosting", "headline"),
    ):
        page = Page((await visitor.get(path_of(object_id))).text)
        assert page.data["@type"] == kind
        assert "alert(1)" in page.data[title]
        assert page.data["url"] == f"https://alice.example{path_of(object_id)}"
        for name in ("og:type", "og:title", "og:description", "og:url", "og:site_name"):
            assert page.metas[name], (object_id, name)
        assert "robots" not in page.metas


async def test_a_posts_data_say_what_the_page_says(house):
    node, author, visitor = house
    post = await said(node, author, "Good *morning*")
    await node.db.write(like, author, post)
    data = Page((await visitor.get(path_of(post))).text).data
    assert data["articleBody"] == "Good morning"
    assert data["author"]["alternateName"] == "@alice@alice.example"
    assert data["interactionStatistic"][0]["userInteractionCount"] == 1
    folded = parse_post({"body": "The butler", "warning": "How it ends"})
    await node.db.write(edit_post, author, post, folded)
    page = Page((await visitor.get(path_of(post))).text)
    assert page.metas["og:description"] == "How it ends"
    assert "butler" not in json.dumps(page.data)


async def test_154_of_whoever_does_not_want_that_nothing_is_told(house):
    node, author, visitor = house
    post, gig = await said(node, author, "Good *morning*"), await publish(node, author)
    hidden = await said(node, author, "Kept close", "unlisted")
    page = Page((await visitor.get(path_of(hidden))).text)
    assert (page.scripts, page.metas["robots"]) == ([], "noindex")
    assert "og:title" not in page.metas
    person = await node.db.read(own_person, author.actor_id)
    draft = parse_profile(form_of(person) | {"indexable": ""}, node.clock.now().date())
    await node.db.write(save_profile, author, draft)
    for object_id in (post, gig):
        page = Page((await visitor.get(path_of(object_id))).text)
        assert page.metas["robots"] == "noindex"
    assert Page((await visitor.get(path_of(post))).text).scripts == []
    for path in ("/gigs", "/learn", "/tags/music"):
        assert Page((await visitor.get(path)).text).metas["robots"] == "noindex"
