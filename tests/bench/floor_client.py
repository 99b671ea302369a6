"""The floor of the fan-out: `python -m tests.bench.floor_client URLS ANSWER`.

One aiohttp client that makes an RSA signature and posts 2.4 KB, for each URL in a JSON list: no database, no checks.
Writes the CPU seconds that this took, without the start of the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BODY = os.urandom(2400)
AT_ONCE = 50


async def post_all(urls: list[str]) -> float:
    key = rsa.generate_private_key(65537, 2048)
    waiting = iter(urls)

    async def lane(session: aiohttp.ClientSession) -> None:
        for url in waiting:
            signature = key.sign(url.encode(), padding.PKCS1v15(), hashes.SHA256())
            headers = {"Content-Type": "application/activity+json", "Signature": signature.hex()}
            async with session.post(url, data=BODY, headers=headers) as response:
                await response.read()

    before = time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        await asyncio.gather(*(lane(session) for _ in range(AT_ONCE)))
    return time.process_time() - before


def main() -> None:
    source, answer = sys.argv[1:]
    Path(answer).write_text(json.dumps(asyncio.run(post_all(json.loads(Path(source).read_text())))))


if __name__ == "__main__":
    main()
