"""Two nodes as they stand on the internet: each behind Caddy, over https, with certificates of Caddy's own authority.

The whole main job once: follow, publish, arrive, verify, sign in, send a form. Caddy is configured by the project's own
`docker/Caddyfile`, with what a test machine cannot have (ports below 1024, a public name) put in front of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import aiohttp
import pytest

from tests.nodes import free_port
from tests.people import PASSWORD
from tests.processes import Place, place
from tests.visitors import Hosts, Visitor

CADDYFILE = Path(__file__).parents[2] / "docker" / "Caddyfile"
PROXY = "127.0.0.9"
WAIT_SECONDS = 20.0
GLOBAL = """{{
	admin off
	skip_install_trust
	local_certs
	auto_https disable_redirects
	https_port {port}
	default_bind {address}
	storage file_system {storage}
}}
"""


def site(name: str, behind: Place) -> str:
    """The project's Caddyfile for one name."""
    text = CADDYFILE.read_text()
    assert "{$DOMAIN}" in text
    assert "node:8420" in text
    return text.replace("{$DOMAIN}", name).replace("node:8420", f"{behind.address}:{behind.port}")


@asynccontextmanager
async def caddy(folder: Path, port: int, sites: dict[str, Place]) -> AsyncIterator[Path]:
    """A running Caddy before these nodes; gives the file with its authority's certificate."""
    program = which("caddy")
    if program is None:
        pytest.fail("Caddy is not installed: `make system` does that on Debian and its kin")
    config = folder / "Caddyfile"
    storage = folder / "storage"
    head = GLOBAL.format(port=port, address=PROXY, storage=storage)
    config.write_text(head + "".join(site(name, behind) for name, behind in sites.items()))
    process = await asyncio.create_subprocess_exec(
        program, "run", "--adapter", "caddyfile", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while b"serving initial configuration" not in (line := await process.stderr.readline()):
                assert line, "Caddy ended before it served anything"
        drained = asyncio.create_task(process.stderr.read())
        root = storage / "pki" / "authorities" / "local" / "root.crt"
        assert root.exists()
        yield root
        drained.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def browser(name: str, port: int, root: Path) -> AsyncIterator[Visitor]:
    """A visitor who trusts that authority."""
    context = ssl.create_default_context(cafile=str(root))
    connector = aiohttp.TCPConnector(resolver=Hosts({name: (PROXY, port)}), ssl=context)
    jar = aiohttp.CookieJar()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
        yield Visitor(f"https://{name}", http)


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What a command of another process says, once it is something."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (found := await look()):  # noqa: ASYNC110 - another process has no event that could be awaited
            await asyncio.sleep(0.2)
    return found


async def test_the_main_job_behind_a_real_proxy(tmp_path: Path) -> None:
    port = free_port(PROXY)
    names = ("alice.example", "bob.example")
    network = {
        "FREEHOLD_HOSTS": ",".join(f"{name}={PROXY}:{port}" for name in names),
        "FREEHOLD_CA_FILE": str(tmp_path / "storage/pki/authorities/local/root.crt"),
        "FREEHOLD_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    alice = place(tmp_path / "alice", "127.0.0.7", **network)
    bob = place(tmp_path / "bob", "127.0.0.8", **network)
    async with caddy(tmp_path, port, {"alice.example": alice, "bob.example": bob}) as root:
        await alice.set_up("alice", origin="https://alice.example")
        await bob.set_up("bob", origin="https://bob.example")
        async with alice.serving(), bob.serving():
            await follow_publish_and_verify(alice, bob)
            async with browser("alice.example", port, root) as visitor:
                await sign_in_and_post(visitor)
            await until(lambda: said_by(bob, "Written in a browser, over https."))
            assert await doctor(alice) == dict.fromkeys(FINE, "ok") | {"backup": "attend", "identity": "attend"}, (
                "neither is there yet"
            )
        async with alice.serving(FREEHOLD_TRUSTED_PROXIES="127.0.0.88/32"):
            assert (await doctor(alice))["proxy.headers"] == "broken", "a proxy that the settings do not name"
        assert (await doctor(alice))["address"] == "broken", "Caddy answers, and no node behind it"


FINE = (
    "address", "proxy.host", "proxy.headers", "webfinger", "tls", "clock", "database", "keys", "files", "disk",
    "queue", "mail",
)  # fmt: skip


async def doctor(asked: Place) -> dict[str, str]:
    """What `freehold doctor` finds, line by line."""
    done = await asked.run("doctor", "--json")
    found = {line["key"]: line["health"] for line in json.loads(done.out)}
    assert done.code == (1 if "broken" in found.values() else 0)
    return found


async def follow_publish_and_verify(alice: Place, bob: Place) -> None:
    await bob.json("follow", "@alice@alice.example")
    await until(lambda: accepted(bob))
    published = await alice.json("gig", "publish", "--title", "Behind a proxy", "--rate", "60/hour")
    [entry] = await until(lambda: bob.json("timeline"))
    assert (entry["object_id"], entry["verification"]) == (published["id"], "signed")
    verdict = await bob.run("verify", published["id"])
    assert verdict.code == 0, verdict.out + verdict.err


async def accepted(follower: Place) -> list[Any]:
    return [one for one in await follower.json("following") if one["state"] == "accepted"]


async def said_by(reader: Place, text: str) -> list[Any]:
    return [entry for entry in await reader.json("timeline") if entry["title"] == text]


async def sign_in_and_post(visitor: Visitor) -> None:
    page = await visitor.submit("/sign-in", name="alice", password=PASSWORD)
    assert (page.status, page.url) == (200, "https://alice.example/home")
    cookies = [str(cookie) for cookie in visitor.http.cookie_jar]
    assert any(cookie.key.startswith("__Host-") and cookie["secure"] for cookie in visitor.http.cookie_jar), cookies
    assert "max-age=" in page.headers.get("Strict-Transport-Security", "")
    assert re.search(r"alice\.example", page.text)
    await visitor.submit("/home", body="Written in a browser, over https.", audience="public")
