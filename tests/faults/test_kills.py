"""kill -9 at the worst moments, of real servers: what was promised happens, once (SECURITY 155, 156, 166).

`test_rounds.py` kills at random ones.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from federation.tables import activities, actor_keys, actors, deliveries, follows, inbox_messages, objects
from tests.faults.waiting import until
from tests.nodes import Home, Somebody, cluster, settled
from tests.processes import Place, begin, place

LATER = 13 * 3600  # longer than any circuit stays open


async def test_killed_between_publish_and_delivery(tmp_path: Path):
    async with cluster("b.example") as (b,):
        a = place(tmp_path / "a", "127.0.0.7")
        alice = await a.set_up("alice")
        async with a.serving() as server:
            bob = await follower_of(alice, b)
            await b.go_dark()
            published = await a.json("gig", "publish", "--title", "Written before the crash", "--rate", "60/hour")
            await server.kill()
        create = await created(a)
        assert create.object_id == published["id"]

        await b.listen()
        b.later(seconds=LATER)
        async with a.serving(FREEHOLD_CLOCK_OFFSET=str(LATER)):
            await b.takes(create.id)
        [message] = await b.messages(create.id)
        assert message.state == "done"
        [held] = await b.rows(sa.select(objects.c.body).where(objects.c.id == create.object_id))
        assert json.loads(held.body) == json.loads(create.body)["object"]
        assert [entry["object_id"] for entry in await bob.timeline()] == [published["id"]]


async def test_published_by_command_while_no_server_runs(tmp_path: Path):
    async with cluster("b.example") as (b,):
        a = place(tmp_path / "a", "127.0.0.7")
        alice = await a.set_up("alice")
        async with a.serving():
            bob = await follower_of(alice, b)
        post = await a.json("post", "Nobody is at home, and yet.")
        assert await b.object(post["id"]) is None
        async with a.serving():
            await b.takes((await created(a)).id)
        assert [entry["object_id"] for entry in await bob.timeline()] == [post["id"]]


async def test_killed_when_the_other_side_has_it_and_has_not_said_so(tmp_path: Path):
    """It is sent again under the same activity id, and has no second effect."""
    async with cluster("b.example") as (b,):
        a = place(tmp_path / "a", "127.0.0.7")
        alice = await a.set_up("alice")
        arrived, never, posts = asyncio.Event(), asyncio.Event(), []

        async def silent(request: web.Request) -> None:
            if request.method == "POST":
                arrived.set()
                await never.wait()

        async def note(request: web.Request) -> None:
            posts.append(request.method)

        async with a.serving() as server:
            bob = await follower_of(alice, b)
            b.answered = silent
            post = await a.json("post", "Did you get this?")
            async with asyncio.timeout(10):
                await arrived.wait()
            await server.kill()
        create = await created(a)
        b.answered, b.hold = None, note
        async with a.serving():
            await until(lambda: delivery_states(a, create.id), ["done"])
        never.set()
        await b.takes(create.id)
        assert "POST" in posts, "it came a second time"
        assert [row.state for row in await b.messages(create.id)] == ["done"]
        assert [entry["object_id"] for entry in await bob.timeline()] == [post["id"]]


# ---- asking and waiting ------------------------------------------------------------------------------------------


async def follower_of(actor_id: str, home: Home) -> Somebody:
    """Bob, on a node of this process, follows the actor of a running server."""
    bob = await home.set_up("bob")
    await bob.follow(actor_id)
    await home.works_until(lambda: home.follow_state(bob.id, actor_id), "accepted")
    return bob


async def follows_by_command(b: Place, alice: Somebody) -> None:
    """The only person of a running server follows alice, on a node of this process."""
    assert (await b.json("follow", alice.id))["state"] == "requested"

    async def state() -> list[str]:
        return [row.state for row in await b.rows(sa.select(follows.c.state))]

    async def stepping() -> list[str]:
        await settled(alice.home)
        return await state()

    await until(stepping, ["accepted"])


async def created(a: Place) -> Any:
    """The only Create that was ever published there."""
    [row] = await a.rows(sa.select(activities).where(activities.c.type == "Create"))
    return row


async def delivery_states(a: Place, activity_id: str) -> list[str]:
    return [row.state for row in await a.rows(sa.select(deliveries).where(deliveries.c.activity_id == activity_id))]


async def states_of(b: Place, activity_ids: list[str]) -> dict[str, str]:
    """Of messages; one that waits says why."""
    columns = (inbox_messages.c.activity_id, inbox_messages.c.state, inbox_messages.c.reason)
    rows = await b.rows(sa.select(*columns).where(inbox_messages.c.activity_id.in_(activity_ids)))
    return {row.activity_id: row.state if row.reason is None else f"{row.state}: {row.reason}" for row in rows}


async def test_183_killed_while_keys_are_changed_leaves_the_old_ones_or_the_new(tmp_path: Path):
    """Whatever moment it is: one key of each kind signs, and everything that stands is signed with it."""
    a = place(tmp_path / "a", "127.0.0.7")
    alice = await a.set_up("alice")
    for number in range(3):
        await a.run("post", f"Number {number}.")
    command = ("key", "rotate", "--compromised")
    began = asyncio.get_running_loop().time()
    await a.run(*command)
    whole = asyncio.get_running_loop().time() - began
    for part in range(5):
        process = await begin(*command, env=a.variables({}), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        await asyncio.sleep(whole * (0.1 + 0.2 * part))
        if process.returncode is None:
            process.kill()
        await process.wait()
        await signing_key(a, alice)
    await a.json("post", "And one more.")
    await signing_key(a, alice)


async def signing_key(node: Place, actor_id: str) -> str:
    """The one key of proofs that signs; the document lists it, and every object carries its proof."""
    mine = (actor_keys.c.actor_id == actor_id, actor_keys.c.sealed.is_not(None), actor_keys.c.retired_at.is_(None))
    rows = await node.rows(sa.select(actor_keys.c.id, actor_keys.c.algorithm).where(*mine).order_by("algorithm"))
    assert [row.algorithm for row in rows] == ["ed25519", "rsa"]
    key_id = str(rows[0].id)
    [actor] = await node.rows(sa.select(actors.c.document).where(actors.c.id == actor_id))
    document = json.loads(actor.document)
    assert [key["id"] for key in document["assertionMethod"]] == [key_id]
    assert document["publicKey"]["id"] == rows[1].id
    bodies = [row.body for row in await node.rows(sa.select(objects.c.body).where(objects.c.local))]
    assert {json.loads(body)["proof"]["verificationMethod"] for body in (*bodies, actor.document)} == {key_id}
    return key_id
