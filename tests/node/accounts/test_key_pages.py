"""The pages on which somebody changes their keys: what it costs stands there, and nobody else can do it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from federation.clock import iso
from federation.tables import actor_keys, actors
from node.social import commands as social
from node.social.rules import parse_post
from tests.node.house import a_node, sign_in, state


async def keys(ground):
    return await ground.db.read(lambda tx: tx.rows(sa.select(actor_keys).order_by(actor_keys.c.first_seen)))


async def document_of(ground, actor_id):
    return json.loads(
        await ground.db.read(lambda tx: tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id)))
    )


@pytest.mark.parametrize("path", ["/settings/keys/change", "/settings/keys/stolen"])
async def test_183_184_keys_are_changed_only_by_somebody_who_has_just_said_who_they_are(ground, path):
    async with a_node(ground) as (node, visitor):
        assert "/sign-in" in (await visitor.get(path)).url
        await sign_in(visitor)
        node.clock.offset = timedelta(minutes=11)
        before = await keys(ground)
        asked = await visitor.get(path)
        assert asked.url.endswith(f"/settings/proof?next={path}")
        token = await visitor.token("/settings")
        refused = await visitor.post(path, csrf=token)
        assert "/settings/proof" in refused.url
        node.clock.offset = timedelta()
        assert (await visitor.post(path)).status == 403
        assert await keys(ground) == before


async def test_183_keys_are_changed_by_page(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        page = await visitor.get("/settings/keys/change")
        assert "What you signed so far stays valid" in page.text
        done = await visitor.submit("/settings/keys/change", page="/settings/keys/change")
        assert "You sign with new keys from now on. What the old ones signed stands." in done.text
        assert done.text.count("Retired, old signatures still hold") == 2
        assert done.text.count("In use") == 2
        mine = [key for key in await keys(ground) if key.actor_id != node.ids.instance_actor]
        assert [key.retired_at is None for key in mine] == [False, False, True, True]
        assert {key.revoked_at for key in mine} == {None}


async def test_184_stolen_keys_are_declared_void_by_page_since_a_day(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        author = await node.author(node.ids.actor("alice"))
        await node.db.write(social.post, author, parse_post({"body": "Mine.", "audience": "public"}), None)
        page = await visitor.get("/settings/keys/stolen")
        assert "1 thing that everybody may read is signed anew" in page.text
        before = await state(ground.db)
        tomorrow = (node.clock.now() + timedelta(days=1)).date().isoformat()
        for day, word in {"yesterday": "Write the day as", tomorrow: "still to come"}.items():
            wrong = await visitor.submit("/settings/keys/stolen", page="/settings/keys/stolen", since=day)
            assert (wrong.status, word in wrong.text) == (422, True), day
        assert await state(ground.db) == before
        since = (node.clock.now() - timedelta(days=2)).date().isoformat()
        done = await visitor.submit("/settings/keys/stolen", page="/settings/keys/stolen", since=since, server="")
        assert "the old ones count for nothing" in done.text
        assert done.text.count("Revoked") == 2
        mine = [key for key in await keys(ground) if key.actor_id == author.actor_id]
        assert {iso(key.revoked_at) for key in mine if key.revoked_at} == {f"{since}T00:00:00Z"}
        assert [key.sealed is None for key in mine] == [True, True, False, False]
        others = [key for key in await keys(ground) if key.actor_id != author.actor_id]
        assert [key.revoked_at for key in others] == [None, None]
        served = await document_of(ground, author.actor_id)
        assert {key["revoked"] for key in served["verificationMethod"]} == {f"{since}T00:00:00Z"}
        old = {author.rsa_key_id, author.ed25519_key_id}
        assert {key["id"] for key in served["verificationMethod"]} == old
        assert not old & {key["id"] for key in (*served["assertionMethod"], served["publicKey"])}


async def test_184_the_keys_of_the_server_go_with_those_of_its_owner(ground):
    async with a_node(ground) as (node, visitor):
        await sign_in(visitor)
        asking = await node.client._instance()
        await visitor.submit("/settings/keys/stolen", page="/settings/keys/stolen", server="yes")
        assert len([key for key in await keys(ground) if key.revoked_at is not None]) == 4
        assert (await node.client._instance()).rsa_key_id != asking.rsa_key_id
