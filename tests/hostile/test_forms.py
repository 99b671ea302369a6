"""SECURITY B, D and E: what people's browsers, and programs that pretend to be some, may send to a node."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import sqlalchemy as sa
from PIL import Image

from federation.tables import objects
from node.accounts import passwords
from node.accounts.tables import accounts
from node.app import lay_ground, web_application
from node.messages.tables import asks
from node.settings import Secret, load
from schemas.terms import ACTIVITY_JSON
from tests.databases import place_sqlite
from tests.node.house import PASSWORD, serving, settle_in, state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from node.context import Node
    from tests.visitors import Visitor

MEGABYTE = "x" * 1_000_000
SECONDS = 2.0
"""Of CPU, on a slow machine: what has no bound takes minutes."""


class House:
    """A node, and a browser in which alice is signed in."""

    def __init__(self, node: Node, visitor: Visitor) -> None:
        self.node, self.visitor = node, visitor

    async def send(self, path: str, data: Any, *, on: str = "", **headers: str) -> tuple[int, str]:
        """Post a form from a page of ours; returns status and page."""
        headers = {"Accept": "text/html", "Origin": self.visitor.origin} | headers
        async with self.visitor.http.post(self.visitor.origin + path, data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    async def state(self) -> Any:
        return await state(self.node.db)

    async def count(self, table: sa.Table) -> int:
        return int(await self.node.db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(table))))

    async def filled(self, path: str, fields: dict[str, str]) -> dict[str, str]:
        """A form as a browser has it: what was typed, the token, and its mark."""
        text = (await self.visitor.get(path)).text
        hidden = {name: re.search(rf'name="{name}" value="([^"]+)"', text) for name in ("csrf", "once")}
        return fields | {name: found[1] for name, found in hidden.items() if found}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    place_sqlite(tmp_path / "data")
    smtp = {"FREEHOLD_SMTP_URL": "smtp://127.0.0.1:9?tls=no"}
    ground = await lay_ground(load(tmp_path / "data", smtp))
    node, _ = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        yield House(node, visitor)
    await node.client.close()
    await ground.db.close()


ACTOR = {"@context": "https://www.w3.org/ns/activitystreams", "id": "https://alice.example/media/x", "type": "Person"}


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", ACTIVITY_JSON, "application/json", "text/plain"])
async def test_010_an_upload_that_is_a_document_is_taken_nowhere(house: House, kind: str) -> None:
    before = await house.state()
    for path, field in (("/home", "picture1"), ("/profile/edit", "picture")):
        form = aiohttp.FormData(
            {"csrf": await house.visitor.token(path), "body": "x", "name": "Alice"}, default_to_multipart=True
        )
        form.add_field(field, json.dumps(ACTOR).encode(), filename="actor.json", content_type=kind)
        status, _ = await house.send(path, form)
        assert status == 422
    assert await house.state() == before


async def test_010_a_picture_is_a_picture_whatever_is_asked_for(house: House) -> None:
    """With a document behind its last byte, which the copy that we keep does not have."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")
    form = aiohttp.FormData(
        {"csrf": await house.visitor.token("/home"), "body": "x", "audience": "public"}, default_to_multipart=True
    )
    form.add_field(
        "picture1", out.getvalue() + json.dumps(ACTOR).encode(), filename="x.png", content_type=ACTIVITY_JSON
    )
    status, text = await house.send("/home", form)
    assert status == 200, text
    found = re.search(r'src="(/media/[^"]+)"', text)
    assert found is not None
    for accept in (ACTIVITY_JSON, "application/ld+json", "*/*"):
        async with house.visitor.http.get(house.visitor.origin + found[1], headers={"Accept": accept}) as answer:
            assert answer.content_type == "image/webp"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert b"alice.example" not in await answer.read()


async def test_109_where_and_with_what_a_picture_was_taken_is_gone(house: House) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", exif=exif, comment=b"SecretWord")
    form = aiohttp.FormData(
        {"csrf": await house.visitor.token("/home"), "body": "x", "audience": "public"}, default_to_multipart=True
    )
    form.add_field("picture1", out.getvalue(), filename="x.jpg", content_type="image/jpeg")
    status, _ = await house.send("/home", form)
    assert status == 200
    kept = list(house.node.settings.media.iterdir())
    assert kept
    for path in kept:
        body = path.read_bytes()
        assert b"Secret" not in body
        assert not Image.open(io.BytesIO(body)).getexif()


@pytest.mark.parametrize("count", [201, 10_000])
async def test_091_fields_without_number(house: House, count: int) -> None:
    before, token = await house.state(), await house.visitor.token("/profile/edit")
    many = aiohttp.FormData({"csrf": token} | {f"f{number}": "x" for number in range(count)}, default_to_multipart=True)
    began = time.process_time()
    assert (await house.send("/profile/edit", many))[0] == 400
    encoded = "&".join(["csrf=" + token, *(f"f{number}=x" for number in range(count))]).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await house.send("/posts/new", encoded, **kind))[0] == 400
    assert time.process_time() - began < SECONDS
    assert await house.state() == before


async def test_091_a_form_in_chunks_of_one_byte(house: House) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(20_000):
            yield b"x"

    before = await house.state()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _ = await house.send("/posts/new", drops(), **kind)
    assert 400 <= status < 500
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    status, _ = await house.send("/profile/edit", drops(), **kind)
    assert 400 <= status < 500
    assert await house.state() == before


@pytest.mark.parametrize(
    ("path", "header", "body", "status"),
    [
        ("/sign-in", b"Cookie: freehold=\xff\xc3\x28", b"", 200),
        ("/sign-in", b"Cookie: freehold-form=\xff\xc3\x28", b"", 200),
        ("/sign-in", b"Cookie: freehold-form=\xff\xc3\x28", b"csrf=x", 403),
        ("/sign-in/code", b"Cookie: freehold-second=\xff\xc3\x28", b"", 303),
        ("/metrics", b"Authorization: Bearer \xff\xc3\x28", b"", 404),
        ("/sign-in", b"Content-Encoding: gzip", b"csrf=x", 400),
        ("/sign-in", b"Content-Encoding: deflate", b"csrf=x", 400),
    ],
)
async def test_092_what_no_browser_sends_is_no_fault_of_ours(
    house: House, path: str, header: bytes, body: bytes, status: int
) -> None:
    object.__setattr__(house.node.settings.log, "metrics_token", Secret("x"))
    before = await house.state()
    port = urlsplit(house.visitor.origin).port
    kind = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
    head = b"%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % (b"POST" if body else b"GET", path.encode())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + header + b"\r\n" + (kind if body else b"") + b"\r\n" + body)
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert int(answer.split()[1]) == status, answer
    assert await house.state() == before


async def test_093_a_megabyte_of_password_is_not_hashed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []

    async def seen(password: str, *rest: Any) -> Any:
        hashed.append(len(password))
        raise AssertionError("it was hashed")

    for name in ("hash_password", "check_password"):
        if hasattr(passwords, name):
            monkeypatch.setattr(passwords, name, seen)
    house.visitor.http.cookie_jar.clear()
    before = await house.state()
    for size in (1_000_000, 1_100_000, 5_000):
        token = await house.visitor.token("/sign-in")
        status, _ = await house.send("/sign-in", {"csrf": token, "name": "alice", "password": "x" * size})
        assert status in (413, 422)
    assert hashed == []
    assert await house.state() == before


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/profile/edit", {"name": MEGABYTE[:900_000]}),
        ("/profile/edit", {"name": "Alice", "headline": MEGABYTE[:900_000]}),
        ("/packs/new", {"name": MEGABYTE[:900_000], "members": "@alice@alice.example"}),
        ("/gigs/new", {"purpose": "offer", "title": MEGABYTE[:900_000], "body": "x"}),
        ("/learn/new", {"title": MEGABYTE[:900_000], "body": "x"}),
        ("/profile/edit", {"name": MEGABYTE * 2}),
        ("/settings/move/aliases", {"alias": MEGABYTE[:900_000]}),
    ],
)
async def test_093_a_megabyte_of_name_is_kept_nowhere(house: House, path: str, fields: dict[str, str]) -> None:
    before = await house.state()
    page = path.removesuffix("/aliases")
    form = aiohttp.FormData(
        {"csrf": await house.visitor.token(page)} | fields, default_to_multipart=path == "/profile/edit"
    )
    status, text = await house.send(path, form)
    assert status in (413, 422), text[:500]
    assert await house.state() == before


ADDRESSES = [
    "bo@allowed.example@evil.example",
    '"bo@allowed.example"@evil.example',
    "=?utf-8?q?bo?=@evil.example",
    "bo@evil.example\nBcc: all@evil.example",
    "Bo <bo@evil.example>",
    "bo@[127.0.0.1]",
    "bo@evil",
    "bo@\u202eevil.example",
    "bo(comment)@evil.example",
    "bo@evil.example,all@evil.example",
    "bo\x00@evil.example",
    "x" * 300 + "@evil.example",
]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_060_what_two_readers_take_for_two_addresses_is_none(house: House, address: str) -> None:
    """Nobody signs up here, but visitors give an address, and people where they want their mail."""
    before = await house.state()
    question = {"name": "Bo", "address": address, "text": "Are you free in May?"}
    status, _ = await house.send("/@alice/ask", {"csrf": await house.visitor.token("/@alice/ask")} | question)
    assert status in (400, 422)
    mine = {"csrf": await house.visitor.token("/settings/notices"), "address": address}
    assert (await house.send("/settings/notices/address", mine))[0] in (400, 422)
    assert await house.state() == before
    assert await house.node.db.read(lambda tx: tx.rows(sa.select(asks))) == []


async def test_123_who_has_an_account_is_not_to_be_found_out(house: House) -> None:
    """The same words, and the same work, for a wrong password and for a name that nobody has."""
    house.visitor.http.cookie_jar.clear()
    answers, spent = [], []
    for name in ("alice", "nobody"):
        token = await house.visitor.token("/sign-in")
        began = time.process_time()
        status, text = await house.send("/sign-in", {"csrf": token, "name": name, "password": "a wrong password"})
        spent.append(time.process_time() - began)
        answers.append((status, re.sub(r'"[0-9a-f]{64}"|"[^"]{40,}"', "", text.replace(f'"{name}"', '""'))))
    assert answers[0] == answers[1]
    assert 0.2 < spent[0] / spent[1] < 5
    assert len(list(await house.node.db.read(lambda tx: tx.rows(sa.select(accounts))))) == 1


PNG = io.BytesIO()
Image.new("RGB", (40, 30), "red").save(PNG, "PNG")
GIG = {"purpose": "offer", "title": "A cover", "body": "For a book.", "skills": "Illustration", "negotiable": "yes"}
MODULE = {"title": "Ink", "summary": "How to.", "body": "# Ink\n\nTake a pen.", "skills": "Ink", "licence": "CC-BY-4.0"}


async def test_178_a_form_that_comes_twice_makes_one(house: House) -> None:
    """A double click, or a page loaded anew; what was written differently under the same mark is another."""
    for path, fields, table in (
        ("/home", {"body": "Once.", "audience": "public"}, objects),
        ("/posts/new", {"body": "Once more.", "audience": "public"}, objects),
        ("/gigs/new", GIG, objects),
        ("/learn/new", MODULE, objects),
    ):
        before = await house.count(table)
        form = await house.filled(path, fields)
        answers = await asyncio.gather(*(house.send(path, form | {}) for _ in range(3)))
        assert [status for status, _ in answers] == [200] * 3, path
        assert await house.count(table) - before == made_by(path), path
        await house.send(path, form | {"body": f"{fields['body']} And another."})
        assert await house.count(table) - before == 2 * made_by(path), path


def made_by(path: str) -> int:
    """A module comes with the Note that announces it."""
    return 2 if path == "/learn/new" else 1


async def test_178_a_post_with_a_picture_comes_twice(house: House) -> None:
    before = await house.count(objects)
    filled = await house.filled("/home", {"body": "Look.", "audience": "public"})
    for _ in range(2):
        form = aiohttp.FormData(filled, default_to_multipart=True)
        form.add_field("picture1", PNG.getvalue(), filename="x.png", content_type="image/png")
        assert (await house.send("/home", form))[0] == 200
    assert await house.count(objects) - before == 1
