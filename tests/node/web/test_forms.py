"""Reading forms: what browsers send, and what they never would."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest
from aiohttp import web

from node.web import forms
from node.web.csrf import form_token
from node.web.forms import MAX_FIELDS, MAX_TEXT, read_form
from node.web.keys import FORM_SECRET
from node.web.render import FORM, set_cookie

FILES = {"picture": 2_000_000}


async def token(request):
    response = web.Response(text=form_token(request))
    set_cookie(request, response, FORM, request[FORM_SECRET])
    return response


async def texts(request):
    form = await read_form(request)
    return web.json_response({name: form.many(name) for name in form})


async def files(request):
    form = await read_form(request, files=FILES)
    picture = form.file("picture")
    return web.json_response([dict(form), picture and [picture.filename, len(picture.body)]])


ROUTES = [web.get("/token", token), web.post("/texts", texts), web.post("/files", files)]


async def csrf(visitor):
    async with visitor.http.get(f"{visitor.origin}/token") as answer:
        return await answer.text()


async def post(visitor, path, data, **kwargs):
    async with visitor.http.post(visitor.origin + path, data=data, **kwargs) as answer:
        return answer.status, await answer.text()


async def test_fields_come_trimmed_in_order_and_in_any_script(serve):
    async with serve(*ROUTES) as visitor:
        data = [
            ("csrf", await csrf(visitor)),
            ("name", "  سلمى \r\nحدّاد "),
            ("skill", "a"),
            ("skill", "b"),
            ("empty", ""),
        ]
        status, text = await post(visitor, "/texts", data)
    assert status == 200
    fields = json.loads(text)
    assert (fields["name"], fields["skill"], fields["empty"]) == (["سلمى \nحدّاد"], ["a", "b"], [""])


async def test_a_file_comes_beside_its_fields(serve):
    async with serve(*ROUTES) as visitor:
        data = aiohttp.FormData({"csrf": await csrf(visitor), "name": "Zoë"})
        data.add_field("picture", b"\x89PNG\r\n\r\n--x" * 1000, filename="../../é.png", content_type="image/png")
        assert await post(visitor, "/files", data) == (
            200,
            json.dumps([{"csrf": await csrf(visitor), "name": "Zoë"}, ["..%2F..%2F%C3%A9.png", 11_000]]),
        )


async def test_no_chosen_file_is_none(serve):
    async with serve(*ROUTES) as visitor:
        data = aiohttp.FormData({"csrf": await csrf(visitor)})
        data.add_field("picture", b"", filename="", content_type="application/octet-stream")
        status, text = await post(visitor, "/files", data)
        assert (status, json.loads(text)[1]) == (200, None)


@pytest.mark.parametrize("path", ["/texts", "/files"])
async def test_without_the_pages_token_nothing_is_read(serve, path):  # SECURITY 113
    async with serve(*ROUTES) as visitor:
        await csrf(visitor)
        body = aiohttp.FormData({"csrf": "0" * 64, "name": "x"})
        if path == "/files":
            body.add_field("picture", b"x", filename="x.png")
        assert (await post(visitor, path, body))[0] == 403
        visitor.http.cookie_jar.clear()
        assert (await post(visitor, path, body))[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),  # another port is another origin
        ({"Origin": "http://127.0.0.1:1\\@evil"}, 403),
    ],
)
async def test_where_a_form_comes_from_counts_too(serve, headers, status):  # SECURITY 113
    async with serve(*ROUTES) as visitor:
        assert (await post(visitor, "/texts", {"csrf": await csrf(visitor)}, headers=headers))[0] == status


async def test_behind_a_proxy_the_requests_own_host_counts(serve):
    async with serve(*ROUTES) as visitor:
        data = {"csrf": await csrf(visitor)}
        headers = {"Host": "alice.example", "Origin": "https://alice.example"}
        assert (await post(visitor, "/texts", data, headers=headers))[0] == 200
        headers["Host"] = "alice.example:443"
        assert (await post(visitor, "/texts", data, headers=headers))[0] == 200
        headers["Host"] = "other.example"
        assert (await post(visitor, "/texts", data, headers=headers))[0] == 403


async def endless(size):
    for _ in range(size // 10_000):
        yield b"x" * 10_000


@pytest.mark.parametrize("path", ["/texts", "/files"])
async def test_too_much_is_refused_with_and_without_a_length(serve, path):  # SECURITY 77, 91
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    if path == "/files":
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
    async with serve(*ROUTES) as visitor:
        assert (await post(visitor, path, b"x" * (MAX_TEXT + 2_000_001), headers=kind))[0] == 413
        assert (await post(visitor, path, endless(MAX_TEXT + 3_000_000), headers=kind))[0] == 413


async def test_a_file_over_its_own_limit_and_one_that_nobody_asked_for(serve):
    async with serve(*ROUTES) as visitor:
        data = aiohttp.FormData({"csrf": await csrf(visitor)})
        data.add_field("picture", b"x" * 2_000_001, filename="x.png")
        assert (await post(visitor, "/files", data))[0] == 413
        data = aiohttp.FormData({"csrf": await csrf(visitor)})
        data.add_field("other", b"x", filename="x.png")
        assert (await post(visitor, "/files", data))[0] == 400


async def test_ten_thousand_fields_cost_next_to_nothing(serve):  # SECURITY 91
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(10_000))
    async with serve(*ROUTES) as visitor:
        begin = time.process_time()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        assert (await post(visitor, "/files", parts + b"--b--\r\n", headers=headers))[0] == 400
        many = "&".join(f"f{n}=x" for n in range(MAX_FIELDS + 1))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await post(visitor, "/texts", many, headers=headers))[0] == 400
        assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=%ff"),
        ("application/x-www-form-urlencoded", b"name=\xc3\xa9"),
        ("application/x-www-form-urlencoded", b"name=%00"),
        ("application/json", b"{}"),
        ("text/plain", b"csrf=x"),
        ("multipart/form-data", b"--b--"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nno end'),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\xff\r\n--b--'),
    ],
)
async def test_what_no_browser_sends_is_a_4xx(serve, kind, body):  # SECURITY 86
    async with serve(*ROUTES) as visitor:
        await csrf(visitor)
        for path in ("/texts", "/files"):
            status, _ = await post(visitor, path, body, headers={"Content-Type": kind})
            assert status in (400, 403, 415), (path, status)


async def test_a_form_that_drips_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(forms, "SECONDS", 0.2)

    async def drip():
        yield b"csrf="
        await asyncio.Event().wait()

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with serve(*ROUTES) as visitor, asyncio.timeout(20):
        try:
            status, _ = await post(visitor, "/texts", drip(), headers=headers)
        except aiohttp.ClientError:
            status = 408
    assert status == 408
