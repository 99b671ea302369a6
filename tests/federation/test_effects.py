"""The door's own scope: what one message of a batch does when it fails, and what becomes of all others."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import intake
from federation.authors import Authors
from federation.clock import Clock
from federation.effects import Effects, Ready
from federation.errors import Refused
from federation.ids import Ids
from federation.intake import Intake, Message
from federation.messages import Stored, due
from federation.policy import Policy
from federation.storage import Database, Tx
from federation.tables import inbox_messages, peers
from federation.types import Received, Signer
from keys.vault import Vault, new_master_key
from schemas.base import Audience, Envelope

ACTOR = "https://a.example/u"
SIGNER = Signer(ACTOR, f"{ACTOR}#key", "cavage")


def message(number: int, what: str = "good", subject: str | None = None, verb: str = "Like") -> Message:
    """What its handler is to do stands in its object."""
    one = received(number, what, verb)
    return Message(one.envelope.id, verb, ACTOR, subject, SIGNER, one.body, one)


def received(number: int, what: str = "good", verb: str = "Like") -> Received:
    key, body = f"https://a.example/{number}", b'{"number":%d}' % number
    document = {"id": key, "type": verb, "actor": ACTOR, "object": what}
    return Received(SIGNER, Envelope(key, verb, ACTOR), body, document, what, None, Audience(), "delivered")


def handle(tx: Tx, received: Received, authors: Authors) -> None:
    """One row and one notification for each; the bad ones fail before, between or after."""
    name, what = received.envelope.id, received.object_id
    tx.notify("tested", name)
    if what == "refused":
        raise Refused("it is not taken")
    tx.execute(sa.insert(peers).values(host=name, failures=0))
    if what == "broken":
        raise RuntimeError("a fault of ours")
    if what == "twice":
        tx.execute(sa.insert(peers).values(host=name, failures=0))


@pytest.fixture
def effects() -> Effects:
    ids = Ids("https://here.example", "here.example")
    return Effects(ids, Authors(Vault(new_master_key()), ids), {("Like", "*"): handle, ("Undo", "*"): handle}, Policy())


async def states(db: Database) -> dict[int, tuple[str, bool]]:
    """Of each message by its number: its state, and whether its words are kept."""
    rows = await db.read(lambda tx: tx.rows(sa.select(inbox_messages)))
    return {int(row.activity_id.rpartition("/")[2]): (row.state, row.body is not None) for row in rows}


async def done(db: Database) -> list[int]:
    """The numbers of those that had their effect."""
    rows = await db.read(lambda tx: tx.rows(sa.select(peers.c.host).where(peers.c.host.like("https:%"))))
    return sorted(int(row.host.rpartition("/")[2]) for row in rows)


@pytest.mark.parametrize("bad", ["refused", "broken", "twice"])
async def test_157_one_that_fails_takes_nothing_from_the_others(db: Database, effects: Effects, bad: str) -> None:
    heard: list[Any] = []
    everything = asyncio.Event()

    def hear(payload: Any) -> None:
        heard.append(payload)
        if len(heard) == 22:
            everything.set()

    db.subscribe("tested", hear)
    door = Intake(db, effects)
    batch = [message(number, bad if number in (3, 17) else "good") for number in range(24)]
    await asyncio.gather(*(door.put(one) for one in batch), *(door.put(one) for one in batch))
    good = [number for number in range(24) if number not in (3, 17)]
    left = ("refused" if bad == "refused" else "pending", True)
    assert await states(db) == dict.fromkeys(good, ("done", False)) | {3: left, 17: left}
    assert await done(db) == good
    await asyncio.wait_for(everything.wait(), 5)
    assert sorted(heard) == sorted(message(number).key for number in good)


async def test_164_what_fails_holds_back_what_came_after_it(db: Database, effects: Effects, clock: Clock) -> None:
    door = Intake(db, effects)
    batch = [
        message(0, "broken", "x"),
        message(1, "good", "x", "Undo"),  # after 0
        message(2, "good", message(0).key, "Undo"),  # of 0, by its id
        message(3, "good", message(1).key),  # of 1, which waits itself
        message(4, "good", "y"),
    ]
    await asyncio.gather(*(door.put(one) for one in batch))
    await door.put(message(5, "good", "x"))  # in a scope of its own
    assert await done(db) == [4]
    assert await states(db) == {number: (("done", False) if number == 4 else ("pending", True)) for number in range(6)}
    clock.offset += timedelta(minutes=1)
    rows: list[Stored] = await db.read(due, 9, [])
    assert [row.body for row in rows] == [message(number).body for number in (0, 1, 2, 3, 5)], "with their words"
    ready = [Ready(row, received(index)) for index, row in zip((0, 1, 2, 3, 5), rows, strict=True)]
    outcomes = await db.write(effects.apply, ready)
    assert [outcome.state for outcome in outcomes] == ["done"] * 5
    assert await db.write(effects.apply, ready) == [], "and once only"
    assert await done(db) == list(range(6))


async def test_156_a_scope_that_is_lost_leaves_every_message(
    db: Database, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that the database itself does not take undoes all: then all are for the worker."""

    def lose(tx: Tx, *_: Any) -> None:
        tx.execute(sa.text("SELECT nothing FROM nowhere"))

    monkeypatch.setattr("federation.effects.host_is_alive", lose)
    door = intake.Intake(db, effects)
    await asyncio.gather(*(door.put(message(number)) for number in range(8)))
    assert await states(db) == dict.fromkeys(range(8), ("pending", True))
    assert await done(db) == []
