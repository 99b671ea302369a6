"""One application follows another on the same port, and nobody who called meanwhile is turned away."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from node.cli.serve import _Site


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_who_was_just_taken_in_is_answered_though_the_listening_ends() -> None:
    application = web.Application()
    application.router.add_get("/", hello)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with _Site(application, listening) as site:
            caller = socket.create_connection(listening.getsockname())
            caller.setblocking(False)
            for _turn in range(2):  # accepted now, and without a transport yet
                await asyncio.sleep(0)
            await site.stop_listening()
            reader, writer = await asyncio.open_connection(sock=caller)
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 200")
            writer.close()
