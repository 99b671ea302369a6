"""What was a gig, and is none any more, stands on no board."""

from __future__ import annotations

from node import inboxes
from node.market import queries
from tests.node.house import settle_in
from tests.node.market.test_inbox import GIG, gig
from tests.node.neighbours import actor, follow, know, received


async def test_a_gig_may_become_a_note_and_a_gig_again(ground):
    node, account = await settle_in(ground)
    await node.db.write(lambda tx: follow(tx, account.actor_id, know(tx, actor())))

    async def take(verb: str, thing: dict, number: int) -> list[str]:
        await node.db.write(inboxes.on_object, received(verb, thing, number=number), node.authors)
        return [view.id for view in await node.db.read(queries.board)]

    note = {name: value for name, value in gig().items() if name not in ("purpose", "publishes", "reciprocal")}
    assert await take("Create", gig(), 1) == [GIG]
    assert await take("Update", note | {"updated": "2026-11-21T10:00:00Z"}, 2) == []
    assert await take("Update", gig(updated="2026-11-22T10:00:00Z"), 3) == [GIG]
    assert await take("Update", note | {"updated": "2026-11-21T10:00:00Z"}, 4) == [GIG], (
        "what comes late changes nothing"
    )
    await node.client.close()
