"""`freehold serve`: from the link on the terminal to the node, in one process."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from node.app import lay_ground
from node.cli import serve as serving
from node.settings import load
from node.web import protocol
from tests.node.cli.freehold import Freehold
from tests.node.house import form, token_in
from tests.processes import place
from tests.visitors import Visitor

LINK = "/setup?token="


async def test_the_link_sets_the_node_up_and_the_same_process_becomes_it(tmp_path: Path):
    a = place(tmp_path / "a", "127.0.0.6")
    async with a.serving() as server, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        link = next(line.strip() for line in server.lines if LINK in line)
        assert [line for line in server.lines if "http" in line] == [f"  {link}\n"]  # one link, to click on
        assert link.startswith(a.origin)
        visitor = Visitor(a.origin, http)
        page = await visitor.get(link)
        fields = form(origin=a.origin) | {"token": link.partition("token=")[2], "csrf": token_in(page.text)}
        landed = await visitor.post("/setup", **fields)  # follows the redirect, which waits for the node
        assert (landed.status, landed.url) == (200, f"{a.origin}/setup/keys")
        assert await server.says("is open.") == f"{a.origin} is open."
        assert (await visitor.get("/@alice")).status == 200
        assert (await visitor.get(link)).status == 409
        assert await server.stop() == 0


async def test_a_set_up_from_another_process_opens_the_node_too(tmp_path: Path):
    a = place(tmp_path / "a", "127.0.0.6")
    async with a.serving() as server:
        assert any(LINK in line for line in server.lines)
        await a.set_up("alice")
        await server.says("is open.")


async def test_a_server_that_waits_to_be_set_up_stops_when_asked(tmp_path: Path):
    async with place(tmp_path / "a", "127.0.0.6").serving() as server:
        assert await server.stop() == 0


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        said = Freehold(tmp_path, {}).run("serve", "--bind", bind, code=2)
    assert said == f"freehold: cannot listen on {bind}: Address already in use. Choose another with --bind.\n"


@pytest.mark.parametrize("bind", ["8420", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", "127.0.0.1:²", ""])
def test_a_bind_that_is_none_is_explained(tmp_path, bind):
    assert "--bind takes ADDRESS:PORT" in Freehold(tmp_path, {}).run("serve", "--bind", bind, code=2)


def test_a_worker_alone_does_not_wait_for_a_set_up(tmp_path):
    assert "not set up yet" in Freehold(tmp_path, {}).run("serve", "--role", "worker", code=1)


@pytest.mark.parametrize(
    ("bind", "origin", "link"),
    [
        ("127.0.0.1:8420", "", "http://localhost:8420"),
        ("0.0.0.0:80", "", "http://localhost:80"),
        ("[::]:8420", "", "http://localhost:8420"),
        (":8420", "", "http://localhost:8420"),
        ("127.0.0.7:8420", "", "http://127.0.0.7:8420"),
        ("192.0.2.1:8420", "", "http://192.0.2.1:8420"),
        ("0.0.0.0:8420", "https://alice.example", "https://alice.example"),  # behind its proxy
    ],
)
def test_the_link_can_be_opened_whatever_was_bound(bind, origin, link):
    assert serving._reachable(bind, origin) == link


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHo", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTT"],
    ids=["idle", "head", "next"],
)
async def test_a_head_that_does_not_come_costs_a_connection_only_for_a_while(tmp_path, monkeypatch, sent):
    monkeypatch.setitem(protocol._OPTIONS, "keepalive_timeout", 0.3)
    ground = await lay_ground(load(tmp_path, {}))
    application, _ = serving.setup_application(ground, lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with serving._Site(application, listening), asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(sent)
            await reader.read()  # to its end: the server hangs up
            writer.close()
    await ground.db.close()


async def test_a_request_under_way_is_answered_before_the_server_goes(tmp_path):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asked.set()
        await go.wait()
        return web.Response(text="done")

    application = web.Application()
    application.router.add_get("/", slow)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        site = serving._Site(application, listening)
        await site.__aenter__()
        async with aiohttp.ClientSession() as http, asyncio.timeout(20):
            answer = asyncio.create_task(http.get(f"http://127.0.0.1:{listening.getsockname()[1]}/"))
            await asked.wait()
            leaving = asyncio.create_task(site.__aexit__())
            await asyncio.sleep(0)
            go.set()
            assert await (await answer).text() == "done"
            await leaving
