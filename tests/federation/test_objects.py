from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.authenticate import Signer
from federation.errors import Forbidden, Unacceptable
from federation.objects import delete_object, delete_objects_of, store_object
from federation.storage import Database, Tx
from federation.tables import actors, object_recipients, objects
from federation.types import Received
from schemas.base import audience_of, envelope_of, id_of
from schemas.terms import PUBLIC

BOB = "https://b.example/users/bob"
CAROL = "https://b.example/users/carol"
NOTE = f"{BOB}/notes/1"


def note(**changes: Any) -> dict[str, Any]:
    base = {"id": NOTE, "type": "Note", "attributedTo": BOB, "content": "one", "to": [PUBLIC],
            "published": "2026-01-01T00:00:00Z"}  # fmt: skip
    return {name: value for name, value in (base | changes).items() if value is not ...}


def received(verb: str, obj: dict[str, Any], actor: str = BOB, verification: Any = "delivered") -> Received:
    document = {"id": f"{actor}/activities/1", "type": verb, "actor": actor, "object": obj, "to": obj.get("to")}
    return Received(
        Signer(actor, f"{actor}#key", "cavage"), envelope_of(document), b"", document, id_of(obj), obj,
        audience_of(document), verification,
    )  # fmt: skip


async def put(db: Database, verb: str, obj: dict[str, Any], actor: str = BOB, **more: Any) -> str:
    return await db.write(store_object, received(verb, obj, actor), "post", **more)


async def row(db: Database, object_id: str = NOTE) -> Any:
    return await db.read(lambda tx: tx.row(sa.select(objects).where(objects.c.id == object_id)))


async def content(db: Database) -> str:
    return str(json.loads((await row(db)).body)["content"])


async def test_the_first_create_wins(db: Database) -> None:
    assert await put(db, "Create", note()) == "new"
    assert await put(db, "Create", note(content="two")) == "same"
    assert await content(db) == "one"


async def test_an_update_replaces_and_an_older_one_does_not(db: Database) -> None:
    await put(db, "Create", note())
    assert await put(db, "Update", note(content="three", updated="2026-01-03T00:00:00Z")) == "changed"
    assert await put(db, "Update", note(content="two", updated="2026-01-02T00:00:00Z")) == "same"
    assert await put(db, "Update", note(content="none", updated="2025-01-02T00:00:00Z")) == "same"
    assert await content(db) == "three"


async def test_an_update_that_does_not_say_when_is_of_now(db: Database) -> None:
    await put(db, "Create", note())
    await put(db, "Update", note(content="two", updated="2026-01-02T00:00:00Z"))
    assert await put(db, "Update", note(content="three")) == "changed"
    assert await content(db) == "three"


async def test_only_the_owner(db: Database) -> None:
    await put(db, "Create", note())
    for verb, obj in (("Update", note()), ("Update", note(attributedTo=CAROL)), ("Create", note(attributedTo=...))):
        with pytest.raises(Forbidden):
            await put(db, verb, obj, CAROL)
    assert await content(db) == "one"


async def test_an_announce_brings_what_its_owner_made(db: Database) -> None:
    assert await put(db, "Announce", note(), CAROL) == "new"
    assert (await row(db)).owner == BOB


async def test_what_has_no_id_is_not_stored(db: Database) -> None:
    with pytest.raises(Unacceptable):
        await put(db, "Create", note(id=...))


async def test_a_tombstone_is_for_ever(db: Database) -> None:
    await put(db, "Create", note())
    deleted: list[str] = []
    assert await db.write(delete_object, NOTE, BOB, lambda tx, ids: deleted.extend(ids))
    assert not await db.write(delete_object, NOTE, BOB, lambda tx, ids: deleted.extend(ids))
    assert deleted == [NOTE]
    for verb in ("Create", "Update", "Announce"):
        assert await put(db, verb, note(updated="2026-06-01T00:00:00Z")) == "same"
    stored = await row(db)
    assert (stored.type, stored.body) == ("Tombstone", None)


async def test_a_delete_before_its_create(db: Database) -> None:
    assert not await db.write(delete_object, NOTE, BOB)
    assert await put(db, "Create", note()) == "same"
    assert (await row(db)).body is None


async def test_somebody_else_s_delete_before_the_create(db: Database) -> None:
    await db.write(delete_object, NOTE, CAROL)
    assert await put(db, "Create", note()) == "changed"
    with pytest.raises(Forbidden):
        await db.write(delete_object, NOTE, CAROL)
    assert await content(db) == "one"


async def test_all_of_an_owner(db: Database) -> None:
    for number in range(1_100):
        await put(db, "Create", note(id=f"{BOB}/notes/{number}")) if number < 3 else None
    await put(db, "Create", note(id=f"{CAROL}/notes/1", attributedTo=CAROL), CAROL)
    deleted: list[str] = []
    assert await db.write(delete_objects_of, BOB, lambda tx, ids: deleted.extend(ids)) == 3
    assert len(deleted) == 3
    assert (await row(db, f"{CAROL}/notes/1")).deleted_at is None


@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        ([PUBLIC], [], "public"),
        ("as:Public", None, "public"),
        ([f"{BOB}/followers"], [PUBLIC], "unlisted"),
        ([f"{BOB}/followers"], [], "followers"),
        (CAROL, f"{BOB}/followers", "followers"),
        ([CAROL], [], "direct"),
        ([f"{CAROL}/followers"], [], "direct"),
        ([], [], "direct"),
    ],
)
async def test_who_may_see(db: Database, to: Any, cc: Any, visibility: str) -> None:
    def know(tx: Tx) -> None:
        values = {"id": BOB, "type": "Person", "local": False, "username": "bob", "host": "b.example", "inbox": "x",
                  "followers": f"{BOB}/followers", "document": b"{}", "verification": "delivered", "first_seen": tx.now,
                  "fetched_at": tx.now, "updated_at": tx.now}  # fmt: skip
        tx.execute(tx.insert(actors).values(values))

    await db.write(know)
    await put(db, "Create", note(to=to, cc=cc))
    assert (await row(db)).visibility == visibility
    kept = await db.read(lambda tx: tx.rows(sa.select(object_recipients)))
    assert bool(kept) is (visibility in ("followers", "direct") and bool(to))


async def test_recipients_follow_an_update(db: Database) -> None:
    await put(db, "Create", note(to=[CAROL, "https://c.example/u"]))
    assert await put(db, "Update", note(to=[CAROL])) == "changed"
    kept = await db.read(lambda tx: tx.rows(sa.select(object_recipients.c.recipient)))
    assert [one.recipient for one in kept] == [CAROL]


async def test_times_are_never_in_the_future(db: Database) -> None:
    await put(db, "Create", note(published="2190-01-01T00:00:00Z", updated="2190-01-01T00:00:00Z"))
    stored = await row(db)
    assert max(stored.published, stored.updated) <= datetime.now(UTC) + timedelta(minutes=1)
