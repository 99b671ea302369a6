"""Names of 46 letters, words and addresses that break nowhere, tables with many columns: nothing leaves its page.

DESIGN's promise of 320 pixels is easy to keep with short words; these are the long ones.
"""

from __future__ import annotations

import pytest

from tests.browser.chromium import Eye, chromium, new_page
from tests.nodes import cluster, settled
from tests.people import PASSWORD

NAME = "בו Wolfeschlegelsteinhausenbergerdorffwelchevorae"
WORD = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen"
URL = "https://" + "a-very-long-name-for-a-host-" + "x" * 20 + ".example.org/" + "path-without-an-end-" * 5
COLUMNS = 8
TEXT = (
    f"## {WORD}\n\nSee {URL} and `{WORD}{WORD}`.\n\n"
    + "|".join(f" column {n} " for n in range(COLUMNS))
    + "\n"
    + "|".join("---" for _ in range(COLUMNS))
    + "\n"
    + "|".join(f" {WORD} " for _ in range(COLUMNS))
    + f"\n\n---\n\n```\n{WORD} = {WORD}\n```\n"
)


@pytest.mark.timeout(180)
async def test_nothing_leaves_its_page():
    async with (
        cluster("a.example", "b.example") as (a, b),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as second,
    ):
        amara, bo = await a.set_up("amara", name=NAME), await b.set_up("b" * 30, name=NAME)
        eye = Eye(second)
        await amara.follow(bo)
        await bo.follow(amara)
        await settled(a, b)
        for somebody in (amara, bo):
            await somebody.save_profile(
                headline=f"I know {WORD}", summary=TEXT, skills=f"{WORD}, {WORD} too", links=URL, rate="1000000",
                availability="limited", hours_per_week="24", languages="English, German, Hebrew",
            )  # fmt: skip
        gig = await bo.publish_gig(title=f"A {WORD}", body=TEXT, skills=WORD, price="999999999", available="99999")
        module = await bo.publish_module(title=f"A {WORD}", summary=f"{WORD} {WORD}", body=TEXT, skills=WORD)
        await bo.post(TEXT)
        await bo.post(TEXT, audience="followers")
        await settled(a, b)
        pages = {
            "long home": f"{a.origin}/home",
            "long people": f"{a.origin}/people",
            "long person": f"{a.origin}/{bo.handle}",
            "long gigs": f"{a.origin}/gigs",
            "long gig": f"{a.origin}/seen?id={gig}",
            "long module": f"{a.origin}/seen?id={module}",
            "long profile": f"{a.origin}/profile/edit",
        }
        await page.goto(f"{a.origin}/sign-in")
        await page.locator('main [name="name"]').fill("amara")
        await page.locator('main [name="password"]').fill(PASSWORD)
        await page.get_by_role("main").get_by_role("button", name="Sign in").click()
        for name, url in pages.items():
            answer = await page.goto(url)
            assert answer is not None
            assert answer.status == 200, url
            await eye.look(name, page)
        eye.nothing_found()
