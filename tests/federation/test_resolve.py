"""Actors, keys, objects and handles, learned from their own origins and from nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation import operate
from federation.errors import (
    Busy,
    FederationError,
    Forbidden,
    Gone,
    NotFound,
    Refused,
    Unacceptable,
    Unauthenticated,
    Unreachable,
    Unsafe,
)
from federation.fetches import DEFAULT_LIMITS, Fetches, FetchLimits, Memory
from federation.ids import Ids
from federation.known_actors import forget_strangers
from federation.policy import Policy
from federation.rates import Rate
from federation.resolve import Resolver
from federation.tables import actor_keys, actors, blocks, host_rules
from keys.material import generate_rsa
from schemas.terms import ACTIVITY_JSON, SECURITY_V1
from tests.federation.outgoing import HOME, Home, Host
from tests.federation.world import RemoteActor, ed25519, rsa


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
async def resolver(home: Home, policy: Policy) -> AsyncIterator[Resolver]:
    return Resolver(home.db, home.client, HOME, home.clock, policy)


async def key_rows(home: Home) -> list[sa.Row]:
    return list(await home.db.read(lambda tx: tx.rows(sa.select(actor_keys).where(actor_keys.c.sealed.is_(None)))))


async def state(home: Home) -> list[operate.TableState]:
    return await home.db.read(operate.state)


# keys


async def test_a_key_is_learned_once_and_then_known(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    for _ in range(3):
        key = await resolver.key(bob.key_id)
    assert (key.actor_id, key.public) == (bob.id, bob.rsa.public)
    again = Resolver(home.db, home.client, HOME, home.clock, Policy())
    assert (await again.key(bob.proof_key_id)).public == bob.ed25519.public
    assert host.asked == ["GET /users/bob"]


async def test_many_who_ask_at_once_cost_one_request(resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    await asyncio.gather(*(resolver.key(bob.key_id) for _ in range(50)))
    assert host.asked.count("GET /users/bob") == 1


async def test_002_an_actor_served_under_another_id_changes_nothing(
    home: Home, resolver: Resolver, host: Host, second: Host
) -> None:
    victim, mallory = host.actor("victim"), RemoteActor(second, "mallory", rsa("mallory"), ed25519("mallory"))
    await resolver.key(victim.key_id)
    forged = mallory.document(id=victim.id, inbox=f"{victim.id}/inbox")
    forged["publicKey"] = {"id": victim.key_id, "owner": victim.id, "publicKeyPem": mallory.rsa.public.pem}
    second.documents["/x"] = forged
    before = await state(home)
    for url in (f"{second.origin}/x", f"{second.origin}/x#main-key"):
        with pytest.raises(FederationError):
            await resolver.actor(url)
        with pytest.raises(FederationError):
            await resolver.key(url)
    fetched = await resolver.object(f"{second.origin}/x")
    assert fetched.url == victim.id
    assert fetched.document["publicKey"]["publicKeyPem"] == victim.rsa.public.pem
    assert await state(home) == before


async def test_002_an_id_that_leads_elsewhere_again_is_nothing(resolver: Resolver, host: Host) -> None:
    host.documents["/a"] = {"id": f"{host.origin}/b"}
    host.documents["/b"] = {"id": f"{host.origin}/c"}
    with pytest.raises(Unsafe):
        await resolver.object(f"{host.origin}/a")
    assert host.asked == ["GET /a", "GET /b"]


async def test_011_a_key_that_its_owner_does_not_list_is_nobodys(
    home: Home, resolver: Resolver, host: Host, second: Host
) -> None:
    victim = host.actor("victim")
    key_id = f"{second.origin}/key"
    key = {"@context": SECURITY_V1, "id": key_id, "owner": victim.id, "publicKeyPem": rsa("mallory").public.pem}
    second.documents["/key"] = key
    before = await state(home)
    with pytest.raises(Unauthenticated):
        await resolver.key(key_id)
    assert await state(home) == before


async def test_011_a_key_on_another_origin_is_refused_even_when_listed(
    resolver: Resolver, host: Host, second: Host
) -> None:
    key_id = f"{second.origin}/key"
    bob = host.actor()
    listed = {"id": key_id, "owner": bob.id, "publicKeyPem": rsa("mallory").public.pem}
    bob.publish(publicKey=listed)
    second.documents["/key"] = {"id": key_id, "owner": bob.id, "publicKeyPem": rsa("mallory").public.pem}
    with pytest.raises(Unauthenticated):
        await resolver.key(key_id)


async def test_a_key_document_of_its_own_with_a_stub_of_the_actor(resolver: Resolver, host: Host) -> None:
    """As GoToSocial has it."""
    gert = host.actor("gert")
    key_id = f"{gert.id}/main-key"
    listed = {"id": key_id, "owner": gert.id, "publicKeyPem": gert.rsa.public.pem}
    gert.publish(publicKey=listed)
    host.documents["/users/gert/main-key"] = {
        "@context": [SECURITY_V1], "id": gert.id, "type": "Person", "preferredUsername": "gert", "publicKey": listed
    }  # fmt: skip
    key = await resolver.key(key_id)
    assert (key.actor_id, key.public) == (gert.id, gert.rsa.public)
    assert host.asked == ["GET /users/gert/main-key", "GET /users/gert"]


async def test_a_key_document_that_its_actor_only_names(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    key_id = f"{host.origin}/keys/1"
    bob.publish(publicKey=key_id)
    host.documents["/keys/1"] = {"id": key_id, "owner": bob.id, "publicKeyPem": bob.rsa.public.pem}
    assert (await resolver.key(key_id)).public == bob.rsa.public
    again = Resolver(home.db, home.client, HOME, home.clock, Policy())
    assert (await again.key(key_id)).actor_id == bob.id


@pytest.mark.parametrize(
    "changes", [{"id": "/keys/2"}, {"owner": None}, {"owner": "/users/eve"}, {"publicKeyPem": "x"}]
)
async def test_034_a_key_document_that_does_not_close_the_circle_is_refused(
    home: Home, resolver: Resolver, host: Host, changes: dict[str, Any]
) -> None:
    bob, _ = host.actor(), host.actor("eve")
    key_id = f"{host.origin}/keys/1"
    bob.publish(publicKey=key_id)
    full = {name: host.origin + value if str(value).startswith("/") else value for name, value in changes.items()}
    host.documents["/keys/1"] = {"id": key_id, "owner": bob.id, "publicKeyPem": bob.rsa.public.pem} | full
    before = await state(home)
    with pytest.raises(Refused):
        await resolver.key(key_id)
    assert await state(home) == before


async def test_031_a_changed_key_costs_one_fetch_and_the_old_one_is_kept_as_history(
    home: Home, resolver: Resolver, host: Host
) -> None:
    bob = host.actor()
    old = await resolver.key(bob.key_id)
    changed = replace(bob, rsa=generate_rsa())
    changed.publish()
    assert (await resolver.key(bob.key_id)).public == old.public
    new = await resolver.key(bob.key_id, refresh=True)
    assert new.public == changed.rsa.public
    assert host.asked.count("GET /users/bob") == 2
    rows = {row.id: row for row in await key_rows(home)}
    assert rows[bob.key_id].public == changed.rsa.public.pem
    (kept,) = [row for row in rows.values() if row.public == old.public.pem]
    assert kept.retired_at is not None
    assert kept.first_seen <= kept.retired_at


async def test_183_a_key_that_is_no_longer_listed_is_retired_and_dated(
    home: Home, resolver: Resolver, host: Host
) -> None:
    bob = host.actor()
    await resolver.key(bob.key_id)
    bob.publish(publicKey={"id": f"{bob.id}#key-2", "owner": bob.id, "publicKeyPem": rsa("second").public.pem})
    assert (await resolver.key(f"{bob.id}#key-2")).public == rsa("second").public
    states = {row.id: row.retired_at is None for row in await key_rows(home)}
    assert states == {bob.key_id: False, bob.proof_key_id: True, f"{bob.id}#key-2": True}
    with pytest.raises(Unauthenticated):
        await resolver.key(bob.key_id)


async def test_a_liar_cannot_make_us_hammer_a_victim(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    await resolver.key(bob.key_id)
    for _ in range(50):
        assert (await resolver.key(bob.key_id, refresh=True)).public == bob.rsa.public
    for number in range(50):
        with pytest.raises(Unauthenticated):
            await resolver.key(f"{bob.id}#{number}")
    assert len(host.asked) < 8
    home.clock.offset += timedelta(minutes=2)
    asked = len(host.asked)
    await resolver.key(bob.key_id, refresh=True)
    assert len(host.asked) == asked + 1


async def test_184_a_revoked_key_stays_revoked(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    await resolver.key(bob.key_id)
    await home.db.write(lambda tx: tx.execute(sa.update(actor_keys).values(revoked_at=tx.now)))
    again = Resolver(home.db, home.client, HOME, home.clock, Policy())
    for refresh in (False, True):
        with pytest.raises(Unauthenticated):
            await again.key(bob.key_id, refresh=refresh)


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_035_what_cannot_be_had_for_now_is_for_now(
    home: Home, resolver: Resolver, host: Host, status: int
) -> None:
    bob = host.actor()
    host.documents["/users/bob"] = status
    for _ in range(5):
        with pytest.raises(Unreachable):
            await resolver.key(bob.key_id)
    assert len(host.asked) == 1
    bob.publish()
    home.clock.offset += timedelta(seconds=11)
    assert (await resolver.key(bob.key_id)).actor_id == bob.id


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (410, Gone)])
async def test_035_what_is_not_there_is_remembered_for_a_while(
    home: Home, resolver: Resolver, host: Host, status: int, error: type[FederationError]
) -> None:
    bob = host.actor()
    host.documents["/users/bob"] = status
    for _ in range(5):
        with pytest.raises(error):
            await resolver.key(bob.key_id)
    assert len(host.asked) == 1
    bob.publish()
    home.clock.offset += timedelta(minutes=6)
    await resolver.key(bob.key_id)


async def test_033_a_key_that_redirects_to_itself_is_refused(resolver: Resolver, host: Host) -> None:
    host.redirects["/circle"] = "/circle"
    with pytest.raises(Refused):
        await resolver.key(f"{host.origin}/circle")
    assert len(host.asked) == 1


async def test_045_two_who_need_each_others_key_do_not_wait_for_ever(
    home: Home, resolver: Resolver, host: Host
) -> None:
    """What we ask is signed by the instance actor, whose document anybody gets unsigned (test_serve)."""
    bob = host.actor()
    host.wants_signature = True
    key = await resolver.key(bob.key_id)
    assert key.actor_id == bob.id
    assert all("signature" in headers for headers in host.asked_with)
    assert {f"{HOME.instance_actor}#main-key" in headers["signature-input"] for headers in host.asked_with} == {True}


async def test_083_key_fetches_have_a_budget(home: Home, host: Host, second: Host) -> None:
    limits = replace(DEFAULT_LIMITS, all_keys=Rate(1, 20), keys_of_host=Rate(1, 15))
    resolver = Resolver(home.db, home.client, HOME, home.clock, Policy(), limits=limits)
    people = [RemoteActor(host, f"p{number}", rsa("bob"), ed25519("bob")) for number in range(100)]
    for person in people:
        person.publish()
    results = await asyncio.gather(*(resolver.key(person.key_id) for person in people), return_exceptions=True)
    assert sum(isinstance(result, Busy) for result in results) == 85
    assert len(host.asked) == 15
    assert (await resolver.key(second.actor().key_id)).actor_id
    home.clock.offset += timedelta(minutes=1)
    assert (await resolver.key(people[-1].key_id)).actor_id == people[-1].id


async def test_090_what_strangers_make_us_remember_has_a_size() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    memory: Memory[int] = Memory(capacity=100)
    for number in range(10_000):
        memory.put(str(number), number, now + timedelta(minutes=1))
    assert len(memory) == 100
    assert memory.get("9999", now) == 9999
    assert memory.get("0", now) is None
    assert memory.get("9999", now + timedelta(minutes=1)) is None


async def test_090_strangers_are_forgotten_and_nobody_else(home: Home, resolver: Resolver, host: Host) -> None:
    stranger, follower, blocked, ended = (host.actor(name) for name in ("stranger", "follower", "blocked", "ended"))
    await home.followed_by(follower)
    for actor in (stranger, blocked, ended):
        await resolver.key(actor.key_id)
    block = {"actor": home.alice.actor_id, "target": blocked.id}
    await home.db.write(lambda tx: tx.execute(sa.insert(blocks).values(created_at=tx.now, **block)))
    this = sa.update(actors).where(actors.c.id == ended.id)
    await home.db.write(lambda tx: tx.execute(this.values(gone_at=tx.now)))
    assert await home.db.write(forget_strangers) == 0
    home.clock.offset += timedelta(days=31)
    forgotten = asyncio.Event()
    home.db.subscribe("actors", lambda payload: forgotten.set())
    assert await home.db.write(forget_strangers) == 1
    await asyncio.wait_for(forgotten.wait(), 5)  # PostgreSQL says so only after the commit
    known = await home.db.read(lambda tx: tx.rows(sa.select(actors.c.id).where(~actors.c.local)))
    assert {row.id for row in known} == {follower.id, blocked.id, ended.id}
    assert stranger.id not in {row.actor_id for row in await key_rows(home)}
    asked = len(host.asked)
    await resolver.key(stranger.key_id)
    assert len(host.asked) == asked + 1


# actors and hosts


async def test_blocked_hosts_are_never_asked(home: Home, resolver: Resolver, policy: Policy, host: Host) -> None:
    bob = host.actor()

    def block(tx) -> None:
        tx.execute(sa.insert(host_rules).values(host="127.0.0.4", rule="block", created_at=tx.now))
        policy.load(tx)

    await home.db.write(block)
    for asking in (resolver.key(bob.key_id), resolver.actor(bob.id), resolver.object(bob.id), resolver.locate(bob.id)):
        with pytest.raises(Forbidden):
            await asking
    assert host.asked == []


async def test_an_actor_that_ended_stays_ended(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    await resolver.key(bob.key_id)
    await home.db.write(lambda tx: tx.execute(sa.update(actors).where(actors.c.id == bob.id).values(gone_at=tx.now)))
    again = Resolver(home.db, home.client, HOME, home.clock, Policy())
    for asking in (again.actor(bob.id), again.actor(bob.id, refresh=True), again.key(bob.key_id, refresh=True)):
        with pytest.raises(Gone):
            await asking
    bob.publish(publicKey={"id": f"{bob.id}#new", "owner": bob.id, "publicKeyPem": rsa("second").public.pem})
    with pytest.raises(Gone):
        await again.key(f"{bob.id}#new")


async def test_an_actor_document_with_a_proof_of_its_own_is_signed(home: Home, resolver: Resolver, host: Host) -> None:
    bob, bea = host.actor("bob"), host.actor("bea")
    host.documents["/users/bob"] = bob.prove(bob.document())
    host.documents["/users/bea"] = bea.prove(bea.document()) | {"name": "changed since"}
    for actor in (bob, bea):
        await resolver.actor(actor.id)
    rows = await home.db.read(lambda tx: tx.rows(sa.select(actors.c.id, actors.c.verification)))
    known = {row.id: row.verification for row in rows}
    assert (known[bob.id], known[bea.id]) == ("signed", "delivered")


async def test_what_is_no_actor_is_refused(resolver: Resolver, host: Host) -> None:
    note = host.actor().note()
    host.serve(note)
    host.documents["/broken"] = {"id": f"{host.origin}/broken", "type": "Person"}
    for url in (note["id"], f"{host.origin}/broken"):
        with pytest.raises(Unacceptable):
            await resolver.actor(url)


async def test_our_own_are_known_without_asking(home: Home, resolver: Resolver) -> None:
    assert (await resolver.actor(home.alice.actor_id)).username == "alice"
    assert (await resolver.fetch(home.alice.actor_id))["id"] == home.alice.actor_id
    with pytest.raises(NotFound):
        await resolver.actor(HOME.actor("nobody"))
    with pytest.raises(NotFound):
        await resolver.fetch(f"{HOME.origin}/users/alice/posts/x")
    with pytest.raises(Unsafe):
        await resolver.object(home.alice.actor_id)


async def test_047_plain_http_counts_only_for_a_node_on_plain_http(home: Home, host: Host) -> None:
    ids = Ids("https://home.example", "home.example")
    fetches = Fetches(home.client, ids, home.clock, Policy(), FetchLimits())
    with pytest.raises(Unsafe):
        await fetches.document(host.actor().id)
    assert host.asked == []


# handles


def webfinger(host: Host, name: str, subject: str, actor_id: str | None) -> None:
    """Serve what WebFinger says of name@host."""
    acct = f"{name}@{host.origin.removeprefix('http://')}"
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": actor_id}] if actor_id else []
    host.jrds[f"acct:{acct}"] = {"subject": f"acct:{subject}", "links": links}


def name_of(host: Host) -> str:
    return host.origin.removeprefix("http://")


async def acct_of(home: Home, actor_id: str) -> str | None:
    return await home.db.read(lambda tx: tx.scalar(sa.select(actors.c.acct).where(actors.c.id == actor_id)))


@pytest.mark.parametrize("form", ["@bob@{host}", "bob@{host}", "acct:bob@{host}", " @bob@{host} ", "{id}"])
async def test_somebody_is_found_by_handle_and_by_url(home: Home, resolver: Resolver, host: Host, form: str) -> None:
    bob = host.actor()
    webfinger(host, "bob", f"bob@{name_of(host)}", bob.id)
    found = await resolver.locate(form.format(host=name_of(host), id=bob.id))
    assert found.id == bob.id
    assert await acct_of(home, bob.id) == f"bob@{name_of(host)}"


async def test_a_page_leads_to_its_actor(home: Home, resolver: Resolver, host: Host) -> None:
    bob = host.actor()
    host.documents["/@bob"] = bob.document()
    assert (await resolver.locate(f"{host.origin}/@bob")).id == bob.id


async def test_a_handle_may_be_in_any_script(home: Home, resolver: Resolver, host: Host) -> None:
    name = "björk"
    actor = RemoteActor(host, "bjork", rsa("bob"), ed25519("bob"))
    actor.publish(preferredUsername=name)
    webfinger(host, name, f"{name}@{name_of(host)}", actor.id)
    assert (await resolver.locate(f"@{name}@{name_of(host)}")).id == actor.id
    assert await acct_of(home, actor.id) == f"{name}@{name_of(host)}"


async def test_051_a_handle_counts_only_when_its_host_agrees(
    home: Home, resolver: Resolver, host: Host, second: Host
) -> None:
    """evil.example says that its alice is alice@good.example; good.example knows another alice."""
    good, evil = host.actor("alice"), second.actor("alice")
    webfinger(host, "alice", f"alice@{name_of(host)}", good.id)
    webfinger(second, "alice", f"alice@{name_of(host)}", evil.id)
    evil.publish(webfinger=f"alice@{name_of(host)}")
    found = await resolver.locate(f"@alice@{name_of(second)}")
    assert found.id == evil.id
    assert await acct_of(home, evil.id) is None
    assert (await resolver.locate(f"@alice@{name_of(host)}")).id == good.id
    assert await acct_of(home, good.id) == f"alice@{name_of(host)}"


async def test_051_a_host_cannot_give_its_handle_to_somebody_elsewhere(
    home: Home, resolver: Resolver, host: Host, second: Host
) -> None:
    bob = host.actor()
    webfinger(host, "bob", f"bob@{name_of(host)}", bob.id)
    webfinger(second, "fake", f"fake@{name_of(second)}", bob.id)
    assert (await resolver.locate(f"@fake@{name_of(second)}")).id == bob.id
    assert await acct_of(home, bob.id) == f"bob@{name_of(host)}"


@pytest.mark.parametrize("says", ["property", "webfinger"])
async def test_051_a_handle_may_live_on_another_domain_when_both_agree(
    home: Home, resolver: Resolver, host: Host, second: Host, says: str
) -> None:
    bob = host.actor()
    handle = f"bob@{name_of(second)}"
    webfinger(second, "bob", handle, bob.id)
    if says == "property":
        bob.publish(webfinger=handle)
    else:
        webfinger(host, "bob", handle, bob.id)
    assert (await resolver.locate(f"@{handle}")).id == bob.id
    assert await acct_of(home, bob.id) == handle


async def test_053_webfinger_is_bounded(home: Home, resolver: Resolver, host: Host) -> None:
    name = name_of(host)
    for case, jrd in {
        "big": {"subject": "acct:big", "aliases": ["x" * 1_000_000] * 2},
        "wrong": {"links": []},
        "list": [],
        "nobody": {"subject": f"acct:nobody@{name}"},
        "private": {"subject": f"acct:private@{name}",
                    "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": "http://127.0.0.45:80/x"}]},
        "ours": {"subject": f"acct:ours@{name}",
                 "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": f"{HOME.origin}/users/x"}]},
    }.items():  # fmt: skip
        host.jrds[f"acct:{case}@{name}"] = jrd
        with pytest.raises(FederationError):
            await resolver.locate(f"@{case}@{name}")
    with pytest.raises(NotFound):
        await resolver.locate(f"@unknown@{name}")
    assert (await home.db.read(lambda tx: tx.rows(sa.select(actors.c.id).where(~actors.c.local)))) == []


@pytest.mark.parametrize("text", ["", "@", "@@", "bob", "@bob@", "@bob@h/x", "http://", "https://u:p@x/", "x" * 9_999])
async def test_what_is_neither_a_handle_nor_a_url_is_refused(resolver: Resolver, text: str) -> None:
    with pytest.raises((Unacceptable, Unsafe)):
        await resolver.locate(text)


@pytest.mark.parametrize("form", ["@alice@{host}", "Alice@{host}", "{origin}/@alice", "{origin}/users/alice"])
async def test_our_own_are_found_without_asking(home: Home, resolver: Resolver, form: str) -> None:
    found = await resolver.locate(form.format(host=HOME.host, origin=HOME.origin))
    assert found.id == home.alice.actor_id
