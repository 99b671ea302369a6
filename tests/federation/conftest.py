"""One node's federation, and another server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from federation.clock import Clock
from federation.storage import Database
from tests.federation.outgoing import Home, Host, home_on, host_at
from tests.federation.world import Peer, World, peer_at, world_on


@pytest.fixture
async def peer(clock: Clock) -> AsyncIterator[Peer]:
    """Another server."""
    async with peer_at("127.0.0.2", clock) as peer:
        yield peer


@pytest.fixture
async def other(clock: Clock) -> AsyncIterator[Peer]:
    """A third one."""
    async with peer_at("127.0.0.3", clock) as peer:
        yield peer


@pytest.fixture
async def world(db: Database, clock: Clock, peer: Peer, other: Peer) -> AsyncIterator[World]:
    """Our node."""
    async with world_on(db, clock, [peer, other]) as world:
        yield world


@pytest.fixture
async def home(db: Database, clock: Clock) -> AsyncIterator[Home]:
    """Our node as it sends."""
    async with home_on(db, clock) as home:
        yield home


@pytest.fixture
async def host(clock: Clock) -> AsyncIterator[Host]:
    """A server that takes what it is sent."""
    async with host_at("127.0.0.4", clock) as host:
        yield host


@pytest.fixture
async def second(clock: Clock) -> AsyncIterator[Host]:
    """Another one."""
    async with host_at("127.0.0.5", clock) as host:
        yield host
