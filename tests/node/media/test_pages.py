"""The addresses of pictures: looked at, never run (SECURITY 10, 100, 102)."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from node.app import web_application
from node.media.avatars import avatar, initials
from node.media.pages import PICTURES
from tests.node.house import BROWSER, serving, settle_in

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
async def visit(ground):
    """`(application, visitor)`."""
    node, _ = await settle_in(ground)
    application = web_application(node)
    async with serving(application) as visitor:
        yield application, visitor
    await node.client.close()


async def test_a_picture_is_kept_by_browsers_and_runs_nothing(visit):
    application, visitor = visit
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(out, "PNG")
    name = await application[PICTURES].take_in(out.getvalue())
    async with visitor.http.get(
        f"{visitor.origin}/media/{name}", headers={"Accept": "application/activity+json"}
    ) as answer:
        body = await answer.read()
        assert (answer.status, answer.content_type) == (200, "image/webp")
        assert body[8:12] == b"WEBP"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/media/x", "/media/..%2Fmaster.key", "/media/%2e%2e/master.key", "/media/",
                                  f"/media/{'0' * 40}.webp", f"/media/{'a' * 3_000}"])  # fmt: skip
async def test_anything_else_is_not_there(visit, path: str):
    _, visitor = visit
    async with visitor.http.get(f"{visitor.origin}{path}", headers=BROWSER) as answer:
        assert answer.status == 404


async def test_stripes_have_the_initials_and_are_always_the_same(visit):
    _, visitor = visit
    pages = [await visitor.get("/avatars/alice%40alice.example.svg?name=Alice%20Okafor") for _ in range(2)]
    assert pages[0].text == pages[1].text
    assert pages[0].headers["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in pages[0].headers["Content-Security-Policy"]
    assert ElementTree.fromstring(pages[0].text).find(f"{SVG}text").text == "AO"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "& &", '" onload="x', "\u202eab", "🙂 🙂", "", "א ב"])
def test_no_name_breaks_out_of_the_picture(name: str):
    for drawn in (avatar(name), avatar("seed", name)):
        root = ElementTree.fromstring(drawn)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} == {"svg", "rect", "g", "path", "text"}


def test_initials():
    assert initials("Maximiliane-Charlotte von Hohenfels-Brandenburg") == "MH"
    assert initials("alice@alice.example") == "A"
    assert initials("Олена Ковальчук") == "ОК"
    assert initials("  ") == ""
    assert initials("ßa ßb") == "SS", "never more than two letters"


def test_people_look_different():
    assert len({avatar(f"{number}@a.example") for number in range(200)}) > 100


async def test_a_seed_without_end_is_not_drawn(visit):
    _, visitor = visit
    assert (await visitor.get(f"/avatars/{'a' * 401}.svg")).status == 404
    assert (await visitor.get(f"/avatars/a.svg?name={'a' * 401}")).status == 404
