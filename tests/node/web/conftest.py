"""Handlers of a test's own behind the real middlewares."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from node.app import bare_application, lay_ground
from node.settings import load
from node.web.proxies import Proxies
from tests.node.house import serving

NONE = Proxies()

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from aiohttp import web

    from node.context import Ground
    from tests.visitors import Visitor

    Serve = Callable[..., AbstractAsyncContextManager[Visitor]]


@pytest.fixture
async def plain_ground(tmp_path: Path) -> AsyncIterator[Ground]:
    """On SQLite: these tests ask the database nothing."""
    ground = await lay_ground(load(tmp_path, {}))
    yield ground
    await ground.db.close()


@pytest.fixture
def serve(plain_ground: Ground) -> Serve:
    """`async with serve(web.get("/x", handler)) as visitor`."""

    @asynccontextmanager
    async def serve(*routes: web.RouteDef, proxies: Proxies = NONE) -> AsyncIterator[Visitor]:
        application = bare_application(plain_ground, proxies)
        application.add_routes(routes)
        async with serving(application) as visitor:
            yield visitor

    return serve
