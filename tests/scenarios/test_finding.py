"""Two nodes: what one publishes is found on the other as long as it stands; a pack of one begins the other's day."""

from __future__ import annotations

from federation import outbox
from node.relations.worker import RelationsWorker
from node.search import queries
from node.search.rules import parse_query
from tests.nodes import Databases, Somebody, cluster, settled

MARKER = "xylophone"


async def found(somebody: Somebody, text: str) -> list[str]:
    """As the page finds it, with its count."""
    result = await somebody.home.node.db.read(queries.search, parse_query(text), somebody.id, lambda owner: True)
    assert result.total == len(result.found)
    return [one.subject for one in result.found]


async def test_what_arrived_is_found_until_it_is_deleted(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        gig = await alice.publish_gig(title=f"A {MARKER} tuned", skills="instrument tuning")
        post = await alice.post(f"I play the #{MARKER}")
        hidden = await alice.post(f"For followers: {MARKER}", audience="followers")
        assert await found(bob, MARKER) == []
        await settled(a, b)
        assert set(await found(bob, MARKER)) == {gig, post}
        assert hidden in await found(alice, MARKER)
        assert [one.object_id for one in await b.node.db.read(queries.tagged, MARKER)] == [post]
        assert await found(bob, "alice") == [alice.id]
        await alice.do(outbox.delete, gig)
        await alice.delete(post)
        await settled(a, b)
        assert await found(bob, MARKER) == []
        assert await b.node.db.read(queries.tagged, MARKER) == []
        await alice.save_profile(discoverable="")
        await settled(a, b)
        assert await found(bob, "alice") == []


async def test_a_pack_of_one_node_begins_the_day_on_another(databases: Databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        carol = await a.add("carol")
        await settled(a, b)
        async with a.visitor() as visitor:
            await alice.sign_in(visitor)
            members = f"{alice.handle} {carol.handle}"
            page = await visitor.submit("/packs/new", name="Good neighbours", members=members)
            address = page.url.replace(a.place, a.origin)
        async with b.visitor() as visitor:
            await bob.sign_in(visitor)
            page = await visitor.submit("/packs/bring", page="/setup/hello", url=address)
            assert "Signature verified" in page.text, page.text
            assert "Good neighbours" in page.text
            page = await visitor.submit(page.url.removeprefix(b.place), who=carol.id)
            assert "/settings/lists/" in page.url
            worker = RelationsWorker(b.node)
            while await worker.step():
                await settled(a, b)
        assert await b.follow_state(bob.id, carol.id) == "accepted"
        assert await a.follow_state(bob.id, carol.id) == "accepted"
        assert await b.follow_state(bob.id, alice.id) is None
