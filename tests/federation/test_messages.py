"""When a message that must wait for an earlier one is looked at again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from federation import messages
from federation.intake import Message, store
from federation.messages import DELAYS, LEASE, PUT_OFF, Outcome, Stored
from federation.storage import Database, Tx
from federation.tables import inbox_messages
from federation.types import Signer

BOB = Signer("https://b.example/users/bob", "https://b.example/users/bob#key", "cavage")
SUBJECT = "https://b.example/notes/1"
TRIED = 4


async def line(db: Database, length: int) -> list[Stored]:
    """So many messages of one actor about one thing."""
    made = [Message(f"https://b.example/{n}", "Update", BOB.actor_id, SUBJECT, BOB, b"{}") for n in range(length)]
    await db.write(store, made)
    return await db.read(lambda tx: messages.due(tx, length, ()))


def waiting(row: Stored, first: Stored) -> Outcome:
    return Outcome(row, "pending", put_off=True, behind=first.id)


async def due_at(db: Database, row: Stored) -> datetime:
    found: datetime = await db.read(
        lambda tx: tx.scalar(sa.select(inbox_messages.c.due_at).where(inbox_messages.c.id == row.id))
    )
    return found


async def test_a_line_waits_as_long_as_its_first(db: Database) -> None:
    """Else each of a thousand would be looked at every two seconds, for as long as somebody cannot be asked."""
    first, second, third = await line(db, 3)

    def settle(tx: Tx) -> datetime:
        messages.record(tx, [Outcome(first._replace(attempts=TRIED), "pending", "cannot be asked")])
        messages.record(tx, [waiting(second, first), waiting(third, second)])
        return tx.now

    now = await db.write(settle)
    assert [await due_at(db, row) for row in (first, second, third)] == [now + DELAYS[TRIED]] * 3


async def test_what_is_behind_one_in_hand_comes_soon_after_it(db: Database) -> None:
    """A lease of two minutes is for a worker that dies; the message is done in a moment."""
    first, second = await line(db, 2)

    def settle(tx: Tx) -> datetime:
        this = sa.update(inbox_messages).where(inbox_messages.c.id == first.id)
        tx.execute(this.values(due_at=tx.now + LEASE))
        messages.record(tx, [waiting(second, first)])
        return tx.now

    now = await db.write(settle)
    assert await due_at(db, second) == now + PUT_OFF
