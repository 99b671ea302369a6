"""All 262 examples of objects in fediverse-pasture-inputs (MIT), from the inbox to the pages.

They come signed, each in a Create of somebody who is followed, as the package's own transformer would send them.
None may end in a fault; what can be shown is shown on the home page, on its own page and on its author's.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from federation.tables import inbox_messages
from schemas.terms import PUBLIC
from tests.federation.world import RemoteActor, peer_at
from tests.nodes import Home, cluster, settled

if TYPE_CHECKING:
    from tests.people import Somebody
    from tests.visitors import Visitor

THEIRS = "http://pasture-one-actor"
COUNT = 262
Key = tuple[str, int]

NEVER_SHOWN = {
    ("necessary_properties", 1),  # without an id
    ("necessary_properties", 3),  # without an author
    ("necessary_properties", 4),  # without a type
    ("attributed_to", 2),  # two authors
    ("object_types", 7),  # Place, Profile, Relationship and Tombstone are no texts
    ("object_types", 8),
    ("object_types", 9),
    ("object_types", 10),
    ("object_types", 12),  # two types
    ("object_types", 13),  # no type
}


def inputs() -> dict[str, list[dict[str, Any]]]:
    """The examples by group. What the package imports of a tool around it, for a type alone, is stood in for."""
    entry = ModuleType("fediverse_pasture.runner.entry")
    entry.Entry = object  # type: ignore[attr-defined]
    names = ("fediverse_pasture", "fediverse_pasture.runner", entry.__name__)
    stand_ins = {name: ModuleType(name) for name in names[:2]} | {entry.__name__: entry}
    with pytest.MonkeyPatch.context() as patch:
        for name, module in stand_ins.items():
            patch.setitem(sys.modules, name, module)
        from fediverse_pasture_inputs import available

    return {name: data.examples for name, data in available.items()}


@dataclass
class Pasture:
    """A node whose owner follows the author of the examples."""

    home: Home
    reader: Somebody
    author: RemoteActor
    browser: Visitor
    sent: dict[Key, dict[str, Any]] = field(default_factory=dict)
    pages: dict[Key, str] = field(default_factory=dict)

    def adapted(self, key: Key, example: dict[str, Any]) -> dict[str, Any]:
        """Defaults, then what the example says; null takes a member away."""
        note = self.author.note(to=[PUBLIC], cc=[self.reader.id]) | {"id": f"{self.author.id}/{key[0]}/{key[1]}"}
        if "contentMap" in example:
            del note["content"]
        text = json.dumps(note | example)
        text = text.replace(f'"href": "{THEIRS}/actor"', f'"href": "{self.reader.id}"')
        text = text.replace(f"{THEIRS}/actor", self.author.id).replace(THEIRS, self.author.peer.origin)
        return {name: value for name, value in json.loads(text).items() if value is not None}

    async def send(self, key: Key, example: dict[str, Any]) -> None:
        """To the shared inbox, signed."""
        thing = self.adapted(key, example)
        activity = self.author.activity("Create", thing) | {"id": f"{self.author.id}/creates/{key[0]}/{key[1]}"}
        activity |= {"@context": thing.get("@context", activity["@context"]), "to": [PUBLIC], "cc": [self.reader.id]}
        body = json.dumps(activity).encode()
        headers = self.author.signed_headers(f"{self.home.origin}/inbox", body)
        async with self.browser.http.post(f"{self.home.place}/inbox", data=body, headers=headers) as response:
            assert response.status in (202, 400), (key, response.status, await response.text())
        self.sent[key] = thing

    async def look(self) -> None:
        """Every page that shows one of them is there."""
        for key, thing in self.sent.items():
            page = await self.browser.get(f"/seen?id={quote(str(thing.get('id')), safe='')}")
            assert page.status == (404 if key in NEVER_SHOWN else 200), (key, page.status)
            if page.status == 200:
                self.pages[key] = main_of(page.text)

    async def pages_of_home(self) -> int:
        """How many entries stand on all pages of the timeline."""
        path, entries = "/home", 0
        while path:
            page = await self.browser.get(path)
            assert page.status == 200, path
            entries += page.text.count('<article class="card post"')
            earlier = re.search(r'href="(/home\?[^"]*before=[^"]*)"', page.text)
            path = earlier[1].replace("&amp;", "&") if earlier else ""
        return entries


def main_of(text: str) -> str:
    """What the page is about."""
    return text.partition("<main")[2].partition("</main>")[0]


async def test_all_inputs_are_taken_and_shown() -> None:
    async with cluster("node.example") as (home,), peer_at("127.0.0.9", home.clock) as peer, home.visitor() as browser:
        reader = await home.set_up("alice")
        author = peer.actor("bob")
        peer.serve(author.note("One") | {"id": f"{peer.origin}/assets/note1.jsonap"})
        await home.node.resolver.key(author.key_id)
        pasture = Pasture(home, reader, author, await reader.sign_in(browser))
        await accept(home, reader, author)
        examples = {(name, number): one for name, some in inputs().items() for number, one in enumerate(some)}
        assert len(examples) == COUNT
        for key, example in examples.items():
            await pasture.send(key, example)
        await settled(home)
        rows = await home.rows(sa.select(inbox_messages.c.activity_id, inbox_messages.c.reason, inbox_messages.c.state))
        assert [row for row in rows if row.state not in ("done", "refused")] == []
        await pasture.look()
        assert await pasture.pages_of_home() == COUNT - len(NEVER_SHOWN)
        profile = await browser.get(f"/@bob@{peer.origin.partition('://')[2]}")
        assert profile.status == 200
        assert [key for key in EXPECTED if not as_expected(pasture.pages[key[:2]], *key[2:])] == []
        assert not re.search(r'<(script|iframe|audio|video|form action)|src="https?:', "".join(pasture.pages.values()))


def as_expected(page: str, wanted: str, unwanted: str) -> bool:
    """Whether a page holds the one and not the other."""
    return re.search(wanted, page, re.DOTALL) is not None and not (unwanted and re.search(unwanted, page))


async def accept(home: Home, reader: Somebody, author: RemoteActor) -> None:
    """The reader follows the author, and was accepted."""
    from tests.node.neighbours import follow

    await home.node.db.write(follow, reader.id, author.id)


PICTURE = r'<img src="/media/remote/[0-9a-f]{40}/shown/[^"]+"'
EXPECTED: list[tuple[str, int, str, str]] = [
    ("html_tags", 0, "<b>bold</b>", ""),
    ("html_tags", 9, r"<ol><li>ordered</li></ol>", ""),
    ("html_tags", 11, "<h2>h1</h2>", "<h1>h1"),
    ("html_tags", 26, "", "alert"),
    ("html_tags", 27, r"\[NLNET Logo\]", ""),
    ("html_tags", 29, "Audio", "<audio"),
    ("html_tags_article", 9, r"<ol><li>ordered</li></ol>", ""),
    ("html_bad", 5, "", "<script"),
    ("html_anchor", 3, r'<a href="https://funfedi.dev"[^>]*rel="[^"]*noopener', 'target="'),
    ("html_anchor", 5, 'class="mention"', ""),
    ("html_tags_summary", 0, r"<details><summary dir=\"auto\">bold</summary>.*See summary", ""),
    ("content_warnings", 0, "text", "<details><summary dir="),
    ("content_warnings", 1, r'<details><summary dir="auto">summary</summary>.*text', ""),
    ("content_warnings", 3, rf"<details><summary>1 picture that its author.*{PICTURE}", ""),
    ("content_warnings", 4, rf"<details><summary>1 picture.*{PICTURE}", ""),
    ("hashtags", 0, '<a class="chip" href="/tags/test">#test</a>', ""),
    ("hashtags", 1, '<a class="chip" href="/tags/nohash">#nohash</a>', ""),
    ("hashtags", 3, "text", "white space"),
    ("hashtags", 7, '<a class="chip" href="/tags/camelcase">#CamelCase</a>', ""),
    ("hashtags", 11, "/tags/%E7%89%9B", ""),
    ("hashtags", 12, '<a class="chip" href="/tags/test">', "ignore.example"),
    ("hashtag_jsonld", 1, "/tags/test", ""),
    ("hashtag_jsonld", 4, "/tags/test", ""),
    ("mentions", 0, "basic mention", ""),
    ("mentions", 9, "duplicate mention", ""),
    ("image_attachments", 1, PICTURE, ""),
    ("image_attachments", 13, PICTURE, ""),
    ("image_attachments", 15, PICTURE, ""),
    ("image_attachments", 16, "inline image", '<img src="data:'),
    ("image_description", 1, r'alt="name"', ""),
    ("image_description", 3, 'alt="A picture without a description"', ""),
    ("recommended_attachments", 0, r'alt="A beautiful cow" loading="lazy" width="100" height="162"', ""),
    ("recommended_attachments", 1, "A film: .*A beautiful cow eating.*video/mp4", ""),
    ("recommended_attachments", 2, "A sound: .*A cow mooing.*audio/mpeg", ""),
    ("attachments", 2, "A sound: .*the moo sound of a cow", ""),
    ("attachments", 4, r'<a href="https://funfedi.dev/?"[^>]*>A link</a>', ""),
    ("attachments", 5, "Payment Link", "payto:"),
    ("attachments", 6, "A file: .*text document", ""),
    ("attachments", 10, rf"(?:{PICTURE}.*){{8}}", ""),
    ("in_reply_to", 0, r"note1\.jsonap", ""),
    ("in_reply_to", 2, r"note1\.jsonap", ""),
    ("in_reply_to", 3, r"note1\.jsonap", ""),
    ("in_reply_to", 4, r"note1\.jsonap", ""),
    ("in_reply_to", 6, r"note1\.jsonap", ""),
    ("language", 1, r">\s*<p>text|>text", ""),
    ("language", 5, '<div class="prose" dir="auto" lang="de">Deutsch', ""),
    ("language", 7, '<div class="prose" dir="auto" lang="en">English', ""),
    ("object_types", 0, r"<h2[^>]*>name</h2>.*summary.*content", ""),
    ("object_types", 3, r"<h2[^>]*>name</h2>.*summary.*content", ""),
    ("object_types", 5, r'<summary dir="auto">summary</summary>.*content', "<h2[^>]*>name"),
    ("public_addressing", 1, "as:Public", ""),
    ("public_addressing", 2, "Public", ""),
    ("quotes", 0, r"It quotes another post:.*note1\.jsonap", ""),
    ("quotes", 4, r"It quotes another post:.*note1\.jsonap", ""),
    ("url", 0, "http://remote.example/objects/123", ""),
    ("url", 5, "text", ""),
    ("url", 7, "http://html.example/objects/123", ""),
    ("necessary_properties", 2, "without published", ""),
    ("attributed_to", 4, "a dictionary", ""),
    ("context", 5, "broken url", ""),
]
"""Group, number, what its page holds, what it does not."""
