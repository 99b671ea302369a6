from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from federation.tables import actors
from tests.federation.world import SQLITE, World


async def webfinger(world: World, resource: str) -> tuple[int, Any]:
    url = f"{world.ids.origin}/.well-known/webfinger?resource={quote(resource, safe='')}"
    async with world.http.get(url, headers={"Accept": "application/jrd+json"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response.status, await response.json(content_type=None)


async def test_webfinger_knows_a_name_an_id_and_a_page(world: World) -> None:
    ids = world.ids
    for resource in (f"acct:alice@{ids.host}", f"acct:Alice@{ids.host}", ids.actor("alice"), ids.page("alice")):
        status, document = await webfinger(world, resource)
        assert status == 200, resource
        assert document["subject"] == f"acct:alice@{ids.host}"
        links = {link["rel"]: link for link in document["links"] if link["type"] == "application/activity+json"}
        assert links["self"]["href"] == ids.actor("alice")


async def test_webfinger_has_its_media_type(world: World) -> None:
    url = f"{world.ids.origin}/.well-known/webfinger?resource=acct:alice@{world.ids.host}"
    for _ in range(2):  # fresh, then from memory
        async with world.http.get(url) as response:
            assert response.headers["Content-Type"] == "application/jrd+json"


async def test_webfinger_knows_the_instance_actor(world: World) -> None:
    status, document = await webfinger(world, f"acct:instance.actor@{world.ids.host}")
    assert status == 200
    assert document["links"][1]["href"] == world.ids.instance_actor


@SQLITE
@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("acct:nobody@{host}", 404),
        ("acct:alice@elsewhere.example", 404),
        ("https://elsewhere.example/users/alice", 404),
        ("{origin}/users/alice/../bob", 404),
        ("{origin}/users/{long}", 400),
        ("acct:alice", 400),
        ("alice", 400),
        ("@@", 400),
        ("acct:@@", 400),
        ("acct:alice@", 400),
        ("acct:@{host}", 400),
        ("acct:alice@{host}/x", 400),
        ("acct:al\0ice@{host}", 400),
        ("acct:" + "x" * 7_000 + "@{host}", 400),
        ("mailto:alice@{host}", 400),
        ("https://good\\@evil/", 400),
        ("", 400),
    ],
)
async def test_057_webfinger_garbage(world: World, resource: str, status: int) -> None:
    text = resource.format(host=world.ids.host, origin=world.ids.origin, long="x" * 3000)
    assert (await webfinger(world, text))[0] == status


@SQLITE
@pytest.mark.parametrize(
    "query", ["", "?", "?resource", "?rel=self", "?resource=a&resource=b", "?%ff=%ff&resource=%ff"]
)
async def test_057_webfinger_without_one_resource(world: World, query: str) -> None:
    async with world.http.get(f"{world.ids.origin}/.well-known/webfinger{query}") as response:
        assert response.status == 400


async def test_webfinger_forgets_what_has_changed(world: World) -> None:
    resource = f"acct:alice@{world.ids.host}"
    assert (await webfinger(world, resource))[0] == 200

    def end(tx: Any) -> None:
        tx.execute(sa.update(actors).where(actors.c.id == world.alice).values(gone_at=tx.now))
        tx.notify("documents", world.alice)

    await world.db.write(end)
    await world.quiet("documents")
    assert (await webfinger(world, resource))[0] == 404


async def test_nodeinfo(world: World) -> None:
    async with world.http.get(f"{world.ids.origin}/.well-known/nodeinfo") as response:
        links = (await response.json())["links"]
    for link in links:
        async with world.http.get(link["href"]) as response:
            document = await response.json()
        assert document["version"] == link["href"].rpartition("/")[2]
        assert document["usage"] == {"users": {"total": 1}, "localPosts": 0}
    async with world.http.get(f"{world.ids.origin}/nodeinfo/1.0") as response:
        assert response.status == 404


async def test_nodeinfo_counts_once_a_minute(world: World) -> None:
    async def users() -> int:
        async with world.http.get(f"{world.ids.origin}/nodeinfo/2.1") as response:
            return int((await response.json())["usage"]["users"]["total"])

    assert await users() == 1
    await world.local_actor("carol")
    assert await users() == 1
    world.clock.offset += timedelta(seconds=61)
    assert await users() == 2


async def test_host_meta_and_robots(world: World) -> None:
    async with world.http.get(f"{world.ids.origin}/.well-known/host-meta") as response:
        assert response.content_type == "application/xrd+xml"
        assert f"{world.ids.origin}/.well-known/webfinger?resource={{uri}}" in await response.text()
    async with world.http.get(f"{world.ids.origin}/robots.txt") as response:
        assert "Disallow" in await response.text()
