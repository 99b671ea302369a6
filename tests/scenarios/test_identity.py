"""Somebody is who they are, whichever server they live on: claimed both ways, taken along, succeeded, never forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

from federation.known_identities import identity_of
from federation.tables import actors, known_identities
from keys.phrases import new_phrase
from node.errors import Invalid
from node.identity import opening
from tests.nodes import Home, cluster, settled

if TYPE_CHECKING:
    from tests.people import Somebody


async def identify(somebody: Somebody) -> tuple[str, str]:
    """A new identity, made and tried as the pages do; returns its did:key and its code."""
    node, author, code = somebody.home.node, await somebody.author(), new_phrase()
    did = await opening.make(node, author, code)
    assert (await opening.try_code(node, author, code)).did == did
    return did, code


async def known(home: Home, who: Somebody) -> str | None:
    return await home.node.db.read(identity_of, who.id)


async def listed(somebody: Somebody) -> list[Any]:
    """What the actor's document says of identities."""
    [row] = await somebody.home.rows(sa.select(actors.c.document).where(actors.c.id == somebody.id))
    document = msgspec.json.decode(row.document)
    return [item["subject"] for item in document["attachment"] if item["type"] == "VerifiableIdentityStatement"]


async def test_an_identity_is_claimed_both_ways_and_stays_through_every_change(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        code = new_phrase()
        did = await opening.make(a.node, await alice.author(), code)
        await settled(a, b)
        assert await listed(alice) == []  # made, and not tried yet: nobody hears of it
        with pytest.raises(Invalid):
            await opening.try_code(a.node, await alice.author(), new_phrase())
        await settled(a, b)
        assert await known(b, alice) is None
        await opening.try_code(a.node, await alice.author(), code)
        await settled(a, b)
        assert await known(b, alice) == did == await known(a, alice)
        await alice.save_profile(name="Alice Okafor", links="https://alice.example/")
        await settled(a, b)
        assert await listed(alice) == [did]
        assert await known(b, alice) == did
        [row] = await b.rows(sa.select(known_identities))
        assert row.gone_at is None
        rows = await a.node.db.read(lambda tx: repr(tx.rows(sa.select(known_identities))))
        assert code not in rows
