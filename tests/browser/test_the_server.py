"""The pages of whoever runs a node, without JavaScript, in both themes and at three widths."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.clock import Clock
from federation.storage import Database
from federation.tables import deliveries, peers
from tests.browser.chromium import Eye, chromium, new_page
from tests.people import PASSWORD
from tests.processes import Place, place

LONG = "freiberuflerinnengenossenschaft-mecklenburg-vorpommern.example"


async def a_queue(a: Place) -> None:
    """One server asleep, one paused, one with a long name and a long complaint."""
    db = await Database.open(f"sqlite:///{a.data / 'freehold.db'}", Clock())

    def fill(tx):
        for host, paused, error in ((LONG, False, "no route " * 20), ("kestrel.example", True, None)):
            tx.execute(sa.insert(peers).values(
                host=host, paused=paused, failing_since=tx.now, last_error=error, retry_at=tx.now))  # fmt: skip
            tx.execute(sa.insert(deliveries).values(
                activity_id=host, sender="x", inbox=f"https://{host}/inbox", host=host, object_id="x",
                state="given_up", created_at=tx.now, due_at=tx.now, finished_at=tx.now))  # fmt: skip

    await db.write(fill)
    await db.close()


@pytest.mark.timeout(240)
async def test_a_server_is_set_up_looked_after_and_restored(tmp_path: Path):
    a, b = place(tmp_path / "a", "127.0.0.7"), place(tmp_path / "b", "127.0.0.8")
    await a.set_up("alice")
    await a.run("backup", str(tmp_path / "a.backup"))
    await a_queue(a)
    async with (
        a.serving(),
        b.serving() as new,
        chromium() as browser,
        new_page(browser) as page,
        new_page(browser, scripts=True) as second,
    ):
        eye = Eye(second)
        link = next(line for line in new.lines if "/setup?token=" in line).strip()
        await page.goto(b.origin + link[link.index("/setup") :].replace("/setup?", "/setup/restore?"))
        await page.fill("[name=phrase]", "not a phrase at all")
        await page.fill("[name=path]", str(tmp_path / "a.backup"))
        await page.get_by_role("button", name="Look at it").click()
        assert "These words are no recovery phrase" in await page.inner_text("main")
        await eye.look("restore with errors", page)

        await page.goto(f"{a.origin}/sign-in?next=/admin")
        await page.fill("[name=name]", "alice")
        await page.fill("[name=password]", PASSWORD)
        await page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("button", name="Look again").click()
        assert "Asleep" in await page.inner_text("main") or "Slow" in await page.inner_text("main")
        await eye.look("admin", page)
        await page.get_by_role("button", name=f"Pause {LONG}").click()
        assert await page.get_by_role("button", name=f"Resume {LONG}").count() == 1

        await page.goto(f"{a.origin}/admin/servers")
        await page.fill("[name=host]", LONG)
        await page.get_by_role("button", name="Next").click()
        await eye.look("admin block", page)
        await page.get_by_role("button", name="Block it").click()
        await page.goto(f"{a.origin}/admin/servers")
        assert LONG in await page.inner_text("main")
        await eye.look("admin servers", page)
        await page.goto(f"{a.origin}/setup/keys")
        await eye.look("keys again", page)
        eye.nothing_found()
