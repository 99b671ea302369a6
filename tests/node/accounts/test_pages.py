"""Signing in and out."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_network

import aiohttp
import pytest
import sqlalchemy as sa

from federation.errors import Busy
from federation.rates import Limiter, Rate
from federation.storage import Database
from node.accounts import commands, passwords
from node.accounts.pages import PER_ACCOUNT, PER_ADDRESS, THROTTLE, Throttle
from node.accounts.tables import sessions
from node.app import web_application
from node.errors import TooMany
from node.messages.visitor_pages import AskThrottle
from node.routes import node_routes
from node.settings import load
from node.web.keys import PROXIES
from node.web.proxies import Proxies
from tests.node.house import BROWSER, PASSWORD, a_node, serving, settle_in, sign_in, state, token_in


async def home_of(visitor, cookie):
    """Where the start page leads a browser with this session cookie."""
    headers = BROWSER | {"Cookie": f"freehold={cookie}"}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.get(f"{visitor.origin}/", headers=headers, allow_redirects=False) as answer,
    ):
        return answer.headers.get("Location")


async def test_a_right_password_opens_a_session_that_is_kept_as_a_digest(ground):
    async with a_node(ground) as (_, visitor):
        answer = await sign_in(visitor, next="/gigs?purpose=offer")
        cookie = answer.cookies["freehold"]
        assert (answer.status, answer.headers["Location"]) == (303, "/gigs?purpose=offer")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
        kept = await ground.db.read(lambda tx: tx.scalar(sa.select(sessions.c.digest)))
        assert cookie.value not in kept
        assert len(cookie.value) >= 43
        assert await home_of(visitor, cookie.value) == "/home"


@pytest.mark.parametrize("name", ["alice", "@Alice", "alice@alice.example", "@alice@alice.example"])
async def test_a_name_may_be_written_in_any_of_its_forms(ground, name):
    async with a_node(ground) as (_, visitor):
        assert (await sign_in(visitor, name=name)).status == 303


async def test_a_wrong_name_and_a_wrong_password_look_alike(ground):  # SECURITY 123
    async with a_node(ground) as (_, visitor):
        before = await state(ground.db)
        wrong = await sign_in(visitor, password="seven quiet hens")
        unknown = await sign_in(visitor, name="nobody")
        texts = [(await answer.text()).replace("nobody", "alice") for answer in (wrong, unknown)]
    texts = [re.sub('data-options="[^"]*"', "", text) for text in texts]  # a fresh challenge each time
    assert (wrong.status, unknown.status) == (422, 422)
    assert texts[0] == texts[1]
    assert "does not fit this name" in texts[0]
    assert "freehold" not in wrong.cookies
    assert await state(ground.db) == before


async def test_the_session_of_before_is_worth_nothing_and_a_planted_one_is_not_adopted(ground):  # SECURITY 114
    async with a_node(ground) as (_, visitor):
        visitor.http.cookie_jar.update_cookies({"freehold": "planted-by-somebody-else"})
        first = (await sign_in(visitor)).cookies["freehold"].value
        visitor.http.cookie_jar.clear()
        page = await visitor.get("/sign-in")
        headers = BROWSER | {"Cookie": f"freehold={first}; freehold-form=x"}
        async with visitor.http.get(f"{visitor.origin}/sign-out", headers=headers) as form:
            token = token_in(await form.text())
        data = {"csrf": token, "name": "alice", "password": "seven quiet herons"}
        async with visitor.http.post(
            f"{visitor.origin}/sign-in", data=data, headers=headers, allow_redirects=False
        ) as again:
            second = again.cookies["freehold"].value
        assert len({"planted-by-somebody-else", first, second}) == 3
        assert await home_of(visitor, first) != "/home"
        assert await home_of(visitor, second) == "/home"
        assert await home_of(visitor, "planted-by-somebody-else") != "/home"
    assert page.status == 200


async def test_signing_out_ends_the_session_on_the_server(ground):  # SECURITY 114
    async with a_node(ground) as (_, visitor):
        cookie = (await sign_in(visitor)).cookies["freehold"].value
        page = await visitor.get("/sign-out")
        headers = BROWSER | {"Origin": visitor.origin}
        async with visitor.http.post(
            f"{visitor.origin}/sign-out", data={"csrf": token_in(page.text)}, headers=headers, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"], answer.cookies["freehold"].value) == (303, "/", "")
        assert await home_of(visitor, cookie) == "/@alice"
        assert await ground.db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(sessions))) == 0


async def test_a_link_or_another_site_signs_nobody_out(ground):  # SECURITY 113
    async with a_node(ground) as (_, visitor):
        cookie = (await sign_in(visitor)).cookies["freehold"].value
        token = token_in((await visitor.get("/sign-out")).text)
        tries = [
            ({"csrf": token}, {"Origin": "https://evil.example"}),
            ({"csrf": token}, {"Sec-Fetch-Site": "same-site"}),
            ({"csrf": "0" * 64}, {}),
            ({}, {"Origin": visitor.origin}),
        ]
        for data, headers in tries:
            async with visitor.http.post(
                f"{visitor.origin}/sign-out", data=data, headers=BROWSER | headers, allow_redirects=False
            ) as answer:
                assert answer.status == 403, (data, headers)
        assert await home_of(visitor, cookie) == "/home"


async def test_a_session_ends_after_thirty_days(ground):
    async with a_node(ground) as (node, visitor):
        cookie = (await sign_in(visitor)).cookies["freehold"].value
        node.clock.offset = commands.SESSION - timedelta(seconds=60)
        assert await home_of(visitor, cookie) == "/home"
        node.clock.offset = commands.SESSION + timedelta(seconds=60)
        assert await home_of(visitor, cookie) == "/@alice"


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "https:evil.example", "/web//evil.example"]
)
async def test_signing_in_never_leads_to_another_site(ground, target):  # SECURITY 122
    async with a_node(ground) as (_, visitor):
        assert (await sign_in(visitor, next=target)).headers["Location"] == "/home"


async def test_guessing_is_slowed_for_one_address(ground):  # SECURITY 120
    node, _ = await settle_in(ground)
    application = web_application(node)
    application[THROTTLE] = Throttle(addresses=Limiter(Rate(PER_ADDRESS.per_second, burst=3)))
    async with serving(application) as visitor:
        statuses = [(await sign_in(visitor, password=f"guess number {n}")).status for n in range(4)]
        assert statuses == [422, 422, 422, 429]
        refused = await sign_in(visitor)
        assert refused.status == 429  # and the right password does not tell
        assert int(refused.headers["Retry-After"]) > 0
        assert "too many attempts" in await refused.text()
    await node.client.close()


async def test_120_who_guesses_without_end_keeps_nobody_else_out(ground):
    node, _ = await settle_in(ground)
    application = web_application(node)
    application[PROXIES] = Proxies((ip_network("127.0.0.0/8"),))
    seldom = Rate(per_second=0.001, burst=4)
    application[THROTTLE] = Throttle(addresses=Limiter(seldom), names=Limiter(seldom), own=Limiter(seldom))
    async with serving(application) as visitor:
        visitor.http.headers["X-Forwarded-For"] = "192.0.2.66"
        assert [(await sign_in(visitor, password="a guess")).status for _ in range(3)] == [422, 422, 422]
        visitor.http.headers["X-Forwarded-For"] = "198.51.100.1"
        assert (await sign_in(visitor)).status == 303  # the last of what is for this name
        shown = await visitor.submit("/settings/proof", password=PASSWORD, next="/settings/codes")
        assert shown.url.endswith("/settings/codes"), "whoever is signed in is not held up by them"
    await node.client.close()


async def test_120_guesses_from_everywhere_do_not_keep_the_owner_s_own_browser_out(ground):
    node, _ = await settle_in(ground)
    application = web_application(node)
    application[THROTTLE] = throttle = Throttle(names=Limiter(Rate(per_second=0.001, burst=20)))
    async with serving(application) as visitor:
        first = (await sign_in(visitor)).cookies["freehold-known"]
        assert (first["httponly"], first["samesite"], PASSWORD in first.value) == (True, "Lax", False)
        await visitor.submit("/sign-out")
        for number in range(20):
            with suppress(TooMany):
                throttle.take(f"192.0.2.{number}", "alice")
        assert (await sign_in(visitor)).status == 303
        changed = await visitor.submit("/settings/password", page="/settings", old=PASSWORD, new="four words and more")
        assert "Your password is changed" in changed.text
        await visitor.submit("/sign-out")
        assert (await sign_in(visitor, "four words and more")).status == 303
        for held in ({"freehold-known": first.value}, {}):  # of the password before, and a browser that was never here
            visitor.http.cookie_jar.clear()
            visitor.http.cookie_jar.update_cookies(held)
            assert (await sign_in(visitor, "four words and more")).status == 429
    await node.client.close()


def test_120_what_one_network_asks_too_often_takes_nothing_from_others():
    throttle, asking = Throttle(), AskThrottle()
    for number in range(int(PER_ACCOUNT.burst) * 2):
        with suppress(TooMany):
            throttle.take("192.0.2.66", "alice")
        with suppress(TooMany):
            asking.take("192.0.2.66", f"{number}@example.org")
    throttle.take("198.51.100.1", "alice")
    asking.take("198.51.100.1", "vera@example.org")


def test_guessing_one_name_from_many_addresses_is_slowed_too():
    throttle = Throttle()
    for n in range(int(PER_ACCOUNT.burst)):
        throttle.take(f"192.0.2.{n}", "alice")
    with pytest.raises(TooMany):
        throttle.take("198.51.100.1", "alice")
    throttle.take("198.51.100.1", "bob")


async def test_a_megabyte_of_password_is_not_hashed(ground, monkeypatch):  # SECURITY 93
    async def never(digest, password):
        raise AssertionError("hashed")

    monkeypatch.setattr(passwords, "fits", never)
    async with a_node(ground) as (_, visitor):
        assert (await sign_in(visitor, password="x" * 900_000)).status == 422


async def test_what_is_missing_is_named(ground):
    async with a_node(ground) as (_, visitor):
        answer = await sign_in(visitor, name="", password="")
        text = await answer.text()
        assert (answer.status, "Write your handle." in text, "Write your password." in text) == (422, True, True)


async def test_cookies_are_bound_to_https_where_the_browser_came_by_it(settings, ground, environ):  # SECURITY 124
    trusting = load(settings.data, environ | {"FREEHOLD_TRUSTED_PROXIES": "127.0.0.0/8"})
    node, _ = await settle_in(type(ground)(trusting, ground.clock, ground.db, ground.vault))
    async with serving(web_application(node)) as visitor:
        forwarded = BROWSER | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        async with visitor.http.get(f"{visitor.origin}/sign-in", headers=forwarded) as page:
            form = page.cookies["__Host-freehold-form"]
            token = token_in(await page.text())
        assert (form["secure"], form["httponly"], form["path"], form["domain"]) == (True, True, "/", "")
        data = {"csrf": token, "name": "alice", "password": "seven quiet herons"}
        headers = forwarded | {
            "Cookie": f"__Host-freehold-form={form.value}",
            "Origin": visitor.origin.replace("http:", "https:"),
        }
        async with visitor.http.post(
            f"{visitor.origin}/sign-in", data=data, headers=headers, allow_redirects=False
        ) as answer:
            cookie = answer.cookies["__Host-freehold"]
            assert (answer.status, cookie["secure"]) == (303, True)
            assert "max-age" in answer.headers["Strict-Transport-Security"]
        for name, leads_to in (("__Host-freehold", "/home"), ("freehold", "/@alice")):  # the other may be planted
            carried = forwarded | {"Cookie": f"{name}={cookie.value}"}
            async with visitor.http.get(f"{visitor.origin}/", headers=carried, allow_redirects=False) as home:
                assert home.headers["Location"] == leads_to
    await node.client.close()


async def test_a_database_that_is_busy_is_a_503_for_whoever_is_signed_in(ground, monkeypatch):  # SECURITY 168
    async with a_node(ground) as (_, visitor):
        await sign_in(visitor)

        async def busy(self, fn, *args, **kwargs):
            raise Busy("locked by somebody")

        monkeypatch.setattr(Database, "read", busy)
        page = await visitor.get("/home")
    assert (page.status, page.headers["Retry-After"]) == (503, "30")
    assert "Too busy for now." in page.text
    assert "locked by somebody" not in page.text


async def test_every_form_is_refused_without_its_token_and_from_elsewhere(ground):  # SECURITY 113
    async with a_node(ground) as (_, visitor):
        await sign_in(visitor)
        before = await state(ground.db)
        paths = [route.path for route in node_routes() if route.method == "POST"]
        for pattern in paths:
            path = re.sub(r"\{[^{}]*\}", "x", pattern)
            for data, origin in (
                ({}, visitor.origin),
                ({"csrf": "0" * 64}, visitor.origin),
                ({}, "https://evil.example"),
            ):
                headers = BROWSER | {"Origin": origin}
                async with visitor.http.post(visitor.origin + path, data=data, headers=headers) as answer:
                    here = origin == visitor.origin
                    absent = {404} if here and "{" in pattern else set()  # nothing is called x
                    expected = {409} if here and path == "/setup" else {403} | absent
                    assert answer.status in expected, path
        assert await state(ground.db) == before
    assert len(paths) > 10
