"""One node's federation, and another server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from federation.clock import Clock
from federation.storage import Database
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
