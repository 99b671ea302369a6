"""What local actors do: stored once, signed when anybody may read it, queued for whom it is for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation import operate, outbox
from federation.authors import create_local_actor
from federation.clock import Clock
from federation.delivery import DeliveryLimits
from federation.errors import FederationError, Forbidden, NotFound, Refused, Unacceptable
from federation.rates import Rate
from federation.storage import Database, Tx
from federation.tables import activities, actors, deliveries, follows, host_rules, object_recipients, objects
from keys.proofs import read_proof
from schemas import activities as verbs
from schemas.base import Audience, audience_of, datetime_of
from schemas.terms import PUBLIC
from tests.federation.outgoing import Home, Host, home_on, new_keys, profile
from tests.federation.world import RemoteActor, ed25519, rsa


async def stored(home: Home, table: sa.Table) -> list[Any]:
    return list(await home.db.read(lambda tx: tx.rows(sa.select(table).order_by(table.c.id))))


async def create(home: Home, note: dict[str, Any], *, long: bool = False) -> int:
    audience = audience_of(note)
    return await home.db.write(
        lambda tx: outbox.create(tx, home.alice, note, kind="post", audience=audience, published=tx.now, long=long)
    )


async def update(home: Home, note: dict[str, Any], audience: Audience | None = None, *, long: bool = False) -> int:
    to = audience or audience_of(note)
    return await home.db.write(lambda tx: outbox.update(tx, home.alice, note, audience=to, long=long))


async def delete(home: Home, note: dict[str, Any]) -> int:
    return await home.db.write(outbox.delete, home.alice, note["id"])


async def unfollowed(home: Home) -> None:
    """Nobody follows alice any more."""
    await home.db.write(lambda tx: tx.execute(sa.delete(follows)))


async def sent(home: Home, **wanted: Any) -> list[dict[str, Any]]:
    """The activities, oldest first."""
    found = [msgspec.json.decode(row.body) for row in await stored(home, activities)]
    return [document for document in found if all(document[name] == value for name, value in wanted.items())]


async def test_a_public_object_and_its_activity_are_signed(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    assert await create(home, home.note()) == 1
    (held,) = await stored(home, objects)
    (activity,) = await stored(home, activities)
    for body in (held.body, activity.body):
        claim = read_proof(msgspec.json.decode(body))
        assert claim is not None
        claim.verify(home.alice.ed25519.public)
    assert msgspec.json.decode(activity.body)["object"] == msgspec.json.decode(held.body)
    assert (held.visibility, held.verification, held.owner) == ("public", "signed", home.alice.actor_id)
    assert activity.public
    assert activity.id.startswith(f"{home.alice.actor_id}/activities/")


async def test_140_what_is_private_carries_no_proof(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob)
    for to in ((bob.id,), (home.alice.followers,)):
        assert await create(home, home.note(to=to)) == 1
    for row in await stored(home, objects) + await stored(home, activities):
        assert b'"proof"' not in row.body
    kept = await home.db.read(lambda tx: tx.rows(sa.select(object_recipients.c.recipient)))
    assert {row.recipient for row in kept} == {bob.id, home.alice.followers}
    assert {row.visibility for row in await stored(home, objects)} == {"direct", "followers"}


async def test_a_commit_is_activity_object_and_deliveries_together(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    before = await home.db.read(operate.state)

    def fail(tx) -> None:
        note = home.note()
        outbox.create(tx, home.alice, note, kind="post", audience=audience_of(note), published=tx.now)
        raise Refused("after all")

    with pytest.raises(Refused):
        await home.db.write(fail)
    assert await home.db.read(operate.state) == before


async def test_local_followers_are_not_told_by_http(home: Home, host: Host) -> None:
    author = await home.db.write(create_local_actor, home.authors, "carol", new_keys("carol"), profile)
    await home.followed_by(host.actor())
    note = home.note(cc=(home.alice.followers, author.actor_id))
    assert await create(home, note) == 1
    assert {row.host for row in await home.rows()} == {host.origin.removeprefix("http://")}


async def test_followers_who_are_not_accepted_or_gone_are_not_told(home: Home, host: Host) -> None:
    bob, bea, gone = host.actor("bob"), host.actor("bea"), host.actor("gone")
    await home.followed_by(bob, bea, gone)
    await home.db.write(
        lambda tx: tx.execute(sa.text(f"UPDATE follows SET state='requested' WHERE follower='{bea.id}'"))
    )
    await home.db.write(lambda tx: tx.execute(sa.update(actors).where(actors.c.id == gone.id).values(gone_at=tx.now)))
    assert await create(home, home.note()) == 1
    (row,) = await home.rows()
    assert msgspec.json.decode(row.recipients) == [bob.id]


async def test_an_activity_over_50_kb_is_refused_whole(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    before = await home.db.read(operate.state)
    with pytest.raises(Unacceptable):
        await create(home, home.note("x" * 50_000))
    assert await home.db.read(operate.state) == before


async def test_a_long_object_travels_by_its_id(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    note = home.note("x" * 60_000)
    await home.db.write(
        lambda tx: outbox.create(
            tx, home.alice, note, kind="module", audience=audience_of(note), published=tx.now, long=True
        )
    )
    (activity,) = await stored(home, activities)
    assert msgspec.json.decode(activity.body)["object"] == note["id"]


def _foreign(home: Home, bob: RemoteActor) -> list[dict[str, Any]]:
    note = home.note()
    return [
        note | {"id": bob.new_id("notes")},
        note | {"attributedTo": bob.id},
        note | {"id": f"{home.alice.actor_id}x/posts/1"},
        note | {"id": None},
        note | {"attributedTo": [home.alice.actor_id, bob.id]},
    ]


async def test_112_nobody_publishes_under_another_name(home: Home, host: Host) -> None:
    before = await home.db.read(operate.state)
    for note in _foreign(home, host.actor()):
        with pytest.raises(Forbidden):
            await create(home, note)
    assert await home.db.read(operate.state) == before


async def test_an_update_reaches_whoever_got_the_object_and_whoever_follows_now(
    home: Home, host: Host, second: Host
) -> None:
    bob, late = host.actor(), second.actor()
    await home.followed_by(bob)
    note = home.note()
    assert await create(home, note) == 1
    await home.db.write(lambda tx: tx.execute(sa.text("DELETE FROM follows")))
    await home.followed_by(late)
    assert await update(home, note | {"content": "changed"}) == 2
    _, *told = await home.rows()
    assert {row.inbox for row in told} == {f"{bob.id}/inbox", f"{late.id}/inbox"}


async def test_updated_never_lies_before_published(home: Home) -> None:
    note = home.note()
    await create(home, note)
    home.clock.offset -= timedelta(days=1)
    await update(home, note | {"content": "a day before"})
    (held,) = await stored(home, objects)
    document = msgspec.json.decode(held.body)
    assert datetime_of(document["updated"]) >= datetime_of(document["published"])
    assert held.updated >= held.published


async def test_176_an_absurd_time_is_no_reason_to_fail(home: Home) -> None:
    note = home.note()
    await create(home, note)
    for moment in ("9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2026-06-30T23:59:60Z", "soon", 7, None):
        await update(home, note | {"updated": moment, "content": str(moment)})
    (held,) = await stored(home, objects)
    assert held.updated >= held.published


@pytest.mark.parametrize("what", ["absent", "deleted", "another's", "published"])
async def test_050_an_update_that_may_not_be_changes_nothing(home: Home, host: Host, what: str) -> None:
    bob = host.actor()
    note = home.note(to=[bob.id])
    await create(home, note)
    changed, error, audience = note | {"content": "changed"}, NotFound, audience_of(note)
    if what == "absent":
        changed = home.note()
    elif what == "deleted":
        await home.db.write(outbox.delete, home.alice, note["id"])
    elif what == "another's":
        changed, error = changed | {"attributedTo": bob.id}, Forbidden
    else:
        error, audience = Refused, Audience((PUBLIC,))
    before = await home.db.read(operate.state)
    with pytest.raises(error):
        await update(home, changed, audience)
    assert await home.db.read(operate.state) == before


async def test_136_a_delete_reaches_everybody_who_ever_got_it(home: Home, host: Host, second: Host) -> None:
    await home.followed_by(host.actor(), second.actor())
    note = home.note()
    await create(home, note)
    await home.worker.drain()
    await home.db.write(lambda tx: tx.execute(sa.text("DELETE FROM follows")))
    assert await home.db.write(outbox.delete, home.alice, note["id"]) == 2
    assert await home.db.write(outbox.delete, home.alice, note["id"]) == 0
    await home.worker.drain()
    for server in (host, second):
        assert server.verbs == ["Create", "Delete"]
        assert server.posts[-1].document["object"]["type"] == "Tombstone"
    (held,) = await stored(home, objects)
    assert held.body is None
    assert held.deleted_at is not None


async def test_015_nobody_deletes_what_is_anothers(home: Home, host: Host) -> None:
    note = home.note()
    await create(home, note)
    await home.db.write(lambda tx: tx.execute(sa.update(objects).values(owner=home.ids.actor("carol"))))
    for object_id, error in ((note["id"], Forbidden), ("http://127.0.0.1:1/users/alice/posts/x", NotFound)):
        with pytest.raises(error):
            await home.db.write(outbox.delete, home.alice, object_id)


async def test_a_changed_profile_is_told_once(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    assert await home.db.write(outbox.update_actor, home.alice, profile(home.alice)) == 0
    changed = profile(home.alice) | {"name": "Alice Example"}
    assert await home.db.write(outbox.update_actor, home.alice, changed) == 1
    assert await home.db.write(outbox.update_actor, home.alice, changed) == 0
    await home.worker.drain()
    document = host.posts[0].document["object"]
    assert document["name"] == "Alice Example"
    assert datetime_of(document["updated"]) is not None
    claim = read_proof(document)
    assert claim is not None
    claim.verify(home.alice.ed25519.public)


async def test_one_can_also_be_told_who_is_not_addressed(home: Home, host: Host) -> None:
    bob, bea = host.actor("bob"), host.actor("bea")
    await home.meet(bob)
    await home.meet(bea)
    activity_id = home.ids.activity(home.alice.actor_id, home.clock.now())
    follow = verbs.follow(activity_id, home.alice.actor_id, bob.id, "2026-11-25T00:00:00Z")
    told = await home.db.write(
        lambda tx: outbox.publish(tx, home.alice, follow, Audience((bob.id,)), object_id=bob.id, also=[bea.id])
    )
    assert told == 2


async def test_hundreds_of_followers_are_one_row_a_server(db: Database, clock: Clock, host: Host) -> None:
    async with home_on(db, clock, limits=DeliveryLimits(rate=Rate(per_second=1_000, burst=1_000))) as home:
        many = [RemoteActor(host, f"f{number}", rsa("bob"), ed25519("bob")) for number in range(210)]
        await home.followed_by(*many, shared=True)
        assert await create(home, home.note()) == 1
        (row,) = await home.rows()
        assert row.recipients is None  # too many to write down: a fallback asks who follows
        host.answer = lambda post: 404 if post.path == "/inbox" else 202
        await home.worker.drain()
        assert len({post.path for post in host.posts}) == 211


async def test_errors_say_what_to_do(home: Home) -> None:
    with pytest.raises(FederationError) as raised:
        await create(home, home.note("x" * 50_000))
    assert "Shorten it" in raised.value.safe


async def test_one_activity_is_queued_once_an_inbox(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob)
    note = home.note(cc=(home.alice.followers, bob.id))
    assert await create(home, note) == 1
    assert len(await home.rows(deliveries.c.id)) == 1


# ---- to whom


async def test_130_nobody_learns_whom_bto_and_bcc_name(home: Home, host: Host) -> None:
    bob, bea = host.actor("bob"), host.actor("bea")
    await home.followed_by(bob)
    await home.meet(bea)
    blind = {"bto": [bea.id], "bcc": [bea.id]}
    note = home.note() | blind
    assert await create(home, note) == 1
    assert await update(home, note | {"content": "changed"}) == 1
    follow_id = home.ids.activity(home.alice.actor_id, home.clock.now())
    follow = verbs.follow(follow_id, home.alice.actor_id, bob.id, "2026-11-25T00:00:00Z") | blind
    await home.db.write(lambda tx: outbox.publish(tx, home.alice, follow, Audience((bob.id,)), object_id=bob.id))
    await delete(home, note)
    kept = await stored(home, objects) + await stored(home, activities)
    assert len(kept) == 5
    for row in kept:
        assert row.body is None or not any(word in row.body for word in (b'"bto"', b'"bcc"', bea.id.encode()))
    await home.worker.drain()
    assert sorted(host.verbs) == ["Create", "Delete", "Follow", "Update"]
    assert not any(bea.id.encode() in post.body for post in host.posts)


async def test_a_server_with_a_shared_inbox_is_one_delivery_and_one_without_is_one_each(
    home: Home, host: Host, second: Host
) -> None:
    bob, bea, gert, gil = host.actor("bob"), host.actor("bea"), second.actor("gert"), second.actor("gil")
    await home.followed_by(bob, bea, shared=True)
    await home.followed_by(gert, gil)
    assert await create(home, home.note()) == 3
    told = {row.inbox: msgspec.json.decode(row.recipients) for row in await home.rows()}
    assert set(told.pop(f"{host.origin}/inbox")) == {bob.id, bea.id}
    assert told == {f"{gert.id}/inbox": [gert.id], f"{gil.id}/inbox": [gil.id]}


@pytest.mark.parametrize("to", ["followers", "public"])
async def test_followers_and_everybody_are_told_through_shared_inboxes(home: Home, host: Host, to: str) -> None:
    await home.followed_by(host.actor("bob"), host.actor("bea"), shared=True)
    note = home.note(to=(home.alice.followers,)) if to == "followers" else home.note()
    assert await create(home, note) == 1
    assert [row.inbox for row in await home.rows()] == [f"{host.origin}/inbox"]


async def test_131_what_is_for_certain_people_goes_to_their_own_inboxes(home: Home, host: Host) -> None:
    bob, bea, other = host.actor("bob"), host.actor("bea"), host.actor("other")
    await home.followed_by(bob, bea, other, shared=True)
    note = home.note(to=(bob.id, bea.id))
    assert await create(home, note) == 2
    assert await update(home, note | {"content": "changed"}) == 2
    assert await delete(home, note) == 2
    await home.worker.drain()
    assert {post.path for post in host.posts} == {"/users/bob/inbox", "/users/bea/inbox"}


async def test_more_are_addressed_than_a_statement_takes(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.meet(bob)
    (row,) = await home.db.read(lambda tx: tx.rows(sa.select(actors).where(actors.c.id == bob.id)))
    many = [f"{host.origin}/users/p{number}" for number in range(1_001)]
    values = [dict(row._mapping) | {"id": actor_id, "inbox": f"{actor_id}/inbox"} for actor_id in many]
    await home.db.write(lambda tx: tx.execute(sa.insert(actors), values))
    activity_id = home.ids.activity(home.alice.actor_id, home.clock.now())
    follow = verbs.follow(activity_id, home.alice.actor_id, bob.id, "2026-11-25T00:00:00Z")
    told = await home.db.write(
        lambda tx: outbox.publish(tx, home.alice, follow, Audience((bob.id,)), object_id=bob.id, also=many)
    )
    assert told == 1_002
    assert len(await home.rows(deliveries.c.id)) == 1_002


async def test_134_blocked_hosts_are_told_nothing(home: Home, host: Host, second: Host) -> None:
    await home.followed_by(host.actor(), second.actor())
    note = home.note()
    assert await create(home, note) == 2
    blocked = second.origin.removeprefix("http://").partition(":")[0]
    row = {"host": blocked, "rule": "block"}
    await home.db.write(lambda tx: tx.execute(sa.insert(host_rules).values(row | {"created_at": tx.now})))
    assert await create(home, home.note("another")) == 1
    assert await update(home, note | {"content": "changed"}) == 1
    assert await delete(home, note) == 1
    assert [row.host for row in await home.rows()].count(second.origin.removeprefix("http://")) == 1


async def test_066_nothing_is_sent_to_ourselves(home: Home, host: Host) -> None:
    """Somebody elsewhere may say that their inbox is here."""
    bob = host.actor()
    await home.followed_by(bob)
    row = sa.update(actors).where(actors.c.id == bob.id)
    await home.db.write(lambda tx: tx.execute(row.values(inbox=f"{home.ids.origin}/users/alice/inbox")))
    assert await create(home, home.note()) == 0
    assert await home.rows() == []
    assert len(await sent(home)) == 1


async def test_136_ex_followers_are_told_of_what_they_got_through_a_shared_inbox(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob, shared=True)
    note = home.note(to=(home.alice.followers,))
    await create(home, note)
    await unfollowed(home)
    assert await create(home, home.note("not for them")) == 0
    assert await update(home, note | {"content": "changed"}) == 1
    assert await delete(home, note) == 1
    await home.worker.drain()
    assert host.verbs == ["Create", "Update", "Delete"]
    assert {post.path for post in host.posts} == {"/inbox"}
    assert not any(b"not for them" in post.body for post in host.posts)


async def test_who_got_only_an_update_is_told_of_the_end_too(home: Home, host: Host, second: Host) -> None:
    bob, late = host.actor(), second.actor()
    await home.followed_by(bob)
    note = home.note()
    await create(home, note)
    await home.followed_by(late)
    await update(home, note | {"content": "changed"})
    await unfollowed(home)
    assert await delete(home, note) == 2


# ---- what


@pytest.mark.parametrize("verb", ["Create", "Update"])
async def test_what_is_long_travels_whole_or_by_its_id_and_always_under_50_kb(
    home: Home, host: Host, verb: str
) -> None:
    """At every length near the limit: nothing that may be long is refused, and nothing short travels by its id."""
    await home.followed_by(host.actor())
    for length in (10, *range(42_000, 48_000, 500), 300_000):
        note = home.note("x" * length)
        await create(home, note if verb == "Create" else home.note("x") | {"id": note["id"]}, long=True)
        if verb == "Update":
            await update(home, note, long=True)
    rows = [row for row in await stored(home, activities) if row.type == verb]
    assert max(len(row.body) for row in rows) <= outbox.MAX_BODY
    brought = [msgspec.json.decode(row.body)["object"] for row in rows]
    assert isinstance(brought[0], dict)
    assert sum(isinstance(value, dict) for value in brought) >= 4
    assert sum(isinstance(value, str) for value in brought) >= 4
    whole = [len(row.body) for row in await stored(home, objects)]
    assert max(whole) > 300_000  # at its id it stands whole


async def test_an_update_over_50_kb_is_refused_whole(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    note = home.note()
    await create(home, note)
    before = await home.db.read(operate.state)
    with pytest.raises(Unacceptable):
        await update(home, note | {"content": "x" * 50_000})
    assert await home.db.read(operate.state) == before


async def test_140_what_becomes_private_is_not_signed_any_more(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.followed_by(bob)
    note = home.note()
    await create(home, note)
    await update(home, note | {"to": [bob.id], "cc": [], "content": "between us"}, Audience((bob.id,)))
    (held,) = await stored(home, objects)
    assert (held.visibility, held.verification) == ("direct", "delivered")
    assert b'"proof"' not in held.body
    (activity,) = [row for row in await stored(home, activities) if row.type == "Update"]
    assert not activity.public
    assert b'"proof"' not in activity.body
    await delete(home, note)
    assert not any(row.public for row in await stored(home, activities) if row.type == "Delete")


@pytest.mark.parametrize("shown_to", ["public", "unlisted", "followers", "another"])
async def test_050_nothing_private_is_shown_to_more_people(home: Home, host: Host, shown_to: str) -> None:
    bob, bea = host.actor("bob"), host.actor("bea")
    await home.followed_by(bob, bea)
    note = home.note(to=(bob.id,))
    await create(home, note)
    wider = {
        "public": Audience((PUBLIC,)),
        "unlisted": Audience((bob.id,), (PUBLIC,)),
        "followers": Audience((home.alice.followers,)),
        "another": Audience((bob.id, bea.id)),
    }[shown_to]
    before = await home.db.read(operate.state)
    with pytest.raises(Refused):
        await update(home, note | {"to": list(wider.to), "cc": list(wider.cc), "content": "changed"}, wider)
    assert await home.db.read(operate.state) == before


async def test_what_is_private_can_be_changed_for_those_who_have_it(home: Home, host: Host) -> None:
    bob = host.actor()
    await home.meet(bob)
    note = home.note(to=(bob.id,))
    await create(home, note)
    assert await update(home, note | {"content": "changed"}) == 1
    (document,) = await sent(home, type="Update")
    assert document["object"]["content"] == "changed"
    assert "proof" not in document["object"]


async def test_an_update_keeps_published_and_never_goes_back(home: Home) -> None:
    note = home.note()
    await create(home, note)
    later = (home.clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await update(home, note | {"content": "2", "published": "2030-01-01T00:00:00Z", "updated": later})
    await update(home, note | {"content": "3", "published": None})  # now, which is before that
    (held,) = await stored(home, objects)
    assert msgspec.json.decode(held.body)["published"] == note["published"]
    await update(home, note | {"content": "4", "published": "2030-01-01T00:00:00Z"})
    (held,) = await stored(home, objects)
    document = msgspec.json.decode(held.body)
    assert document["published"] == note["published"]
    assert document["updated"] == later
    assert document["content"] == "4"


async def test_164_what_happens_to_one_object_is_queued_in_its_order(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    note = home.note()
    await create(home, note)
    for number in range(3):
        await update(home, note | {"content": str(number)})
    await delete(home, note)
    told = await home.rows(deliveries.c.activity_id, deliveries.c.object_id)
    verb_of = {row.id: row.type for row in await stored(home, activities)}
    assert [verb_of[row.activity_id] for row in told] == ["Create", "Update", "Update", "Update", "Delete"]
    assert {row.object_id for row in told} == {note["id"]}
    assert len({row.activity_id for row in told}) == 5
    await home.worker.drain()
    assert host.verbs == ["Create", "Update", "Update", "Update", "Delete"]
    assert [post.document["object"]["content"] for post in host.posts[1:4]] == ["0", "1", "2"]


@pytest.mark.parametrize("state", ["standing", "deleted"])
async def test_an_id_is_used_once_for_ever(home: Home, host: Host, state: str) -> None:
    await home.followed_by(host.actor())
    note = home.note()
    await create(home, note)
    if state == "deleted":
        await delete(home, note)
    before = await home.db.read(operate.state)
    with pytest.raises(Refused):
        await create(home, note | {"content": "another"})
    assert await home.db.read(operate.state) == before


async def test_deleting_twice_says_it_once(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    note = home.note()
    await create(home, note)
    assert await delete(home, note) == 1
    before = await home.db.read(operate.state)
    home.clock.offset += timedelta(days=1)
    assert await delete(home, note) == 0
    assert await home.db.read(operate.state) == before


async def test_a_tombstone_says_nothing_of_what_was_there(home: Home, host: Host) -> None:
    await home.followed_by(host.actor())
    note = home.note("a secret that was taken back")
    await create(home, note)
    await delete(home, note)
    (document,) = await sent(home, type="Delete")
    tombstone = document["object"]
    assert (tombstone["type"], tombstone["id"], tombstone["formerType"]) == ("Tombstone", note["id"], "Note")
    assert b"a secret" not in msgspec.json.encode(document)
    claim = read_proof(document)
    assert claim is not None
    claim.verify(home.alice.ed25519.public)


@pytest.mark.parametrize("verb", ["update", "delete", "actor"])
async def test_a_rollback_leaves_nothing(home: Home, host: Host, verb: str) -> None:
    """Neither the object, nor the activity, nor its deliveries, nor a notification to send them."""
    await home.followed_by(host.actor())
    note = home.note()
    await create(home, note)
    await home.worker.drain()
    heard: list[str | None] = []
    home.db.subscribe(outbox.TOPIC, heard.append)
    before = await home.db.read(operate.state)

    def fail(tx: Tx) -> None:
        if verb == "update":
            outbox.update(tx, home.alice, note | {"content": "changed"}, audience=audience_of(note))
        elif verb == "delete":
            outbox.delete(tx, home.alice, note["id"])
        else:
            outbox.update_actor(tx, home.alice, profile(home.alice) | {"name": "Another"})
        raise Refused("after all")

    with pytest.raises(Refused):
        await home.db.write(fail)
    assert await home.db.read(operate.state) == before
    assert heard == []
    await home.worker.drain()
    assert host.verbs == ["Create"]
