"""The sender: what waits goes out, in order, host by host, and nobody's failure is anybody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import outbox, queue
from federation.circuits import host_is_alive
from federation.delivery import DeliveryLimits, DeliveryWorker
from federation.rates import Rate
from federation.storage import Database
from federation.tables import deliveries, follows, host_rules
from schemas.base import Audience, audience_of
from tests.federation.outgoing import HOME, Home, Host, home_on, running


async def test_a_post_reaches_the_shared_inbox_once_and_signed(home: Home, host: Host) -> None:
    await home.followed_by(host.actor("bob"), host.actor("bea"), shared=True)
    note = await home.post()
    await home.worker.drain()
    (post,) = host.posts
    assert post.path == "/inbox"
    assert post.document["object"]["id"] == note["id"]
    host.check_signed(home.alice)
    assert await home.states() == ["done"]


async def test_the_loop_sends_as_soon_as_something_is_queued(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    async with running(home.worker):
        await home.post()
        await host.got(1)
    await home.worker.drain()
    assert await home.states() == ["done"]


async def test_what_another_process_queues_is_sent_too(home: Home, host: Host, db: Database) -> None:
    await home.followed_by(host.actor())
    elsewhere = await Database.open(db.url, home.clock)
    async with running(home.worker):
        await elsewhere.write(home._create, home.note())
        await host.got(1)
    await elsewhere.close()


async def test_signatures_of_the_other_generation_are_tried_and_remembered(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = lambda post: 401 if post.scheme == "rfc9421" else 202
    await home.post("one")
    await home.worker.drain()
    await home.post("two")
    await home.worker.drain()
    assert [post.scheme for post in host.posts] == ["rfc9421", "cavage", "cavage"]
    host.check_signed(home.alice)
    assert (await home.peer(host)).scheme == "cavage"


async def test_160_a_host_that_was_down_for_a_week_gets_everything_in_order(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = 503
    texts = []
    for day in range(7):
        texts += [f"day {day}, first", f"day {day}, second"]
        await home.post(texts[-2])
        await home.later(seconds=1)
        await home.post(texts[-1])
        await home.later(days=1)
    assert set(await home.states()) == {"pending"}
    host.answer, host.posts = 202, []
    await home.later(hours=13)
    assert set(await home.states()) == {"done"}
    arrived = [post.document["object"]["content"] for post in host.posts]
    probe, *rest = arrived  # one tries the way, the rest follows in its order
    assert rest == [text for text in texts if text != probe]
    assert len(arrived) == len(texts)


async def test_160_an_unreachable_host_keeps_the_order_of_all_items(home: Home, host: Host, second: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob)
    nobody = "http://127.0.0.4:9"
    await home.db.write(
        lambda tx: tx.execute(sa.text(f"UPDATE actors SET inbox = '{nobody}/inbox' WHERE id = '{bob.id}'"))
    )
    for day in range(7):
        await home.post(str(day))
        await home.later(days=1)
    assert set(await home.states()) == {"pending"}
    assert {row.attempts for row in await home.rows()} == {0}
    await home.db.write(
        lambda tx: tx.execute(
            sa.update(deliveries).values(inbox=f"{second.origin}/inbox", host=second.origin.removeprefix("http://"))
        )
    )
    await home.worker.drain()
    assert [post.document["object"]["content"] for post in second.posts] == [str(day) for day in range(7)]


async def test_160_after_more_than_14_days_it_is_given_up_with_a_reason(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = 502
    await home.post()
    for _ in range(30):
        await home.later(hours=13)
    (row,) = await home.rows()
    assert row.state == "given_up"
    assert "502" in row.last_error
    assert row.finished_at is not None
    assert len(host.posts) < 60


async def test_162_one_refused_item_holds_nobody_up(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = lambda post: 400 if "poison" in post.document["object"]["content"] else 202
    for text in ("one", "poison", "two"):
        await home.post(text)
    await home.worker.drain()
    assert await home.states() == ["done", "given_up", "done"]
    assert (await home.peer(host)).failures == 0


@pytest.mark.parametrize("answer", [500, None])
async def test_162_an_item_on_which_a_host_chokes_is_given_up_and_holds_nobody_up(
    home: Home, host: Host, answer: int | None
) -> None:
    await home.followed_by(host.actor())
    host.answer = lambda post: answer if "poison" in post.document["object"]["content"] else 202
    await home.post("poison")
    await home.worker.drain()
    for number in range(12):
        await home.post(str(number))
        await home.worker.drain()
        assert (await home.states())[-1] == "done"
        await home.later(minutes=20)
    states = await home.states()
    assert states == ["given_up"] + ["done"] * 12


async def test_162_an_item_that_chokes_alone_does_not_close_the_way_for_the_next(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = lambda post: 500 if "poison" in post.document["object"]["content"] else 202
    await home.post("poison")
    for _ in range(20):
        await home.later(hours=1)
    await home.post("fine")
    await home.worker.drain()
    assert await home.states() == ["pending", "done"]


async def test_162_a_host_that_only_speaks_uses_up_nobodys_chances(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    await home.post("first")
    host.answer = 500
    name = host.origin.removeprefix("http://")
    for _ in range(20):
        await home.later(minutes=10)
        await home.db.write(host_is_alive, name)
        await home.worker.drain()
    assert await home.states() == ["pending"]
    host.answer = 202
    await home.later(hours=13)
    assert await home.states() == ["done"]


async def test_a_host_that_sends_us_something_is_tried_at_once(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = 503
    for text in ("one", "two", "three"):
        await home.post(text)
    await home.worker.drain()
    assert (await home.peer(host)).retry_at > home.clock.now()
    host.answer = 202
    assert await home.worker.drain() == 0
    await home.db.write(host_is_alive, host.origin.removeprefix("http://"))
    await home.worker.drain()
    assert await home.states() == ["done"] * 3
    assert (await home.peer(host)).failing_since is None


async def test_163_retry_after_is_honoured_between_a_least_and_a_day(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    for asked, kept in (
        ("315360000", timedelta(hours=24)),
        ("0", timedelta(seconds=30)),
        ("600", timedelta(minutes=10)),
    ):
        host.answers.append((429, {"Retry-After": asked}))
        await home.post(asked)
        before = home.clock.now()
        await home.worker.drain()
        wait = (await home.peer(host)).retry_at - before
        assert kept <= wait < kept + timedelta(seconds=5)
        sent = len(host.posts)
        await home.later(seconds=kept.total_seconds() - 10)
        assert len(host.posts) == sent
        await home.later(seconds=20)
        assert len(host.posts) == sent + 1
    assert await home.states() == ["done"] * 3


async def test_163_denied_is_tried_a_few_times_with_both_signatures(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = 401
    await home.post()
    for _ in range(30):
        await home.later(hours=13)
    assert await home.states() == ["given_up"]
    assert len(host.posts) == 10
    assert {post.scheme for post in host.posts} == {"rfc9421", "cavage"}


async def test_163_redirects_are_not_followed(home: Home, host: Host, second: Host) -> None:
    await home.followed_by(host.actor())
    host.answer = 307, {"Location": f"{second.origin}/inbox"}
    await home.post()
    await home.worker.drain()
    assert host.posts
    assert not second.posts
    assert await home.states() == ["pending"]


async def test_163_a_missing_shared_inbox_falls_back_to_the_personal_ones(home: Home, host: Host) -> None:
    await home.followed_by(host.actor("bob"), host.actor("bea"), shared=True)
    host.answer = lambda post: 404 if post.path == "/inbox" else 202
    await home.post()
    await home.worker.drain()
    assert [post.path for post in host.posts] == ["/inbox", "/users/bea/inbox", "/users/bob/inbox"]
    assert await home.states() == ["given_up", "done", "done"]
    assert len({post.body for post in host.posts}) == 1
    assert await home.db.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(follows))) == 2


async def _followers(home: Home) -> list[str]:
    return [row.follower for row in await home.db.read(lambda tx: tx.rows(sa.select(follows.c.follower)))]


async def test_163_a_follower_goes_when_the_actor_itself_answers_410(home: Home, host: Host) -> None:
    bob, bea = host.actor("bob"), host.actor("bea")
    await home.followed_by(bob, bea)
    host.documents["/users/bob"] = 410
    host.answer = lambda post: 410 if "bob" in post.path else 202
    await home.post()
    await home.worker.drain()
    assert await _followers(home) == [bea.id]


async def test_163_an_inbox_alone_that_is_gone_costs_no_follower(home: Home, host: Host) -> None:
    bob = host.actor("bob")
    await home.followed_by(bob)
    host.answer = 410
    await home.post()
    for _ in range(30):
        await home.later(hours=13)
    assert await home.states() == ["given_up"]
    assert await _followers(home) == [bob.id]


async def test_163_an_actor_may_be_missing_for_seven_days(home: Home, host: Host) -> None:
    bob = host.actor("bob")
    await home.followed_by(bob)
    del host.documents["/users/bob"]
    host.answer = 404
    await home.post()
    for _ in range(11):
        await home.later(hours=13)
        assert await _followers(home) == [bob.id]
    for _ in range(4):
        await home.later(hours=13)
    assert await _followers(home) == []
    assert await home.states() == ["given_up"]


async def test_163_a_new_inbox_is_learned_from_the_actor(home: Home, host: Host) -> None:
    bob = host.actor("bob")
    await home.followed_by(bob)
    bob.publish(inbox=f"{host.origin}/new/inbox")
    host.answer = lambda post: 202 if post.path == "/new/inbox" else 404
    await home.post()
    await home.worker.drain()
    assert [post.path for post in host.posts] == ["/users/bob/inbox", "/new/inbox"]


async def test_164_create_update_delete_arrive_in_that_order(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answers.extend([500, 429, 202, None, None, 202, 401, 401, 500])
    note = await home.post()
    await home.worker.step()
    changed = note | {"content": "changed"}
    await home.db.write(lambda tx: outbox.update(tx, home.alice, changed, audience=audience_of(note)))
    await home.db.write(outbox.delete, home.alice, note["id"])
    await home.post("something else")
    for _ in range(12):
        await home.later(hours=1)
    assert set(await home.states()) == {"done"}
    arrived = [post.document["type"] for post in host.posts if post.document["object"]["id"] == note["id"]]
    assert list(dict.fromkeys(arrived)) == ["Create", "Update", "Delete"]
    assert arrived == sorted(arrived, key=["Create", "Update", "Delete"].index)


async def test_166_after_a_crash_the_same_bytes_go_out_again(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    await home.post()
    host.holding = asyncio.Event()
    await home.worker.step()
    await host.got(1)
    for task, _ in home.worker._turns.values():
        task.cancel()
    host.holding.set()
    assert await home.states() == ["pending"]
    home.clock.offset += timedelta(minutes=5)
    again = DeliveryWorker(home.db, home.client, home.authors, HOME, home.clock)
    await again.drain()
    first, second = host.posts
    assert first.body == second.body
    assert await home.states() == ["done"]


@pytest.mark.parametrize("hours", [-2, 2])
async def test_175_a_clock_that_jumps_neither_stalls_nor_floods(home: Home, host: Host, hours: int) -> None:
    await home.followed_by(host.actor())
    for number in range(5):
        await home.post(str(number))
    assert await home.later(hours=hours) == 5
    assert await home.states() == ["done"] * 5
    await home.post("after")
    await home.worker.drain()
    assert await home.states() == ["done"] * 6


async def test_175_a_wait_beyond_every_wait_is_a_clock_that_was_wrong(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    host.answers.append((429, {"Retry-After": "60"}))
    home.clock.offset += timedelta(days=400)
    await home.post()
    await home.worker.drain()
    assert await home.later(days=-400) == 1
    assert await home.states() == ["done"]


async def test_180_a_host_that_comes_back_is_not_flooded(db: Database, clock, host: Host) -> None:
    limits = DeliveryLimits(rate=Rate(per_second=50, burst=10), batch=8)
    async with home_on(db, clock, limits=limits) as home:
        await home.followed_by(host.actor())
        for number in range(40):
            await home.post(str(number))
        start = asyncio.get_running_loop().time()
        await home.worker.drain()
        assert asyncio.get_running_loop().time() - start > 0.5
        assert await home.states() == ["done"] * 40


async def test_a_black_hole_delays_nobody(home: Home, host: Host, second: Host) -> None:
    await home.followed_by(host.actor(), second.actor())
    host.holding = asyncio.Event()
    async with running(home.worker):
        for number in range(5):
            await home.post(str(number))
        await second.got(5, seconds=3)
        assert len(host.posts) == 1
        host.holding.set()


async def test_090_a_thousand_failing_hosts_cost_little_and_are_forgotten(home: Home) -> None:
    def queue(tx) -> None:
        rows = [
            {
                "activity_id": f"{home.alice.actor_id}/activities/{number}",
                "sender": home.alice.actor_id,
                "inbox": f"http://127.0.0.4:9/{number}",
                "host": f"h{number}.example",
                "object_id": "x",
                "state": "pending",
                "attempts": 0,
                "created_at": tx.now,
                "due_at": tx.now,
            }
            for number in range(1000)
        ]
        tx.execute(sa.insert(deliveries), rows)

    await home.db.write(queue)
    await home.worker.drain()
    assert set(await home.states()) == {"given_up"}
    home.worker._tidied_at = None
    await home.later(days=61)
    assert await home.states() == []


async def test_066_an_inbox_on_a_private_address_is_refused(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob)
    for address in ("127.0.0.45:80", "10.0.0.1", "169.254.169.254", "[::1]:80", "127.0.0.1:1"):
        note = await home.post()
        this = sa.update(deliveries).where(deliveries.c.object_id == note["id"])
        moved = this.values(inbox=f"http://{address}/inbox", host=address)
        await home.db.write(lambda tx, moved=moved: tx.execute(moved))
    await home.worker.drain()
    assert await home.states() == ["given_up"] * 5


async def test_what_was_queued_for_a_host_that_is_blocked_now_is_given_up(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    await home.post()

    def block(tx) -> None:
        tx.execute(sa.insert(host_rules).values(host="127.0.0.4", rule="block", created_at=tx.now))

    await home.db.write(block)
    await home.worker.drain()
    assert await home.states() == ["given_up"]
    assert not host.posts
    note = home.note()
    assert await home.db.write(home._create, note) == 0


async def test_a_paused_host_gets_nothing_until_it_is_resumed(home: Home, host: Host) -> None:
    from federation import operate

    await home.followed_by(host.actor())
    name = host.origin.removeprefix("http://")
    await home.db.write(operate.pause, name)
    await home.post()
    await home.later(days=1)
    assert not host.posts
    await home.db.write(operate.resume, name)
    await home.worker.drain()
    assert await home.states() == ["done"]


async def test_a_message_for_one_goes_to_the_personal_inbox(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob, shared=True)
    note = home.note(to=[bob.id])
    sent = await home.db.write(
        lambda tx: outbox.create(tx, home.alice, note, kind="post", audience=Audience((bob.id,)), published=tx.now)
    )
    assert sent == 1
    await home.worker.drain()
    assert host.posts[0].path == "/users/bob/inbox"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_workers_on_one_database_send_everything_once(home: Home, host: Host, second: Host) -> None:
    await home.followed_by(host.actor(), second.actor())
    elsewhere = await Database.open(home.db.url, home.clock)
    worker = DeliveryWorker(elsewhere, home.client, home.authors, HOME, home.clock)
    for number in range(30):
        await home.post(str(number))
    await asyncio.gather(home.worker.drain(), worker.drain())
    await home.worker.drain()
    await elsewhere.close()
    assert await home.states() == ["done"] * 60
    assert len(host.posts) == len(second.posts) == 30


async def test_who_changes_their_profile_while_items_are_taken_loses_none(
    home: Home, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word of the change comes between asking for what the worker does not hold yet and using what it holds."""
    await home.followed_by(host.actor())
    await home.post("the first")
    await home.worker.drain()
    take = queue.take

    def take_and_hear(*args: Any, **kwargs: Any) -> queue.Taken:
        taken = take(*args, **kwargs)
        home.worker._forget_sender(home.alice.actor_id)
        return taken

    monkeypatch.setattr(queue, "take", take_and_hear)
    await home.post("the second")
    await home.worker.drain()
    assert await home.states() == ["done", "done"]
