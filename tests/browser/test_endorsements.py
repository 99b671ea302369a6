"""Endorsements in Chromium without JavaScript, with axe-core on every page: given, accepted, shown, hidden."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.browser.chromium import Eye, chromium, new_page
from tests.browser.test_reach import press, sign_in
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_endorsements import endorse, waiting

NAME = "Maximiliane-Charlotte von Hohenfels-Brandenburg"
SKILL = "Donaudampfschifffahrtsgesellschaftskapitänspatent"


@pytest.mark.timeout(180)
async def test_an_endorsement_goes_its_way() -> None:
    async with (
        cluster("a.example", "b.example") as (a, b),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser) as other,
        new_page(browser, scripts=True) as second,
    ):
        ada, bo = await a.set_up("ada", name=NAME), await b.set_up("bo", name="Bo Ek")
        dan = await b.add("dan")
        await bo.save_profile(skills=f"Python, {SKILL}, Welding", headline="Repairs what others throw away")
        eye = Eye(second)
        await sign_in(page, a.origin, "ada")
        await sign_in(other, b.origin, "bo")
        await it_is_given(eye, page, ada, bo)
        await it_is_accepted(eye, other, b, bo)
        await others_say_so_too(eye, other, b, bo, dan)
        eye.nothing_found()


async def it_is_given(eye: Eye, page: Page, ada: Somebody, bo: Somebody) -> None:
    await ada.follow(bo)
    await settled(ada.home, bo.home)
    await page.goto(f"{ada.home.origin}/{bo.handle}")
    await page.get_by_role("link", name="Endorse a skill").click()
    await press(page, "Sign and send it")
    await eye.look("endorsements wrong", page)
    await page.get_by_label("Which skill").select_option(SKILL)
    await page.get_by_label("We have worked together").check()
    await page.get_by_label("In your words").fill("Steered us through the ice, twice, and laughed.")
    await press(page, "Sign and send it")
    await eye.look("endorsements given", page)
    await settled(ada.home, bo.home)


async def it_is_accepted(eye: Eye, page: Page, b: Home, bo: Somebody) -> None:
    await page.goto(f"{b.origin}/@bo/endorsements")
    await eye.look("endorsements none", page)
    await page.goto(f"{b.origin}/credentials")
    await eye.look("endorsements offered", page)
    await page.get_by_role("link", name="Accept or decline").click()
    await page.wait_for_load_state()
    await eye.look("endorsements question", page)
    await press(page, "Accept and show it")
    assert "Both say that they have worked together." in await page.locator("main").inner_text()


async def others_say_so_too(eye: Eye, page: Page, b: Home, bo: Somebody, dan: Somebody) -> None:
    await endorse(dan, bo, "none", SKILL)
    await endorse(dan, bo, "none", "Welding")
    for name in await waiting(bo):
        await page.goto(f"{b.origin}/endorsements/{name}/accept")
        await press(page, "Accept and show it")
    await eye.look("endorsements list", page)
    await page.goto(f"{b.origin}/@bo")
    await eye.look("endorsements profile", page)
    await page.goto(f"{b.origin}/@bo/endorsements?skill=welding")
    await page.locator("main form[action$='/hide'] button").click()
    await page.wait_for_load_state()
    assert "Welding" not in await page.locator("main").inner_text()
