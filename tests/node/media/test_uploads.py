"""Pictures of a post's form: kept when the form is refused, of their owner alone, gone when no post wants them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from federation.authors import Author
from federation.tables import objects
from node.accounts import throttle
from node.accounts.throttle import PER_PICTURE, THROTTLE
from node.app import web_application
from node.context import Ground, Node
from node.errors import Invalid, NotFound
from node.media import attachments, tables
from node.media.attachments import MAX_ALT, MAX_WAITING
from node.media.pictures import MAX_ATTACHED, Made, Pictures
from node.media.sweep import sweep
from node.media.uploads import store
from node.social import commands
from node.social.rules import PostDraft
from tests.node.house import PASSWORD, serving, settle_in
from tests.node.media.test_pictures import picture
from tests.visitors import Page, Visitor

KEPT = re.compile(r'name="media" value="([0-9a-z]{26})"')


@dataclass
class Desk:
    """Alice, signed in, and what she has uploaded."""

    node: Node
    author: Author
    visitor: Visitor
    application: web.Application

    async def send(self, path: str, fields: dict[str, str], **files: bytes) -> Page:
        """A form as a browser sends it."""
        form = aiohttp.FormData(fields | {"csrf": await self.visitor.token(path)}, default_to_multipart=True)
        for name, body in files.items():
            form.add_field(name, body, filename="/etc/passwd", content_type="image/jpeg")
        headers = {"Accept": "text/html", "Origin": self.visitor.origin}
        async with self.visitor.http.post(self.visitor.origin + path, data=form, headers=headers) as answer:
            return Page(answer.status, str(answer.url), await answer.text(), answer.headers)

    async def rows(self, statement: Any = None) -> list[Any]:
        """All uploads, in the order of their making."""
        wanted = sa.select(tables.media).order_by(tables.media.c.id) if statement is None else statement
        return list(await self.node.db.read(lambda tx: tx.rows(wanted)))

    async def upload(self, owner: str, alt: str = "") -> str:
        """Returns its id."""
        return (await store(self.node.db, Pictures(self.node.settings.media), owner, picture(), alt)).id

    def files(self) -> list[str]:
        """What stands in the folder."""
        folder = self.node.settings.media
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
async def desk(ground: Ground) -> AsyncIterator[Desk]:
    node, account = await settle_in(ground)
    application = web_application(node)
    async with serving(application) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        yield Desk(node, await node.author(account.actor_id), visitor, application)
    await node.client.close()


async def test_nothing_is_lost_when_a_form_is_refused(desk: Desk) -> None:
    fields = {"body": "x" * 10_001, "audience": "followers", "alt1": "Left", "alt2": "A text", "alt3": "y" * 1_600}
    page = await desk.send("/home", fields, picture1=picture(), picture2=b"<svg/>", picture3=picture("PNG", (40, 30)))
    assert page.status == 422
    first, third = KEPT.findall(page.text)
    assert [row.alt for row in await desk.rows()] == ["Left", "y" * MAX_ALT]
    assert f'name="alt-{first}"' in page.text
    assert ">\nLeft</textarea>" in page.text
    assert "y" * 1_600 in page.text, "what was typed stands there, however long"
    assert "at most 1500 characters" in page.text
    assert "not a picture that can be shown here" in page.text
    assert 'value="A text"' in page.text
    assert 'name="picture3"' in page.text
    assert 'name="picture2"' not in page.text, "two are here, two may come"

    kept = {"audience": "public", "body": "", "media": third, f"alt-{third}": "Right"}
    page = await desk.send("/home", kept | {"drop": ""}, picture3=picture(size=(50, 50)))
    assert page.status == 200, page.text
    assert [(row.alt, row.object_id is None) for row in await desk.rows()] == [
        ("Left", True), ("Right", False), ("", False),
    ]  # fmt: skip
    assert 'alt="Right"' in page.text
    assert 'alt="A picture without a description"' in page.text


async def test_a_fifth_picture_and_a_large_one_are_refused_at_their_field(desk: Desk) -> None:
    small = picture(size=(20, 20))
    ids = [await desk.upload(desk.author.actor_id) for _ in range(3)]
    fields = {"body": "x", "media": " ".join(ids)}
    page = await desk.send("/posts/new", fields, picture1=small, picture2=small, picture3=small + bytes(MAX_ATTACHED))
    assert page.status == 422
    assert "Give at most 4 pictures." in page.text
    assert len(KEPT.findall(page.text)) == 4
    page = await desk.send("/posts/new", {"body": "x"}, picture1=small + bytes(MAX_ATTACHED))
    assert page.status == 422
    assert "larger than 8 MB" in page.text


async def test_120_somebody_can_upload_only_so_many_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1_000.0
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: at))
    small = picture(size=(20, 20))
    desk.application[THROTTLE].pictures.take(desk.author.actor_id, at, PER_PICTURE.burst - 1)
    page = await desk.send("/posts/new", {"body": "All of it", "alt2": "A boat"}, picture1=small, picture2=small)
    assert page.status == 422
    assert "These were many pictures in a short time. Try again in 1 minute." in page.text
    assert "All of it" in page.text, "nothing of the form is lost"
    assert 'value="A boat"' in page.text
    assert len(await desk.rows()) == 1
    held = desk.files()
    page = await desk.send("/profile/edit", {"name": "Alice"}, picture=small)
    assert (page.status, "These were many pictures" in page.text) == (422, True)
    page = await desk.send("/profile/portfolio/new", {"title": "A chart", "who": "public"}, picture=small)
    assert (page.status, "These were many pictures" in page.text) == (422, True)
    assert (desk.files(), len(await desk.rows())) == (held, 1)
    at += 1 / PER_PICTURE.per_second
    assert (await desk.send("/posts/new", {"body": "Now"}, picture1=small)).status == 200
    assert len(await desk.rows()) == 2


async def test_108_what_is_not_one_s_own_and_unused_goes_with_no_post(desk: Desk) -> None:
    mine, theirs = await desk.upload(desk.author.actor_id), await desk.upload(f"{desk.node.ids.origin}/users/eve")
    used = await desk.node.db.write(commands.post, desk.author, PostDraft("Look", "public", attachments=(mine,)))
    for name in (theirs, mine, "no-such-picture"):
        before = await desk.rows(sa.select(objects.c.id)), await desk.rows()
        draft = PostDraft("Look", "public", attachments=(name,))
        with pytest.raises(NotFound):
            await desk.node.db.write(commands.post, desk.author, draft)
        with pytest.raises(NotFound):
            await desk.node.db.write(attachments.describe, f"{desk.node.ids.origin}/users/bob", name, "x")
        page = await desk.send("/home", {"body": "", "media": name})
        assert page.status == 422
        assert KEPT.findall(page.text) == []
        assert (await desk.rows(sa.select(objects.c.id)), await desk.rows()) == before
    assert [row.object_id for row in await desk.rows()] == [used, None]


async def test_137_an_upload_that_no_post_takes_is_gone_after_a_day(desk: Desk) -> None:
    kept = await desk.upload(desk.author.actor_id)
    assert len(desk.files()) == 2
    await desk.node.db.write(attachments.expire)
    assert await sweep(desk.node.db, desk.node.settings) == 0
    desk.node.clock.offset += timedelta(days=1, minutes=1)
    again = await desk.upload(desk.author.actor_id)
    await desk.node.db.write(attachments.expire)
    assert await sweep(desk.node.db, desk.node.settings) == 1
    assert [row.id for row in await desk.rows()] == [again] != [kept]
    assert len(desk.files()) == 2, "the same content is still wanted"
    await desk.node.db.write(attachments.discard, desk.author.actor_id, again)
    await sweep(desk.node.db, desk.node.settings)
    assert desk.files() == []


async def test_somebody_can_let_only_so_many_wait(desk: Desk) -> None:
    made = Made("0" * 40 + ".png", "image/png", 1, 1, {})
    for _ in range(MAX_WAITING):
        await desk.node.db.write(attachments.add, desk.author.actor_id, made)
    with pytest.raises(Invalid, match="40 pictures"):
        await desk.node.db.write(attachments.add, desk.author.actor_id, made)


async def test_a_changed_post_has_its_pictures_described_taken_out_and_added(desk: Desk) -> None:
    first, second = [await desk.upload(desk.author.actor_id, alt) for alt in ("One", "Two")]
    draft = PostDraft("Look", "public", attachments=(first, second))
    post_id = await desk.node.db.write(commands.post, desk.author, draft)
    path = f"/posts/{post_id.rpartition('/')[2]}/edit"
    page = await desk.visitor.get(path)
    assert KEPT.findall(page.text) == [first, second]
    fields = {"body": "Look", "media": f"{first} {second}", "drop": first, f"alt-{second}": "Second"}
    page = await desk.send(path, fields, picture2=picture(size=(30, 30)))
    assert page.status == 200, page.text
    [row] = await desk.rows(sa.select(objects.c.body).where(objects.c.id == post_id))
    assert re.findall(rb'"name":"([^"@#]*)"', row.body) == [b"Second"]
    assert row.body.count(b'"Document"') == 2
    await sweep(desk.node.db, desk.node.settings)
    assert [one.alt for one in await desk.rows()] == ["Second", ""]
