"""The pages of a CV, through a real port: added, changed, moved, deleted; and nobody else's."""

from __future__ import annotations

import io
import re

import aiohttp
import pytest
import sqlalchemy as sa
from PIL import Image

from federation.tables import actors
from node.app import web_application
from node.media.tables import media
from node.profiles import cv_commands, sources
from node.profiles.entries import MAX_OF_SECTION, parse_entry
from node.profiles.tables import cv_entries
from tests.node.house import PASSWORD, serving, settle_in, state, token_in
from tests.node.test_sweep import second_person

FORM = {"title": "Staff designer", "organisation": "Museum", "start": "2021-03", "audience": "public"}


@pytest.fixture
async def house(ground):
    """`(node, author, visitor)`, Alice signed in."""
    node, account = await settle_in(ground)
    async with serving(web_application(node)) as visitor:
        await visitor.submit("/sign-in", name="alice", password=PASSWORD)
        yield node, await node.author(account.actor_id), visitor
    await node.client.close()


async def send(visitor, path: str, picture: bytes | None = None, **fields: str):
    """What a browser sends from the form of a line."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in {"csrf": token_in((await visitor.get(path)).text), **fields}.items():
        form.add_field(name, value)
    form.add_field("picture", picture or b"", filename="a.png" if picture else "", content_type="image/png")
    headers = {"Accept": "text/html", "Origin": visitor.origin}
    async with visitor.http.post(visitor.origin + path, data=form, headers=headers) as answer:
        return answer.status, str(answer.url).removeprefix(visitor.origin), await answer.text()


async def titles(node, author, section: str = "experience") -> list[str]:
    lines = await node.db.read(sources.own_entries, author.actor_id)
    return [line.entry.title for line in lines if line.section == section]


async def add(node, author, section: str = "experience", **changes: str) -> str:
    return await node.db.write(cv_commands.add_entry, author, section, parse_entry(section, FORM | changes))


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), "red").save(out, "PNG")
    return out.getvalue()


async def test_a_line_is_written_changed_and_deleted(house):
    node, author, visitor = house
    assert "Work that you have done: for whom" in (await visitor.get("/profile/cv")).text, "an empty CV teaches"
    status, path, text = await send(visitor, "/profile/experience/new", **FORM, text="Signs.")
    assert (status, path.partition("#")[0]) == (200, "/profile/cv")
    assert "March 2021 to now" in text
    page = (await visitor.get("/@alice")).text
    for said in (
        "Staff designer",
        "Museum",
        "March 2021 to now",
        "Signs.",
        "p-experience",
        '"roleName": "Staff designer"',
    ):
        assert said in page, said
    (row,) = await node.db.read(lambda tx: tx.rows(sa.select(cv_entries)))
    edit = f"/profile/experience/{row.id}/edit"
    assert 'value="2021-03"' in (await visitor.get(edit)).text
    assert (await send(visitor, edit, **FORM | {"title": "Head of design", "end": "2024"}))[0] == 200
    assert "March 2021 to 2024" in (await visitor.get("/@alice")).text
    delete = f"/profile/experience/{row.id}/delete"
    assert "Delete this line of your CV?" in (await visitor.get(delete)).text
    await visitor.submit(delete)
    assert "Head of design" not in (await visitor.get("/@alice")).text
    assert await titles(node, author) == []


async def test_lines_change_places(house):
    node, author, visitor = house
    ids = [await add(node, author, title=title) for title in ("Third", "Second", "First")]
    assert await titles(node, author) == ["First", "Second", "Third"]
    await visitor.submit(f"/profile/experience/{ids[1]}/up", page="/profile/cv")
    assert await titles(node, author) == ["Second", "First", "Third"]
    await visitor.submit(f"/profile/experience/{ids[1]}/up", page="/profile/cv")
    await visitor.submit(f"/profile/experience/{ids[0]}/down", page="/profile/cv")
    assert await titles(node, author) == ["Second", "First", "Third"], "there is nothing above or below"
    page = (await visitor.get("/@alice")).text
    assert page.index("Second") < page.index("First") < page.index("Third")


async def test_what_is_wrong_is_said_and_nothing_is_changed(house):
    node, _, visitor = house
    before = await state(node.db)
    status, _, text = await send(visitor, "/profile/education/new", **FORM | {"title": "", "end": "2020"})
    assert status == 422
    assert "Write what you learnt there" in text
    assert "This ends before it begins" in text
    assert 'aria-invalid="true"' in text
    assert 'value="Museum"' in text, "nothing typed was lost"
    assert await state(node.db) == before


async def test_there_is_an_end_to_a_section(house):
    node, author, visitor = house
    for number in range(MAX_OF_SECTION):
        await add(node, author, title=f"Line {number}")
    status, _, text = await send(visitor, "/profile/experience/new", **FORM)
    assert status == 422
    assert "There is room for 20 lines here" in text
    assert len(await titles(node, author)) == MAX_OF_SECTION


async def test_a_work_has_a_picture_with_its_description(house):
    node, author, visitor = house
    form = {"title": "A map", "audience": "public"}
    assert (await send(visitor, "/profile/portfolio/new", picture(), **form, alt="A map of a town"))[0] == 200
    (line,) = await node.db.read(sources.own_entries, author.actor_id)
    page = (await visitor.get("/@alice")).text
    assert 'alt="A map of a town"' in page
    small = re.search(r'src="(/media/[0-9a-f]+-small\.webp)"', page)[1]
    assert (await visitor.http.get(visitor.origin + small)).status == 200
    edit = f"/profile/portfolio/{line.id}/edit"
    await send(visitor, edit, **form, alt="Another town")
    assert 'alt="Another town"' in (await visitor.get("/@alice")).text
    document = await node.db.read(
        lambda tx: tx.scalar(sa.select(actors.c.document).where(actors.c.id == author.actor_id))
    )
    assert b"Another town" in bytes(document)
    await send(visitor, edit, **form, remove_picture="yes")
    assert '<img src="/media' not in (await visitor.get("/@alice")).text
    (row,) = await node.db.read(lambda tx: tx.rows(sa.select(media)))
    assert row.dropped_at is not None, "and its file goes with it"
    status, _, text = await send(visitor, edit, b"<svg onload=alert(1)>", **form)
    assert status == 422
    assert "not a picture" in text


async def test_111_lines_of_others_are_not_there(house):
    node, author, visitor = house
    carol = await node.db.write(second_person(node))
    theirs = await add(node, carol, title="Of Carol")
    own = await add(node, author)
    before = await state(node.db)
    token = token_in((await visitor.get("/home")).text)
    for path in (
        f"/profile/experience/{theirs}/edit",
        f"/profile/experience/{theirs}/delete",
        f"/profile/education/{own}/edit",
        f"/profile/education/{own}/delete",
    ):
        page, never = await visitor.get(path), await visitor.get(re.sub(r"/[0-9a-z]{26}/", "/0/", path))
        assert (page.status, page.text) == (404, never.text), path
        assert (await visitor.post(path, csrf=token, **FORM)).status == 404, path
    for direction in ("up", "down"):
        assert (await visitor.post(f"/profile/experience/{theirs}/{direction}", csrf=token)).status == 404
    assert await state(node.db) == before


async def test_who_decides_about_followers_says_so_in_the_document(house):
    node, author, visitor = house
    form = {"name": "Alice", "approves": "yes", "rate": "70", "rate_for": "followers"}
    assert (await send(visitor, "/profile/edit", **form))[0] == 200
    page = (await visitor.get("/profile/edit")).text
    assert re.search(r'name="approves" value="yes" checked', page)
    assert re.search(r'<select id="rate_for".*?<option value="followers" selected>', page, re.DOTALL)
    assert 'value="70.00"' in page
    row = await node.db.read(lambda tx: tx.row(sa.select(actors).where(actors.c.id == author.actor_id)))
    assert row.manually_approves
    assert b'"manuallyApprovesFollowers":true' in bytes(row.document)
    assert b"70.00" not in bytes(row.document)


async def test_free_hours_week_by_week(house):
    _, _, visitor = house
    form = {f"week{number}": "24" if number > 1 else "" for number in range(26)}
    page = await visitor.submit("/profile/weeks", **form)
    assert (page.status, "Say on your profile first" in page.text) == (422, True)
    await send(visitor, "/profile/edit", name="Alice", availability="open")
    page = await visitor.submit("/profile/weeks", **form | {"week3": "soon"})
    assert (page.status, "a whole number of hours" in page.text) == (422, True)
    page = await visitor.submit("/profile/weeks", **form)
    assert "The coming 26 weeks" in page.text
    assert page.text.count('<td class="n">24</td>') == 24
    assert 'value="24"' in (await visitor.get("/profile/weeks")).text
    hidden = re.search(r'name="weeks" value="([^"]*)"', (await visitor.get("/profile/edit")).text)[1]
    assert hidden.split() == ["0", "0"] + ["24"] * 24, "the other form keeps them"
    page = await visitor.submit("/profile/weeks", **dict.fromkeys(form, ""))
    assert "The coming 26 weeks" not in page.text
