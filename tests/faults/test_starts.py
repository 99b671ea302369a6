"""Starting where one must not: each refusal is one line, an exit code, and no change."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.processes import Place, place


@pytest.fixture
async def a(tmp_path: Path) -> Place:
    """A node that is set up."""
    made = place(tmp_path / "a", "127.0.0.7")
    await made.set_up("alice")
    return made


async def state(a: Place) -> object:
    return await a.json("state")


async def test_two_servers_on_one_data_folder(a: Place):
    async with a.serving() as server:
        second = await a.run("serve", "--bind", f"{a.address}:0")
        assert second.code == 1
        assert second.err == (
            f"freehold: another Freehold server (process {server.process.pid}) already uses {a.data}. "
            "Stop it first, or choose another --data.\n"
        )
        assert await server.stop() == 0
    async with a.serving():
        pass


async def test_a_killed_server_leaves_no_lock_behind(a: Place):
    async with a.serving() as server:
        await server.kill()
    async with a.serving():
        pass


async def test_a_second_set_up_changes_nothing(a: Place):
    before = await state(a)
    again = await a.run("setup", "--origin", "https://other.example", "--handle", "eve", "--password-stdin",
                        text="quite another password\n")  # fmt: skip
    assert again.code == 1
    assert a.origin in again.err
    assert await state(a) == before


async def test_an_origin_that_differs_from_the_databases(a: Place):
    before = await state(a)
    refused = await a.run("serve", "--bind", f"{a.address}:0", FREEHOLD_ORIGIN="https://other.example")
    assert refused.code == 1
    assert "https://other.example" in refused.err
    assert a.origin in refused.err
    assert await state(a) == before


async def test_a_wrong_master_key(a: Place):
    before = await state(a)
    other = base64.b64encode(bytes(range(32))).decode()
    refused = await a.run("serve", "--bind", f"{a.address}:0", FREEHOLD_MASTER_KEY=other)
    assert refused.code == 1
    assert "master key" in refused.err
    assert other not in refused.err
    assert await state(a) == before


async def test_a_database_newer_than_the_code(a: Place):
    engine = sa.create_engine(f"sqlite:///{a.data / 'freehold.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    refused = await a.run("serve", "--bind", f"{a.address}:0")
    assert refused.code == 1
    assert "newer Freehold" in refused.err
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
    engine.dispose()


async def test_181_a_database_that_is_cut_off_or_overwritten(a: Place):
    """The doctor says so too, and neither makes it worse."""
    path = a.data / "freehold.db"
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 4096 // 2 * 4096], b"x" * len(whole)):
        path.write_bytes(broken)
        refused = await a.run("serve", "--bind", f"{a.address}:0")
        assert refused.code == 1
        assert "freehold.db" in refused.err
        assert "Restore" in refused.err
        assert path.read_bytes() == broken
    doctor = await a.run("doctor")
    assert doctor.code != 0
    assert "freehold.db" in doctor.out + doctor.err
    path.write_bytes(whole)
    async with a.serving():
        pass


async def test_it_stops_when_asked(a: Place):
    async with a.serving() as server:
        assert await server.stop() == 0
