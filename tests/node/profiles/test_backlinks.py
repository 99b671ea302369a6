"""Whether a page links back: found where it is said, in bounded time, and by the guarded client alone."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web

from federation.client import Client, ClientSettings
from federation.clock import Clock
from federation.storage import Database
from node.profiles import links
from node.profiles.backlinks import links_back, me_links
from node.profiles.checking import LinkChecker
from tests.federation.test_client import canary, server_at
from tests.nodes import cluster

PAGE = "https://okafor.example/work"
ME = "https://a.example/@amara"
WANTED = frozenset({ME, "https://a.example/users/amara"})


@pytest.mark.parametrize(
    "html",
    [
        f'<a rel="me" href="{ME}">me</a>',
        f"<a href='{ME}/' rel='nofollow ME noopener'>me</a>",
        f"<link rel=me href={ME}>",
        '<A HREF="https://a.example/users/amara#x" REL="me">',
        f'<a\nrel="me"\nhref="{ME}">',
        f'<!-- a comment --><script>"</scrip>"</script><a rel="me" href="{ME}">',
        f'{"<p>" * 10_000}<a rel="me" href="{ME}">',
    ],
)
def test_a_page_that_links_back(html):
    assert links_back(html, PAGE, WANTED)


@pytest.mark.parametrize(
    "html",
    [
        "",
        f'<a href="{ME}">me</a>',
        f'<a rel="mean" href="{ME}">',
        f'<a rel="me" href="{ME}x">',
        '<a rel="me" href="https://a.example@evil.example/@amara">',
        f'<!-- <a rel="me" href="{ME}"> -->',
        f'<!-- <a rel="me" href="{ME}">',
        f'<textarea><a rel="me" href="{ME}"></textarea>',
        f'<script><a rel="me" href="{ME}"></script>',
        f'<a rel="x" rel="me" href="{ME}">',
        '<a rel="me" href="http://[">',
        '<a rel="me">',
        f"&lt;a rel=me href={ME}&gt;",
    ],
)
def test_a_page_that_does_not(html):
    assert not links_back(html, PAGE, WANTED)


def test_an_address_is_read_from_where_the_page_stands():
    assert list(me_links('<a rel="me" href="/about">', PAGE)) == ["https://okafor.example/about"]


HOSTILE = {
    "tags": "<a " * 8,
    "comments": "<!--",
    "attributes": "<a rel=me " + "x=1 " * 900 + ">",
    "scripts": "<script",
    "open scripts": "<script>",
    "brackets": "<",
    "references": "&lt;",
    "quotes": "<a rel='",
    "letters that grow": "İ<!--",
    "equals": "<a/" + "=" * 3_000,
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_70_five_megabytes_take_less_than_a_second(piece: str):
    html = piece * (5_000_000 // len(piece))
    began = time.process_time()
    links_back(html, PAGE, WANTED)
    assert time.process_time() - began < 1.0


async def checked(home, somebody) -> set[str]:
    return set(await home.node.db.read(links.checked, somebody.id))


async def test_56_61_links_are_checked_in_the_background_and_again() -> None:
    """One that links back, one that does not, one that leads away, one in a forbidden network."""
    async with (
        canary() as forbidden,
        server_at("127.0.0.9") as server,
        server_at("127.0.0.10") as other,
        cluster("a.example") as (a,),
    ):
        amara = await a.set_up("amara")
        says = {"me": f'<a rel="me" href="{a.node.ids.page("amara")}">'}

        async def page(request: web.Request) -> web.Response:
            return web.Response(text=says["me"], content_type="text/html")

        async def plain(request: web.Request) -> web.Response:
            return web.Response(text=says["me"], content_type="text/plain")

        good, away = server.serve("/work", page), other.redirect("/away", server.serve("/there", page))
        wrong = server.serve("/plain", plain)
        await amara.save_profile(links="\n".join([good, away, wrong, f"{forbidden}/x"]))
        settings = ClientSettings(allow_networks=(ip_network("127.0.0.8/29"),), allow_http=True)
        client = Client(settings, a.node.ids, None)
        checker = LinkChecker(replace(a.node, client=client))
        assert await checker.drain() == 4
        assert await checked(a, amara) == {good}
        async with a.visitor() as browser:
            said = (await browser.get("/@amara")).text
            assert said.count("links back, checked on") == 1
            assert said.count('rel="me ') == 4, "our page says me of all of them"
            assert server.origin.partition("//")[2] in said, "the whole host is shown (SECURITY 56)"
        assert await checker.drain() == 0, "each has its time"
        says["me"] = "no more"
        a.later(days=8)
        assert await checker.drain() >= 1
        assert await checked(a, amara) == set()
        await client.close()


async def test_a_page_that_is_away_keeps_what_was_seen_of_it_for_a_while() -> None:
    async with cluster("a.example") as (a,):
        amara = await a.set_up("amara")
        async with server_at("127.0.0.9") as server:

            async def page(request: web.Request) -> web.Response:
                return web.Response(text=f'<a rel="me" href="{amara.id}">', content_type="text/html")

            url = server.serve("/work", page)
            await amara.save_profile(links=url)
            checker = LinkChecker(a.node)
            await checker.drain()
        for days, kept in ((8, True), (25, False)):
            a.later(days=days)
            await checker.drain()
            assert (url in await checked(a, amara)) is kept, days
        a.clock.offset = timedelta()
        await amara.save_profile(links="")
        assert await checker.drain() == 0, "what is no link of the profile is not looked at"


async def test_175_after_a_clock_that_was_fast_a_page_is_looked_at_soon(db: Database, clock: Clock) -> None:
    due = links.Due("https://a.example/users/amara", PAGE)
    clock.offset += timedelta(days=400)
    await db.write(links.watch, due.actor_id, [PAGE])
    assert await db.write(links.claim) == due
    await db.write(links.links_back, due)
    clock.offset -= timedelta(days=400)
    assert await db.write(links.claim) is None
    await db.write(links.tidy)
    assert (await db.read(links.checked, due.actor_id))[PAGE] <= clock.now()
    assert await db.write(links.claim) == due
