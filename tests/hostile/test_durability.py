"""SECURITY I, inside one process: acknowledged means durable, effects happen once, one fault never stops the rest."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation import sqlite
from federation.authors import Authors
from federation.clock import Clock
from federation.effects import Effects
from federation.errors import Unreachable
from federation.handlers.follow import on_follow
from federation.inbox import InboxWorker
from federation.objects import store_object
from federation.storage import Database, Tx, sqlite_path
from federation.tables import deliveries, follows, inbox_messages, objects
from federation.types import Received
from tests.federation.world import Peer, World, peer_at, world_on


@pytest.fixture(params=["worker", "door"])
async def world(
    request: pytest.FixtureRequest, db: Database, clock: Clock, peer: Peer, other: Peer
) -> AsyncIterator[World]:
    """Our node; once with all effects left to the worker, once with those at the door that can be."""
    async with world_on(db, clock, [peer, other], at_the_door=request.param == "door") as world:
        yield world


async def states(world: World) -> list[str]:
    return [row.state for row in await world.rows(sa.select(inbox_messages.c.state).order_by(inbox_messages.c.id))]


async def test_155_a_follow_and_its_answer_are_one_transaction(world: World, peer: Peer) -> None:
    bob = peer.actor()
    assert await world.deliver(bob, bob.activity("Follow", world.alice)) == "done"
    (row,) = await world.rows(sa.select(deliveries))
    assert row.inbox.startswith(bob.id)

    before = await world.state()

    def stumble(tx: Tx, received: Received, authors: Authors) -> None:
        on_follow(tx, received, authors)
        raise RuntimeError("a fault after the effect")

    world.worker._effects._tables = ({("Follow", "*"): stumble},)
    again = bob.activity("Follow", world.alice)
    assert (await world.deliver(bob, again)).startswith("pending: RuntimeError")
    after = await world.state()
    assert {name for name in after if after[name] != before[name]} == {"inbox_messages"}


async def test_156_a_202_means_that_it_is_in_the_file(sqlite_template: Path, tmp_path: Path, clock: Clock) -> None:
    """Whoever opens the files as they are at the moment of the answer, as after a power cut, finds the message."""
    path = tmp_path / "freehold.db"
    shutil.copy(sqlite_template, path)
    db = await Database.open(f"sqlite:///{path}", clock)
    async with peer_at("127.0.0.2", clock) as peer, world_on(db, clock, [peer]) as world:
        bob = peer.actor()
        activity = bob.activity("Create", bob.note())
        assert await world.post(bob, activity) == 202
        copies = [path, path.with_name("freehold.db-wal")]
        (tmp_path / "after").mkdir()
        for copy in copies:
            shutil.copy(copy, tmp_path / "after" / copy.name)
    await db.close()
    found = sqlite3.connect(tmp_path / "after" / "freehold.db").execute("SELECT activity_id, state FROM inbox_messages")
    assert found.fetchall() == [(activity["id"], "pending")]


@pytest.mark.parametrize("world", ["worker"], indirect=True)
async def test_156_another_worker_takes_up_what_was_pending(world: World, peer: Peer) -> None:
    """The process that took the message is gone; a new one has nothing but the database."""
    bob = peer.actor()
    await world.follow(bob)
    activity = bob.activity("Create", bob.note())
    assert await world.post(bob, activity) == 202
    seen: list[str] = []

    def keep(tx: Tx, received: Received, authors: Authors) -> None:
        seen.append(received.envelope.id)
        store_object(tx, received, "post")

    effects = Effects(world.ids, world.authors, {("Create", "*"): keep}, world.policy)
    fresh = InboxWorker(world.db, world.resolver, world.ids, world.policy, effects)
    await fresh.drain()
    await world.worker.drain()
    assert seen == [activity["id"]]
    assert world.handled == []
    assert await world.fate(activity["id"]) == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL's disk cannot be filled from here
async def test_156_a_full_database_answers_503_and_keeps_nothing_half(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)

    def limit(tx: Tx, more: int) -> None:
        pages = int(tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")

    await world.follow(bob)
    await world.db.write(limit, 0)
    large = [bob.activity("Create", bob.note("x" * 100_000)) for _ in range(10)]
    statuses = await asyncio.gather(*(world.post(bob, activity) for activity in large))
    assert 503 in statuses
    assert set(statuses) <= {202, 503}
    stored = {row.activity_id for row in await world.rows(sa.select(inbox_messages.c.activity_id))}
    assert stored == {one["id"] for one, status in zip(large, statuses, strict=True) if status == 202}
    await world.db.write(limit, 10_000)
    assert [await world.post(bob, activity) for activity in large] == [202] * 10
    assert len(await states(world)) == 10


async def test_157_fifty_times_at_once_by_both_inboxes(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    activity = bob.activity("Create", bob.note())
    paths = ["/inbox", "/users/alice/inbox"] * 25
    working = asyncio.create_task(world.worker.run())
    statuses = await asyncio.gather(*(world.post(bob, activity, path=path) for path in paths))

    async def done() -> bool:  # whoever is stopped in the middle of an effect leaves none, and begins it again
        return await states(world) == ["done"]

    await world.eventually(done)
    working.cancel()
    await asyncio.wait([working])
    await world.worker.drain()
    assert set(statuses) == {202}
    assert await states(world) == ["done"]
    assert len(world.handled) == 1
    assert len(await world.rows(sa.select(objects))) == 1


async def test_157_two_workers_on_one_database(world: World, peer: Peer) -> None:
    """Each message has its effect once, whoever takes it."""
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    second = InboxWorker(world.db, world.resolver, world.ids, world.policy, world.worker._effects)
    posts = [world.post(bob, bob.activity("Create", bob.note())) for _ in range(100)]
    working = [asyncio.create_task(worker.run()) for worker in (world.worker, second)]
    assert set(await asyncio.gather(*posts)) == {202}

    async def all_done() -> bool:
        return set(await states(world)) == {"done"}

    await world.eventually(all_done)
    for task in working:
        task.cancel()
    await asyncio.wait(working)
    assert len(await world.rows(sa.select(objects))) == 100
    ids = [received.envelope.id for received in world.handled]
    assert len(ids) == len(set(ids)) == 100


async def test_168_another_process_holds_the_lock(
    sqlite_template: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 500)
    path = tmp_path / "freehold.db"
    shutil.copy(sqlite_template, path)
    db = await Database.open(f"sqlite:///{path}", clock)
    async with peer_at("127.0.0.2", clock) as peer, world_on(db, clock, [peer]) as world:
        bob = peer.actor()
        await world.know(bob)
        await world.follow(bob)
        holder = sqlite3.connect(sqlite_path(db.url), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        activities = [bob.activity("Create", bob.note()) for _ in range(5)]
        assert await asyncio.gather(*(world.post(bob, one) for one in activities)) == [503] * 5
        async with world.http.get(world.alice, headers={"Accept": "application/activity+json"}) as response:
            assert response.status == 200  # reading goes on
        waiting = asyncio.create_task(world.post(bob, activities[0]))
        await asyncio.sleep(0.1)
        holder.execute("COMMIT")
        holder.close()
        assert await waiting == 202  # it has only had to wait
        assert [await world.post(bob, one) for one in activities] == [202] * 5
        await world.worker.drain()
        assert await states(world) == ["done"] * 5
    await db.close()


async def test_168_the_worker_outlives_a_lock(
    sqlite_template: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 100)
    path = tmp_path / "freehold.db"
    shutil.copy(sqlite_template, path)
    db = await Database.open(f"sqlite:///{path}", clock)
    async with peer_at("127.0.0.2", clock) as peer, world_on(db, clock, [peer]) as world:
        bob = peer.actor()
        await world.follow(bob)
        activity = bob.activity("Create", bob.note())
        assert await world.post(bob, activity) == 202
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        working = asyncio.create_task(world.worker.run())
        await asyncio.sleep(0.3)
        assert not working.done()
        holder.execute("COMMIT")
        holder.close()

        async def done() -> bool:
            return await world.fate(activity["id"]) == "done"

        await world.eventually(done)
        working.cancel()
    await db.close()


@pytest.mark.parametrize("wrong", [timedelta(hours=2), timedelta(days=30)])
@pytest.mark.parametrize("restarts", [False, True])
async def test_175_what_came_under_a_clock_that_was_fast_waits_no_longer(
    world: World, peer: Peer, wrong: timedelta, restarts: bool
) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note()
    peer.serve(note)
    await world.worker.drain()
    world.clock.offset = wrong
    activity = bob.activity("Create", note["id"])
    assert await world.post(bob, activity) == 202
    if not restarts:
        peer.hold = asyncio.Event()
        await world.worker.step()
        assert await world.fate(activity["id"]) == "pending"
        peer.hold.set()
    world.clock.offset = timedelta()
    if restarts:
        worker = InboxWorker(world.db, world.resolver, world.ids, world.policy, world.worker._effects)
        await worker.drain()
    await world.worker.drain()
    assert await world.fate(activity["id"]) == "done"
    assert [row.id for row in await world.rows(sa.select(objects.c.id))] == [note["id"]]


async def test_a_fault_of_ours_stops_nobody_else_and_is_parked(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)

    def stumble(tx: Tx, received: Received, authors: Authors) -> None:
        store_object(tx, received, "post")
        if received.object and received.object["content"] == "<p>poison</p>":
            raise ZeroDivisionError("a bug")

    world.worker._effects._tables = ({("Create", "*"): stumble},)
    poison = bob.activity("Create", bob.note("poison"))
    others = [bob.activity("Create", bob.note(str(number))) for number in range(5)]
    for activity in (others[0], poison, *others[1:]):
        assert await world.post(bob, activity) == 202
    await world.worker.drain()
    assert [await world.fate(one["id"]) for one in others] == ["done"] * 5
    for _ in range(4):
        assert (await world.fate(poison["id"])).startswith("pending: ZeroDivisionError")
        world.clock.offset += timedelta(hours=1)
        await world.worker.drain()
    assert (await world.fate(poison["id"])).startswith("parked: ZeroDivisionError")
    assert len(await world.rows(sa.select(objects))) == 5


async def test_a_broken_constraint_undoes_one_message_alone(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)

    def stumble(tx: Tx, received: Received, authors: Authors) -> None:
        store_object(tx, received, "post")
        if received.object and received.object["content"] == "<p>poison</p>":
            tx.execute(sa.insert(objects).values(id=received.object_id))

    world.worker._effects._tables = ({("Create", "*"): stumble},)
    activities = [bob.activity("Create", bob.note(text)) for text in ("1", "poison", "2")]
    for activity in activities:
        await world.post(bob, activity)
    await world.worker.drain()
    fates = [await world.fate(one["id"]) for one in activities]
    assert (fates[0], fates[2]) == ("done", "done")
    assert fates[1].startswith("pending: IntegrityError")
    assert len(await world.rows(sa.select(objects))) == 2


async def test_a_lost_scope_is_tried_message_by_message(world: World, peer: Peer) -> None:
    """A statement that the database does not know loses the whole scope; each message gets its own then."""
    bob = peer.actor()
    await world.follow(bob)

    def stumble(tx: Tx, received: Received, authors: Authors) -> None:
        store_object(tx, received, "post")
        if received.object and received.object["content"] == "<p>poison</p>":
            tx.connection.exec_driver_sql("SELECT * FROM no_such_table")

    world.worker._effects._tables = ({("Create", "*"): stumble},)
    activities = [bob.activity("Create", bob.note(text)) for text in ("1", "poison", "2")]
    for activity in activities:
        await world.post(bob, activity)
    await world.worker.drain()
    fates = [await world.fate(one["id"]) for one in activities]
    assert (fates[0], fates[2]) == ("done", "done")
    assert fates[1].startswith("pending: ")
    assert len(await world.rows(sa.select(objects))) == 2


async def test_what_cannot_be_asked_is_asked_again_and_then_given_up(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    note = bob.note()
    peer.documents[note["id"].removeprefix(peer.origin)] = 500
    activity = bob.activity("Create", note["id"])
    assert (await world.deliver(bob, activity)).startswith("pending: Unreachable")
    peer.serve(note)
    world.clock.offset += timedelta(minutes=5)
    await world.worker.drain()
    assert await world.fate(activity["id"]) == "done"
    hopeless = bob.activity("Create", f"{bob.id}/notes/none")
    peer.documents["/users/bob/notes/none"] = 500
    await world.deliver(bob, hopeless)
    for _ in range(9):
        assert (await world.fate(hopeless["id"])).startswith("pending")
        world.clock.offset += timedelta(hours=17)
        await world.worker.drain()
    assert (await world.fate(hopeless["id"])).startswith("refused: Unreachable")


# order


async def fail_once(world: World, verb: str) -> None:
    """The first message of a verb meets a server that does not answer; the next time it goes well."""
    table = world.worker._effects._tables[1]
    handler = table[verb, "*"]
    failed: list[str] = []

    def flaky(tx: Tx, received: Received, authors: Authors) -> None:
        if not failed:
            failed.append(received.envelope.id)
            raise Unreachable("not now")
        handler(tx, received, authors)

    world.worker._effects._tables = ({(verb, "*"): flaky}, table)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("form", ["embedded", "id"])
async def test_an_undo_waits_for_what_it_undoes(world: World, peer: Peer, *, together: bool, form: str) -> None:
    """A Follow that has to be tried again, and its Undo: at the end nobody follows."""
    bob = peer.actor()
    follow = bob.activity("Follow", world.alice)
    undo = bob.activity("Undo", follow if form == "embedded" else follow["id"])
    await fail_once(world, "Follow")
    assert await world.post(bob, follow) == 202
    if not together:
        await world.worker.drain()
    assert await world.post(bob, undo) == 202
    await world.worker.drain()
    assert (await world.fate(follow["id"])).startswith("pending: Unreachable")
    assert await world.fate(undo["id"]) == "pending"
    world.clock.offset += timedelta(minutes=1)
    await world.settle()
    assert await world.fate(follow["id"]) == await world.fate(undo["id"]) == "done"
    assert await world.rows(sa.select(follows)) == []


async def test_follow_undo_follow_ends_in_following(world: World, peer: Peer) -> None:
    bob = peer.actor()
    first, second = bob.activity("Follow", world.alice), bob.activity("Follow", world.alice)
    await fail_once(world, "Undo")
    for activity in (first, bob.activity("Undo", first), second):
        assert await world.post(bob, activity) == 202
        await world.worker.drain()
    world.clock.offset += timedelta(minutes=1)
    await world.settle()
    (row,) = await world.rows(sa.select(follows))
    assert row.activity_id == second["id"]


async def test_a_delete_does_not_wait_and_outlasts_a_late_create(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    note = bob.note()
    peer.serve(note)
    peer.hold = asyncio.Event()
    create = bob.activity("Create", note["id"])
    assert await world.post(bob, create) == 202
    await world.worker.step()
    delete = bob.activity("Delete", note["id"])
    assert await world.post(bob, delete) == 202
    await world.worker.step()
    assert await world.fate(delete["id"]) == "done"
    peer.hold.set()
    await world.settle()
    assert await world.fate(create["id"]) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert (row.type, row.body) == ("Tombstone", None)


async def test_an_update_before_its_create(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    old = bob.note("old", published="2026-01-01T00:00:00Z")
    new = old | {"content": "new", "updated": "2026-01-02T00:00:00Z"}
    assert await world.deliver(bob, bob.activity("Update", new)) == "done"
    assert await world.deliver(bob, bob.activity("Create", old)) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert json.loads(row.body)["content"] == "new"


async def test_an_update_waits_for_a_create_that_is_being_fetched(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    old = bob.note("old", published="2026-01-01T00:00:00Z")
    peer.serve(old)
    peer.hold = asyncio.Event()
    create, update = bob.activity("Create", old["id"]), bob.activity("Update", old | {"content": "new"})
    assert await world.post(bob, create) == 202
    await world.worker.step()
    assert await world.post(bob, update) == 202
    await world.worker.step()
    assert await world.fate(update["id"]) == "pending"
    peer.hold.set()
    await world.settle()
    assert [received.envelope.type for received in world.handled] == ["Create", "Update"]
    (row,) = await world.rows(sa.select(objects))
    assert json.loads(row.body)["content"] == "new"


async def test_a_forward_holds_up_nobody(world: World, peer: Peer, other: Peer) -> None:
    """Somebody forwards what cannot be fetched; what its author signs about the same object goes on."""
    bob, mallory = peer.actor(), other.actor("mallory")
    await world.know(bob)
    await world.follow(bob)
    note = bob.note()
    peer.documents[note["id"].removeprefix(peer.origin)] = 500
    forward: dict[str, Any] = bob.activity("Create", note["id"]) | {"signature": {}}
    assert (await world.deliver(mallory, forward)).startswith("pending")
    assert await world.post(bob, bob.activity("Create", note, id=forward["id"])) == 202
    await world.worker.drain()
    rows = await world.rows(sa.select(objects.c.id))
    assert [row.id for row in rows] == [note["id"]]
