"""The headers of every answer, and the one line that each request leaves."""

from __future__ import annotations

import ipaddress

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from node.web.proxies import Proxies

LOOPBACK = Proxies((ipaddress.ip_network("127.0.0.0/8"),))


async def fine(request):
    return web.Response(text="<h1>x</h1>", content_type="text/html")


async def stricter(request):
    return web.Response(text="x", headers={"Content-Security-Policy": "sandbox; default-src 'none'"})


async def broken(request):
    raise KeyError


@pytest.mark.parametrize("path", ["/fine", "/broken", "/static/style.css", "/nowhere"])
async def test_every_answer_forbids_scripts_frames_and_guessing(serve, path):
    async with serve(web.get("/fine", fine), web.get("/broken", broken)) as visitor:
        page = await visitor.get(path)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in page.headers


async def test_a_handler_may_be_stricter_itself(serve):
    async with serve(web.get("/x", stricter)) as visitor:
        assert (await visitor.get("/x")).headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


async def test_a_browser_that_came_by_https_shall_stay_there(serve):
    async with serve(web.get("/x", fine), proxies=LOOPBACK) as visitor:
        page = await visitor.get("/x", **{"X-Forwarded-Proto": "https"})
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_a_request_leaves_one_line_without_its_query_or_cookie(serve):  # SECURITY 92
    async with serve(web.get("/{name:.*}", fine)) as visitor:
        with capture_logs() as lines:
            await visitor.get("/a%0Aevent=forged" + "x" * 3000 + "?token=secret", Cookie="freehold=secret")
    assert len(lines) == 1
    assert (lines[0]["event"], lines[0]["method"], lines[0]["status"]) == ("request", "GET", 404)
    assert "secret" not in str(lines[0])
    assert len(str(lines[0])) < 500


async def test_health_checks_leave_no_line(serve):
    async with serve(web.get("/healthz", fine)) as visitor:
        with capture_logs() as lines:
            await visitor.get("/healthz")
    assert lines == []
