"""Every page that the owner of a node can come to, by its links, in every language, with something on it to say."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from node.language import languages
from node.relations import commands as relations
from node.social import commands as social
from tests.nodes import Home, Somebody, cluster, settled
from tests.visitors import Visitor

ID = re.compile(r"[0-9a-z]{26}|[A-Za-z0-9_=-]{30,}")
LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
LEFT = re.compile(r"%\(\w+\)|\{\w+\}|\{\{|\{%")
"""What stays of a sentence whose values were not put in."""
NOT_TEXT = re.compile(r"<(script|style|textarea)\b.*?</\1>", re.DOTALL)


async def two_who_work(a: Home, b: Home) -> tuple[Somebody, Somebody]:
    """Amara, who runs `a` and whose every list has something in it, and Bo."""
    amara, bo = await a.set_up("amara", name="Amara Okafor"), await b.set_up("bo", name="Bo Lindqvist")
    others = [await b.add(name) for name in ("cleo", "dana", "edo")]
    await amara.follow(bo)
    await bo.follow(amara)
    await settled(a, b)
    await amara.save_profile(
        headline="I draw maps", skills="graphic design", price="68", availability="limited", approves_followers="yes"
    )
    for follower in others[:2]:
        await follower.follow(amara)
    post = await amara.post("The harbour map is #finished.")
    await amara.publish_gig()
    await amara.publish_module()
    await settled(a, b)

    await bo.publish_gig(purpose="request", title="Somebody who draws what I mean")
    await bo.publish_module()
    await bo.post(f"{amara.handle}, are you free in #May?")
    here = await b.node.resolver.locate(amara.handle)
    await bo.post("Would the week of the 7th suit you?", audience="direct", to=here)
    await bo.do(social.like, post)
    await settled(a, b)
    for number, unwanted in enumerate(others[1:]):
        there = await a.node.resolver.locate(unwanted.handle)
        await amara.do(relations.block if number else relations.mute, there.id)
    await settled(a, b)
    return amara, bo


async def write_cv(browser: Visitor, knows: Somebody) -> None:
    """What is written on pages alone: a line of the CV, and a starter pack."""
    line = {"title": "Cartographer", "organisation": "Harbour office", "start": "2019"}
    assert (await browser.submit("/profile/experience/new", **line)).url.endswith("/profile/cv")
    pack = await browser.submit("/packs/new", name="Those who draw", members=knows.handle)
    assert "/packs/01" in pack.url, pack.text


@pytest.mark.parametrize("language", languages())
async def test_every_link_leads_to_a_page(language: str) -> None:
    async with cluster("a.example", "b.example") as (a, b):
        amara, bo = await two_who_work(a, b)
        async with a.visitor() as browser:
            await amara.sign_in(browser)
            await write_cv(browser, bo)
            seen = await walk(browser, language)
        assert len(seen) > 60, seen


async def walk(browser: Visitor, language: str) -> set[str]:
    """Follow every link of one's own node once for each kind of address; returns those kinds."""
    seen: set[str] = set()
    waiting = ["/home", "/admin", "/settings", "/search?q=map"]
    while waiting:
        path = waiting.pop(0)
        if kind_of(path) in seen:
            continue
        seen.add(kind_of(path))
        page = await browser.get(path, **{"Accept-Language": language})
        assert page.status == 200, f"{path}: {page.status}"
        if "text/html" not in page.headers["Content-Type"]:
            continue
        assert f'<html lang="{language}"' in page.text, path
        assert LEFT.search(NOT_TEXT.sub("", page.text)) is None, path
        waiting += [link for link in links_of(page.text, path) if link.startswith("/")]
    return seen


def links_of(text: str, path: str) -> list[str]:
    return [urljoin(path, unescape(link)).partition("#")[0] for link in LINK.findall(text)]


def kind_of(path: str) -> str:
    """An address without the ids in it, and with the names of its questions alone."""
    parts = urlsplit(path)
    asked = ",".join(sorted(f"{name}={value}" if name == "show" else name for name, value in parse_qsl(parts.query)))
    return f"{ID.sub('*', parts.path)}?{asked}"
