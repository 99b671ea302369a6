"""`freehold demo`, as somebody meets it who has just installed Freehold."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import aiohttp

from tests.processes import PROGRAM, place
from tests.visitors import Visitor


async def test_once_everything_arrives_and_is_verified(tmp_path: Path):
    nobody = place(tmp_path, "127.0.0.1", TMPDIR=str(tmp_path), FREEHOLD_ORIGIN="https://not-for-the-demo.example")
    done = await nobody.run("demo", "--once", "--json")
    report = done.json
    assert report["complete"] is True
    assert [node["handle"] for node in report["nodes"]] == ["amara", "jonas", "tidewater"]
    assert len({node["origin"] for node in report["nodes"]}) == 3
    arrivals = report["arrivals"]
    assert {arrival["state"] for arrival in arrivals} == {"signed"}
    assert {arrival["kind"] for arrival in arrivals} == {"profile", "gig", "module", "post"}
    assert all(arrival["owner"] != arrival["reader"] for arrival in arrivals)
    assert {(arrival["owner"], arrival["reader"]) for arrival in arrivals} == {
        (one["handle"], other["handle"]) for one in report["nodes"] for other in report["nodes"] if one is not other
    }
    assert os.listdir(tmp_path) == [], "everything was thrown away"


async def test_it_runs_until_somebody_ends_it(tmp_path: Path):
    environ = place(tmp_path, "127.0.0.1").variables({"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"})
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        "demo",
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = b""
            while b"handle: tidewater" not in said:
                said += await process.stdout.readline()
        await sign_in(said.decode(), "jonas")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    assert os.listdir(tmp_path) == []


async def sign_in(said: str, handle: str) -> None:
    """With what stands on the terminal."""
    line = next(line for line in said.splitlines() if f"handle: {handle}" in line)
    found = re.search(r"(http://\S+)/sign-in +handle: (\S+) +password: (\S+)", line)
    assert found, line
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        visitor = Visitor(found[1], http)
        page = await visitor.submit("/sign-in", name=found[2], password=found[3])
        assert (page.status, page.url) == (200, f"{found[1]}/home")
        assert "Tidewater Collective" in page.text
