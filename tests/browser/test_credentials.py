"""Credentials in Chromium without JavaScript, with axe-core on every page: given, kept, shown, checked, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from node.credentials.working import one_round
from tests.browser.chromium import Eye, chromium, new_page
from tests.browser.test_reach import fill, press, sign_in
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_credentials import shelf

NAME = "Maximiliane-Charlotte von Hohenfels-Brandenburg"
TITLE = "Donaudampfschifffahrtsgesellschaftskapitänspatent"


@pytest.mark.timeout(180)
async def test_a_credential_goes_its_way(tmp_path: Path) -> None:
    async with (
        cluster("a.example", "b.example", "c.example") as (a, b, c),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser) as other,
        new_page(browser, scripts=True) as second,
    ):
        await a.set_up("ada", name=NAME)
        bo = await b.set_up("bo", name="Bo Ek")
        await c.set_up("cy")
        eye = Eye(second)
        await sign_in(page, a.origin, "ada")
        await sign_in(other, b.origin, "bo")
        given = await it_is_given(eye, page, a, b, bo)
        address = await it_is_shown(eye, other, b, bo)
        await anybody_checks_it(eye, page, c, address, tmp_path)
        await it_is_taken_back(eye, page, c, given, address)
        eye.nothing_found()


async def it_is_given(eye: Eye, page: Page, a: Home, b: Home, bo: Somebody) -> str:
    await page.goto(f"{a.origin}/credentials")
    await eye.look("credentials none", page)
    await page.goto(f"{a.origin}/credentials/new")
    await eye.look("credentials new", page)
    await press(page, "Sign and give it")
    await fill(page, to=bo.handle, name=TITLE, description="Steers in every weather.", criteria="I sailed along.")
    await press(page, "Sign and give it")
    await eye.look("credentials given", page)
    await settled(a, b)
    return page.url


async def it_is_shown(eye: Eye, page: Page, b: Home, bo: Somebody) -> str:
    await page.goto(f"{b.origin}/credentials")
    await eye.look("credentials offered", page)
    await page.locator("main form[action$='/take'] button").click()
    await page.wait_for_load_state()
    await eye.look("credentials kept", page)
    await page.get_by_label("Everybody").check()
    await press(page, "Save")
    await one_round(b.node)
    [one] = await shelf(bo)
    await page.goto(f"{b.origin}/@bo")
    assert TITLE in await page.locator("main").inner_text()
    await eye.look("credentials profile", page)
    await page.goto(f"{b.origin}/credentials/{one.name}/drop")
    await eye.look("credentials drop", page)
    return f"{b.origin}{one.path}"


async def anybody_checks_it(eye: Eye, page: Page, c: Home, address: str, tmp_path: Path) -> None:
    await page.goto(f"{c.origin}/check")
    await eye.look("check nothing", page)
    await fill(page, url=address)
    await press(page, "Check")
    assert "Valid:" in await page.locator("h1").inner_text()
    await eye.look("check valid", page)
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    await page.locator("#url").fill("")
    await page.locator("#file").set_input_files(broken)
    await press(page, "Check")
    await eye.look("check broken", page)
    broken.write_text("no JSON")
    await page.locator("#file").set_input_files(broken)
    await press(page, "Check")
    assert "It has to be JSON" in await page.locator("main").inner_text()
    await eye.look("check unreadable", page)


async def it_is_taken_back(eye: Eye, page: Page, c: Home, given: str, address: str) -> None:
    await page.goto(given)
    await page.get_by_role("main").get_by_role("link", name="Take it back").click()
    await eye.look("credentials revoke", page)
    await press(page, "Take it back")
    await page.goto(f"{c.origin}/check")
    await fill(page, url=address)
    await press(page, "Check")
    assert "Revoked:" in await page.locator("h1").inner_text()
    await eye.look("check revoked", page)
