"""Where somebody is signed in, their password, their language, and the way back in (SECURITY 9, 111, 114, 120)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from node.accounts import commands
from node.accounts import sessions as opened
from node.accounts.agents import Place, place_of
from node.accounts.sessions import PROOF
from node.accounts.tables import code_apps, passkeys, sessions, sign_ins, tickets
from node.worker import tidy
from tests.node.accounts.test_factors import ON_ONE_DATABASE, with_app, with_passkey
from tests.node.cli.freehold import Freehold
from tests.node.house import BROWSER, PASSWORD, a_node, sign_in, state

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


async def rows(ground, statement):
    return await ground.db.read(lambda tx: tx.rows(statement))


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (FIREFOX, "Firefox", "Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge", "Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18.0 Safari/604.1", "Safari", "iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36", "Chrome", "Android"),
        ("curl/8.5", "curl", None),
        ("\x1b[31m<b>evil</b>" * 100, None, None),
        ("", None, None),
    ],
)
def test_a_browser_is_known_by_its_words(agent, browser, system):
    assert place_of(agent, None) == Place(browser, system, None)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("127.0.0.1", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_of_an_address_only_the_network_is_kept(address, network):
    assert place_of("", address).network == network


async def test_sessions_are_listed_and_ended_by_their_owner_alone(ground):
    async with a_node(ground) as (_, visitor):
        visitor.http.headers["User-Agent"] = FIREFOX
        first = (await sign_in(visitor)).cookies["freehold"].value
        visitor.http.cookie_jar.clear()
        await sign_in(visitor)
        page = await visitor.get("/settings")
        assert page.text.count("Firefox on Linux</p>") == 2
        assert page.text.count("This one") == 1
        theirs = await ground.db.read(opened.sessions_of, 1, first)
        assert [one.current for one in theirs] == [True, False]
        assert first not in page.text
        token = await visitor.token("/settings")
        before = await state(ground.db)
        for name in ("", "%", theirs[0].name[:10], "0" * opened.SHORT, "x" * 4000):
            absent = await visitor.post("/settings/sessions/end", csrf=token, session=name)
            assert absent.status == 404, name
        other = await ground.db.write(second_account)
        assert not await ground.db.write(opened.end_session, other, theirs[0].name)
        assert await ground.db.read(opened.sessions_of, 1, first) == theirs
        await visitor.post("/settings/sessions/end", csrf=token, session=theirs[0].name)
        assert len(await rows(ground, sa.select(sessions))) == 1
        assert (await visitor.get("/settings")).status == 200
        for _number in range(2):
            await ground.db.write(commands.open_session, 1)
        await visitor.submit("/settings/sessions/end-others", page="/settings")
        assert len(await rows(ground, sa.select(sessions))) == 1
        assert (await visitor.get("/settings")).url.endswith("/settings")
        assert await state(ground.db) != before


def second_account(tx):
    """Somebody else on the node."""
    from node.accounts.tables import accounts

    made = sa.insert(accounts).values(username="carol", actor_id="x", password="", created_at=tx.now)
    return tx.execute(made.returning(accounts.c.id)).scalar_one()


async def test_114_a_new_password_ends_every_other_session_and_renews_this_one(ground):
    async with a_node(ground) as (_, visitor):
        await sign_in(visitor)
        await ground.db.write(commands.open_session, 1)
        digests = {row.digest for row in await rows(ground, sa.select(sessions.c.digest))}
        before = await state(ground.db)
        wrong = await visitor.submit("/settings/password", page="/settings", old="wrong", new="four words and more")
        short = await visitor.submit("/settings/password", page="/settings", old=PASSWORD, new="short")
        same = await visitor.submit("/settings/password", page="/settings", old=PASSWORD, new=PASSWORD)
        assert [page.status for page in (wrong, short, same)] == [422] * 3
        assert await state(ground.db) == before
        done = await visitor.submit("/settings/password", page="/settings", old=PASSWORD, new="four words and more")
        assert "Your password is changed" in done.text
        (left,) = await rows(ground, sa.select(sessions.c.digest))
        assert left.digest not in digests
        visitor.http.cookie_jar.clear()
        assert (await sign_in(visitor)).status == 422
        assert (await sign_in(visitor, "four words and more")).status == 303


@ON_ONE_DATABASE
async def test_121_a_new_password_needs_the_code_too(ground):
    """Else whoever found a browser and the password had ten minutes of trust, and could take the app away."""
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        app, _ = await with_app(ground, node, visitor)
        node.clock.offset += PROOF
        before = await state(ground.db)
        wanted = {"old": PASSWORD, "new": "four words and more"}
        for code in ("", "000000"):
            refused = await visitor.submit("/settings/password", page="/settings", code=code, **wanted)
            assert (refused.status, 'name="code"' in refused.text) == (422, True)
        assert await state(ground.db) == before
        assert "/settings/proof" in (await visitor.get("/settings/codes/remove")).url
        code = app.at(node.clock.now())
        done = await visitor.submit("/settings/password", page="/settings", code=code, **wanted)
        assert "Your password is changed" in done.text


@ON_ONE_DATABASE
async def test_language_and_colours_are_ones_own(ground):
    async with a_node(ground) as (_, visitor):
        await sign_in(visitor)
        german = await visitor.submit("/settings/reading", page="/settings", language="de", theme="dark")
        assert '<html lang="de" data-theme="dark">' in german.text
        before = await state(ground.db)
        for bad in ({"language": "xx"}, {"theme": "pink"}):
            assert (await visitor.submit("/settings/reading", page="/settings", **bad)).status == 422
        assert await state(ground.db) == before
        plain = await visitor.submit("/settings/reading", page="/settings", language="", theme="")
        assert '<html lang="en">' in plain.text


async def test_whoever_cannot_sign_in_gets_one_link_that_works_once(ground, environ):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        await with_passkey(visitor)
        await with_app(ground, node, visitor)
        visitor.http.cookie_jar.clear()
        freehold = Freehold(node.settings.data, environ)
        assert [one["handle"] for one in await asyncio.to_thread(freehold.json, "user", "list")] == ["alice"]
        await asyncio.to_thread(freehold.run, "user", "reset", "nobody", code=1)
        link = (await asyncio.to_thread(freehold.json, "user", "reset", "@Alice"))["link"]
        path = link.removeprefix(node.ids.origin)
        assert link.rpartition("=")[2] not in str(await rows(ground, sa.select(tickets)))
        before = await state(ground.db)
        assert (await visitor.get(path)).status == 200
        assert (
            await visitor.submit("/reset", page=path, token=link.rpartition("=")[2], password="short")
        ).status == 422
        assert (await visitor.get("/reset?token=guessed")).status == 403
        assert await state(ground.db) == before
        token = await visitor.token(path)
        form = {"csrf": token, "token": link.rpartition("=")[2], "password": "another four words", "drop": "yes"}
        assert (await visitor.post("/reset", **form)).url.endswith("/sign-in")
        assert (await visitor.post("/reset", **form | {"password": "a thief has this link"})).status == 403
        for table in (sessions, passkeys, code_apps):
            assert await rows(ground, sa.select(table)) == []
        assert await rows(ground, sa.select(tickets).where(tickets.c.purpose != "spent")) == []
        assert (await sign_in(visitor, "another four words")).headers["Location"] == "/home"


@ON_ONE_DATABASE
async def test_a_link_is_over_after_half_an_hour_and_when_there_is_a_newer_one(ground):
    from node.accounts import tickets as secrets

    async with a_node(ground) as (node, visitor):
        older = await ground.db.write(secrets.issue, "link", 1)
        newer = await ground.db.write(secrets.issue, "link", 1)
        statuses = [(await visitor.get(f"/reset?token={secret}")).status for secret in (older, newer)]
        assert statuses == [403, 200]
        node.clock.offset = timedelta(minutes=31)
        assert (await visitor.get(f"/reset?token={newer}")).status == 403
        await ground.db.write(tidy)
        assert await rows(ground, sa.select(tickets)) == []


async def test_143_networks_go_after_two_weeks_and_the_log_after_three_months(ground):
    async with a_node(ground) as (node, _):
        await ground.db.write(commands.open_session, 1, Place("Firefox", "Linux", "192.0.2.0/24"))
        for days, networks, log in ((13, 2, 1), (15, 0, 1), (91, 0, 0)):
            node.clock.offset = timedelta(days=days)
            await ground.db.write(tidy)
            kept = [
                *await rows(ground, sa.select(sessions.c.network)),
                *await rows(ground, sa.select(sign_ins.c.network)),
            ]
            assert len([row for row in kept if row.network]) == networks, days
            assert len(await rows(ground, sa.select(sign_ins))) == log, days


@ON_ONE_DATABASE
async def test_whoever_reads_an_answer_in_html_sees_no_secret(ground):
    async with a_node(ground) as (_, visitor):
        cookie = (await sign_in(visitor)).cookies["freehold"].value
        text = (await visitor.get("/settings", **BROWSER)).text
        assert cookie not in text
        assert "PRIVATE" not in text
