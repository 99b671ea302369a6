"""Start the demo, wait until everything has arrived, and take a picture of the first profile as a stranger sees it."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

from tests.browser.chromium import chromium, new_page
from tests.processes import PROGRAM

HERE = Path(__file__).parent
SIZE = {"width": 1280, "height": 860}


async def main() -> None:
    demo = await asyncio.create_subprocess_exec(*PROGRAM, "demo", stdout=asyncio.subprocess.PIPE)
    assert demo.stdout is not None
    try:
        found = None
        while not found and (line := await demo.stdout.readline()):
            found = re.search(rb"(http://\S+)/sign-in +handle: (\w+)", line)
        assert found, "the demo ended early"
        async with chromium() as browser, new_page(browser) as page:
            await page.set_viewport_size(SIZE)
            await page.goto(f"{found[1].decode()}/@{found[2].decode()}")
            await page.screenshot(path=HERE / "profile.png")
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
        await demo.wait()


asyncio.run(main())
