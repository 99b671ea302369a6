"""The system's Chromium, driven by playwright: pages without JavaScript, and axe-core, for which it is switched on."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "output"
WIDTHS = {1280: 900, 390: 844, 320: 640}
WAIT_MS = 15_000
THEMES = ("light", "dark")
RUN_AXE = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@asynccontextmanager
async def chromium(*options: str) -> AsyncIterator[Browser]:
    """Start the browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("these tests need Chromium: `make test` installs it when run as root")
    unconfined = ["--no-sandbox"] if os.getuid() == 0 else []  # its sandbox refuses to be root's
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*unconfined, *options])
        yield browser
        await browser.close()


@asynccontextmanager
async def new_page(browser: Browser, *, scripts: bool = False) -> AsyncIterator[Page]:
    """A page in a profile of its own."""
    context = await browser.new_context(
        java_script_enabled=scripts, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(WAIT_MS)
    yield await context.new_page()
    await context.close()


@cache
def axe() -> str:
    """The source of axe-core."""
    path = HERE / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.fail("axe-core is not installed: run `make peers`")
    return path.read_text()


class Eye:
    """Looks at pages: axe-core in both themes at three widths, no sideways scrolling, and a picture of each.

    axe is a script, and the pages are visited without any: so what the visitor sees is shown once more, byte for byte,
    in a second page in which scripts run.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []
        self.looked_at: list[str] = []

    async def look(self, name: str, visited: Page) -> None:
        """Collect what is wrong with the page as it stands; `nothing_found` then says it all at once."""
        self.looked_at.append(name)
        await self._show(visited)
        await self.page.evaluate(axe())
        for theme in THEMES:
            await self.page.emulate_media(color_scheme=theme)
            for width, height in WIDTHS.items():
                await self.page.set_viewport_size({"width": width, "height": height})
                await self._look(f"{name} {theme} {width}")

    async def _show(self, visited: Page) -> None:
        html, url = await visited.content(), visited.url.partition("#")[0]

        async def answer(route: Route) -> None:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")

        await self.page.route(url, answer)
        await self.page.goto(url)
        await self.page.unroute(url)

    async def _look(self, where: str) -> None:
        for violation in await self.page.evaluate(RUN_AXE):
            for node in violation["nodes"][:3]:
                self.found.append(f"{where}: {violation['id']}: {node['html'][:200]} ({node['failureSummary']})")
        width, inner = await self.page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
        if width > inner:
            self.found.append(f"{where}: scrolls sideways, {width} wide in {inner}")
        OUTPUT.mkdir(exist_ok=True)
        await self.page.screenshot(path=OUTPUT / f"{where.replace(' ', '-')}.png", full_page=True)

    def nothing_found(self) -> None:
        """Fail with everything that was found on any page."""
        assert self.looked_at
        assert not self.found, "\n".join(self.found)
