from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation.blocks import add_block
from federation.clock import Clock
from federation.storage import Database, Tx
from federation.tables import activities, actors, blocks, follows, host_rules, object_recipients, objects
from tests.federation.world import SQLITE, Peer, World, world_on

AP = {"Accept": "application/activity+json"}
HTML = {"Accept": "text/html,*/*;q=0.8"}


async def get(world: World, url: str, headers: dict[str, str] = AP) -> tuple[int, Mapping[str, str], Any]:
    async with world.http.get(url, headers=headers, allow_redirects=False) as response:
        body = await response.read()
        return response.status, response.headers, body


def local_object(tx: Tx, world: World, name: str, visibility: str, *recipients: str) -> str:
    object_id = f"{world.alice}/posts/{name}"
    body = msgspec.json.encode({"id": object_id, "type": "Note", "content": name})
    values = {
        "id": object_id, "type": "Note", "kind": "post", "owner": world.alice, "local": True,
        "visibility": visibility, "body": body, "verification": "signed",
        "published": tx.now, "updated": tx.now, "received_at": tx.now,
    }  # fmt: skip
    tx.execute(tx.insert(objects).values(values))
    for recipient in recipients:
        tx.execute(tx.insert(object_recipients).values(object_id=object_id, recipient=recipient))
    return object_id


def local_activity(tx: Tx, world: World, number: int, *, public: bool = True, object_id: str | None = None) -> str:
    activity_id = f"{world.alice}/activities/{number:026d}"
    body = msgspec.json.encode({"id": activity_id, "type": "Create", "to": [], "object": object_id})
    values = {
        "id": activity_id, "actor_id": world.alice, "type": "Create", "object_id": object_id, "public": public,
        "body": body, "published": tx.now,
    }  # fmt: skip
    tx.execute(tx.insert(activities).values(values))
    return activity_id


async def test_an_actor_is_its_stored_bytes(world: World) -> None:
    (row,) = await world.rows(sa.select(actors.c.document).where(actors.c.id == world.alice))
    status, headers, body = await get(world, world.alice)
    assert status == 200
    assert body == row.document
    assert headers["Content-Type"].startswith("application/activity+json")
    assert headers["Vary"] == "Accept, Signature"
    status, again, body = await get(world, world.alice, AP | {"If-None-Match": headers["ETag"]})
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])


async def test_people_are_sent_to_the_page(world: World) -> None:
    status, headers, _ = await get(world, world.alice, HTML)
    assert (status, headers["Location"]) == (303, world.ids.page("alice"))
    object_id = await world.db.write(local_object, world, "x", "public")
    status, headers, _ = await get(world, object_id, HTML)
    assert (status, headers["Location"]) == (303, world.ids.object_page(object_id))
    assert (await get(world, world.ids.actor("nobody"), HTML))[0] == 404


async def test_045_the_instance_actor_is_served_unsigned_and_to_anybody(world: World) -> None:
    for headers in (AP, HTML, {}):
        status, _, body = await get(world, world.ids.instance_actor, headers)
        document = msgspec.json.decode(body)
        assert (status, document["type"]) == (200, "Application")


async def test_a_changed_document_is_served_at_once(world: World) -> None:
    await get(world, world.alice)

    def change(tx: Tx) -> None:
        tx.execute(sa.update(actors).where(actors.c.id == world.alice).values(document=b'{"new":1}'))
        tx.notify("documents", world.alice)

    await world.db.write(change)
    await world.quiet("documents")
    assert (await get(world, world.alice))[2] == b'{"new":1}'


async def test_a_tombstone_is_410(world: World) -> None:
    from federation.objects import delete_object

    object_id = await world.db.write(local_object, world, "x", "public")
    activity_id = await world.db.write(lambda tx: local_activity(tx, world, 1, object_id=object_id))
    assert (await get(world, object_id))[0] == 200
    assert (await get(world, activity_id))[0] == 200
    await world.db.write(delete_object, object_id, world.alice)
    await world.quiet("documents")
    status, _, body = await get(world, object_id)
    assert (status, msgspec.json.decode(body)["type"]) == (410, "Tombstone")


async def test_a_deleted_object_leaves_the_outbox_too(world: World) -> None:
    from federation.objects import delete_object

    object_id = await world.db.write(local_object, world, "x", "public")
    activity_id = await world.db.write(lambda tx: local_activity(tx, world, 1, object_id=object_id))
    await world.db.write(delete_object, object_id, world.alice)
    await world.quiet("documents")
    assert (await get(world, activity_id))[0] == 404
    _, _, body = await get(world, f"{world.alice}/outbox?page=true")
    assert msgspec.json.decode(body)["orderedItems"] == []


@pytest.mark.parametrize("visibility", ["direct", "followers"])
async def test_126_what_is_private_looks_like_what_is_absent(world: World, peer: Peer, visibility: str) -> None:
    bob, eve = peer.actor("bob"), peer.actor("eve")
    await world.know(bob, eve)
    private = await world.db.write(local_object, world, "secret", visibility, bob.id)
    absent = f"{world.alice}/posts/absent"
    answers = []
    for url in (private, absent):
        for headers in (AP, AP | eve.signed_headers(url, None, method="GET")):
            status, seen, body = await get(world, url, headers)
            answers.append((status, body, {name: seen[name] for name in seen if name != "Date"}))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)
    status, seen, body = await get(world, private, AP | bob.signed_headers(private, None, method="GET"))
    assert (status, seen["Cache-Control"]) == (200, "private, no-store")
    assert msgspec.json.decode(body)["content"] == "secret"
    assert (await get(world, private))[0] == 404, "the answer to bob was kept for others"


async def test_126_a_follower_reads_what_is_for_followers(world: World, peer: Peer) -> None:
    bob = peer.actor("bob")
    await world.know(bob)
    (row,) = await world.rows(sa.select(actors.c.followers).where(actors.c.id == world.alice))
    object_id = await world.db.write(local_object, world, "x", "followers", row.followers)

    def follow(tx: Tx) -> None:
        values = {"follower": bob.id, "followee": world.alice, "activity_id": "f", "state": "accepted"}
        tx.execute(tx.insert(follows).values(values | {"created_at": tx.now}))

    def block(tx: Tx) -> None:
        tx.execute(tx.insert(blocks).values(actor=world.alice, target=bob.id, created_at=tx.now))

    async def status() -> int:
        return (await get(world, object_id, AP | bob.signed_headers(object_id, None, method="GET")))[0]

    assert await status() == 404
    await world.db.write(follow)
    assert await status() == 200
    await world.db.write(block)
    assert await status() == 404


async def test_126_a_private_activity_is_for_those_whom_it_addresses(world: World, peer: Peer) -> None:
    bob = peer.actor("bob")
    activity_id = await world.db.write(lambda tx: local_activity(tx, world, 1, public=False))
    assert (await get(world, activity_id))[0] == 404
    signed = AP | bob.signed_headers(activity_id, None, method="GET")
    assert (await get(world, activity_id, signed))[0] == 404
    addressed = msgspec.json.encode({"id": activity_id, "to": [bob.id]})
    await world.db.write(lambda tx: tx.execute(sa.update(activities).values(body=addressed)))
    assert (await get(world, activity_id, signed))[2] == addressed


async def test_134_a_blocked_host_is_answered_as_if_nothing_were_here(world: World, peer: Peer) -> None:
    bob = peer.actor("bob")
    signed = AP | bob.signed_headers(world.alice, None, method="GET")
    assert (await get(world, world.alice, signed))[0] == 200

    def block(tx: Tx) -> None:
        tx.execute(tx.insert(host_rules).values(host="127.0.0.2", rule="block", created_at=tx.now))

    await world.db.write(block)
    await world.db.read(world.policy.load)
    assert (await get(world, world.alice, signed))[0] == 404
    assert (await get(world, world.alice))[0] == 200


async def pages(world: World, url: str) -> tuple[int, list[Any]]:
    _, _, body = await get(world, url)
    whole = msgspec.json.decode(body)
    assert (whole["type"], whole["id"]) == ("OrderedCollection", url)
    items, following = [], whole["first"]
    while following:
        _, _, body = await get(world, following)
        page = msgspec.json.decode(body)
        assert (page["type"], page["partOf"], page["id"]) == ("OrderedCollectionPage", url, following)
        assert len(page["orderedItems"]) <= 40
        items += page["orderedItems"]
        following = page.get("next")
    return whole["totalItems"], items


async def test_the_outbox_lists_public_activities_newest_first(world: World) -> None:
    def fill(tx: Tx) -> None:
        for number in range(1, 96):
            local_activity(tx, world, number, public=number % 10 != 0)

    await world.db.write(fill)
    total, items = await pages(world, f"{world.alice}/outbox")
    numbers = [int(item["id"].rpartition("/")[2]) for item in items]
    assert numbers == [number for number in range(95, 0, -1) if number % 10]
    assert total == len(numbers) == 86


@pytest.mark.parametrize("name", ["followers", "following"])
async def test_relations_are_listed_in_pages(world: World, name: str) -> None:
    others = [f"https://peer.example/users/{number:03d}?x=ü&y" for number in range(81)]

    def fill(tx: Tx) -> None:
        for other in others:
            sides = (other, world.alice) if name == "followers" else (world.alice, other)
            values = dict(zip(("follower", "followee"), sides, strict=True))
            state = "requested" if "/080" in other else "accepted"
            tx.execute(tx.insert(follows).values(values | {"activity_id": other, "state": state, "created_at": tx.now}))

    await world.db.write(fill)
    assert await pages(world, f"{world.alice}/{name}") == (80, others[:80])


@SQLITE
@pytest.mark.parametrize("query", ["before=x", "before=" + "%00" * 26, "before=' OR 1=1", "page=true&before=-1"])
async def test_094_garbage_cursors(world: World, query: str) -> None:
    assert (await get(world, f"{world.alice}/outbox?{query}"))[0] == 400


async def test_094_limits_are_ours(world: World) -> None:
    assert (await get(world, f"{world.alice}/followers?page=true&limit=1000000000"))[0] == 200
    assert (await get(world, f"{world.alice}/followers?after={'x' * 3000}"))[0] == 400
    assert (await get(world, f"{world.alice}/followers?after=%00"))[0] == 400


@SQLITE
@pytest.mark.parametrize(
    "path",
    ["/users/nobody", "/users/nobody/outbox", "/users/alice/posts/nothing", "/users/alice/nothing/nothing",
     "/users/%00", "/users/..%2falice", "/users/" + "x" * 5000, "/users/alice/posts/" + "x" * 5000,
     "/users/al%20ice/followers", "/users/alice/posts/%ff%fe"],
)  # fmt: skip
async def test_what_is_not_here_is_404(world: World, path: str) -> None:
    from yarl import URL

    async with world.http.get(URL(world.ids.origin + path, encoded=True), headers=AP) as response:
        assert response.status == 404


@pytest.fixture
async def shut(db: Database, clock: Clock, peer: Peer, other: Peer) -> AsyncIterator[World]:
    async with world_on(db, clock, [peer, other], authorised=True) as world:
        yield world


async def test_045_where_reading_is_signed_the_instance_actor_is_read_by_anybody(shut: World, peer: Peer) -> None:
    world, bob = shut, peer.actor()
    object_id = await world.db.write(local_object, world, "x", "public")
    collections = [f"{world.alice}/{name}" for name in ("outbox", "followers", "following", "featured")]
    for url in (world.alice, object_id, f"{object_id}/replies", *collections):
        status, headers, _ = await get(world, url)
        assert (status, "Accept-Signature" in headers) == (401, True), url
        forged = AP | bob.signed_headers(world.alice + "x", None, method="GET")
        assert (await get(world, url, forged))[0] == 401, url
        signed = AP | bob.signed_headers(url, None, method="GET")
        assert (await get(world, url, signed))[0] == 200, url
    assert (await get(world, world.ids.instance_actor))[0] == 200
    for path in ("/.well-known/nodeinfo", "/nodeinfo/2.1", f"/.well-known/webfinger?resource={world.alice}"):
        assert (await get(world, world.ids.origin + path))[0] == 200, path


@pytest.mark.parametrize("which", ["world", "shut"])
async def test_134_a_blocked_reader_gets_what_is_not_there(
    which: str, peer: Peer, db: Database, clock: Clock, other: Peer
) -> None:
    async with world_on(db, clock, [peer, other], authorised=which == "shut") as world:
        await _is_not_there(world, peer)


async def _is_not_there(world: World, peer: Peer) -> None:
    bob, eve = peer.actor(), peer.actor("eve")
    object_id = await world.db.write(local_object, world, "x", "public")
    await world.know(bob, eve)
    await world.db.write(add_block, world.alice, bob.id)
    await world.quiet("blocks")
    never = f"{world.alice}/posts/never"
    for url in (world.alice, object_id, f"{world.alice}/outbox"):
        status, _, body = await get(world, url, AP | bob.signed_headers(url, None, method="GET"))
        _, _, nothing = await get(world, never, AP | bob.signed_headers(never, None, method="GET"))
        assert (status, body) == (404, nothing), url
        assert (await get(world, url, AP | eve.signed_headers(url, None, method="GET")))[0] == 200, url
