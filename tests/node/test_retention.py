"""A year on a moved clock: what comes in masses stays flat; what people here have to do with stays (SECURITY 143)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import operate, outbox, retention
from federation.intake import Message, store
from federation.storage import Tx
from federation.tables import (
    activities,
    deliveries,
    inbox_messages,
    object_recipients,
    objects,
    reactions,
    seen_activities,
    told,
)
from federation.types import Signer
from node.retention import forget_all
from node.social.tables import timeline
from tests.node.house import settle_in
from tests.node.neighbours import BO, actor, follow, know

FOLLOWEES, A_DAY = 4, 3
HOSTS = 5
SIGNER = Signer(BO, f"{BO}#main-key", "rfc9421")
KINDS = ("objects", "inbox_messages", "deliveries", "activities", "reactions", "timeline", "actors")


@pytest.fixture
async def node(ground):
    node, _ = await settle_in(ground)
    yield node
    await node.client.close()


def thing(tx: Tx, object_id: str, owner: str = BO, **more: Any) -> dict[str, Any]:
    """A row of somebody else's post."""
    times = {"published": tx.now, "updated": tx.now, "received_at": tx.now}
    kind = {"type": "Note", "kind": "post", "visibility": "public", "verification": "signed", "body": b"{}"}
    row = {"id": object_id, "owner": owner, "local": False} | times | kind | more
    tx.execute(sa.insert(objects).values(row))
    return row


def message(activity_id: str) -> Message:
    return Message(activity_id, "Create", BO, None, SIGNER, b"{}")


def a_day(tx: Tx, day: int, alice: str) -> None:
    """Followees publish, somebody likes what they published; our person publishes once and five servers get it."""
    for number in range(FOLLOWEES * A_DAY):
        name = f"https://bo.example/posts/{day}-{number}"
        thing(tx, name, owner=f"https://bo.example/users/{number % FOLLOWEES}")
        tx.execute(sa.insert(timeline).values(
            object_id=name, reader=alice, kind="post", reason="followed", at=tx.now))  # fmt: skip
        tx.execute(sa.insert(reactions).values(
            object_id=name, kind="like", actor=BO, activity_id=f"{name}#like", at=tx.now))  # fmt: skip
        store(tx, [message(f"{name}#create")])
    tx.execute(sa.update(inbox_messages).where(inbox_messages.c.state == "pending").values(state="done"))
    accept = f"{alice}/activities/{day}"
    said = {"id": accept, "actor_id": alice, "type": "Accept", "object_id": f"x{day}", "published": tx.now}
    tx.execute(sa.insert(activities).values(said | {"public": False, "body": b"{}"}))
    for host in range(HOSTS):
        tx.execute(sa.insert(deliveries).values(
            activity_id=accept, sender=alice, inbox=f"https://h{host}.example/inbox", host=f"h{host}.example",
            object_id=f"x{day}", state="done", created_at=tx.now, due_at=tx.now, finished_at=tx.now))  # fmt: skip


async def rows(node) -> dict[str, int]:
    return {table.table: table.rows for table in await node.db.read(operate.state)}


async def test_rows_are_flat_after_a_year(node):
    alice = node.ids.actor("alice")
    seen = {}
    for day in range(0, 365, 5):  # five days at a time
        node.clock.offset = timedelta(days=day)
        await node.db.write(lambda tx, day=day: a_day(tx, day, alice))
        await forget_all(node)
        seen[day] = await rows(node)
    for kind in KINDS:
        assert seen[360][kind] <= seen[90][kind], kind
        assert seen[360][kind] <= 13 * FOLLOWEES * A_DAY + HOSTS * 7 + 1, kind
    a_round = FOLLOWEES * A_DAY
    assert seen[360]["seen_activities"] + seen[360]["inbox_messages"] == 73 * a_round, "no activity is ever forgotten"
    assert seen[360]["reached"] == HOSTS


async def test_37_what_was_forgotten_has_no_second_effect(node):
    node.clock.offset = -timedelta(days=40)
    await node.db.write(store, [message("https://bo.example/1"), message("https://bo.example/2")])
    await node.db.write(lambda tx: tx.execute(sa.update(inbox_messages).values(state="done")))
    node.clock.offset = timedelta()
    await node.db.write(store, [message("https://bo.example/3")])
    assert await forget_all(node) == 2
    await node.db.write(store, [message("https://bo.example/1"), message("https://bo.example/4")])
    held = await node.db.read(lambda tx: tx.rows(sa.select(inbox_messages.c.activity_id)))
    assert {row.activity_id for row in held} == {"https://bo.example/3", "https://bo.example/4"}
    assert (await rows(node))["seen_activities"] == 2
    digests = await node.db.read(lambda tx: tx.rows(sa.select(seen_activities.c.digest)))
    assert {len(row.digest) for row in digests} == {16}


async def test_what_waits_or_is_parked_is_never_forgotten(node):
    node.clock.offset = -timedelta(days=400)
    await node.db.write(store, [message(f"https://bo.example/{number}") for number in range(3)])
    first = inbox_messages.c.activity_id == "https://bo.example/0"
    await node.db.write(lambda tx: tx.execute(sa.update(inbox_messages).where(first).values(state="parked")))
    node.clock.offset = timedelta()
    assert await forget_all(node) == 0


async def test_what_somebody_here_has_to_do_with_stays(node):
    alice = node.ids.actor("alice")
    node.clock.offset = -timedelta(days=100)
    base = "https://bo.example/posts/"

    def fill(tx: Tx) -> None:
        follow(tx, alice, know(tx, actor()))
        for name in ("nobody", "liked", "answered", "addressed", "mentions", "liked-elsewhere"):
            thing(tx, base + name, visibility="direct" if name == "addressed" else "public")
        thing(tx, base + "gig", kind="gig")
        thing(tx, "https://eve.example/gig", owner="https://eve.example/users/eve", kind="gig")
        thing(tx, f"{alice}/posts/1", owner=alice, local=True, in_reply_to=base + "answered")
        thing(tx, base + "answer", in_reply_to=f"{alice}/posts/1")
        thing(tx, base + "gone", deleted_at=tx.now, body=None, kind="unknown")
        for name, who in (("liked", alice), ("liked-elsewhere", BO)):
            tx.execute(sa.insert(reactions).values(
                object_id=base + name, kind="like", actor=who, activity_id=f"{name}#like", at=tx.now))  # fmt: skip
        tx.execute(sa.insert(object_recipients).values(object_id=base + "addressed", recipient=alice))
        tx.execute(sa.insert(timeline).values(
            object_id=base + "mentions", reader=alice, kind="post", reason="addressed", at=tx.now))  # fmt: skip

    await node.db.write(fill)
    node.clock.offset = timedelta()
    await node.db.write(thing, base + "new")
    await forget_all(node)
    held = {row.id for row in await node.db.read(lambda tx: tx.rows(sa.select(objects.c.id)))}
    stays = ("liked", "answered", "answer", "addressed", "mentions", "gig", "new")
    assert held == {f"{alice}/posts/1", *(base + name for name in stays)}
    likes = await node.db.read(lambda tx: tx.rows(sa.select(reactions.c.object_id)))
    assert [row.object_id for row in likes] == [base + "liked"]


async def test_who_ever_got_a_thing_is_told_when_it_goes(node):
    """Also once it is forgotten when that was."""
    author = await node.author(node.ids.actor("alice"))
    post, gone = f"{author.actor_id}/posts/1", f"{author.actor_id}/posts/2"
    node.clock.offset = -timedelta(days=40)

    def fill(tx: Tx) -> None:
        thing(tx, post, owner=author.actor_id, local=True)
        thing(tx, gone, owner=author.actor_id, local=True, deleted_at=tx.now, body=None)
        for object_id in (post, gone, "https://bo.example/follows/1"):
            for host in ("a.example", "b.example"):
                tx.execute(sa.insert(deliveries).values(
                    activity_id=f"{object_id}#create", sender=author.actor_id, inbox=f"https://{host}/inbox",
                    host=host, object_id=object_id, state="done", recipients=f'["https://{host}/u"]',
                    created_at=tx.now, due_at=tx.now, finished_at=tx.now))  # fmt: skip
        tx.execute(sa.insert(deliveries).values(
            activity_id="last", sender=author.actor_id, inbox="https://c.example/inbox", host="c.example",
            object_id="x", state="done", created_at=tx.now, due_at=tx.now, finished_at=tx.now))  # fmt: skip

    await node.db.write(fill)
    node.clock.offset = timedelta()
    await forget_all(node)
    assert (await rows(node))["deliveries"] == 1, "the newest stays: numbers are not given twice"
    kept = await node.db.read(lambda tx: tx.rows(sa.select(told.c.object_id, told.c.inbox)))
    assert sorted((row.object_id, row.inbox) for row in kept) == [
        (post, "https://a.example/inbox"), (post, "https://b.example/inbox")]  # fmt: skip
    before = await node.db.read(lambda tx: list(outbox.told_before(tx, author, post)))
    assert {target.inbox: target.recipients for target in before} == {
        "https://a.example/inbox": ("https://a.example/u",),
        "https://b.example/inbox": ("https://b.example/u",),
    }


async def test_what_is_still_on_its_way_stays(node):
    alice = node.ids.actor("alice")
    node.clock.offset = -timedelta(days=40)

    def fill(tx: Tx) -> None:
        for number, state in enumerate(("done", "pending", "given_up", "done")):
            tx.execute(sa.insert(activities).values(
                id=f"{alice}/activities/{number}", actor_id=alice, type="Like", public=False, body=b"{}",
                published=tx.now))  # fmt: skip
            tx.execute(sa.insert(deliveries).values(
                activity_id=f"{alice}/activities/{number}", sender=alice, inbox="https://a.example/inbox",
                host="a.example", object_id=f"x{number}", state=state, created_at=tx.now, due_at=tx.now,
                finished_at=tx.now))  # fmt: skip

    await node.db.write(fill)
    node.clock.offset = timedelta()
    await forget_all(node)
    left = await node.db.read(lambda tx: tx.rows(sa.select(activities.c.id)))
    assert sorted(row.id[-1] for row in left) == ["1", "2", "3"]


async def test_batches_are_bounded(node):
    node.clock.offset = -timedelta(days=100)
    await node.db.write(lambda tx: [thing(tx, f"https://bo.example/{n}") for n in range(retention.AT_ONCE + 5)])
    node.clock.offset = timedelta()
    forgotten: list[int] = []
    gone = await node.db.write(
        lambda tx: retention.forget_objects(tx, timedelta(days=60), [], lambda tx, ids: forgotten.append(len(ids)))
    )
    assert gone == retention.AT_ONCE
    assert forgotten == [gone]
