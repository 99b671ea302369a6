"""Floors: the least that the same libraries can do. `python -m tests.bench.floor_server get|inbox DESCRIPTOR FILE`.

The descriptor is a listening socket that was inherited.

get: aiohttp answers a fixed body. inbox: aiohttp takes a POST, one RSA verification, two rows in batches of 16 with
synchronous=FULL, then 202: no parsing, no checks, no effects.
"""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import sqlite3
import sys
import threading

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BODY = os.urandom(2400)


async def get(request: web.Request) -> web.Response:
    return web.Response(body=BODY, content_type="application/activity+json")


class Store(threading.Thread):
    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.jobs: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()

    def run(self) -> None:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE a (id INTEGER PRIMARY KEY, k TEXT UNIQUE, body BLOB);"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, k TEXT UNIQUE, body BLOB);"
        )
        while True:
            batch = [self.jobs.get()]
            while len(batch) < 16 and not self.jobs.empty():
                batch.append(self.jobs.get_nowait())
            rows = [(os.urandom(8).hex(), body) for body, _ in batch]
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO a (k, body) VALUES (?, ?)", rows)
            db.executemany("INSERT INTO b (k, body) VALUES (?, ?)", rows)
            db.execute("COMMIT")
            futures = [future for _, future in batch]
            futures[0].get_loop().call_soon_threadsafe(self.settle, futures)

    @staticmethod
    def settle(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            future.set_result(None)


def inbox(path: str) -> web.Application:
    key = rsa.generate_private_key(65537, 2048)
    public, signature = key.public_key(), key.sign(BODY, padding.PKCS1v15(), hashes.SHA256())
    store = Store(path)
    store.start()

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        public.verify(signature, BODY, padding.PKCS1v15(), hashes.SHA256())
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        store.jobs.put((body, future))
        await future
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/inbox", post)
    return app


def main() -> None:
    kind, descriptor, path = sys.argv[1:]
    app = inbox(path) if kind == "inbox" else web.Application()
    app.router.add_get("/{rest:.*}", get)
    web.run_app(app, sock=socket.socket(fileno=int(descriptor)), access_log=None, print=None)


if __name__ == "__main__":
    main()
