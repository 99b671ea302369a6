"""Handles that live on another domain than the node: `@alice@mine.example`, served by `node.mine.example`."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.nodes import authority, cluster, free_port, settled

MINE = "mine.example"
ADDRESS = "127.0.0.9"


@asynccontextmanager
async def website(port: int, node: str) -> AsyncIterator[None]:
    """A site that has nothing to do with Freehold, but for one redirect."""

    async def webfinger(request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"{node}/.well-known/webfinger?{request.query_string}")

    app = web.Application()
    app.router.add_get("/.well-known/webfinger", webfinger)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(MINE).configure_cert(context)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, port, ssl_context=context).start()
    yield
    await runner.cleanup()


async def test_a_handle_on_another_domain_is_found_and_shown():
    port = free_port(ADDRESS)
    async with (
        cluster(
            "node.mine.example", "b.example", tls=True, handle_domains=(MINE,), also=(f"{MINE}={ADDRESS}:{port}",)
        ) as (a, b),
        website(port, "https://node.mine.example"),
    ):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        assert alice.handle == "@alice@mine.example"
        await bob.follow("@alice@mine.example")
        await alice.follow(bob)
        await settled(a, b)
        assert await b.follow_state(bob.id, alice.id) == "accepted"
        await alice.post("From a domain of my own.")
        await settled(a, b)
        [entry] = await bob.timeline()
        assert (entry["handle"], entry["verification"]) == ("alice@mine.example", "signed")
