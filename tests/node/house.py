"""One node, or the beginning of one, behind a real port."""

from __future__ import annotations

import re
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from federation import operate
from node.accounts.rules import parse_setup
from node.accounts.setup import set_up
from node.app import settle, web_application
from tests.visitors import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from federation.storage import Database
    from node.accounts.queries import Account
    from node.context import Ground, Node

PASSWORD = "seven quiet herons"
BROWSER = {"Accept": "text/html"}


def form(**changes: str) -> dict[str, str]:
    """A set-up form that is right, but for the changes."""
    return {
        "origin": "https://alice.example",
        "handle": "alice",
        "name": "Alice Okafor",
        "kind": "person",
        "handle_domain": "",
        "password": PASSWORD,
        "sure": "yes",
    } | changes


async def settle_in(ground: Ground, **changes: str) -> tuple[Node, Account]:
    """Set a node up without its page."""
    account = await set_up(ground.db, ground.vault, parse_setup(form(**changes)))
    return await settle(ground), account


@asynccontextmanager
async def serving(application: web.Application) -> AsyncIterator[Visitor]:
    """The application on loopback, and a browser for it that keeps cookies and follows redirects."""
    listening = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            yield Visitor(f"http://127.0.0.1:{listening.getsockname()[1]}", http)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_node(ground: Ground, **changes: str) -> AsyncIterator[tuple[Node, Visitor]]:
    """A node that is set up, and a browser in which nobody is signed in."""
    node, _ = await settle_in(ground, **changes)
    async with serving(web_application(node)) as visitor:
        yield node, visitor
    await node.client.close()


async def sign_in(visitor: Visitor, password: str = PASSWORD, **fields: str) -> aiohttp.ClientResponse:
    """Through the page; the answer is not followed."""
    page = await visitor.get("/sign-in")
    data = {"csrf": token_in(page.text), "name": "alice", "password": password} | fields
    return await visitor.http.post(
        f"{visitor.origin}/sign-in", data=data, headers=BROWSER | {"Origin": visitor.origin}, allow_redirects=False
    )


def token_in(text: str) -> str:
    """The form's token in a page."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found, text
    return found[1]


async def state(db: Database) -> Any:
    """Every table's digest: two equal states are the same state."""
    return await db.read(operate.state)
