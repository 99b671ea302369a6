"""Passkeys and codes: what signs in, what does not, and what is needed to change that (SECURITY 114, 120, 121, 123)."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from federation.rates import Limiter, Rate
from node.accounts import codes
from node.accounts.passkeys import Party
from node.accounts.tables import code_apps, passkeys, recovery_codes, sessions, sign_ins, tickets
from node.accounts.throttle import PER_ADDRESS, PER_CODE, THROTTLE, Throttle
from node.app import web_application
from tests.node.accounts.authenticator import PRESENT, Authenticator, challenge_of, options_in
from tests.node.house import PASSWORD, a_node, serving, settle_in, sign_in, state, token_in

ORIGIN = "https://alice.example"
ON_ONE_DATABASE = pytest.mark.parametrize("environ", ["sqlite"], indirect=True)
"""For what no database decides."""


async def rows(ground, statement):
    return await ground.db.read(lambda tx: tx.rows(statement))


async def with_passkey(visitor):
    """Somebody who is signed in adds one."""
    device = Authenticator(ORIGIN, "alice.example")
    page = await visitor.get("/settings/passkeys/new")
    answer = await visitor.post(
        "/settings/passkeys/new",
        csrf=token_in(page.text),
        label="Blue key",
        credential=device.create(options_in(page.text)),
    )
    assert "Blue key" in answer.text, answer.text
    return device


async def use(visitor, device, **changes):
    """Through the sign-in page."""
    page = await visitor.get("/sign-in")
    form = {"csrf": token_in(page.text), "next": "/settings", "credential": device.get(options_in(page.text))}
    return await visitor.post("/sign-in/passkey", **form | changes)


async def test_121_a_passkey_signs_in_once_for_each_challenge(ground):
    async with a_node(ground) as (_, visitor):
        await sign_in(visitor)
        device = await with_passkey(visitor)
        visitor.http.cookie_jar.clear()
        page = await visitor.get("/sign-in")
        form = {"csrf": token_in(page.text), "next": "/settings", "credential": device.get(options_in(page.text))}
        cookies = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
        assert "Blue key" in (await visitor.post("/sign-in/passkey", **form)).text
        assert [row.way for row in await rows(ground, sa.select(sign_ins.c.way))] == ["password", "passkey"]
        visitor.http.cookie_jar.clear()
        visitor.http.cookie_jar.update_cookies(cookies)  # the very same request once more
        before = await state(ground.db)
        again = await visitor.post("/sign-in/passkey", **form)
        assert (again.status, "used before" in again.text or "could not be checked" in again.text) == (422, True)
        assert await state(ground.db) == before


@ON_ONE_DATABASE
async def test_121_a_passkey_is_refused_that_anything_is_wrong_with(ground):
    node, _ = await settle_in(ground)
    application = web_application(node)
    application[THROTTLE] = Throttle(passkeys=Limiter(Rate(per_second=1, burst=100)))
    async with serving(application) as visitor:
        await sign_in(visitor)
        device = await with_passkey(visitor)
        visitor.http.cookie_jar.clear()
        assert (await use(visitor, device)).url.endswith("/settings")
        visitor.http.cookie_jar.clear()
        before = await state(ground.db)

        async def refused(**lies):
            liar = Authenticator(**{**vars(device), **lies})
            answer = await use(visitor, liar)
            assert (answer.status, answer.url.endswith("/sign-in/passkey")) == (422, True), lies
            assert await state(ground.db) == before, lies

        await refused(origin="https://evil.example")
        await refused(origin="http://alice.example")
        await refused(rp_id="evil.example")
        await refused(flags=PRESENT)  # nobody was asked for a finger
        await refused(id=b"somebody else's!")
        await refused(key=Authenticator(ORIGIN, "alice.example").key)
        await refused(handle="bm90IGFsaWNl")
        await refused(count=0)  # a copy, whose count does not grow
        for text in ("", "{}", "[]", "null", "x" * 30_000, json.dumps({"id": 1, "response": []}), '{"a":' * 500):
            answer = await use(visitor, device, credential=text)
            assert answer.status == 422, text[:30]
        page = await visitor.get("/sign-in")
        late = {"csrf": token_in(page.text), "credential": device.get(options_in(page.text))}
        node.clock.offset = timedelta(minutes=6)
        assert "took too long" in (await visitor.post("/sign-in/passkey", **late)).text
        assert await state(ground.db) == before
        page = await visitor.get("/sign-in")
        options = options_in(page.text)
        visitor.http.cookie_jar.clear()  # another browser may not answer
        other = await visitor.get("/sign-in")
        stolen = {"csrf": token_in(other.text), "credential": device.get(options)}
        assert (await visitor.post("/sign-in/passkey", **stolen)).status == 422
        assert await state(ground.db) == before
    await node.client.close()


@ON_ONE_DATABASE
async def test_121_a_challenge_is_for_one_purpose_and_one_browser(ground):
    async with a_node(ground) as (node, visitor):
        party, now = Party(node.ids, node.vault, "browser"), node.clock.now()
        challenge = party.challenge("sign in", now)
        assert party.is_good(challenge, "sign in", now)
        assert not party.is_good(challenge, "add", now)
        assert not party.is_good(challenge, "sign in", now - timedelta(minutes=1))
        assert not Party(node.ids, node.vault, "another").is_good(challenge, "sign in", now)
        assert not party.is_good(challenge[:-1] + bytes([challenge[-1] ^ 1]), "sign in", now)
        first, second = [challenge_of(options_in((await visitor.get("/sign-in")).text)) for _ in range(2)]
        assert first != second


@ON_ONE_DATABASE
async def test_111_121_a_passkey_is_removed_by_its_owner_who_proved_it(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        device = await with_passkey(visitor)
        (held,) = await rows(ground, sa.select(passkeys))
        path = f"/settings/passkeys/{held.name}/remove"
        token = await visitor.token("/settings")
        node.clock.offset = timedelta(minutes=11)
        before = await state(ground.db)
        asked = await visitor.post(path, csrf=token)
        assert "Is it you?" in asked.text
        assert await state(ground.db) == before
        assert (await visitor.submit("/settings/proof", password="wrong", next=path)).status == 422
        proved = await visitor.submit("/settings/proof", password=PASSWORD, next=path)
        assert "Remove <bdi>Blue key</bdi>?" in proved.text
        absent = await visitor.get("/settings/passkeys/01aaaaaaaaaaaaaaaaaaaaaaaa/remove")
        assert absent.status == 404
        await visitor.submit(path)
        assert await rows(ground, sa.select(passkeys)) == []
        visitor.http.cookie_jar.clear()
        assert "belongs to nobody here" in (await use(visitor, device)).text


async def with_app(ground, node, visitor):
    """Somebody who is signed in sets an app up; returns it with their recovery codes."""
    await visitor.submit("/settings/codes/begin", page="/settings/codes")
    page = await visitor.get("/settings/codes")
    found = re.search(r'class="mono"><bdi dir="ltr">([A-Z2-7]{32})<', page.text)
    assert found
    app = pyotp.TOTP(found[1])
    shown = await visitor.submit("/settings/codes", code=app.at(node.clock.now()))
    return app, re.findall(r"<bdi dir=\"ltr\">((?:[0-9a-z]{4}-){3}[0-9a-z]{4})<", shown.text)


async def test_121_a_code_is_asked_for_and_none_counts_twice(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        app, recovery = await with_app(ground, node, visitor)
        assert len(set(recovery)) == codes.RECOVERY_CODES
        kept = str(await rows(ground, sa.select(recovery_codes))) + str(await rows(ground, sa.select(code_apps)))
        assert not [secret for secret in (*recovery, app.secret) if secret in kept or secret.replace("-", "") in kept]
        next_step = timedelta(seconds=30 - node.clock.now().timestamp() % 30)  # codes change each half minute
        node.clock.offset = next_step
        used = app.at(node.clock.now() - timedelta(seconds=30))
        for minutes, code, inside in (
            (0, used, False),  # it confirmed the app already
            (1, None, True),
            (1, None, False),  # once more
            (2, app.at(node.clock.now() + timedelta(minutes=2, seconds=-30)), True),  # a step behind
            (4, app.at(node.clock.now() + timedelta(minutes=4, seconds=-90)), False),  # three steps behind
            (5, recovery[0], True),
            (6, recovery[0].upper().replace("-", " "), False),  # once more, written otherwise
            (7, recovery[1].upper().replace("-", " "), True),
            (8, "", False),
        ):
            visitor.http.cookie_jar.clear()
            node.clock.offset = next_step + timedelta(minutes=minutes)
            step = await sign_in(visitor)
            assert step.headers["Location"] == "/sign-in/code?next=%2Fhome"
            assert "freehold" not in step.cookies
            answer = await visitor.submit("/sign-in/code", code=app.at(node.clock.now()) if code is None else code)
            assert (answer.url.endswith("/home")) is inside, (minutes, code)
        ways = [row.way for row in await rows(ground, sa.select(sign_ins.c.way).order_by(sign_ins.c.id))]
        assert ways == ["password", "code", "code", "recovery", "recovery"]


@ON_ONE_DATABASE
async def test_120_121_five_wrong_codes_and_the_password_is_asked_for_again(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        app, _ = await with_app(ground, node, visitor)
        visitor.http.cookie_jar.clear()
        node.clock.offset = timedelta(minutes=1)
        await sign_in(visitor)
        token = await visitor.token("/sign-in/code")
        for _number in range(5):
            assert (await visitor.post("/sign-in/code", csrf=token, code="000000")).status == 422
        late = await visitor.post("/sign-in/code", csrf=token, code=app.at(node.clock.now()))
        assert late.url.endswith("/sign-in?next=/home")
        lately = sessions.c.created_at > node.clock.now() - timedelta(seconds=30)
        assert await rows(ground, sa.select(sessions.c.digest).where(lately)) == []


@ON_ONE_DATABASE
@pytest.mark.parametrize("way", ["code", "passkey", "link"])
async def test_120_each_way_in_has_a_limit_of_its_own(ground, way):
    node, account = await settle_in(ground)
    application = web_application(node)
    fields = {"code": "codes", "passkey": "passkeys", "link": "links"}
    rate = PER_CODE if way == "code" else PER_ADDRESS
    application[THROTTLE] = Throttle(**{fields[way]: Limiter(Rate(rate.per_second, burst=2))})
    async with serving(application) as visitor:
        if way == "code":
            await sign_in(visitor)
            await with_app(ground, node, visitor)  # its first code counts too
            visitor.http.cookie_jar.clear()
            await sign_in(visitor)
        token = await visitor.token("/sign-in/code" if way == "code" else "/sign-in")

        async def guess():
            if way == "link":
                return await visitor.get("/reset?token=guessed")
            path = "/sign-in/code" if way == "code" else "/sign-in/passkey"
            return await visitor.post(path, csrf=token, code="000000", credential="{}")

        first, second, third = [(await guess()).status for _ in range(3)]
        assert third == 429
        assert {first, second} <= {422, 403, 429}
        assert first != 429
    assert await rows(ground, sa.select(tickets).where(tickets.c.purpose == "spent")) == []
    assert account.username == "alice"
    await node.client.close()


@ON_ONE_DATABASE
async def test_121_whoever_asks_for_no_code_any_more_has_proved_it_with_one(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        app, _ = await with_app(ground, node, visitor)
        node.clock.offset = timedelta(minutes=11)
        assert "Is it you?" in (await visitor.get("/settings/codes/remove")).text
        assert (await visitor.submit("/settings/proof", password=PASSWORD)).status == 422  # the password is not enough
        done = await visitor.submit(
            "/settings/proof", password=PASSWORD, code=app.at(node.clock.now()), next="/settings/codes/remove"
        )
        assert done.url.endswith("/settings/codes/remove")
        await visitor.submit("/settings/codes/remove")
        assert await rows(ground, sa.select(code_apps)) == await rows(ground, sa.select(recovery_codes)) == []
        visitor.http.cookie_jar.clear()
        assert (await sign_in(visitor)).headers["Location"] == "/home"
