"""What is not signed by whom it says, or was changed on the way, changes nothing: states compared, table by table."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from federation.tables import actor_keys, actors
from keys import requests
from keys.material import generate_rsa
from tests.nodes import Home, cluster, settled
from tests.scenarios.test_duplicates import ACTIVITY

SCHEMES: tuple[requests.Scheme, ...] = ("rfc9421", "cavage")


async def everything(home: Home) -> Any:
    """The state, but for when the signer's key was asked for once more, which every failed check does."""
    keys = await home.rows(sa.select(actor_keys.c.id, actor_keys.c.public, actor_keys.c.retired_at).order_by("id"))
    people = await home.rows(sa.select(actors.c.id, actors.c.document, actors.c.verification).order_by("id"))
    return await home.state(but=("actors", "actor_keys")), [tuple(row) for row in (*keys, *people)]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_forged_signature_changes_nothing(scheme: requests.Scheme):
    async with cluster("a.example", "b.example") as (a, b), aiohttp.ClientSession() as http:
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await b.go_dark()
        await alice.post("What I really said.", audience="followers")
        await b.listen()
        [create] = await a.sent("Create")
        author, url, now = await alice.author(), f"{b.origin}/inbox", a.clock.now()
        changed = create.body.replace(b"really", b"never")
        assert changed != create.body

        def sign(body: bytes, *, target: str = url, key=author.rsa, at=now) -> dict[str, str]:
            return requests.sign(requests.Request("POST", target, ACTIVITY, body), author.rsa_key_id, key, scheme, at)

        genuine = sign(create.body)
        digest = next(name for name in genuine if name.lower() in ("digest", "content-digest"))
        forged = {
            "nobody signed it": (changed, {}),
            "another key": (changed, sign(changed, key=generate_rsa())),
            "the body was changed": (changed, genuine),
            "and its digest with it": (changed, genuine | {digest: sign(changed)[digest]}),
            "it was meant for another inbox": (create.body, sign(create.body, target=f"{bob.id}/inbox")),
            "it is from another day": (create.body, sign(create.body, at=now.replace(year=now.year - 1))),
        }
        before = await everything(b)
        for how, (body, headers) in forged.items():
            async with http.post(url, data=body, headers=dict(ACTIVITY) | headers) as response:
                assert response.status == 401, how
            await settled(b)
            assert await everything(b) == before, how

        async with http.post(url, data=create.body, headers=dict(ACTIVITY) | genuine) as response:
            assert response.status == 202, "the genuine one is taken"
        await settled(b)
        assert len(await bob.timeline()) == 1


async def test_a_broken_proof_is_refused_even_under_a_good_signature():
    async with cluster("a.example", "b.example") as (a, b), aiohttp.ClientSession() as http:
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await b.go_dark()
        await alice.post("What I really said.")
        await b.listen()
        [create] = await a.sent("Create")
        document = json.loads(create.body)
        document["object"]["content"] = "<p>What I never said.</p>"
        body = json.dumps(document).encode()
        author, url = await alice.author(), f"{b.origin}/inbox"
        request = requests.Request("POST", url, ACTIVITY, body)
        headers = dict(ACTIVITY) | requests.sign(request, author.rsa_key_id, author.rsa, "rfc9421", a.clock.now())
        before = await everything(b)
        async with http.post(url, data=body, headers=headers) as response:
            assert response.status == 401
        await settled(b)
        assert await everything(b) == before
        assert await bob.timeline() == []
