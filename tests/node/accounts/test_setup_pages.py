"""Setting a node up in a browser: real HTTP, the real applications, both databases."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pytest
import sqlalchemy as sa

from federation.tables import actor_keys, actors
from node.accounts import queries
from node.app import settle, setup_application, web_application
from node.errors import NotSetUp
from node.settings import load
from tests.node.house import BROWSER, form, serving, settle_in, state, token_in


class Listener:
    """Hears that set-up has happened."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


async def submit(visitor, link, **changes):
    """The form's page, then its POST; the answer is not followed."""
    page = await visitor.get(f"/setup?token={link}")
    data = form(origin=visitor.origin) | {"token": link, "csrf": token_in(page.text)} | changes
    headers = BROWSER | {"Origin": visitor.origin}
    return await visitor.http.post(f"{visitor.origin}/setup", data=data, headers=headers, allow_redirects=False)


async def test_the_page_sets_the_node_up_and_signs_its_owner_in(ground):
    done = Listener()
    application, token = setup_application(ground, done)
    async with serving(application) as visitor:
        page = await visitor.get(f"/setup?token={token}")
        assert page.status == 200
        assert f'value="{visitor.origin}"' in page.text  # a guess from the request's own address
        assert "This can never change" in page.text
        answer = await submit(visitor, token)
        assert (answer.status, answer.headers["Location"], done.times) == (303, "/setup/keys", 1)
        cookie = answer.cookies["freehold"]
        node = await settle(ground)
    assert (node.ids.origin, node.ids.handle_domain) == (visitor.origin, visitor.origin.removeprefix("http://"))
    async with serving(web_application(node)) as later:
        headers = BROWSER | {"Cookie": f"freehold={cookie.value}"}
        async with later.http.get(f"{later.origin}/", headers=headers, allow_redirects=False) as home:
            assert (home.status, home.headers["Location"]) == (303, "/home")
        async with later.http.get(
            f"{later.origin}/users/alice", headers={"Accept": "application/activity+json"}
        ) as actor:
            document = await actor.json()
    await node.client.close()
    assert (document["preferredUsername"], document["name"], document["type"]) == ("alice", "Alice Okafor", "Person")
    assert document["id"] == f"{visitor.origin}/users/alice"
    assert "proof" in document


@pytest.mark.parametrize(("target", "location"), [("/profile/edit?a=b", "/profile/edit?a=b"), ("//evil.example/", "/")])
async def test_a_connection_from_before_is_led_on_to_the_node(ground, target, location):
    """A browser opens connections before it needs them."""
    application, token = setup_application(ground, Listener())
    async with serving(application) as visitor:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(visitor.origin.rpartition(":")[2]))
        assert (await submit(visitor, token)).status == 303
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = (await reader.read()).decode()  # to its end: the next request takes another connection
        writer.close()
    assert answer.startswith("HTTP/1.1 307 ")
    assert f"\r\nLocation: {location}\r\n" in answer


async def test_set_up_makes_two_actors_with_sealed_keys_and_no_plain_password(ground):
    node, _ = await settle_in(ground, kind="collective")
    await node.client.close()
    rows = await ground.db.read(lambda tx: tx.rows(sa.select(actors.c.username, actors.c.type).order_by(actors.c.id)))
    assert [tuple(row) for row in rows] == [("alice", "Organization"), ("instance.actor", "Application")]
    keys = await ground.db.read(lambda tx: tx.rows(sa.select(actor_keys.c.algorithm, actor_keys.c.sealed)))
    assert sorted(row.algorithm for row in keys) == ["ed25519", "ed25519", "rsa", "rsa"]
    assert all(row.sealed and b"PRIVATE" not in row.sealed for row in keys)
    login = await ground.db.read(queries.login, "alice")
    assert login.password.startswith("$argon2id$")


@pytest.mark.parametrize("token", ["", "wrong", "ü", "x" * 5000])
async def test_without_the_link_nobody_sees_the_form(ground, token):
    application, _ = setup_application(ground, Listener())
    async with serving(application) as visitor:
        page = await visitor.get(f"/setup?token={token}")
        assert page.status == 403
        assert "not the link" in page.text
        assert "<form" not in page.text


async def test_a_wrong_token_in_the_form_changes_nothing(ground):
    done = Listener()
    application, token = setup_application(ground, done)
    before = await state(ground.db)
    async with serving(application) as visitor:
        answer = await submit(visitor, token, token="guessed")
        assert answer.status == 403
    assert (await state(ground.db), done.times) == (before, 0)


async def test_another_site_cannot_send_the_form(ground):  # SECURITY 113
    application, token = setup_application(ground, Listener())
    before = await state(ground.db)
    async with serving(application) as visitor:
        page = await visitor.get(f"/setup?token={token}")
        data = form(origin=visitor.origin) | {"token": token, "csrf": token_in(page.text)}
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            async with visitor.http.post(f"{visitor.origin}/setup", data=data, headers=headers) as answer:
                assert answer.status == 403, headers
        data["csrf"] = "0" * 64
        async with visitor.http.post(f"{visitor.origin}/setup", data=data) as answer:
            assert answer.status == 403
    assert await state(ground.db) == before


WRONG = [
    ("handle", "a/b", "only small letters"),
    ("handle", "admin", "Choose another handle"),
    ("origin", "https://alice.example/blog", "Write https://alice.example."),
    ("origin", "http://alice.example", "Write https://alice.example."),
    ("origin", "gopher://alice.example", "not an address"),
    ("password", "short", "at least 10 characters"),
    ("handle_domain", "me@x.example", "domain alone"),
    ("sure", "", "it can never change"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(ground, name, value, says):
    done = Listener()
    application, token = setup_application(ground, done)
    before = await state(ground.db)
    async with serving(application) as visitor:
        answer = await submit(visitor, token, **{name: value})
        text = unescape(await answer.text())
    assert answer.status == 422
    assert f'<a href="#{name}">' in text
    assert re.search(f'id="{name}-error">.*?{re.escape(says)}', text)
    assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-error"[^>]*aria-invalid="true"', text)
    assert 'role="alert"' in text
    assert "Write the password again" in text
    assert "Nothing else was lost." in text
    assert 'value="Alice Okafor"' in text
    assert "seven quiet herons" not in text  # a password is not sent back
    assert (await state(ground.db), done.times) == (before, 0)


async def test_an_address_elsewhere_gets_a_page_that_says_how_to_go_on(ground):
    done = Listener()
    application, token = setup_application(ground, done)
    async with serving(application) as visitor:
        answer = await submit(visitor, token, origin="https://node.mysite.example", handle_domain="mysite.example")
        text = await answer.text()
    assert (answer.status, done.times) == (200, 1)
    assert "@alice@mysite.example" in text
    assert "FREEHOLD_TRUSTED_PROXIES" in text
    assert "https://node.mysite.example/.well-known/webfinger" in text
    assert "freehold" in answer.cookies  # and may go on here meanwhile


async def test_a_local_address_elsewhere_says_where_to_listen(ground):
    application, token = setup_application(ground, Listener())
    async with serving(application) as visitor:
        answer = await submit(visitor, token, origin="http://127.0.0.9:8420")
        assert "freehold serve --bind 127.0.0.9:8420" in await answer.text()


async def test_two_browsers_at_once_set_up_one_node(ground):
    done = Listener()
    application, token = setup_application(ground, done)
    async with serving(application) as visitor:
        answers = await asyncio.gather(submit(visitor, token), submit(visitor, token, handle="mallory"))
    assert (sorted(answer.status for answer in answers), done.times) == ([303, 409], 1)
    assert len(await ground.db.read(queries.accounts)) == 1


async def test_a_node_that_is_set_up_refuses_a_second_set_up(ground):
    node, _ = await settle_in(ground)
    before = await state(ground.db)
    async with serving(web_application(node)) as visitor:
        page = await visitor.get("/setup?token=any")
        posted = await visitor.post("/setup", **form(handle="mallory"))
    await node.client.close()
    assert (page.status, posted.status) == (409, 409)
    assert "can never change" in page.text
    assert await state(ground.db) == before


async def test_before_set_up_every_page_says_so_and_health_is_good(ground):
    application, _ = setup_application(ground, Listener())
    async with serving(application) as visitor:
        page = await visitor.get("/@alice")
        assert (page.status, "not set up yet" in page.text) == (503, True)
        assert (await visitor.get("/healthz")).status == 200
        assert (await visitor.post("/inbox", activity="x")).status in (404, 405)
    with pytest.raises(NotSetUp):
        await settle(ground)


async def test_the_settings_and_the_form_must_agree(ground, settings, environ):
    said = load(settings.data, environ | {"FREEHOLD_ORIGIN": "https://alice.example/"})
    bound = type(ground)(said, ground.clock, ground.db, ground.vault)
    application, token = setup_application(bound, Listener())
    before = await state(ground.db)
    async with serving(application) as visitor:
        page = await visitor.get(f"/setup?token={token}")
        assert 'value="https://alice.example"' in page.text
        answer = await submit(visitor, token, origin="https://other.example")
        assert "FREEHOLD_ORIGIN is set to https://alice.example" in await answer.text()
    assert answer.status == 422
    assert await state(ground.db) == before
