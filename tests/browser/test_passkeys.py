"""Passkeys, with Chromium's virtual authenticator: what no request that a test writes by hand could show.

And the settings without JavaScript: everything but passkeys works, and the pages say so.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
import sqlalchemy as sa
from aiohttp import web

from node.accounts.tables import passkeys, sessions, sign_ins
from node.app import lay_ground, web_application
from node.settings import load
from tests.browser.chromium import Eye, chromium, new_page
from tests.node.house import PASSWORD, settle_in
from tests.nodes import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from node.context import Node

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@asynccontextmanager
async def at_localhost(data: Path) -> AsyncIterator[tuple[Node, str]]:
    """A node at a name, since passkeys belong to names and never to addresses."""
    port = free_port("127.0.0.1")
    origin = f"http://localhost:{port}"
    ground = await lay_ground(load(data, {}))
    node, _ = await settle_in(ground, origin=origin)
    runner = web.AppRunner(web_application(node), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield node, origin
    finally:
        await runner.cleanup()
        await node.close()


async def rows(node: Node, statement: sa.Executable) -> list[Any]:
    return list(await node.db.read(lambda tx: tx.rows(statement)))


async def sign_in(page: Page, origin: str) -> None:
    await page.goto(f"{origin}/sign-in?next=/settings")
    await page.locator('main [name="name"]').fill("alice")
    await page.locator('main [name="password"]').fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(f"{origin}/settings")


async def authenticator(page: Page) -> tuple[Any, str]:
    """A device that holds passkeys, and whose owner always puts a finger on it."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session, added["authenticatorId"]


@pytest.mark.timeout(120)
async def test_121_a_passkey_is_added_signs_in_proves_and_is_removed(tmp_path):
    async with (
        at_localhost(tmp_path / "data") as (node, origin),
        chromium() as browser,
        new_page(browser, scripts=True) as page,
    ):
        await authenticator(page)
        await sign_in(page, origin)
        await page.get_by_role("link", name="Add a passkey").click()
        await page.get_by_label("Name").fill("Laptop, finger")
        await page.get_by_role("button", name="Add it").click()
        await page.wait_for_url(f"{origin}/settings")
        assert await page.get_by_text("Laptop, finger").first.is_visible()
        (made,) = await rows(node, sa.select(passkeys))

        await page.get_by_role("link", name="Add a passkey").click()  # the device that has one makes no second
        await page.get_by_label("Name").fill("Again")
        await page.get_by_role("button", name="Add it").click()
        await page.get_by_text("Your device made no passkey").wait_for()

        await page.context.clear_cookies()
        await page.goto(f"{origin}/sign-in?next=/settings")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.wait_for_url(f"{origin}/settings")
        ways = await rows(node, sa.select(sign_ins.c.way).order_by(sign_ins.c.id))
        assert [row.way for row in ways] == ["password", "passkey"]
        (used,) = await rows(node, sa.select(passkeys))
        assert used.sign_count > made.sign_count
        assert used.used_at is not None

        node.clock.offset += node.clock.offset.__class__(minutes=11)  # too long ago to be believed
        before = {row.digest for row in await rows(node, sa.select(sessions.c.digest))}
        await page.get_by_role("link", name="Remove Laptop, finger").click()
        await page.get_by_role("button", name="Use a passkey").click()
        await page.get_by_role("button", name="Remove it").click()
        await page.wait_for_url(f"{origin}/settings")
        assert await rows(node, sa.select(passkeys)) == []
        after = {row.digest for row in await rows(node, sa.select(sessions.c.digest))}
        assert len(before) == len(after) == len(before ^ after)  # both are new: the proof renewed the session

        await page.context.clear_cookies()
        await page.goto(f"{origin}/sign-in")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_text("This passkey belongs to nobody here").first.wait_for()


@pytest.mark.timeout(120)
async def test_the_settings_read_well_and_work_without_javascript(tmp_path):
    async with (
        at_localhost(tmp_path / "data") as (node, origin),
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as second,
    ):
        eye = Eye(second)
        await page.goto(f"{origin}/sign-in")
        assert not await page.get_by_role("button", name="Sign in with a passkey").is_visible()
        assert await page.get_by_text("Passkeys need JavaScript").is_visible()
        await eye.look("settings-sign-in", page)
        await sign_in(page, origin)
        await eye.look("settings-security", page)
        for name in ("passkeys/new", "codes", "export", "delete", "keys/change", "keys/stolen"):
            await page.goto(f"{origin}/settings/{name}")
            await eye.look(f"settings-{name.replace('/', '-')}", page)
        await page.get_by_role("button", name="Declare the old keys void").click()
        assert await page.get_by_text("Revoked", exact=True).count() == 2
        await eye.look("settings-keys-changed", page)
        await page.goto(f"{origin}/settings/codes")
        await page.get_by_role("button", name="Show me the key").click()
        secret = await page.locator("main .mono").inner_text()
        await eye.look("settings-codes-picture", page)
        await page.get_by_label("The six digits").fill(pyotp.TOTP(secret).at(node.clock.now()))
        await page.get_by_role("button", name="Ask for codes from now on").click()
        assert await page.locator("main li").count() == 10
        recovery = await page.locator("main li").first.inner_text()
        await eye.look("settings-recovery", page)
        await page.context.clear_cookies()
        await page.goto(f"{origin}/sign-in?next=/settings")
        await page.locator('main [name="name"]').fill("alice")
        await page.locator('main [name="password"]').fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await eye.look("settings-code", page)
        await page.get_by_label("Code").fill(recovery)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{origin}/settings")
        await page.get_by_label("Colours", exact=True).select_option("dark")
        await page.get_by_role("button", name="Save").click()
        assert await page.locator("html").get_attribute("data-theme") == "dark"
        node.clock.offset += node.clock.offset.__class__(minutes=11)
        await page.goto(f"{origin}/settings/codes/remove")
        await eye.look("settings-proof", page)
        eye.nothing_found()
