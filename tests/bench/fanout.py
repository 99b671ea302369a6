"""The fan-out: one post to many inboxes on many hosts, from the button to the last answer."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp

from tests.bench import harness, seed
from tests.bench.harness import Place, Row, Size, measured, new_place, node, say
from tests.bench.hosts import Hosts, hosts

AT_MOST = 0.8
WORDS = "A line of words about work, for everybody who wants to hear it. " * 12


async def rows(size: Size, folder: Path) -> list[Row]:
    """Beside a client that does nothing but sign with RSA and post."""
    async with hosts(size.hosts, folder) as remote_hosts:
        place = new_place(folder / "fanout")
        origins = [remote.origin for remote in remote_hosts.remotes]
        seed.followers(place, origins, size.inboxes)
        floor = await _floor(size, folder, remote_hosts)
        async with node(place) as pid, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            await _sign_in(session, place)
            await _posts(session, place, remote_hosts, 1, size.inboxes)
            say(f"fan-out: {size.posts} posts to {size.inboxes:,} inboxes on {size.hosts} hosts")
            with measured(pid) as cost:
                await _posts(session, place, remote_hosts, size.posts, size.inboxes)
    sent = size.posts * size.inboxes
    notes = {"deliveries/s": cost.rate(sent)}
    return [Row("fan-out", "CPU s per 1,000 deliveries", cost.per_thousand(sent), floor, AT_MOST, notes)]


async def _posts(session: aiohttp.ClientSession, place: Place, remote: Hosts, posts: int, inboxes: int) -> None:
    """One after the other, each once the one before has arrived everywhere."""
    taken = await remote.taken()
    for number in range(1, posts + 1):
        await _submit(session, place, "/home", {"body": f"{WORDS} {number}", "audience": "public"})
        await remote.taken(taken + number * inboxes)


async def _sign_in(session: aiohttp.ClientSession, place: Place) -> None:
    await _submit(session, place, "/sign-in", {"name": "alice", "password": harness.PASSWORD})


async def _submit(session: aiohttp.ClientSession, place: Place, path: str, fields: dict[str, str]) -> None:
    """Fill in the form of a page and send it, as a browser does."""
    async with session.get(place.origin + path) as response:
        page = await response.text()
        harness.expect(response, 200, page)
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    if token is None:
        raise RuntimeError(f"{path} has no form")
    async with session.post(place.origin + path, data=fields | {"csrf": token[1]}, allow_redirects=False) as response:
        harness.expect(response, 303, await response.text())


async def _floor(size: Size, folder: Path, remote: Hosts) -> float:
    """CPU seconds per 1,000 of `floor_client.py`."""
    say("fan-out: the floor")
    origins = [one.origin for one in remote.remotes]
    urls = [f"{origins[number % len(origins)]}/users/follower{number}/inbox" for number in range(size.inboxes)]
    file, answer = folder / "floor-urls.json", folder / "floor-cpu.json"
    file.write_text(json.dumps(urls * size.posts))
    with harness.process("-m", "tests.bench.floor_client", str(file), str(answer)) as child:
        await asyncio.to_thread(child.wait)
    return float(json.loads(answer.read_text())) * 1000 / (size.inboxes * size.posts)
