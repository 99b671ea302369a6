"""Statements that go straight to the driver find what the same statements find on the usual way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from federation.statements import Hot, HotInsert
from federation.storage import Database, Tx
from federation.tables import blocks, objects

OBJECTS = HotInsert(objects, "id")
BLOCKS = HotInsert(blocks)
KNOWN = sa.select(objects.c.id, objects.c.local, objects.c.body, objects.c.published, objects.c.deleted_at)
BY_ID = Hot(KNOWN.where(objects.c.id == sa.bindparam("object_id")))
OF_SOME = Hot(
    sa.select(objects.c.id).where(
        objects.c.owner.in_(sa.bindparam("owners", expanding=True)),
        objects.c.published >= sa.bindparam("since", type_=objects.c.published.type),
        objects.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    )
)


def thing(tx: Tx, name: str, **more: Any) -> dict[str, Any]:
    values = {
        "id": f"https://bo.example/{name}", "type": "Note", "kind": "post", "owner": "https://bo.example/bo",
        "local": False, "visibility": "public", "url": None, "in_reply_to": None, "body": b"\x00{}",
        "verification": "signed", "published": tx.now, "updated": tx.now, "received_at": tx.now,
        "changed_at": None, "deleted_at": None,
    }  # fmt: skip
    return values | more


async def test_rows_have_the_names_and_types_of_their_columns(db: Database) -> None:
    def work(tx: Tx) -> tuple[Any, Any, Any]:
        tx.put(OBJECTS, [thing(tx, "one")])
        usual = tx.row(BY_ID.statement.params(object_id="https://bo.example/one"))
        return tx.first(BY_ID, object_id="https://bo.example/one"), usual, tx.first(BY_ID, object_id="nothing")

    found, usual, nothing = await db.write(work)
    assert found._asdict() == usual._asdict()
    assert (found.local, found.body, found.deleted_at) == (False, b"\x00{}", None)
    assert found.published.tzinfo is not None
    assert nothing is None


@pytest.mark.parametrize("others", [0, 1, 2, 3, 7, 500])
async def test_lists_of_any_length(db: Database, others: int) -> None:
    def work(tx: Tx) -> tuple[list[str], list[str]]:
        at = tx.now - timedelta(hours=1)
        tx.put(OBJECTS, [thing(tx, "new"), thing(tx, "old", published=at), thing(tx, "gig", kind="gig")])
        some = [f"https://bo.example/{number}" for number in range(others)]
        every = [*some, "https://bo.example/bo"] if others else []
        wanted = {"owners": every, "since": tx.now, "kinds": ["post", "module"]}
        usual = tx.rows(OF_SOME.statement.params(wanted))
        return [row.id for row in tx.all(OF_SOME, **wanted)], [row.id for row in usual]

    found, usual = await db.write(work)
    assert found == usual == (["https://bo.example/new"] if others else [])


async def test_what_is_there_already_stays_and_is_not_counted(db: Database) -> None:
    def work(tx: Tx) -> tuple[int, int, str]:
        first = tx.put(OBJECTS, [thing(tx, "one")])
        second = tx.put(OBJECTS, [thing(tx, "one", kind="gig")])
        return first, second, tx.scalar(sa.select(objects.c.kind))

    assert await db.write(work) == (1, 0, "post")


async def test_several_rows_at_once(db: Database) -> None:
    def work(tx: Tx) -> int:
        tx.put(BLOCKS, [{"actor": "a", "target": str(number % 3), "created_at": tx.now} for number in range(5)])
        return int(tx.scalar(sa.select(sa.func.count()).select_from(blocks)))

    assert await db.write(work) == 3


async def test_an_error_is_the_same_as_on_the_usual_way(db: Database) -> None:
    def work(tx: Tx) -> None:
        tx.put(OBJECTS, [thing(tx, "one", owner=None)])

    with pytest.raises(IntegrityError):
        await db.write(work)
