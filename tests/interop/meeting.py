"""Somebody here and somebody on a server that we did not write: how every scenario with them begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from federation.tables import reactions
from node.notifications.tables import notifications
from tests.interop.peers import Peer, fedify
from tests.nodes import Home, Somebody, cluster

GENERATIONS = {"fedify-1": "cavage", "fedify-2": "rfc9421"}
"""Which signatures each can read, and sends."""


@asynccontextmanager
async def meeting(generation: str, *flags: str) -> AsyncIterator[tuple[Somebody, Peer]]:
    """Alice on a node of ours, and @bob and @bobby on a Fedify server."""
    async with cluster("a.example") as (a,), fedify(generation, "127.0.0.20", *flags) as peer:
        yield await a.set_up("alice"), peer


async def follow_there(somebody: Somebody, actor_id: str) -> None:
    """Somebody here follows somebody there."""
    a = somebody.home
    assert await somebody.follow(actor_id) == "requested"
    await a.works_until(lambda: a.follow_state(somebody.id, actor_id), "accepted")


async def follow_here(peer: Peer, somebody: Somebody, *, by: str = "bob") -> str:
    """Somebody there follows somebody here, and hears that it holds; returns the Follow's id."""
    follow = await peer.said("follow", by=by, id=somebody.id)
    a = somebody.home
    await a.works_until(lambda: a.follow_state(peer.person(by), somebody.id), "accepted")
    accept = await peer.activity("Accept", follow)
    assert accept["activity"]["actor"] == somebody.id
    return follow


async def follow_both_ways(alice: Somebody, peer: Peer) -> str:
    """Alice and bob follow each other; returns the id of his Follow."""
    await follow_there(alice, peer.actor)
    return await follow_here(peer, alice)


async def is_kept(a: Home, object_id: str) -> bool:
    return await a.object(object_id) is not None


async def reacted(a: Home, object_id: str) -> list[tuple[str, str]]:
    """`(like or boost, who)` of something."""
    rows = await a.rows(sa.select(reactions).where(reactions.c.object_id == object_id))
    return sorted((row.kind, row.actor) for row in rows)


async def told(somebody: Somebody) -> list[tuple[str, str]]:
    """`(kind, actor)` of all notifications, oldest first."""
    mine = notifications.c.reader == somebody.id
    rows = await somebody.home.rows(sa.select(notifications).where(mine).order_by(notifications.c.id))
    return [(row.kind, row.actor) for row in rows]


async def shown(somebody: Somebody) -> list[str]:
    """The ids of what stands in somebody's timeline, newest first."""
    return [entry["object_id"] for entry in await somebody.timeline()]
