"""In Chromium, without JavaScript: from the printed link to a timeline, with axe-core on every page on the way."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page

from node.backup.pages import place_of
from tests.browser.chromium import Eye, chromium, new_page
from tests.nodes import Somebody, cluster, settled
from tests.people import PASSWORD
from tests.processes import Place, Server, place

SLOW = 180


@dataclass
class Visit:
    """One person in front of one browser."""

    page: Page
    eye: Eye
    a: Place
    bob: Somebody

    async def go(self, path: str) -> None:
        """Type an address."""
        await self.page.goto(path if path.startswith("http") else self.a.origin + path)

    async def fill(self, **fields: str) -> None:
        """Fill in fields by their names; radio buttons and selects by their values."""
        for name, value in fields.items():
            field = self.page.locator(f'main [name="{name}"]').first
            kind, tag = await field.get_attribute("type"), await field.evaluate("element => element.tagName")
            if kind in ("radio", "checkbox"):
                await self.page.locator(f'main [name="{name}"][value="{value}"]').check(force=True)
            elif tag == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)

    async def press(self, button: str) -> None:
        """A button, by its words, and the page that it leads to, however long that takes."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("main").get_by_role("button", name=button, exact=True).first.click()

    async def sees(self, *texts: str) -> None:
        """All of these stand in the page's main part."""
        shown = await self.page.locator("main").inner_text()
        for text in texts:
            assert text in shown, f"{text!r} is not on {self.page.url}:\n{shown}"

    async def until_it_shows(self, path: str, text: str) -> None:
        """Load a page again until a text is there: the server that it waits for is another process."""
        async with asyncio.timeout(20):
            await self.go(path)
            while text not in await self.page.locator("main").inner_text():
                await asyncio.sleep(0.1)
                await self.go(path)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.a.origin)


@asynccontextmanager
async def visiting(data: Path, **environ: str) -> AsyncIterator[tuple[Visit, Server]]:
    """A node that is not set up yet, one that is, and a browser."""
    a = place(data / "a", "127.0.0.7", **environ)
    async with (
        cluster("b.example") as (b,),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as second,
        a.serving() as server,
    ):
        bob = await b.set_up("bob", name="Bo Lindqvist")
        yield Visit(page, Eye(second), a, bob), server


@pytest.mark.timeout(SLOW)
async def test_from_the_printed_link_to_the_timeline(tmp_path: Path):
    async with visiting(tmp_path) as (visit, server):
        await set_up(visit, server)
        await make_a_profile(visit)
        await publish_a_gig(visit)
        await publish_a_module(visit)
        await follow_bob(visit)
        await read_the_timeline(visit)
        await as_a_stranger(visit)
        await by_keyboard(visit)
        visit.eye.nothing_found()


@pytest.mark.timeout(SLOW)
async def test_the_same_node_on_postgresql(tmp_path: Path, postgres_server):
    name = postgres_server.create()
    try:
        async with visiting(tmp_path, FREEHOLD_DATABASE_URL=postgres_server.url(name)) as (visit, server):
            await set_up(visit, server)
            await visit.fill(name="Amara Okafor", headline="Forms that people finish")
            await visit.press("Save and sign")
            await visit.sees("Forms that people finish")
    finally:
        postgres_server.drop(name)


async def set_up(visit: Visit, server: Server) -> None:
    line = next(line for line in server.lines if "/setup?token=" in line)
    await visit.go("/")
    await visit.eye.look("setup waiting", visit.page)
    await visit.go(line.strip())
    await visit.eye.look("setup", visit.page)

    await visit.fill(handle="amara/okafor", name="Amara Okafor", password="short")
    for name in ("handle", "password"):  # what the browser itself would refuse is sent all the same
        await visit.page.locator(f'[name="{name}"]').evaluate("element => element.form.noValidate = true")
    await visit.press("Set up and sign in")
    await visit.sees("A handle has only small letters", "A password has at least")
    await visit.eye.look("setup with errors", visit.page)

    await visit.fill(handle="amara", password=PASSWORD, sure="yes")
    await visit.press("Set up and sign in")
    assert visit.path == "/setup/keys"
    await server.says("is open.")
    await keep_the_phrase(visit)
    assert visit.path == "/setup/identity"
    await make_an_identity(visit)
    assert visit.path == "/setup/hello"
    await visit.go("/profile/edit")


async def keep_the_phrase(visit: Visit) -> None:
    await visit.eye.look("setup keys", visit.page)
    phrase = await visit.page.locator("main p.address").inner_text()
    await visit.fill(word="kay", where="own")
    await visit.press("Next: your identity")
    await visit.sees(phrase, "It is another word.")
    await visit.eye.look("setup keys with errors", visit.page)
    await visit.fill(word=phrase.split()[place_of(phrase) - 1])
    await visit.press("Next: your identity")


async def make_an_identity(visit: Visit) -> None:
    await visit.eye.look("setup identity", visit.page)
    code = await visit.page.locator("main p.address").inner_text()
    await visit.press("I have written it down")
    await visit.fill(code="not my code")
    await visit.press("Open the key")
    await visit.sees("The code has 9 words")
    await visit.eye.look("setup identity with errors", visit.page)
    await visit.fill(code=code)
    await visit.press("Open the key")


async def make_a_profile(visit: Visit) -> None:
    await visit.eye.look("profile edit empty", visit.page)
    await visit.fill(name="Amara Okafor", rate="lots")
    await visit.press("Save and sign")
    assert await visit.page.locator('[name="rate"]').get_attribute("aria-invalid") == "true"
    assert await visit.page.locator('[name="rate"]').input_value() == "lots", "nothing typed is lost"
    await visit.eye.look("profile edit with errors", visit.page)

    await visit.fill(
        headline="Forms that people finish",
        summary="I watch three people fail. **Then** I draw.",
        skills="usability engineering, design user interface",
        rate="85",
        currency="EUR",
        unit="hour",
        availability="limited",
        hours_per_week="24",
        languages="English, Igbo",
        links="https://amara.example/work",
    )
    await visit.page.locator('[name="picture"]').set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": png(64)}
    )
    await visit.press("Save and sign")
    assert visit.path == "/@amara"
    await visit.sees("Amara Okafor", "Are you free yet?", "A little, 24 hours a week.", "EUR 85", "Igbo")
    assert await visit.page.locator("main img.avatar").first.evaluate("image => image.naturalWidth") > 0
    await visit.eye.look("profile own", visit.page)
    await visit.go("/profile/edit")
    await visit.eye.look("profile edit", visit.page)


async def publish_a_gig(visit: Visit) -> None:
    await visit.go("/gigs")
    await visit.eye.look("gigs empty", visit.page)
    await visit.go("/gigs/new?purpose=offer")
    await visit.eye.look("gig new", visit.page)
    await visit.fill(purpose="offer", title="Two days with your worst form", body="Send it.", price="lots", unit="day")
    await visit.press("Sign and publish")
    assert await visit.page.locator('[name="price"]').get_attribute("aria-invalid") == "true"
    await visit.eye.look("gig new with errors", visit.page)
    await visit.fill(price="640", currency="EUR", available="2", skills="usability engineering")
    await visit.press("Sign and publish")
    assert re.fullmatch(r"/@amara/gigs/\w{26}", visit.path)
    await visit.sees("Two days with your worst form", "EUR 640 a day")
    await visit.eye.look("gig", visit.page)
    gig = visit.path
    name = gig.rpartition("/")[2]
    await visit.go(f"/gigs/{name}/edit")
    await visit.eye.look("gig edit", visit.page)
    await visit.fill(price="600")
    await visit.press("Save and sign")
    await visit.sees("EUR 600 a day")
    await visit.go(f"/gigs/{name}/close")
    await visit.eye.look("gig close", visit.page)
    await visit.go("/gigs")
    await visit.sees("Two days with your worst form")
    await visit.eye.look("gigs", visit.page)


async def publish_a_module(visit: Visit) -> None:
    await visit.go("/learn")
    await visit.eye.look("learn empty", visit.page)
    await visit.go("/learn/new")
    await visit.eye.look("module new", visit.page)
    await visit.fill(title="Five questions", body="", minutes="many")
    for name in ("body", "minutes"):
        await visit.page.locator(f'[name="{name}"]').evaluate("element => element.form.noValidate = true")
    await visit.press("Sign and publish")
    await visit.eye.look("module new with errors", visit.page)
    await visit.fill(
        title="Five questions to ask before you draw",
        summary="Twenty minutes that save a week.",
        body="## Who rings you?\n\nAsk her.\n\n## What do they hold?\n\nA child, a letter.\n\n"
        "| what | why |\n|---|---|\n| `a_name_of_forty_four_letters_in_a_table_cell` | 2 |\n\n"
        "```\ncode that is wider than a phone " + "x" * 80 + "\n```\n",
        skills="usability engineering",
        minutes="20",
    )
    await visit.press("Sign and publish")
    assert re.fullmatch(r"/@amara/learn/\w{26}", visit.path)
    await visit.sees("Five questions to ask before you draw", "Who rings you?")
    await visit.eye.look("module", visit.page)
    await visit.go("/learn")
    await visit.sees("Five questions to ask before you draw")
    await visit.eye.look("learn", visit.page)


async def follow_bob(visit: Visit) -> None:
    await visit.go("/home")
    await visit.eye.look("home on the first day", visit.page)
    await visit.go("/people")
    await visit.eye.look("people on the first day", visit.page)
    await visit.fill(find="@nobody@" + visit.bob.home.origin.removeprefix("http://"))
    await visit.press("Look")
    assert await visit.page.locator('[name="find"]').get_attribute("aria-invalid") == "true"
    await visit.eye.look("people with errors", visit.page)
    await visit.fill(find=visit.bob.handle)
    await visit.press("Look")
    assert visit.path == f"/{visit.bob.handle}"
    await visit.sees("Bo Lindqvist")
    await visit.eye.look("profile found elsewhere", visit.page)
    await visit.press("Follow")
    amara = f"{visit.a.origin}/users/amara"
    await visit.bob.home.works_until(lambda: visit.bob.home.follow_state(amara, visit.bob.id), "accepted")
    await visit.until_it_shows("/people", "Bo Lindqvist")
    await visit.until_it_shows(f"/{visit.bob.handle}", "Unfollow")
    await visit.go("/people")
    await visit.eye.look("people", visit.page)
    await visit.go("/people?show=followers")
    await visit.eye.look("followers", visit.page)


async def read_the_timeline(visit: Visit) -> None:
    gig = await visit.bob.publish_gig(title="Your slowest page, quick by Friday")
    await visit.bob.publish_module(title="Reading a query plan")
    await visit.bob.post("The index was on the wrong half of a date.")
    await visit.bob.post("Only those who follow me read this.", audience="followers")
    await settled(visit.bob.home)
    await visit.until_it_shows("/home", "Only those who follow me")
    await visit.sees(
        "Your slowest page, quick by Friday",
        "Reading a query plan",
        "The index was on the wrong half of a date.",
        "Signature verified",
        "Delivered by its server",
    )
    await visit.eye.look("home", visit.page)
    await visit.go(f"/seen?id={gig}")
    await visit.sees("Your slowest page, quick by Friday", "EUR 85 an hour")
    await visit.eye.look("gig of another server", visit.page)
    await visit.go(f"/@{visit.bob.handle[1:]}")
    await visit.sees("Bo Lindqvist")
    await visit.eye.look("profile of another server", visit.page)


async def as_a_stranger(visit: Visit) -> None:
    await visit.go("/settings")
    async with visit.page.expect_navigation():
        await visit.page.get_by_role("button", name="Sign out").first.click()
    for name, path in {"profile": "/@amara", "sign in": "/sign-in", "not found": "/@nobody"}.items():
        await visit.go(path)
        await visit.eye.look(f"{name} for strangers", visit.page)
    await visit.go("/home")
    assert visit.path.startswith("/sign-in?next=")
    await visit.fill(name="amara", password="not the password")
    await visit.press("Sign in")
    await visit.eye.look("sign in with errors", visit.page)
    await visit.fill(name="amara", password=PASSWORD)
    await visit.press("Sign in")
    assert visit.path == "/home", "one comes where one wanted to go"


async def by_keyboard(visit: Visit) -> None:
    """The skip link comes first and works; every stop is seen; the order of focus is the order of reading."""
    page = visit.page
    await visit.go("/home")
    await page.keyboard.press("Tab")
    assert await page.evaluate("() => document.activeElement.className") == "skip"
    assert await page.locator("a.skip").is_visible()
    await page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    await page.keyboard.press("Tab")
    assert await page.evaluate("() => document.querySelector('main').contains(document.activeElement)")

    await visit.go("/home")
    stops = await page.evaluate(
        "() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]"
        ".filter(e => e.checkVisibility() && !e.disabled && !e.closest('details:not([open]) > :not(summary)')).length"
    )
    positions = []
    for _ in range(stops):
        await page.keyboard.press("Tab")
        positions.append(
            await page.evaluate(
                "() => [[...document.querySelectorAll('*')].indexOf(document.activeElement),"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    order = [position for position, _ in positions]
    assert order == sorted(order), "the order of focus is the order of reading"
    assert {outline for _, outline in positions} <= {"solid", "auto"}, "the focus is seen everywhere"


def png(size: int) -> bytes:
    """A green square."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\x00" + bytes((12, 107, 77)) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
