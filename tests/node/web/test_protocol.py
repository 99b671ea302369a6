"""Requests that cannot be read at all: the answer names no library, and the log has one line of each."""

from __future__ import annotations

import asyncio
import socket

import pytest
import structlog
from aiohttp import web

from node.app import bare_application
from node.logs import set_up_logs
from node.web import protocol
from node.web.log import HEADERS
from node.web.protocol import Runner
from node.web.proxies import Proxies

UNREADABLE = {
    "nonsense": b"\x16\x03\x01\x02\r\n\r\n",
    "without a host": b"GET / HTTP/1.1\r\n\r\n",
    "a line too long": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header too long": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 60_000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 1_000 + b"\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "a forged line": b"GET / HTTP/1.1\r\nHost: a\r\nX\x1b[31m\x00: level=error\r\n\r\n",
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
async def test_092_124_what_cannot_be_read_is_told_nothing_and_leaves_one_line(plain_ground, sent, capsys):
    runner = Runner(bare_application(plain_ground, Proxies()), shutdown_timeout=1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    set_up_logs("debug")
    capsys.readouterr()
    try:
        await web.SockSite(runner, listening).start()
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(sent)
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()
    finally:
        await runner.cleanup()
        structlog.reset_defaults()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.split()[1] == "400"
    assert "aiohttp" not in head
    assert {f"{name}: {value}" for name, value in HEADERS.items()} <= set(head.split("\r\n"))
    assert body == "This request cannot be read.\n", "nothing of it is repeated"
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    assert "event=request.unreadable" in said[0]


async def test_091_who_reads_nothing_of_an_answer_does_not_keep_it_waiting(plain_ground, monkeypatch):
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.2)
    ended = asyncio.Event()

    async def without_end(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except ConnectionError:
            ended.set()
        return response

    application = bare_application(plain_ground, Proxies())
    application.add_routes([web.get("/", without_end)])
    runner = Runner(application, shutdown_timeout=1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    with socket.socket() as idle:
        try:
            await web.SockSite(runner, listening).start()
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            idle.connect(listening.getsockname())
            idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(ended.wait(), 10)
        finally:
            await runner.cleanup()
