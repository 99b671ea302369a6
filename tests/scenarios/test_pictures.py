"""A picture that is posted on one node is seen on another, through that other's own proxy, until it is deleted."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import aiohttp
import sqlalchemy as sa
from PIL import Image

from node.media.sweep import sweep
from node.media.tables import media, remote_media
from tests.nodes import Databases, Home, cluster, settled

if TYPE_CHECKING:
    from tests.visitors import Page, Visitor

ALT = 'A red square <b>&"'
SHOWN = re.compile(r'<a href="(/media/[^"]+)"><img src="(/media/[^"]+)" alt="([^"]*)"')


def picture(colour: str = "red", size: tuple[int, int] = (900, 600)) -> bytes:
    """A photograph with a place and a camera in it."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


async def send(visitor: Visitor, path: str, fields: dict[str, str], files: dict[str, bytes]) -> Page:
    """A form with files, as a browser sends it."""
    form = aiohttp.FormData(fields | {"csrf": await visitor.token(path)}, default_to_multipart=True)
    for name, body in files.items():
        form.add_field(name, body, filename="../../x.jpg", content_type="image/jpeg")
    headers = {"Accept": "text/html", "Origin": visitor.origin}
    async with visitor.http.post(visitor.origin + path, data=form, headers=headers) as answer:
        from tests.visitors import Page

        return Page(answer.status, str(answer.url), await answer.text(), answer.headers)


async def test_a_picture_is_seen_elsewhere_and_gone_after_its_deletion(databases: Databases) -> None:
    async with (
        cluster("a.example", "b.example", databases=databases) as (a, b),
        a.visitor() as at_a,
        b.visitor() as at_b,
    ):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await alice.sign_in(at_a)
        await bob.sign_in(at_b)
        home = await send(at_a, "/home", {"body": "Look", "audience": "public", "alt1": ALT}, {"picture1": picture()})
        assert home.status == 200, home.text
        await settled(a, b)
        large, small, words = SHOWN.search(home.text).groups()
        assert (words, small) == ("A red square &lt;b&gt;&amp;&#34;", large.replace(".jpeg", "-small.webp"))
        assert await content(at_a, small) == ("image/webp", (800, 533))
        assert await content(at_a, large) == ("image/jpeg", (900, 600))

        document = (await a.rows(sa.select(media)))[0]
        note = json.loads((await b.object(document.object_id)).body)
        assert note["attachment"] == [
            {"type": "Document", "mediaType": "image/jpeg", "url": a.origin + large, "width": 900, "height": 600,
             "name": ALT}
        ]  # fmt: skip
        page = (await at_b.get("/home")).text
        theirs, same, words = SHOWN.search(page).groups()
        assert theirs == same
        assert theirs.startswith("/media/remote/")
        assert words == "A red square &lt;b&gt;&amp;&#34;"
        assert a.origin + large not in page
        assert await content(at_b, theirs) == ("image/webp", (900, 600))

        await alice.delete(document.object_id)
        await settled(a, b)
        assert (await at_b.get(theirs)).status == 404
        await sweep(a.node.db, a.settings)
        await sweep(b.node.db, b.settings)
        assert [(await at_a.get(path)).status for path in (large, small)] == [404, 404]
        assert await a.rows(sa.select(media)) == [] == await b.rows(sa.select(remote_media))
        assert files(a) == [] == files(b)


async def content(visitor: Visitor, path: str) -> tuple[str, tuple[int, int]]:
    """Type and size of a picture, in which nothing of the camera is left (SECURITY 109)."""
    async with visitor.http.get(visitor.origin + path) as answer:
        body = await answer.read()
        assert answer.status == 200, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"Secret" not in body
    with Image.open(io.BytesIO(body)) as image:
        return answer.content_type, image.size


def files(home: Home) -> list[str]:
    """What stands in the folders of pictures."""
    folders = (home.settings.media, home.settings.media_cache)
    return [path.name for folder in folders if folder.exists() for path in folder.iterdir()]
