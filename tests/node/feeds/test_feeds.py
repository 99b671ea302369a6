"""Feeds through a real port, read by parsers that are not ours, and checked against what the formats require."""

from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from node.app import web_application
from node.feeds.atom import write_atom
from node.feeds.entries import NEVER, Feed, Item
from node.feeds.json_feed import write_json_feed
from node.learning.commands import publish_module
from node.learning.rules import parse_module
from tests.node.house import serving, settle_in
from tests.node.neighbours import actor, follow, know, received
from tests.node.search.test_commands import publish, said
from tests.node.social.test_inbox import note, take
from tests.people import MODULE

ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`: Alice follows Bo; nobody is signed in."""
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor(), acct="bo@bo.example")))
    async with serving(web_application(node)) as visitor:
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


def read_atom(text: str) -> dict[str, ElementTree.Element]:
    """The entries by title, once everything that RFC 4287 §4.1 requires is there."""
    feed = ElementTree.fromstring(text)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    for name in ("id", "title", "updated"):
        assert len(feed.findall(f"a:{name}", ATOM)) == 1, name
    assert [link.get("rel") for link in feed.findall("a:link", ATOM)] == ["self", "alternate"]
    entries = feed.findall("a:entry", ATOM)
    ids = [entry.findtext("a:id", namespaces=ATOM) for entry in entries]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        assert urlsplit(entry.findtext("a:id", namespaces=ATOM)).scheme == "https"
        for name in ("id", "title", "updated", "published", "content"):
            assert len(entry.findall(f"a:{name}", ATOM)) == 1, name
        assert entry.findtext("a:author/a:name", namespaces=ATOM)
        updated = datetime.fromisoformat(entry.findtext("a:updated", namespaces=ATOM))
        assert updated >= datetime.fromisoformat(entry.findtext("a:published", namespaces=ATOM))
        assert updated.tzinfo is not None
        assert entry.find("a:content", ATOM).get("type") == "html"
        assert entry.find("a:link[@rel='alternate']", ATOM).get("href")
    return {entry.findtext("a:title", namespaces=ATOM): entry for entry in entries}


def read_json(text: str) -> dict[str, dict]:
    """The items by title, once everything that JSON Feed 1.1 requires is there."""
    feed = json.loads(text)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert feed["feed_url"].startswith("https://")
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_html"] is not None
        assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
    return {item["title"]: item for item in feed["items"]}


async def both(visitor, path):
    """The titles, which are the same in both forms."""
    atom, feed = await visitor.get(f"{path}.atom"), await visitor.get(f"{path}.json")
    assert atom.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert feed.headers["Content-Type"] == "application/feed+json; charset=utf-8"
    titles = list(read_atom(atom.text))
    assert titles == list(read_json(feed.text))
    return titles


async def test_what_somebody_publishes_for_everybody_is_in_their_feed(house):
    node, author, visitor = house
    await said(node, author, "First *words* #music")
    await publish(node, author, title="A <gig> & more")
    await node.db.write(publish_module, author, parse_module(MODULE))
    for audience in ("followers", "unlisted"):
        await said(node, author, f"For {audience} alone", audience)
    assert await both(visitor, "/@alice/feed") == [MODULE["title"], "A <gig> & more", "First words #music"]
    assert await both(visitor, "/gigs/feed") == ["A <gig> & more"]
    assert await both(visitor, "/learn/feed") == [MODULE["title"]]
    assert await both(visitor, "/tags/music/feed") == ["First words #music"]
    assert await both(visitor, "/tags/silence/feed") == []
    entry = read_atom((await visitor.get("/@alice/feed.atom")).text)["First words #music"]
    assert "<em>words</em>" in entry.findtext("a:content", namespaces=ATOM)
    for page, feed in (
        ("/@alice", "/@alice"),
        ("/gigs", "/gigs"),
        ("/learn", "/learn"),
        ("/tags/music", "/tags/music"),
    ):
        text = (await visitor.get(page)).text
        assert 'type="application/atom+xml"' in text
        assert f'href="{feed}/feed.atom"' in text, page
        assert f'href="{feed}/feed.json"' in text, page


async def test_the_feed_of_the_board_keeps_its_filters(house):
    node, author, visitor = house
    await publish(node, author, title="Offered")
    await publish(node, author, title="Wanted", purpose="request")
    assert await both_of(visitor, "purpose=request") == ["Wanted"]
    assert await both_of(visitor, "words=offered") == ["Offered"]
    assert await both_of(visitor, "words=" + "x" * 1_000) == []
    assert "/gigs/feed.atom?purpose=request" in (await visitor.get("/gigs?purpose=request")).text


async def both_of(visitor, query):
    atom, feed = await visitor.get(f"/gigs/feed.atom?{query}"), await visitor.get(f"/gigs/feed.json?{query}")
    assert json.loads(feed.text)["feed_url"].startswith("https://alice.example/gigs/feed.json?")
    assert list(read_atom(atom.text)) == list(read_json(feed.text))
    return list(read_json(feed.text))


async def test_what_others_write_is_in_no_feed_of_a_person_or_a_hashtag(house):
    node, _, visitor = house
    tags = [{"type": "Hashtag", "name": "#music"}]
    await take(node, received("Create", note(node, content="<p>Elsewhere #music</p>", tag=tags)))
    assert await both(visitor, "/tags/music/feed") == []
    for path in ("/@bo@bo.example/feed.atom", "/@nobody/feed.atom", "/tags/1/feed.json", "/@alice/feed.rss"):
        assert (await visitor.get(path)).status == 404, path


async def test_who_asks_again_gets_nothing_new(house):
    node, author, visitor = house
    await said(node, author, "First words")
    for form in ("atom", "json"):
        first = await visitor.get(f"/@alice/feed.{form}")
        again = await visitor.get(f"/@alice/feed.{form}", **{"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", first.headers["ETag"])
        assert "Set-Cookie" not in first.headers
        assert first.headers["Cache-Control"] == "public, max-age=300"
    etag = first.headers["ETag"]
    await said(node, author, "Second words")
    assert (await visitor.get("/@alice/feed.json", **{"If-None-Match": etag})).status == 200


def test_110_nothing_in_a_text_breaks_out_of_a_feed():
    hostile = ']]></content><script>alert(1)</script><!-- & " \' \x00 \x0b \ufffe \U0001f642 <!ENTITY x "y">'
    item = Item(
        "https://a.example/1", "https://a.example/1", hostile, hostile, hostile, hostile, NEVER, NEVER, (hostile,)
    )
    feed = Feed(hostile, "https://a.example/", "https://a.example/feed.atom", (item,))
    root = ElementTree.fromstring(write_atom(feed))
    shown = hostile.replace("\x00", "").replace("\x0b", "").replace("\ufffe", "")
    assert root.findtext("a:entry/a:title", namespaces=ATOM) == shown
    assert root.findtext("a:entry/a:content", namespaces=ATOM) == shown
    assert [child.tag.rpartition("}")[2] for child in root.find("a:entry", ATOM)] == [
        "id", "title", "published", "updated", "link", "author", "category", "content",
    ]  # fmt: skip
    assert json.loads(write_json_feed(feed))["items"][0]["content_html"] == hostile
