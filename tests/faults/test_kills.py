"""kill -9 at the worst moments, of real servers: what was promised happens, once (SECURITY 155, 156, 166)."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from federation.tables import activities, actor_keys, actors, deliveries, follows, inbox_messages, objects
from tests.nodes import Home, Somebody, cluster, settled
from tests.people import PASSWORD
from tests.processes import PROGRAM, Place, Server, place
from tests.scenarios.test_duplicates import posted
from tests.visitors import Visitor

WAIT_SECONDS = 20.0
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
        assert (message.state, message.body) == ("done", create.body)
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


async def test_killed_right_after_it_said_202(tmp_path: Path):
    """Four times: ten posts at once, a kill in the middle of them, a restart. What was acknowledged is there, once."""
    async with cluster("a.example") as (a,), aiohttp.ClientSession() as http:
        alice = await a.set_up("alice")
        b = place(tmp_path / "b", "127.0.0.8")
        await b.set_up("bob")
        async with b.serving():
            await follows_by_command(b, alice)
        await a.go_dark()
        for number in range(40):
            await alice.post(f"Number {number}")
        creates, acknowledged = await a.sent("Create"), []
        await a.listen()
        for start in range(0, 40, 10):
            acknowledged += await posts_and_a_kill(http, b, alice, creates[start : start + 10], seed=start)
        async with b.serving():
            await until(lambda: states_of(b, acknowledged), dict.fromkeys(acknowledged, "done"))
        assert acknowledged, "the server answered before it was killed"
        stored = [row.id for row in await b.rows(sa.select(objects.c.id).where(objects.c.owner == alice.id))]
        assert {row.object_id for row in creates if row.id in acknowledged} <= set(stored)


async def posts_and_a_kill(
    http: aiohttp.ClientSession, b: Place, alice: Somebody, creates: list[Any], *, seed: int
) -> list[str]:
    """The ids of the activities that were answered with 202."""
    acknowledged = []
    some = asyncio.Event()
    enough = random.Random(seed).randint(1, 9)

    async def one(row: Any) -> None:
        try:
            status = await posted(http, alice, f"{b.origin}/inbox", row.body)
        except aiohttp.ClientError:
            return
        if status == 202:
            acknowledged.append(row.id)
        if len(acknowledged) >= enough:
            some.set()

    async with b.serving() as server:
        sending = [asyncio.create_task(one(row)) for row in creates]
        async with asyncio.timeout(20):
            await some.wait()
        await server.kill()
        await asyncio.gather(*sending)
    return acknowledged


async def test_a_publisher_is_killed_again_and_again(tmp_path: Path):
    """SECURITY 155: whatever the page acknowledged reaches the follower; nothing has its effect twice."""
    async with cluster("b.example") as (b,):
        a = place(tmp_path / "a", "127.0.0.7")
        alice = await a.set_up("alice")
        acknowledged: list[str] = []
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            visitor = Visitor(a.origin, http)
            async with a.serving():
                bob = await follower_of(alice, b)
                await visitor.submit("/sign-in", name="alice", password=PASSWORD)
            for seed in range(4):
                async with a.serving() as server:
                    token = await visitor.token("/gigs/new")
                    acknowledged += await gigs_and_a_kill(visitor, token, server, seed)
        b.later(seconds=LATER)
        async with a.serving(FREEHOLD_CLOCK_OFFSET=str(LATER)):
            rows = await a.rows(sa.select(activities).where(activities.c.type == "Create"))
            for row in rows:
                await b.takes(row.id)
        published = {row.object_id for row in rows}
        assert {gig.replace("/@alice/", "/users/alice/") for gig in acknowledged} <= published
        arrived = [entry["object_id"] for entry in await bob.timeline()]
        assert sorted(arrived) == sorted(published)


async def gigs_and_a_kill(visitor: Visitor, token: str, server: Server, seed: int) -> list[str]:
    """Publish six gigs at once by the page, and kill the server in the middle; returns those that it acknowledged."""
    acknowledged: list[str] = []
    some, enough = asyncio.Event(), random.Random(seed).randint(1, 5)

    async def one(number: int) -> None:
        form = {"csrf": token, "purpose": "offer", "title": f"Gig {seed} {number}", "unit": "hour", "currency": "EUR"}
        try:
            async with visitor.http.post(f"{visitor.origin}/gigs/new", data=form, allow_redirects=False) as response:
                assert response.status == 303, await response.text()
                acknowledged.append(visitor.origin + response.headers["Location"])
        except aiohttp.ClientError:
            return
        if len(acknowledged) >= enough:
            some.set()

    sending = [asyncio.create_task(one(number)) for number in range(6)]
    async with asyncio.timeout(20):
        await some.wait()
    await server.kill()
    await asyncio.gather(*sending)
    return acknowledged


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


async def until(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask about another process until the answer is the wanted one: it has no way to call us."""
    ends = asyncio.get_running_loop().time() + WAIT_SECONDS
    while (answer := await ask()) != wanted:
        assert asyncio.get_running_loop().time() < ends, f"{_apart(answer, wanted)}"
        await asyncio.sleep(0.05)


def _apart(answer: Any, wanted: Any) -> Any:
    if isinstance(answer, dict) and isinstance(wanted, dict):
        return {key: answer.get(key) for key in wanted if answer.get(key) != wanted[key]}
    return answer


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
    command = (*PROGRAM, "key", "rotate", "--compromised")
    began = asyncio.get_running_loop().time()
    await a.run("key", "rotate", "--compromised")
    whole = asyncio.get_running_loop().time() - began
    for part in range(5):
        process = await asyncio.create_subprocess_exec(
            *command, env=a.variables({}), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await asyncio.sleep(whole * (0.6 + 0.1 * part))
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
