"""Fifty servers that work, beside one that never says a word, one that is slow and some that are not there."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp

from federation.clock import Clock
from tests.faults.crowd import Neighbour, befriend, neighbours
from tests.nodes import free_port
from tests.people import PASSWORD
from tests.processes import place
from tests.visitors import Visitor

GOOD, DEAD, POSTS = 50, 10, 4
SECONDS = 8.0


async def test_160_179_who_works_is_served_within_seconds_whatever_others_do(tmp_path: Path) -> None:
    clock, here = Clock(), place(tmp_path / "a", "127.0.0.7")
    async with neighbours(GOOD, clock) as good, neighbours(2, clock) as (slow, hole):
        speaks = asyncio.Event()
        slow.before, hole.before = lambda: asyncio.sleep(3), speaks.wait
        dead = [Neighbour(f"http://127.0.0.9:{free_port('127.0.0.9')}", clock) for _ in range(DEAD)]
        local = await here.set_up("alice")
        fans = [one.person("bea") for one in (hole, slow, *dead, *good)]
        await befriend(here, local, followed_by=fans)
        jar = aiohttp.CookieJar(unsafe=True)
        async with here.serving(), aiohttp.ClientSession(cookie_jar=jar) as browser:
            visitor = Visitor(here.origin, browser)
            await visitor.submit("/sign-in", name="alice", password=PASSWORD)
            began = time.monotonic()
            for number in range(POSTS):
                await visitor.submit("/posts/new", body=f"Number {number}", audience="public")
            async with asyncio.timeout(SECONDS):
                for one in good:
                    while len(one.bodies) < POSTS:
                        one.came.clear()
                        await one.came.wait()
            assert time.monotonic() - began < SECONDS
            speaks.set()
        texts = [json.loads(body)["object"]["content"] for body in good[-1].bodies.values()]
        assert sorted(texts) == [f"<p>Number {number}</p>" for number in range(POSTS)]
        assert all(set(one.times.values()) == {1} for one in good), "each came once"
