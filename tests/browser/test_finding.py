"""Search, hashtags, starter packs and the first follows in Chromium without JavaScript, with axe-core on every page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.chromium import Eye, chromium, new_page
from tests.browser.test_reach import fill, press, sign_in
from tests.nodes import Home, cluster, settled
from tests.people import Somebody

NAME = "Maximiliane-Charlotte von Hohenfels-Brandenburg"
WORD = "donaudampfschifffahrtsgesellschaft"


@pytest.mark.timeout(180)
async def test_finding_and_the_first_day(tmp_path: Path):
    async with (
        cluster("a.example", "b.example") as (a, b),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as second,
    ):
        amara, bo = await a.set_up("amara", name="Amara Okafor"), await b.set_up("bo", name=NAME)
        await bo.save_profile(headline=f"Draws maps of the {WORD}", skills="illustration, cartography")
        eye = Eye(second)
        await sign_in(page, a.origin, "amara")
        await the_first_day(eye, page, a, b, bo)
        await searching(eye, page, a, amara, bo)
        await a_hashtag(eye, page, a)
        await a_pack_goes_round(eye, page, a, tmp_path)
        eye.nothing_found()


async def the_first_day(eye: Eye, page: Page, a: Home, b: Home, bo: Somebody) -> None:
    await page.goto(f"{a.origin}/setup/hello")
    await eye.look("find hello", page)
    await fill(page, who=bo.handle)
    await press(page, "Follow")
    assert page.url.endswith(f"/{bo.handle}")
    await settled(a, b)


async def searching(eye: Eye, page: Page, a: Home, amara: Somebody, bo: Somebody) -> None:
    await page.goto(f"{a.origin}/search")
    await eye.look("find nothing asked", page)
    await bo.publish_gig(title=f"Maps of the {WORD} #{WORD}")
    await bo.publish_module(title=f"How to draw the {WORD}")
    await amara.post(f"Looking at maps of the #{WORD}, [here](https://{WORD}.example/{WORD}/{WORD}).")
    await settled(a, bo.home)
    await page.locator("#q").fill(WORD)
    await page.locator("#q").press("Enter")
    await page.wait_for_load_state()
    shown = await page.locator("main").inner_text()
    for text in (NAME, f"Maps of the {WORD}", f"How to draw the {WORD}", "4 found"):
        assert text in shown, shown
    await eye.look("find results", page)
    await page.goto(f"{a.origin}/search?q=trombone")
    await eye.look("find nothing", page)
    await page.goto(f"{a.origin}/search?q=@nobody@b.example")
    await eye.look("find nobody", page)


async def a_hashtag(eye: Eye, page: Page, a: Home) -> None:
    await page.goto(f"{a.origin}/tags/{WORD}")
    await press(page, "Follow this hashtag")
    assert "Stop following" in await page.locator("main").inner_text()
    await eye.look("find hashtag", page)
    await page.goto(f"{a.origin}/tags/silence")
    await eye.look("find hashtag empty", page)


async def a_pack_goes_round(eye: Eye, page: Page, a: Home, folder: Path) -> None:
    """Published, saved as a file, and taken over from the file."""
    await page.goto(f"{a.origin}/packs")
    await eye.look("find packs empty", page)
    await page.goto(f"{a.origin}/packs/new?from=following")
    await press(page, "Sign and publish")
    await eye.look("find pack with errors", page)
    await fill(page, name=f"People of the {WORD}", summary="They draw.")
    await press(page, "Sign and publish")
    await eye.look("find pack", page)
    file = folder / "pack.json"
    async with page.expect_download() as download:
        await page.get_by_role("main").get_by_role("link", name="Save the file").click()
    await (await download.value).save_as(file)
    await page.goto(f"{a.origin}/packs")
    await page.locator("#file").set_input_files(file)
    await press(page, "See who is in it")
    assert "Signature verified" in await page.locator("main").inner_text()
    await eye.look("find pack visited", page)
    await page.goto(f"{a.origin}/packs")
    await eye.look("find packs", page)
    await page.locator("main").get_by_role("link", name=f"People of the {WORD}").last.click()
    await page.get_by_role("main").get_by_role("link", name="Delete", exact=True).click()
    await eye.look("find pack delete", page)
