from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from federation import intake
from federation.errors import Busy
from federation.intake import Intake, Message, store
from federation.storage import Database, Tx
from federation.tables import inbox_messages
from federation.types import Signer

SIGNER = Signer("https://a.example/u", "https://a.example/u#key", "cavage")


def message(number: int, body: bytes = b"{}") -> Message:
    return Message(f"https://a.example/{number}", "Create", SIGNER.actor_id, None, SIGNER, body)


async def keys(db: Database) -> list[str]:
    rows = await db.read(lambda tx: tx.rows(sa.select(inbox_messages.c.activity_id).order_by(inbox_messages.c.id)))
    return [row.activity_id for row in rows]


async def test_messages_that_wait_share_a_commit(db: Database) -> None:
    door = Intake(db)
    await asyncio.gather(*(door.put(message(number)) for number in range(100)))
    assert len(await keys(db)) == 100


async def test_the_first_of_two_with_one_id_wins(db: Database) -> None:
    with capture_logs() as logs:
        await db.write(store, [message(1, b"first"), message(1, b"second"), message(2)])
        await db.write(store, [message(1, b"third"), message(1, b"first")])
    bodies = await db.read(lambda tx: tx.rows(sa.select(inbox_messages.c.body).order_by(inbox_messages.c.id)))
    assert [row.body for row in bodies] == [b"first", b"{}"]
    assert [line["event"] for line in logs] == ["inbox.same_id_other_body"] * 2


async def test_a_repeated_message_does_not_lose_its_place(db: Database) -> None:
    """A Create must not come to stand behind the Delete that followed it, because it was sent twice."""
    await db.write(store, [message(1), message(2), message(1), message(3), message(2)])
    assert await keys(db) == [message(number).key for number in (1, 2, 3)]


async def test_an_id_is_known_for_ever(db: Database) -> None:
    """Also when the body is forgotten: the id is why an effect happens once."""
    await db.write(store, [message(1)])
    await db.write(lambda tx: tx.execute(sa.update(inbox_messages).values(body=None, state="done")))
    await db.write(store, [message(1, b"again")])
    row = await db.read(lambda tx: tx.row(sa.select(inbox_messages)))
    assert row is not None
    assert (row.state, row.body) == ("done", None)


async def test_a_request_that_goes_away_leaves_its_message(db: Database) -> None:
    door = Intake(db)
    gone = asyncio.create_task(door.put(message(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await door.put(message(2))
    assert await keys(db) == [message(1).key, message(2).key]


async def test_too_many_waiting_is_busy(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_WAITING", 3)
    door = Intake(db)
    results = await asyncio.gather(*(door.put(message(number)) for number in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [Busy] * 2
    await door.put(message(9))
    assert len(await keys(db)) == 4


async def test_everybody_hears_when_nothing_could_be_stored(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Intake(db)

    def full(tx: Tx, messages: Any, **options: Any) -> None:
        raise Busy("full")

    with monkeypatch.context() as patch:
        patch.setattr(intake, "store", full)
        results = await asyncio.gather(*(door.put(message(number)) for number in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [Busy] * 5
    await door.put(message(1))
    assert len(await keys(db)) == 1
