"""The same activity fifty times at once, to the shared and the personal inbox: one effect."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import sqlalchemy as sa

from federation.tables import objects
from keys import requests
from tests.nodes import Databases, Home, Somebody, cluster, settled

ACTIVITY = (("content-type", "application/activity+json"),)


async def posted(
    http: aiohttp.ClientSession, sender: Somebody, url: str, body: bytes, scheme: requests.Scheme = "rfc9421"
) -> int:
    """Sign with the sender's key, post, and say what was answered."""
    author = await sender.author()
    request = requests.Request("POST", url, ACTIVITY, body)
    signed = requests.sign(request, author.rsa_key_id, author.rsa, scheme, sender.home.clock.now())
    async with http.post(url, data=body, headers=dict(ACTIVITY) | signed) as response:
        return response.status


async def test_fifty_at_once_have_one_effect(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b), aiohttp.ClientSession() as http:
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await b.go_dark()
        post_id = await alice.post("Once is enough.")
        await b.listen()
        [create] = await a.sent("Create")

        inboxes = [f"{b.origin}/inbox", f"{bob.id}/inbox"]
        schemes: list[Any] = ["rfc9421", "cavage"]
        sending = [
            posted(http, alice, inboxes[number % 2], create.body, schemes[number // 2 % 2]) for number in range(50)
        ]
        enough = asyncio.Event()
        working = asyncio.create_task(_keep_working(b, enough))
        assert await asyncio.gather(*sending) == [202] * 50
        enough.set()
        await working
        await settled(b)

        assert [row.state for row in await b.messages(create.id)] == ["done"]
        assert len(await b.rows(sa.select(objects.c.id).where(objects.c.id == post_id))) == 1
        assert [entry["object_id"] for entry in await bob.timeline()] == [post_id]

        before = await b.state()
        assert await posted(http, alice, inboxes[0], create.body) == 202
        await settled(b)
        assert await b.state() == before, "long afterwards it still has no second effect"


async def _keep_working(home: Home, enough: asyncio.Event) -> None:
    """As a server does, while requests come in."""
    while not enough.is_set():
        await home.step()
