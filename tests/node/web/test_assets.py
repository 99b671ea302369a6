"""The files of the design, and the drawings in the pages."""

from __future__ import annotations

import re

import pytest
from aiohttp import web

from node.web.assets import STATIC, icon, serve_static, static

ROUTE = web.get("/static/{name:.+}", serve_static)


async def test_a_file_under_its_hash_is_kept_for_ever(serve):
    async with serve(ROUTE) as visitor:
        page = await visitor.get(static("style.css"))
        assert (page.status, page.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
        assert page.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert page.text == (STATIC / "style.css").read_text()
        other = await visitor.get("/static/style.css?v=000000000000")
        assert other.headers["Cache-Control"] == "public, max-age=300"
        again = await visitor.get("/static/style.css", **{"If-None-Match": page.headers["ETag"]})
        assert again.status == 304


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/%00", "/static/brand"]
)
async def test_nothing_else_is_a_file(serve, path):
    async with serve(ROUTE) as visitor, visitor.http.get(visitor.origin + path) as answer:
        assert answer.status == (400 if "%00" in path else 404)


def test_a_drawing_is_hidden_from_those_who_listen_and_arrows_turn():
    assert icon("check").startswith('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path')
    assert 'class="icon flip"' in icon("right")
    assert 'class="glyph" viewBox="0 0 20 20"' in icon("avail-free")


def test_the_stylesheet_loads_nothing_from_elsewhere():
    assert not re.search(r"url\(|@import", (STATIC / "style.css").read_text())
