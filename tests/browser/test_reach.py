"""Messages, enquiries, notifications and mail in Chromium without JavaScript, with axe-core on every page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page

from node.notifications.letters import write_letters
from node.worker import mail_worker
from tests.browser.chromium import Eye, chromium, new_page
from tests.mailbox import Mailbox, mail_for
from tests.nodes import Home, cluster, settled
from tests.people import PASSWORD, Somebody

NAME = "Maximiliane-Charlotte von Hohenfels-Brandenburg"
WORD = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen"


async def press(page: Page, button: str) -> None:
    """A button of the page's main part, by its words."""
    await page.get_by_role("main").get_by_role("button", name=button, exact=True).first.click()
    await page.wait_for_load_state()


async def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.locator(f'main [name="{name}"]').fill(value)


async def sign_in(page: Page, origin: str, username: str) -> None:
    await page.goto(f"{origin}/sign-in")
    await fill(page, name=username, password=PASSWORD)
    await press(page, "Sign in")


@pytest.mark.timeout(180)
async def test_reaching_somebody_and_being_reached():
    async with (
        cluster("a.example", "b.example") as (a, b),
        mail_for(a) as mailbox,
        chromium() as browser,
        new_page(browser) as hers,
        new_page(browser) as visitors,
        new_page(browser, scripts=True) as second,
    ):
        amara, bo = await a.set_up("amara", name="Amara Okafor"), await b.set_up("bo", name=NAME)
        eye = Eye(second)
        await sign_in(hers, a.origin, "amara")
        for name, path in (
            ("messages", "/messages"),
            ("enquiries", "/messages?show=enquiries"),
            ("news", "/notifications"),
        ):
            await hers.goto(a.origin + path)
            await eye.look(f"reach {name} empty", hers)

        gig = await amara.publish_gig(title=f"Maps of {WORD}")
        await a_visitor_asks(eye, visitors, mailbox, a, gig)
        await she_answers(eye, hers, visitors, mailbox, a)
        await news_arrive(eye, hers, a, b, amara, bo)
        await by_mail(eye, hers, visitors, mailbox, a)
        eye.nothing_found()


async def a_visitor_asks(eye: Eye, page: Page, mailbox: Mailbox, a: Home, gig: str) -> None:
    await page.goto(f"{a.origin}/@amara/ask?about={gig}")
    await fill(page, name="Vera Long", address="vera")
    await page.locator("main form").evaluate("form => { form.noValidate = true }")
    await press(page, "Send me the link")
    assert await page.locator('[name="address"]').get_attribute("aria-invalid") == "true"
    await eye.look("reach ask with errors", page)
    await fill(page, address="vera@example.org", text=f"Are you free in May? {WORD}{WORD}")
    await press(page, "Send me the link")
    await eye.look("reach asked", page)
    await mail_worker(a.node).drain()
    await page.goto(a.origin + mailbox.link("/enquiries/confirm/"))
    await eye.look("reach confirm a question", page)
    await press(page, "Send it")
    await eye.look("reach a visitor's page", page)


async def she_answers(eye: Eye, page: Page, visitors: Page, mailbox: Mailbox, a: Home) -> None:
    await page.goto(f"{a.origin}/messages?show=enquiries")
    await page.get_by_role("navigation", name="Conversations").get_by_role("link").first.click()
    await eye.look("reach an enquiry", page)
    await press(page, "Send")
    assert await page.locator('[name="text"]').get_attribute("aria-invalid") == "true"
    await eye.look("reach an enquiry with an error", page)
    await fill(page, text="From the 7th on.\n\nWhere is it?")
    await press(page, "Send")
    await mail_worker(a.node).drain()
    await visitors.goto(a.origin + mailbox.link("/enquiries/"))
    assert "From the 7th on." in await visitors.locator("main").inner_text()
    await eye.look("reach an answer", visitors)
    await page.get_by_role("link", name="Close").click()
    await eye.look("reach close", page)


async def news_arrive(eye: Eye, page: Page, a: Home, b: Home, amara: Somebody, bo: Somebody) -> None:
    await bo.follow(amara)
    await settled(a, b)
    target = await b.node.resolver.locate(amara.handle)
    await bo.post(f"Have you a minute? {WORD}", audience="direct", to=target)
    await settled(a, b)
    await page.goto(f"{a.origin}/home")
    tools = page.locator(".bar-tools")
    assert await tools.get_by_role("link", name=re.compile("Messages, 1 new")).count() == 1
    assert await tools.get_by_role("link", name=re.compile("Notifications, [0-9]+ new")).count() == 1
    await page.goto(f"{a.origin}/notifications")
    await eye.look("reach news", page)
    await press(page, "Mark all as read")
    assert await tools.get_by_role("link", name="Notifications", exact=True).count() == 1
    await page.goto(f"{a.origin}/messages?show=enquiries")
    await page.get_by_role("navigation", name="Conversations").get_by_role("link").first.click()
    await fill(page, text="Yes, now.")
    await press(page, "Send")
    await eye.look("reach a conversation", page)
    await page.goto(f"{a.origin}/messages/new?to=@carol@elsewhere.example")
    await eye.look("reach a new message", page)


async def by_mail(eye: Eye, page: Page, visitors: Page, mailbox: Mailbox, a: Home) -> None:
    await page.goto(f"{a.origin}/settings/notices")
    await fill(page, address="amara@example.org")
    await press(page, "Save the address")
    await eye.look("reach notices", page)
    await mail_worker(a.node).drain()
    await page.goto(a.origin + mailbox.link("/settings/notices/confirm/"))
    await eye.look("reach confirm an address", page)
    await press(page, "Confirm")
    assert "Confirmed" in await page.locator("main").inner_text()
    await visitors.goto(f"{a.origin}/@amara/ask")
    await fill(visitors, name="Vera Long", address="vera@example.org", text="And in June?")
    await press(visitors, "Send me the link")
    await mail_worker(a.node).drain()
    await visitors.goto(a.origin + mailbox.link("/enquiries/confirm/"))
    await press(visitors, "Send it")
    await a.node.db.write(write_letters, a.origin)
    await mail_worker(a.node).drain()
    await visitors.goto(a.origin + mailbox.link("/unsubscribe/"))
    await eye.look("reach unsubscribe", visitors)
    await press(visitors, "Stop them")
    await eye.look("reach unsubscribed", visitors)
