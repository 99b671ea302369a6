"""A profile as a CV, in Chromium: written without JavaScript, looked at with axe-core, printed on two pages of A4."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from msgspec.structs import replace as replaced
from PIL import Image
from playwright.async_api import Browser, Page

from node.media.pictures import Made, Pictures
from node.profiles import commands, cv_commands, links, sources
from node.profiles.entries import parse_entry
from node.profiles.links import Due
from node.profiles.weeks import monday
from tests.browser.chromium import Eye, chromium, new_page
from tests.nodes import Home, cluster, settled
from tests.people import PASSWORD, Somebody

TEXT = "Print and web from one source, tested with six visitors who use screen readers, and with two who read nothing."
PROFILE = {
    "headline": "I turn research into pages that people can read, hear and print.",
    "summary": "For eleven years I have made **annual reports**, museum guides and dashboards.\n\nI write plainly.",
    "skills": "Python, Information design, Accessible front end, Data visualisation, Editorial design, HTML and CSS",
    "rate": "68",
    "availability": "open",
    "hours_per_week": "24",
    "languages": "English C2, Igbo native, português B2",
    "links": "https://okafor.example/work\nhttps://code.example/amara",
}


async def a_full_profile(home: Home) -> Somebody:
    """What somebody with fifteen years of work might say; one line of it for followers."""
    amara = await home.set_up("amara", name="Amara Okafor")
    await amara.save_profile(**PROFILE)
    for number in range(6):
        years = {"start": str(2014 + number), "end": f"{2015 + number}-06" if number < 5 else ""}
        form = {"title": f"Designer {number}", "organisation": "Kestrel Museum Trust", "place": "Bergen", "text": TEXT}
        audience = "followers" if number == 2 else "public"
        await amara.do(
            cv_commands.add_entry, "experience", parse_entry("experience", form | years | {"audience": audience})
        )
    for title in ("BSc Statistics", "MA Information design"):
        form = {"title": title, "organisation": "Universidade do Porto", "start": "2009", "end": "2013"}
        await amara.do(cv_commands.add_entry, "education", parse_entry("education", form))
    made = await a_picture(home)
    for number in range(4):
        form = {
            "title": f"The budget in {number + 1} pages",
            "text": "A poster.",
            "url": "https://okafor.example/budget",
        }
        await amara.do(
            cv_commands.add_entry,
            "portfolio",
            parse_entry("portfolio", form),
            picture=made,
            alt="A poster with a figure",
        )
    own = await home.node.db.read(sources.own_person, amara.id)
    weeks = (0, 0, 24, 24, 8, *[24] * 21)
    said = replaced(own.availability, weeks=weeks, weeks_from=monday(home.clock.now().date()))
    await amara.do(commands.save_profile, replace(sources.draft_of(own), availability=said))
    await home.node.db.write(links.links_back, Due(amara.id, "https://okafor.example/work"))
    return amara


async def a_picture(home: Home) -> Made:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "#1f7a5a").save(out, "PNG")
    pictures = Pictures(home.settings.media)
    made = await pictures.prepare(out.getvalue())
    await pictures.keep(made.files)
    return made


async def sign_in(page: Page, home: Home, name: str) -> None:
    await page.goto(f"{home.origin}/sign-in")
    await page.locator("#name").fill(name)
    await page.locator("#password").fill(PASSWORD)
    await page.locator("#password").press("Enter")
    await page.wait_for_url("**/home*")


@pytest.mark.timeout(180)
async def test_a_cv_is_written_seen_and_printed():
    async with (
        cluster("a.example", "b.example") as (a, b),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as eyes,
    ):
        amara, eye = await a_full_profile(a), Eye(eyes)
        bo = await b.set_up("bo")
        await bo.follow(amara)
        await settled(a, b)
        await page.goto(f"{a.origin}/@amara")
        await eye.look("cv for strangers", page)
        await printed(page)
        await sign_in(page, a, "amara")
        for name, path in {
            "cv": "/profile/cv",
            "cv weeks": "/profile/weeks",
            "cv import": "/profile/import",
            "cv edit profile": "/profile/edit",
            "cv own": "/@amara",
        }.items():
            await page.goto(a.origin + path)
            await eye.look(name, page)
        await write_a_line(page, eye, a)
        await elsewhere(browser, eye, b, amara)
        eye.nothing_found()


async def printed(page: Page) -> None:
    """One or two pages, with what belongs on a CV and nothing that is only for the screen."""
    pdf = await page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2
    await page.emulate_media(media="print")
    shown = await page.locator("body").inner_text()
    for said in ("Amara Okafor", "Designer 5", "2019 to now", "MA Information design", "Python", "okafor.example/work"):
        assert said in shown, said
    for hidden in ("Ask a question", "Take this with you", "Sign in", "Designer 2"):
        assert hidden not in shown, hidden
    await page.emulate_media(media="screen")


async def write_a_line(page: Page, eye: Eye, a: Home) -> None:
    await page.goto(f"{a.origin}/profile/experience/new")
    await page.locator("main form").evaluate("form => { form.noValidate = true }")
    await page.locator("#start").fill("soon")
    await page.get_by_role("button", name="Save and sign").click()
    assert await page.locator("#title").get_attribute("aria-invalid") == "true"
    await eye.look("cv line with errors", page)
    await page.locator("#title").fill("Head of design")
    await page.locator("#start").fill("3/2021")
    await page.locator("#audience").select_option("followers")
    await page.get_by_role("button", name="Save and sign").click()
    assert "Head of design" in await page.locator("main").inner_text()
    await page.get_by_role("button", name=re.compile("Move down “Head of design”")).click()
    await page.get_by_role("link", name=re.compile("Delete “Head of design”")).click()
    await eye.look("cv line delete", page)
    await page.get_by_role("button", name="Delete it").click()
    assert "Head of design" not in await page.locator("main").inner_text()


async def elsewhere(browser: Browser, eye: Eye, b: Home, amara: Somebody) -> None:
    async with new_page(browser) as page:
        await sign_in(page, b, "bo")
        await page.goto(f"{b.origin}/{amara.handle}")
        assert "Designer 2" in await page.locator("main").inner_text(), "what is for followers"
        await eye.look("cv elsewhere", page)
