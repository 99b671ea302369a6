"""Put the demo's first owner on a node of her own name, and take a picture of her profile as a stranger sees it."""

from __future__ import annotations

import asyncio
import tomllib
from importlib.resources import files
from pathlib import Path

from node.demo.owners import Owner
from node.demo.play import publish
from tests.browser.chromium import chromium, new_page
from tests.nodes import cluster

HERE = Path(__file__).parent
NAME = "amara.example"
SIZE = {"width": 1280, "height": 860}


async def main() -> None:
    script = tomllib.loads(files("node").joinpath("data", "demo.toml").read_text("utf-8"))["node"][0]
    async with cluster(NAME, tls=True) as (home,):
        await home.set_up(script["handle"], name=script["name"])
        await publish(Owner(script["handle"], home.origin, home.settings.data, script, password=""), home.node)
        names = f"--host-resolver-rules=MAP {NAME}:443 {home.address}:{home.port}"
        async with chromium(names, "--ignore-certificate-errors") as browser, new_page(browser) as page:
            await page.set_viewport_size(SIZE)
            await page.goto(f"{home.origin}/@{script['handle']}")
            await page.screenshot(path=HERE / "profile.png")


asyncio.run(main())
