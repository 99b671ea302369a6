from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import textwrap
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation import sqlite
from federation.clock import Clock
from federation.errors import Busy
from federation.storage import Database, Tx, sqlite_path
from federation.tables import follows, host_rules

WAIT = 10


def put(tx: Tx, host: str, rule: str = "block") -> None:
    tx.execute(tx.insert(host_rules).values(host=host, rule=rule, created_at=tx.now))


def hosts(tx: Tx) -> list[str]:
    return [row.host for row in tx.rows(sa.select(host_rules.c.host).order_by(host_rules.c.host))]


class Broken(Exception):
    pass


def put_and_break(tx: Tx, host: str) -> None:
    put(tx, host)
    raise Broken(host)


async def test_what_was_written_is_read(db: Database) -> None:
    await db.write(put, "a.example", rule="limit")
    row = await db.read(lambda tx: tx.row(sa.select(host_rules)))
    assert row is not None
    assert (row.host, row.rule) == ("a.example", "limit")


async def test_a_scope_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(Broken):
        await db.write(put_and_break, "a.example")
    assert await db.read(hosts) == []


async def test_one_failing_scope_takes_none_of_its_batch_with_it(db: Database) -> None:
    writes = [db.write(put_and_break if number == 7 else put, f"{number:02d}.example") for number in range(20)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [index for index, result in enumerate(results) if result is not None] == [7]
    assert isinstance(results[7], Broken)
    assert await db.read(hosts) == [f"{number:02d}.example" for number in range(20) if number != 7]


async def test_an_integrity_error_is_undone_alone(db: Database) -> None:
    await db.write(put, "a.example")
    results = await asyncio.gather(*(db.write(put, name) for name in ("b", "a.example", "c")), return_exceptions=True)
    assert isinstance(results[1], sa.exc.IntegrityError)
    assert await db.read(hosts) == ["a.example", "b", "c"]


async def test_a_savepoint_undoes_its_part_and_its_notifications(db: Database) -> None:
    heard: list[str | None] = []
    db.subscribe("topic", heard.append)
    done = asyncio.Event()
    db.subscribe("end", lambda payload: done.set())

    def undone(tx: Tx) -> None:
        with tx.savepoint():
            tx.notify("topic", "undone")
            put_and_break(tx, "undone")

    def scope(tx: Tx) -> None:
        put(tx, "kept")
        tx.notify("topic", "kept")
        with pytest.raises(Broken):
            undone(tx)
        with tx.savepoint():
            put(tx, "also kept")
        tx.notify("end")

    await db.write(scope)
    await asyncio.wait_for(done.wait(), WAIT)
    assert await db.read(hosts) == ["also kept", "kept"]
    assert heard == ["kept"]


async def test_a_read_scope_cannot_write(db: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        await db.read(put, "a.example")
    assert await db.read(hosts) == []


@pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # a scope on PostgreSQL runs on the event loop's thread, so this test cannot hold it open
async def test_a_read_scope_is_one_snapshot(db: Database) -> None:
    reading, written = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = hosts(tx)
        reading.set()
        assert written.wait(WAIT)
        return first, hosts(tx)

    async def write_meanwhile() -> None:
        await asyncio.to_thread(reading.wait, WAIT)
        await db.write(put, "a.example")
        written.set()

    pair, _ = await asyncio.gather(db.read(twice), write_meanwhile())
    assert pair == ([], [])


async def test_no_update_is_lost_among_concurrent_scopes(db: Database) -> None:
    await db.write(put, "0")

    def increment(tx: Tx) -> None:
        value = tx.scalar(sa.select(host_rules.c.reason).with_for_update())
        tx.execute(sa.update(host_rules).values(reason=str(int(value or 0) + 1)))

    await asyncio.gather(*(db.write(increment) for _ in range(50)))
    assert await db.read(lambda tx: tx.scalar(sa.select(host_rules.c.reason))) == "50"


async def test_times_survive_exactly(db: Database) -> None:
    moment = datetime(2026, 11, 25, 4, 5, 6, 789_012, tzinfo=UTC)

    def write(tx: Tx) -> None:
        tx.execute(tx.insert(host_rules).values(host="a", rule="block", created_at=moment))

    await db.write(write)
    assert await db.read(lambda tx: tx.scalar(sa.select(host_rules.c.created_at))) == moment


async def test_rows_carry_the_time_of_their_clock(db: Database, clock: Clock) -> None:
    clock.offset = timedelta(days=-100)
    await db.write(put, "a")
    stored = await db.read(lambda tx: tx.scalar(sa.select(host_rules.c.created_at)))
    assert abs(clock.now() - stored) < timedelta(seconds=WAIT)


async def test_notifications_come_after_the_commit_once_each(db: Database) -> None:
    heard: list[str | None] = []
    done = asyncio.Event()
    db.subscribe("topic", heard.append)
    db.subscribe("other", lambda payload: done.set())

    def scope(tx: Tx) -> None:
        for payload in ("x", "x", None, "y z"):
            tx.notify("topic", payload)
        tx.notify("other")
        assert heard == []

    await db.write(scope)
    await asyncio.wait_for(done.wait(), WAIT)
    assert heard == ["x", None, "y z"]


async def test_a_scope_that_raises_notifies_nobody(db: Database) -> None:
    heard: list[str | None] = []
    done = asyncio.Event()
    db.subscribe("topic", heard.append)
    db.subscribe("end", lambda payload: done.set())

    def scope(tx: Tx) -> None:
        tx.notify("topic")
        raise Broken

    with pytest.raises(Broken):
        await db.write(scope)
    await db.write(lambda tx: tx.notify("end"))
    await asyncio.wait_for(done.wait(), WAIT)
    assert heard == []


async def test_another_process_is_heard(db: Database, database_url: str, clock: Clock) -> None:
    heard = asyncio.Event()
    db.subscribe("topic", lambda payload: heard.set())
    second = await Database.open(database_url, clock)
    await second.write(lambda tx: (put(tx, "a"), tx.notify("topic", "x")))
    await asyncio.wait_for(heard.wait(), WAIT)
    assert await db.read(hosts) == ["a"]
    await second.close()


async def test_a_caller_that_goes_away_does_not_take_its_scope_along(db: Database) -> None:
    task = asyncio.create_task(db.write(put, "a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.write(put, "b")
    assert set(await db.read(hosts)) >= {"b"}
    if db.is_sqlite:
        assert await db.read(hosts) == ["a", "b"]


async def test_a_conflicting_insert_does_nothing(db: Database) -> None:
    def follow(tx: Tx) -> int:
        values = {"follower": "a", "followee": "b", "activity_id": "c", "state": "accepted", "created_at": tx.now}
        return tx.execute(tx.insert(follows).on_conflict_do_nothing(), values).rowcount

    assert [await db.write(follow), await db.write(follow)] == [1, 0]


# what only the embedded database has


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    """A file with every table."""
    return Path(shutil.copy(sqlite_template, tmp_path / "freehold.db"))


@pytest.fixture
async def embedded(path: Path, clock: Clock) -> AsyncIterator[Database]:
    """A SQLite database whose locks are given up after 300 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "BUSY_TIMEOUT_MS", 300)
        database = await Database.open(f"sqlite:///{path}", clock)
    yield database
    await database.close()


async def test_many_scopes_share_a_commit(embedded: Database) -> None:
    times: list[datetime] = []

    def scope(tx: Tx, number: int) -> None:
        times.append(tx.now)
        put(tx, str(number))

    await asyncio.gather(*(embedded.write(scope, number) for number in range(200)))
    assert len(await embedded.read(hosts)) == 200
    assert len(set(times)) < 20  # one time a batch


async def test_168_a_lock_held_too_long_is_busy_and_nothing_is_half_done(embedded: Database) -> None:
    holder = sqlite3.connect(sqlite_path(embedded.url), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(embedded.write(put, str(n)) for n in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [Busy] * 5
    assert await embedded.read(hosts) == []  # reading goes on
    holder.execute("COMMIT")
    await embedded.write(put, "after")
    assert await embedded.read(hosts) == ["after"]
    holder.close()


async def test_a_full_disk_is_busy_for_the_whole_batch(embedded: Database) -> None:
    def limit(tx: Tx, more: int) -> None:
        pages = int(tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")

    def large(tx: Tx) -> None:
        tx.execute(tx.insert(host_rules).values(host="large", rule="x" * 1_000_000, created_at=tx.now))

    await embedded.write(put, "before")
    await embedded.write(limit, 0)
    writes = [embedded.write(put, "0"), embedded.write(large), embedded.write(put, "2")]
    results = await asyncio.gather(*writes, return_exceptions=True)
    stored = await embedded.read(hosts)
    assert isinstance(results[1], Busy)
    for number in (0, 2):  # whoever was told that it is stored, is stored; nobody else is
        assert (str(number) in stored) is (results[number] is None)
    assert "large" not in stored
    await embedded.write(limit, 1_000)
    await embedded.write(large)
    assert "large" in await embedded.read(hosts)


async def test_a_closed_database_answers_and_does_not_hang(path: Path, clock: Clock) -> None:
    database = await Database.open(f"sqlite:///{path}", clock)
    last = asyncio.create_task(database.write(put, "last"))
    await asyncio.sleep(0)
    await database.close()
    await last
    with pytest.raises(Busy):
        await asyncio.wait_for(database.write(put, "after"), WAIT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_writer_that_dies_tells_everybody(embedded: Database) -> None:
    class Fatal(BaseException):
        pass

    def die(tx: Tx) -> None:
        raise Fatal

    writes = [embedded.write(scope) for scope in (die, hosts, hosts)]
    results = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), WAIT)
    assert [type(result) for result in results] == [Busy] * 3
    with pytest.raises(Busy):
        await asyncio.wait_for(embedded.write(hosts), WAIT)


async def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database, whatever it may be called" * 100)
    with pytest.raises(sa.exc.DatabaseError):
        await Database.open(f"sqlite:///{tmp_path}/broken.db", clock)


async def test_156_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    """Another process writes and is killed at once; every write that it reported must be there."""
    program = textwrap.dedent(f"""
        import asyncio, sys
        from federation.clock import Clock
        from federation.storage import Database
        from tests.federation.test_storage import put

        async def main():
            db = await Database.open("sqlite:///{path}", Clock())
            for number in range(100_000):
                await db.write(put, str(number))
                print(number, flush=True)

        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    acknowledged = [await asyncio.wait_for(process.stdout.readline(), 30) for _ in range(30)]
    process.kill()
    acknowledged += (await process.stdout.read()).splitlines()
    await process.wait()
    stored = {row[0] for row in sqlite3.connect(path).execute("SELECT host FROM host_rules")}
    assert {line.decode().strip() for line in acknowledged[:30]} <= stored
    assert len(stored) - 1 <= len(acknowledged) <= len(stored)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no connection to lose
async def test_notifications_come_again_after_postgresql_lost_us(database_url: str, db: Database) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    db.subscribe("topic", heard.put_nowait)

    def cut(tx: Tx) -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        tx.connection.exec_driver_sql(others + "current_database()").all()

    await db.write(cut)
    assert await asyncio.wait_for(heard.get(), WAIT) is None  # anything may have changed meanwhile
    await db.write(lambda tx: tx.notify("topic", "x"))
    assert await asyncio.wait_for(heard.get(), WAIT) == "x"
