"""Pictures of other servers: only those that something here names, only what is a picture, and nothing for ever.

SECURITY 61, 62, 63, 69, 71, 99, 100, 150.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from PIL import Image

from federation.objects import delete_object
from federation.policy import TOPIC
from federation.tables import host_rules
from node.app import lay_ground, web_application
from node.context import Node
from node.inboxes import deleted
from node.media import cache, remote
from node.media.addresses import Wanted
from node.media.avatars import avatar
from node.media.pages import REMOTE
from node.media.sweep import sweep
from node.media.tables import remote_media
from node.settings import load
from tests.federation.test_client import Server, canary, server_at
from tests.federation.world import PEER_ADDRESSES
from tests.node.house import serving, settle_in, state
from tests.node.media.test_pictures import bomb, picture
from tests.node.neighbours import BO, actor, know, received
from tests.node.social.test_inbox import note, take
from tests.visitors import Visitor


@dataclass
class Gallery:
    """A node, somebody who looks at its pages, and a server with pictures."""

    node: Node
    remote: remote.RemotePictures
    visitor: Visitor
    server: Server
    count: int = 0

    async def note_with(self, *urls: str) -> str:
        """A stored post that these come with; returns its id."""
        self.count += 1
        things = [{"type": "Document", "url": url, "mediaType": "image/jpeg"} for url in urls]
        post = note(self.node, self.count, attachment=things)
        await take(self.node, received("Create", post, number=self.count))
        return str(post["id"])

    async def address(self, url: str) -> str:
        """Where a picture of a new post is shown."""
        return self.remote.addresses.of(url, await self.note_with(url))

    async def look(self, address: str) -> tuple[int, str, bytes]:
        """Status, type and content."""
        async with self.visitor.http.get(self.visitor.origin + address) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def refuses(self, url: str) -> None:
        """It is shown to nobody, twice, and asked for at most once."""
        address = await self.address(url)
        asked = len(self.server.asked)
        assert [(await self.look(address))[0] for _ in range(2)] == [404, 404]
        assert len(self.server.asked) - asked <= 1 + url.count("redirect")
        assert self.files() == []

    def files(self) -> list[Path]:
        """What the cache holds."""
        folder = self.node.settings.media_cache
        return sorted(folder.iterdir()) if folder.exists() else []

    async def rows(self) -> list[Any]:
        """What is known of pictures."""
        return list(await self.node.db.read(lambda tx: tx.rows(sa.select(remote_media))))


@pytest.fixture
async def gallery(environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Gallery]:
    networks = ",".join(str(network) for network in PEER_ADDRESSES)
    settings = load(tmp_path / "data", environ | {"FREEHOLD_ALLOW_NETWORKS": networks})
    ground = await lay_ground(settings)
    node, _ = await settle_in(ground, origin="http://127.0.0.6:1")
    await node.db.write(lambda tx: know(tx, actor(), acct="bo@bo.example"))
    application = web_application(node)
    async with serving(application) as visitor, server_at("127.0.0.7") as server:
        yield Gallery(node, application[REMOTE], visitor, server)
    await node.close()


ON_SQLITE = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
"""Where no database decides."""


async def test_a_picture_is_made_anew_kept_and_asked_for_once(gallery: Gallery) -> None:
    url = gallery.server.document("/a.png", picture(size=(1600, 800)), "image/png")
    address = await gallery.address(url)
    looks = await asyncio.gather(*(gallery.look(address) for _ in range(5)))
    assert {(status, kind) for status, kind, _ in looks} == {(200, "image/webp")}
    with Image.open(io.BytesIO(looks[0][2])) as image:
        assert (image.format, image.size) == ("WEBP", (1280, 640))
    assert len(gallery.server.asked) == 1, "one flight"
    assert "Signature" not in gallery.server.asked[0].headers
    assert gallery.server.asked[0].headers["Accept"].startswith("image/")
    assert len(gallery.files()) == 1
    async with gallery.visitor.http.get(gallery.visitor.origin + address) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "immutable" in answer.headers["Cache-Control"]


async def test_the_portrait_of_somebody_elsewhere_is_square_and_shown_on_their_page(gallery: Gallery) -> None:
    url = gallery.server.document("/me.gif", picture("GIF", size=(300, 200)), "image/gif")
    document = actor(icon={"type": "Image", "url": url})
    await gallery.node.db.write(lambda tx: know(tx, document, acct="bo@bo.example"))
    page = await gallery.visitor.get("/@bo@bo.example")
    address = gallery.remote.addresses.of(url, BO, "square")
    assert f'src="{address}"' in page.text
    assert url not in page.text.partition("<main")[2].replace("&#34;", "")
    status, _, body = await gallery.look(address)
    assert status == 200
    with Image.open(io.BytesIO(body)) as image:
        assert image.size == (200, 200)


async def test_a_portrait_that_cannot_be_had_leads_to_stripes_for_a_while(gallery: Gallery) -> None:
    url = gallery.server.status("/me.gif", 503)
    document = actor(icon={"type": "Image", "url": url})
    await gallery.node.db.write(lambda tx: know(tx, document, acct="bo@bo.example"))
    address = gallery.remote.addresses.of(url, BO, "square")
    for _ in range(2):
        async with gallery.visitor.http.get(gallery.visitor.origin + address, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "/avatars/bo%40bo.example.svg?name=Bo+Lindqvist"
            assert answer.headers["Cache-Control"] == "public, max-age=300"
    status, kind, body = await gallery.look(address)
    assert (status, kind) == (200, "image/svg+xml")
    assert body.decode() == avatar("bo@bo.example", "Bo Lindqvist"), "as on every page without a portrait"
    assert len(gallery.server.asked) == 1
    gallery.server.document("/me.gif", picture("GIF"), "image/gif")
    gallery.node.clock.offset += timedelta(minutes=6)
    assert (await gallery.look(address))[1] == "image/webp"


@ON_SQLITE
async def test_a_portrait_of_nobody_is_as_short_as_a_path_may_be(gallery: Gallery) -> None:
    for subject in (f"https://bo.example/{'x' * 2_000}", f"https://{'b' * 60}.{'o' * 60}.example/users/bo/../%2F"):
        address = gallery.remote.addresses.of("https://bo.example/me.png", subject, "square")
        status, kind, _ = await gallery.look(address)
        assert (status, kind) == (200, "image/svg+xml")
    assert gallery.server.asked == []


@ON_SQLITE
async def test_071_an_address_that_we_did_not_sign_is_none(gallery: Gallery) -> None:
    url = gallery.server.document("/a.png", picture(), "image/png")
    address = await gallery.address(url)
    _, _, _, signature, shape, subject, packed = address.split("/")
    other = base64.urlsafe_b64encode(f"{gallery.server.origin}/other.png".encode()).decode().rstrip("=")
    before = await state(gallery.node.db)
    for parts in (
        (signature, shape, subject, other),
        (signature, "square", subject, packed),
        (signature, "shown", packed, packed),
        ("0" * 40, shape, subject, packed),
        (signature.upper(), shape, subject, packed),
        (signature, shape, subject, f"{packed}="),
        (signature, "large", subject, packed),
        (signature, shape, "%00", "%F0%9F"),
        (signature, shape, subject, "A" * 5_000),
    ):
        status, _, _ = await gallery.look("/media/remote/" + "/".join(parts))
        assert status in (400, 404), parts
    status, _, _ = await gallery.look(f"{address}?url={url}&proxy=http://127.0.0.45/")
    assert status == 200, "what stands behind a question mark says nothing"
    assert [request.path for request in gallery.server.asked] == ["/a.png"]
    changed = [table.table for table in await state(gallery.node.db) if table not in before]
    assert changed == ["remote_media"]


async def test_071_what_nothing_here_names_any_more_is_not_asked_for(gallery: Gallery) -> None:
    url = gallery.server.document("/a.png", picture(), "image/png")
    gone = await gallery.note_with(url)
    addresses = gallery.remote.addresses
    await gallery.node.db.write(delete_object, gone, BO, deleted)
    for subject in (gone, f"{BO}/notes/never", BO):
        assert (await gallery.look(addresses.of(url, subject)))[0] == 404
    assert gallery.server.asked == []


async def test_a_delete_takes_the_picture_out_of_the_cache(gallery: Gallery) -> None:
    url = gallery.server.document("/a.png", picture(), "image/png")
    first, second = await gallery.note_with(url), await gallery.note_with(url)
    shown = [gallery.remote.addresses.of(url, subject) for subject in (first, second)]
    assert [(await gallery.look(address))[0] for address in shown] == [200, 200]
    assert len(gallery.files()) == 1, "named by what it contains"
    await gallery.node.db.write(delete_object, first, BO, deleted)
    await sweep(gallery.node.db, gallery.node.settings)
    assert [(await gallery.look(address))[0] for address in shown] == [404, 200]
    assert len(gallery.files()) == 1, "the other still shows it"
    await gallery.node.db.write(delete_object, second, BO, deleted)
    assert await sweep(gallery.node.db, gallery.node.settings) == 1
    assert gallery.files() == []
    assert await gallery.rows() == []


async def test_150_a_blocked_host_shows_nothing_and_its_pictures_go(gallery: Gallery) -> None:
    url = gallery.server.document("/a.png", picture(), "image/png")
    address = await gallery.address(url)
    assert (await gallery.look(address))[0] == 200
    await block(gallery, "127.0.0.7")
    assert (await gallery.look(address))[0] == 404
    await gallery.node.db.write(cache.tidy)
    await sweep(gallery.node.db, gallery.node.settings)
    assert gallery.files() == []
    assert len(gallery.server.asked) == 1


async def block(gallery: Gallery, host: str) -> None:
    def rule(tx: Any) -> None:
        tx.execute(tx.insert(host_rules).values(host=host, rule="block", created_at=tx.now))
        tx.notify(TOPIC)

    await gallery.node.db.write(rule)
    await gallery.node.db.read(gallery.node.policy.load)


@ON_SQLITE
@pytest.mark.parametrize("host", ["127.0.0.45", "127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost"])
async def test_061_a_reserved_address_is_not_dialled(gallery: Gallery, host: str) -> None:
    async with canary() as forbidden:
        await gallery.refuses(f"http://{host}:{forbidden.rsplit(':', 1)[1]}/x.png")


@ON_SQLITE
async def test_062_a_redirect_is_checked_at_each_hop(gallery: Gallery) -> None:
    async with canary() as forbidden:
        await gallery.refuses(gallery.server.redirect("/redirect", f"{forbidden}/x.png"))
    await block(gallery, "127.0.0.8")
    async with server_at("127.0.0.8") as blocked:
        target = blocked.document("/x.png", picture(), "image/png")
        await gallery.refuses(gallery.server.redirect("/redirect2", target))
        assert blocked.asked == []
    path = gallery.server.document("/real.png", picture(), "image/png")
    status, _, _ = await gallery.look(await gallery.address(gallery.server.redirect("/moved", path)))
    assert status == 200


HOSTILE = {
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"),
    "an SVG that says that it is a JPEG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/jpeg"),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "image/jpeg"),
    "a PDF": (b"%PDF-1.7 /JS (app.alert(1))", "image/jpeg"),
    "a picture that is not called one": (picture(), "text/html"),
    "an enormous picture": (bomb(13_000, 13_000), "image/png"),
    "half a picture": (picture()[:60], "image/png"),
    "nothing": (b"", "image/png"),
}


@ON_SQLITE
@pytest.mark.parametrize(("body", "kind"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_100_what_is_no_picture_is_not_shown(gallery: Gallery, body: bytes, kind: str) -> None:
    await gallery.refuses(gallery.server.document("/cat.jpg", body, kind))


@ON_SQLITE
async def test_069_a_body_without_end_is_left(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_BYTES", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(bytes(50_000))
        return response

    await gallery.refuses(gallery.server.serve("/endless.png", endless))


async def test_one_that_is_away_is_asked_for_again_later(gallery: Gallery) -> None:
    url = gallery.server.status("/a.png", 503)
    address = await gallery.address(url)
    assert [(await gallery.look(address))[0] for _ in range(3)] == [404] * 3
    assert len(gallery.server.asked) == 1
    gallery.server.document("/a.png", picture(), "image/png")
    gallery.node.clock.offset += timedelta(minutes=6)
    assert (await gallery.look(address))[0] == 200


async def test_pictures_that_nobody_looks_at_make_room(gallery: Gallery) -> None:
    wanted = [
        Wanted(f"{number:040}", "shown", f"{BO}/notes/{number}", f"https://bo.example/{number}") for number in range(4)
    ]
    for one in wanted:
        gallery.node.clock.offset += timedelta(hours=2)
        await gallery.node.db.write(cache.remember, one, f"{one.id}.webp", 300, 1_000)
        await gallery.node.db.write(cache.touch, wanted[0])
    await sweep(gallery.node.db, gallery.node.settings)
    assert [row.id for row in sorted(await gallery.rows())] == [wanted[0].id, wanted[2].id, wanted[3].id]


async def test_what_could_not_be_had_is_forgotten_in_time(gallery: Gallery) -> None:
    address = await gallery.address(gallery.server.status("/a.png", 404))
    assert (await gallery.look(address))[0] == 404
    assert len(await gallery.rows()) == 1
    gallery.node.clock.offset += timedelta(days=8)
    await gallery.node.db.write(cache.tidy)
    await sweep(gallery.node.db, gallery.node.settings)
    assert await gallery.rows() == []
