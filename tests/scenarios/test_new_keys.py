"""Keys are changed, as planned or because somebody has them; and those of others change, by them or by a stranger."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import sqlalchemy as sa
from aiohttp import web

from federation.authors import Author, keep_keys, make_keys, save_local_actor
from federation.errors import Busy, Refused
from federation.known_actors import expire_keys
from federation.known_keys import has_new_owner, last_unconfirmed, recall
from federation.rotating import Rotated, forget_old_halves, rotate
from federation.tables import activities, actor_keys, actors, objects
from federation.verdicts import NO_PINS, check
from keys import requests
from keys.proofs import add_proof, read_proof
from node.evidence import evidence_of_object
from node.market.tables import gigs
from node.notifications.tables import notifications
from node.profiles.commands import save_profile
from node.profiles.rules import parse_profile
from node.social import commands as social
from node.social.rules import parse_post
from schemas.actors import write_keys
from tests.nodes import Home, cluster, settled
from tests.people import Somebody
from tests.scenarios.test_duplicates import ACTIVITY


async def change(somebody: Somebody, *, compromised: datetime | None = None, author: Author | None = None) -> Rotated:
    node, keys = somebody.home.node, await asyncio.to_thread(make_keys)
    author = author or await somebody.author()
    return await node.db.write(rotate, node.authors, author, keys, compromised=compromised)


async def known_keys(home: Home, whose: str) -> dict[str, tuple[str, str]]:
    """By key id: whether it counts, and who says that it is theirs."""
    rows = await home.rows(sa.select(actor_keys).where(actor_keys.c.actor_id == whose))

    def state(row: Any) -> str:
        if row.revoked_at is not None:
            return "revoked"
        if row.retired_at is not None:
            return "retired"
        return "expires" if row.expires_at is not None else "in force"

    return {row.id: (state(row), row.vouched) for row in rows}


async def send(to: Home, by: Author, document: dict[str, Any], *, proof: bool = False, at: Any = None) -> int:
    """What somebody with these keys can do, whoever they are; returns the answer of the inbox."""
    at, url = at or to.clock.now(), f"{to.origin}/inbox"
    if proof:
        document = add_proof(document, by.ed25519, by.ed25519_key_id, at)
    body = json.dumps(document).encode()
    signed = requests.sign(requests.Request("POST", url, ACTIVITY, body), by.rsa_key_id, by.rsa, "rfc9421", at)
    headers = dict(ACTIVITY) | ({} if proof else signed)
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as response:
        return response.status


def activity(by: Author, verb: str, what: Any, number: int = 1) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"],
        "id": f"{by.actor_id}/activities/forged-{number}",
        "type": verb,
        "actor": by.actor_id,
        "object": what,
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": [by.followers],
    }


def note(by: Author, text: str, number: int = 1) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"],
        "id": f"{by.actor_id}/posts/forged-{number}",
        "type": "Note",
        "attributedTo": by.actor_id,
        "content": f"<p>{text}</p>",
        "published": "2026-01-01T00:00:00Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": [by.followers],
    }


def counted(home: Home, path: str) -> list[str]:
    """The requests for one path from now on."""
    asked: list[str] = []

    async def hold(request: Any) -> None:
        if request.method == "GET" and request.path == path:
            asked.append(request.path)

    home.hold = hold
    return asked


async def test_183_a_planned_change_costs_a_peer_one_question_and_nothing_that_was_signed(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        gig = await alice.publish_gig()
        await settled(a, b)
        before = await alice.author()
        stood = (await b.object(gig)).body

        await b.go_dark()
        late = await alice.post("Written before the change, delivered after it.")
        asked = counted(a, "/users/alice")
        done = await change(alice)
        assert (done.told, done.signed_anew) == (1, 0)
        await b.listen()
        after = await alice.post("Written after the change.")
        a.later(hours=13)
        b.later(hours=13)
        await settled(a, b)

        assert asked == ["/users/alice"]
        assert await known_keys(b, alice.id) == {
            before.rsa_key_id: ("retired", "first"),
            before.ed25519_key_id: ("expires", "first"),
            done.author.rsa_key_id: ("in force", "key"),
            done.author.ed25519_key_id: ("in force", "key"),
        }
        assert [(await b.object(one)).verification for one in (gig, late, after)] == ["signed"] * 3
        assert (await b.object(gig)).body == stood
        assert await a.queue() == []
        [profile] = await b.rows(sa.select(actors.c.verification).where(actors.c.id == alice.id))
        assert profile.verification == "signed"
        assert await b.rows(sa.select(notifications.c.id).where(notifications.c.kind == "new_key")) == []


async def test_183_the_document_lists_the_old_key_with_its_end(databases):
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        before = await alice.author()
        now = (await change(alice)).author
        [row] = await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        document = json.loads(row.document)
        new, old = document["assertionMethod"]
        assert document["publicKey"]["id"] == now.rsa_key_id
        assert (new["id"], new["proof"]["verificationMethod"]) == (now.ed25519_key_id, before.ed25519_key_id)
        assert (old["id"], old["publicKeyMultibase"]) == (before.ed25519_key_id, before.ed25519.public.multibase)
        assert old["expires"] > a.clock.now().isoformat()
        assert read_proof(document).verification_method == now.ed25519_key_id
        assert "verificationMethod" not in document
        await alice.save_profile(headline="Another word")  # whoever writes the document anew does not lose them
        [row] = await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        assert json.loads(row.document)["assertionMethod"] == [new, old]


async def test_183_a_server_that_never_asks_again_takes_the_old_key_while_it_is_good(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        old = await alice.author()
        await change(alice)
        refused: list[str] = []

        async def only_the_old_key(request: web.Request) -> None:
            signature = request.headers.get("Signature-Input") or request.headers.get("Signature", "")
            if request.method == "POST" and f'keyid="{old.rsa_key_id}"' not in signature.lower():
                refused.append(signature)
                raise web.HTTPUnauthorized

        b.hold = only_the_old_key
        await alice.post("Read this.", audience="followers")
        await settled(a, b)
        assert [entry["title"] for entry in await bob.timeline()] == ["Read this."]
        assert refused
        a.later(days=8)
        b.later(days=8)
        assert await a.node.db.write(forget_old_halves) == 2
        assert (await alice.author()).as_before() is None
        await alice.post("This one waits.", audience="followers")
        await settled(a, b)
        assert len(await bob.timeline()) == 1


async def test_184_whoever_has_the_old_keys_can_do_nothing_with_them_any_more(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        stolen = await alice.author()
        gig, module, post = await alice.publish_gig(), await alice.publish_module(), await alice.post("Mine.")
        await settled(a, b)
        first = {one: (await b.object(one)).updated for one in (gig, module, post)}
        a.later(minutes=5)
        b.later(minutes=5)
        done = await change(alice, compromised=a.clock.now())
        # the module comes with the Note that announces it
        assert (done.told, done.signed_anew) == (1, 4)
        await settled(a, b)

        assert await known_keys(b, alice.id) == {
            stolen.rsa_key_id: ("revoked", "first"),
            stolen.ed25519_key_id: ("revoked", "first"),
            done.author.rsa_key_id: ("in force", "server"),
            done.author.ed25519_key_id: ("in force", "server"),
        }
        for one in (gig, module, post):
            held, stands = await b.object(one), await a.object(one)
            assert held.body == stands.body
            assert (held.verification, held.updated) == ("signed", first[one])
            proof = read_proof(json.loads(held.body))
            assert proof.verification_method == done.author.ed25519_key_id
        before = await b.state(but=("actors", "actor_keys"))
        [row] = await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))
        document = json.loads(row.document)
        lies = [
            activity(stolen, "Create", note(stolen, "A lie.")),
            activity(stolen, "Delete", gig, 2),
            activity(stolen, "Update", document | {"name": "Mallory"}, 3),
            activity(stolen, "Update", json.loads((await b.object(gig)).body) | {"content": "<p>Free</p>"}, 4),
        ]
        past = a.clock.now() - timedelta(minutes=10)
        for number, lie in enumerate(lies):
            assert await send(b, stolen, lie) == 401, number
            assert await send(b, stolen, lie, proof=True) == 401, number
            assert await send(b, stolen, lie, proof=True, at=past) == 401, number
        await settled(a, b)
        assert await b.state(but=("actors", "actor_keys")) == before
        names = await b.rows(sa.select(actors.c.name).where(actors.c.id == alice.id))
        assert [row.name for row in names] == ["Alice"]


async def test_184_what_came_before_stands_and_what_came_later_does_not(databases):
    """The theft is noticed a day later: what the thief has sent since is no longer shown as hers."""
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        stolen = await alice.author()
        gig = await alice.publish_gig()
        await settled(a, b)
        a.later(hours=1)
        b.later(hours=1)
        theft = a.clock.now()
        a.later(days=1)
        b.later(days=1)
        forged, backdated = note(stolen, "A lie."), note(stolen, "An old lie.", 2)
        signed = add_proof(backdated, stolen.ed25519, stolen.ed25519_key_id, theft - timedelta(minutes=5))
        assert await send(b, stolen, activity(stolen, "Create", forged), proof=True) == 202
        assert await send(b, stolen, activity(stolen, "Create", signed, 2), proof=True) == 202
        forged_gig = json.loads((await b.object(gig)).body) | {"id": f"{alice.id}/gigs/forged", "vf:name": "Cheap"}
        del forged_gig["proof"]
        assert await send(b, stolen, activity(stolen, "Create", forged_gig, 3), proof=True) == 202
        unsigned = note(stolen, "A lie that is signed by its request alone.", 3)
        assert await send(b, stolen, activity(stolen, "Create", unsigned, 4)) == 202
        await settled(b)
        lies = [forged["id"], backdated["id"], forged_gig["id"], unsigned["id"]]
        before = ["signed", "signed", "signed", "delivered"]
        assert [(await b.object(one)).verification for one in lies] == before

        await b.go_dark()  # first only the actor's document is asked for
        await change(alice, compromised=theft)
        await b.node.resolver.actor(alice.id, refresh=True)
        assert [(await b.object(one)).verification for one in lies] == ["revoked"] * 4
        held = await b.object(gig)
        assert held.verification == "signed"
        document, now = json.loads(held.body), b.clock.now()
        memory = await b.node.db.read(recall, alice.id, document, read_proof(document))
        verdict = await check(document, b.node.resolver.fetch, NO_PINS, now, memory)
        assert (verdict.key.outcome, "this was here before that" in verdict.key.sentence) == ("holds", True)
        assert (await b.node.db.read(evidence_of_object, gig)).standing == "before"
        await b.listen()
        async with b.visitor() as browser:
            await bob.sign_in(browser)
            for object_id, words in {
                gig: "This was here before, so it stands",
                forged_gig["id"]: "Signed with a revoked key",
            }.items():
                page = await browser.get(f"/seen?id={quote(object_id, safe='')}")
                assert words in page.text, page.text
        shown = {row.id: row.verification for row in await b.rows(sa.select(gigs.c.id, gigs.c.verification))}
        assert shown == {gig: "signed", forged_gig["id"]: "revoked"}


async def test_184_nothing_of_ours_is_left_with_a_proof_by_the_stolen_key(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        stolen = await alice.author()
        await alice.publish_gig()
        await alice.publish_module()
        await alice.post("Only for those who follow.", audience="followers")
        await b.go_dark()
        waiting = await alice.post("Queued when it happened.")
        await change(alice, compromised=a.clock.now())
        await b.listen()
        a.later(hours=13)
        b.later(hours=13)
        await settled(a, b)
        bodies = [row.body for row in await a.rows(sa.select(objects.c.body).where(objects.c.local))]
        bodies += [row.body for row in await a.rows(sa.select(activities.c.body))]
        bodies += [row.document for row in await a.rows(sa.select(actors.c.document).where(actors.c.id == alice.id))]
        assert not [body for body in bodies if f'"verificationMethod":"{stolen.ed25519_key_id}"'.encode() in body]
        [private] = [json.loads(body) for body in bodies if b"Only for those" in body and b'"Note"' in body[:200]] or [
            {}
        ]
        assert "proof" not in private
        assert (await b.object(waiting)).verification == "signed"
        [old] = await a.rows(sa.select(actor_keys).where(actor_keys.c.id == stolen.ed25519_key_id))
        assert old.sealed is None


async def test_187_of_two_changes_at_once_one_happens(databases):
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        author = await alice.author()
        both = await asyncio.gather(change(alice, author=author), change(alice, author=author), return_exceptions=True)
        assert {type(one) for one in both} == {Rotated, Refused}
        rows = await a.rows(sa.select(actor_keys.c.algorithm).where(actor_keys.c.actor_id == alice.id))
        assert sorted(row.algorithm for row in rows) == ["ed25519", "ed25519", "rsa", "rsa"]


@pytest.mark.parametrize("compromised", [False, True])
async def test_183_a_change_that_is_cut_off_is_none(databases, compromised, monkeypatch):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        await alice.publish_gig()
        await settled(a, b)
        before = await a.state()

        def cut(*_: Any) -> None:
            raise RuntimeError("the power is gone")

        late = "federation.rotating._tell_anew" if compromised else "federation.rotating.forget_former"
        monkeypatch.setattr(late, cut)
        with pytest.raises(RuntimeError):
            await change(alice, compromised=a.clock.now() if compromised else None)
        assert await a.state() == before
        monkeypatch.undo()
        await alice.post("I still sign.")
        await settled(a, b)
        assert len(await bob.timeline()) == 2


# ---- the keys of others


async def replace_node(home: Home, username: str, *, keep: bool = False) -> Author:
    """Somebody else has got hold of the name: the same ids, other keys. keep: the old ones stay listed."""
    keys = await asyncio.to_thread(make_keys)
    node = home.node

    def write(tx: Any) -> Author:
        actor_id = node.ids.actor(username)
        old = node.authors.load(tx, actor_id)
        tx.execute(sa.delete(actor_keys).where(actor_keys.c.actor_id == actor_id))
        names = {old.rsa_key_id: keys.rsa, old.ed25519_key_id: keys.ed25519}
        keep_keys(tx, node.vault, actor_id, names)
        author = node.authors.load(tx, actor_id)
        held = json.loads(tx.scalar(sa.select(actors.c.document).where(actors.c.id == actor_id)))
        save_local_actor(tx, author, held | write_keys(actor_id, author.keys))
        return author

    return await node.db.write(write)


async def test_022_a_name_that_comes_back_with_other_keys_is_not_trusted_in_silence(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        gig = await alice.publish_gig()
        await settled(a, b)
        before = await alice.author()
        stood = await b.object(gig)
        b.later(minutes=10)
        a.later(minutes=10)
        stranger = await replace_node(a, "alice")

        await alice.post("Send the money to me.", audience="followers")
        await settled(a, b)
        assert len(await bob.timeline()) == 2, "whoever has the name is heard"
        keys = await known_keys(b, alice.id)
        assert {key_id: state for key_id, state in keys.items() if " until " not in key_id} == {
            stranger.rsa_key_id: ("in force", "server"),
            stranger.ed25519_key_id: ("in force", "server"),
        }
        assert [state for key_id, state in keys.items() if " until " in key_id] == [("retired", "first")] * 2
        news = await b.rows(sa.select(notifications).where(notifications.c.kind == "new_key"))
        assert [(row.reader, row.actor) for row in news] == [(bob.id, alice.id)]
        assert (await b.object(gig)).verification == stood.verification == "signed"
        evidence = await b.node.db.read(evidence_of_object, gig)
        assert evidence.key == before.ed25519.public.multibase
        last = await b.node.db.read(last_unconfirmed, alice.id)
        assert last.first_seen > stood.received_at
        async with b.visitor() as browser:
            page = await browser.get(f"/@{alice.handle[1:]}")
            assert "the old key did not confirm it" in page.text


async def test_022_a_domain_whose_own_key_changed_has_perhaps_another_owner(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        carol = await a.add("carol")
        for one in (alice, carol):
            await bob.follow(one)
        await settled(a, b)
        host = a.node.ids.host
        await replace_node(a, "alice")
        await alice.post("One.", audience="followers")
        await settled(a, b)
        assert not await b.node.db.read(has_new_owner, host), "one person may have lost their keys"
        b.later(minutes=10)
        await replace_node(a, "carol")
        await carol.post("Two.", audience="followers")
        await settled(a, b)
        assert await b.node.db.read(has_new_owner, host)


async def test_184_keys_of_a_host_are_asked_for_anew(databases):
    async with cluster("a.example", "b.example", databases=databases) as (a, b):
        alice, bob = await a.set_up("alice"), await b.set_up("bob")
        await bob.follow(alice)
        await settled(a, b)
        asked = counted(a, "/users/alice")
        await alice.post("One.", audience="followers")
        await settled(a, b)
        assert asked == []
        assert await b.node.db.write(expire_keys, a.node.ids.host) >= 2
        await alice.post("Two.", audience="followers")
        await alice.post("Three.", audience="followers")
        await settled(a, b)
        assert asked == ["/users/alice"]
        assert len(await bob.timeline()) == 3
        assert {state for state, _ in (await known_keys(b, alice.id)).values()} == {"in force"}


@pytest.mark.parametrize("compromised", [False, True])
async def test_187_who_acts_with_keys_that_were_just_changed_changes_nothing(databases, compromised):
    """A page has read who acts, the keys change, the page writes: no document may list or carry the old ones then."""
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        before = await alice.author()
        await change(alice, compromised=a.clock.now() if compromised else None)
        state, headline = await a.state(), parse_profile({"name": "Alice", "headline": "Old"}, a.clock.now().date())
        with pytest.raises(Busy):
            await a.node.db.write(save_profile, before, headline)
        if compromised:
            with pytest.raises(Busy):
                await a.node.db.write(social.post, before, parse_post({"body": "Old", "audience": "public"}), None)
        assert await a.state() == state


async def test_187_what_is_being_signed_while_keys_are_declared_void_is_signed_anew(databases):
    async with cluster("a.example", databases=databases) as (a,):
        alice = await a.set_up("alice")
        author = await alice.author()
        posts = [
            a.node.db.write(social.post, author, parse_post({"body": f"{number}", "audience": "public"}), None)
            for number in range(20)
        ]
        theft = change(alice, author=author, compromised=a.clock.now() - timedelta(days=1))
        done = await asyncio.gather(*posts[:10], theft, *posts[10:], return_exceptions=True)
        assert {type(one) for one in done} <= {str, Busy, Rotated}
        key = (await alice.author()).ed25519_key_id
        bodies = [row.body for row in await a.rows(sa.select(objects.c.body).where(objects.c.local))]
        assert len(bodies) == len([one for one in done if isinstance(one, str)])
        assert {read_proof(json.loads(body)).verification_method for body in bodies} <= {key}
