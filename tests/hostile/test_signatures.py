"""SECURITY A: what a signature must cover, when it counts, and whose word it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from federation.clock import iso
from federation.tables import actor_keys, inbox_messages, objects
from keys.material import generate_ed25519, generate_rsa
from tests.federation.world import SQLITE, Peer, RemoteActor, World, rsa
from tests.hostile.signatures import CAVAGE, RFC9421, cavage, digest, prove, rfc9421

Sign = Callable[..., dict[str, str]]
BOTH = pytest.mark.parametrize("sign", [cavage, rfc9421])


UNSIGNED = {"content-type": "application/activity+json"}


def inbox(world: World) -> str:
    return world.ids.shared_inbox


def create(actor: RemoteActor) -> bytes:
    return json.dumps(actor.activity("Create", actor.note())).encode()


async def refused(
    world: World, bob: RemoteActor, body: bytes, headers: dict[str, str], *, path: str = "/inbox"
) -> None:
    async with world.nothing_happens(key_of=bob):
        assert await world.send(body, headers, path=path) == 401


@BOTH
async def test_signatures_by_hand_are_taken_when_they_are_right(world: World, peer: Peer, sign: Sign) -> None:
    """Else every refusal below would prove nothing."""
    bob = peer.actor()
    body = create(bob)
    assert await world.send(body, sign(bob, inbox(world), body)) == 202


async def test_001_an_attacker_signs_in_the_name_of_a_victim(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.know(victim)
    await world.follow(victim)
    body = create(victim)
    async with world.nothing_happens(key_of=mallory):
        assert await world.send(body, mallory.signed_headers(inbox(world), body)) == 401
        forged = rfc9421(victim, inbox(world), body, key=mallory.rsa)
    async with world.nothing_happens(key_of=victim):
        assert await world.send(body, forged) == 401


async def test_003_no_signature(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        assert await world.send(create(bob), UNSIGNED) == 401


@BOTH
async def test_004_a_body_changed_after_signing(world: World, peer: Peer, sign: Sign) -> None:
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body.replace(b"hello", b"hullo"), sign(bob, inbox(world), body))


@SQLITE
@pytest.mark.parametrize(
    ("sign", "covered"),
    [
        (cavage, [name for name in CAVAGE if name != "digest"]),
        (rfc9421, ["@method", "@target-uri"]),
    ],
)
async def test_005_a_digest_that_is_not_covered(world: World, peer: Peer, sign: Sign, covered: list[str]) -> None:
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body, sign(bob, inbox(world), body, covered=covered))


@SQLITE
@pytest.mark.parametrize(
    ("sign", "covered"),
    [
        (cavage, [name for name in CAVAGE if name != "(request-target)"]),
        (rfc9421, ["@method", "content-digest"]),
        (rfc9421, ["@target-uri", "content-digest"]),
        (rfc9421, ["@method", "@path", "content-digest"]),
        (rfc9421, ["@method", "@authority", "content-digest"]),
    ],
)
async def test_006_a_target_that_is_not_covered(world: World, peer: Peer, sign: Sign, covered: list[str]) -> None:
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body, sign(bob, inbox(world), body, covered=covered))


@BOTH
async def test_006_replayed_to_another_path_or_host(world: World, peer: Peer, sign: Sign) -> None:
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body, sign(bob, inbox(world), body), path="/users/alice/inbox")
    await refused(world, bob, body, sign(bob, f"{world.ids.origin}/users/alice/inbox", body))
    await refused(world, bob, body, sign(bob, "https://elsewhere.example/inbox", body) | {"host": world.ids.host})


async def test_006_the_host_header_says_nothing(world: World, peer: Peer) -> None:
    """Signed for another server and sent here with that server's Host: the origin that counts is our setting."""
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body, cavage(bob, "https://elsewhere.example/inbox", body))
    await refused(world, bob, body, rfc9421(bob, "https://elsewhere.example/inbox", body))


@SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"proofPurpose": "authentication"},
        {"created": "2020-01-01T00:00:00Z"},
        {"expires": "2099-01-01T00:00:00Z"},
        {"nonce": "x"},
        {"cryptosuite": "eddsa-jcs-2022", "domain": "x"},
        {"@context": ["https://www.w3.org/ns/activitystreams", "https://elsewhere.example/context"]},
        {"proofValue": "z" + "1" * 64},
        {"proofValue": ""},
        {"proofValue": 5},
        {"verificationMethod": None},
        {"type": "Other"},
    ],
)
async def test_021_a_proof_with_a_changed_option(world: World, peer: Peer, change: dict[str, Any]) -> None:
    bob = peer.actor()
    proven = bob.prove(bob.activity("Create", bob.note()))
    proven["proof"] |= change
    body = json.dumps(proven).encode()
    await refused(world, bob, body, UNSIGNED)
    await refused(world, bob, body, bob.signed_headers(inbox(world), body))  # a good HTTP signature saves nothing


async def test_021_a_member_added_after_signing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    proven = bob.prove(bob.activity("Create", bob.note()))
    for added in ({"summary": "x"}, {"@context": [*proven["@context"], "https://w3id.org/security/v1"]}):
        body = json.dumps(proven | added).encode()
        await refused(world, bob, body, bob.signed_headers(inbox(world), body))


async def test_021_a_proof_has_its_time(world: World, peer: Peer) -> None:
    bob = peer.actor()
    now = world.clock.now()
    for expires, status in ((now - timedelta(seconds=1), 401), (now + timedelta(hours=1), 202)):
        proven = prove(bob, bob.activity("Create", bob.note()), expires=iso(expires))
        assert await world.send(json.dumps(proven).encode(), UNSIGNED) == status


async def test_021_a_proof_for_another_purpose_or_context(world: World, peer: Peer) -> None:
    """Signed so by its author, and still not what is asked for."""
    bob = peer.actor()
    for options in (
        {"proofPurpose": "authentication"},
        {"@context": ["https://elsewhere.example/context"]},
        {"previousProof": "urn:uuid:1"},
    ):
        proven = prove(bob, bob.activity("Create", bob.note()), **options)
        await refused(world, bob, json.dumps(proven).encode(), UNSIGNED)


async def test_020_a_proof_by_somebody_else_of_the_same_host(world: World, peer: Peer) -> None:
    alice, mallory = peer.actor("alice"), peer.actor("mallory")
    forged = mallory.prove(alice.activity("Create", alice.note()))
    body = json.dumps(forged).encode()
    async with world.nothing_happens(key_of=mallory):
        assert await world.send(body, UNSIGNED) == 401
        assert await world.send(body, mallory.signed_headers(inbox(world), body)) == 401


async def test_020_an_object_s_proof_by_somebody_else(world: World, peer: Peer) -> None:
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    await world.know(bob, mallory)
    await world.follow(bob)
    note = mallory.prove(bob.note())
    assert (await world.deliver(bob, bob.activity("Create", note))).startswith("refused: Unauthenticated")
    assert await world.rows(sa.select(objects)) == []


async def test_022_another_key_at_the_origin_is_history_not_replacement(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    bob.rsa = generate_rsa()
    bob.publish()
    assert await world.post(bob, bob.activity("Create", bob.note())) == 202
    rows = await world.rows(
        sa.select(actor_keys).where(actor_keys.c.actor_id == bob.id, actor_keys.c.algorithm == "rsa")
    )
    assert sorted(row.retired_at is None for row in rows) == [False, True]
    (current,) = (row for row in rows if row.retired_at is None)
    assert current.public == bob.rsa.public.pem


async def test_022_an_update_alone_brings_no_new_key(world: World, peer: Peer) -> None:
    """A document pushed to us may lie; the keys in it count only where the actor's origin serves them too."""
    bob = peer.actor()
    await world.know(bob)
    forged = bob.document(
        publicKey={"id": bob.key_id, "owner": bob.id, "publicKeyPem": rsa("attacker").public.pem}, name="Changed"
    )
    assert await world.deliver(bob, bob.activity("Update", forged)) == "done"
    (row,) = await world.rows(sa.select(actor_keys.c.public).where(actor_keys.c.id == bob.key_id))
    assert row.public == bob.rsa.public.pem
    body = create(bob)
    await refused(world, bob, body, rfc9421(bob, inbox(world), body, key=rsa("attacker")))


@pytest.mark.parametrize("order", ["right first", "wrong first"])
async def test_024_two_digests(world: World, peer: Peer, order: str) -> None:
    """One matches the body, the other is the one that was signed, in every arrangement: never taken."""
    bob = peer.actor()
    body, innocent = create(bob), create(bob)
    pairs = [f"SHA-256={digest(body)}", f"SHA-256={digest(innocent)}"]
    fields = [f"sha-256=:{digest(body)}:", f"sha-256=:{digest(innocent)}:"]
    if order == "wrong first":
        pairs.reverse()
        fields.reverse()
    one = cavage(bob, inbox(world), innocent) | {"digest": ", ".join(pairs)}
    await refused(world, bob, body, one)
    await refused(world, bob, body, rfc9421(bob, inbox(world), innocent) | {"content-digest": ", ".join(fields)})
    for name, values, headers in (
        ("digest", pairs, cavage(bob, inbox(world), innocent)),
        ("content-digest", fields, rfc9421(bob, inbox(world), innocent)),
    ):
        twice = [(key, value) for key, value in headers.items() if key != name] + [(name, value) for value in values]
        async with (
            world.nothing_happens(key_of=bob),
            world.http.post(inbox(world), data=body, headers=twice) as response,
        ):
            assert response.status == 401


async def test_024_another_algorithm_beside_the_signed_one(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = create(bob)
    both = f"SHA-512=AAAA,SHA-256={digest(b'other')}"
    await refused(world, bob, body, cavage(bob, inbox(world), body, values={"digest": both}) | {"digest": both})
    fields = f"sha-512=:AAAA:, sha-256=:{digest(b'other')}:"
    signed = rfc9421(bob, inbox(world), body, values={"content-digest": fields})
    await refused(world, bob, body, signed | {"content-digest": fields})


async def test_024_only_a_weak_digest(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = create(bob)
    for weak in ("MD5=AAAA", "SHA=AAAA", "unixsum=30637", ""):
        await refused(world, bob, body, cavage(bob, inbox(world), body, values={"digest": weak}) | {"digest": weak})


async def test_029_a_linked_data_signature_is_no_authentication(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(victim)
    note = victim.note("never said")
    ld = {
        "type": "RsaSignature2017",
        "creator": victim.key_id,
        "created": "2026-01-01T00:00:00Z",
        "signatureValue": "A",
    }
    forged = victim.activity("Create", note) | {"signature": ld}
    body = json.dumps(forged).encode()
    async with world.nothing_happens():
        assert await world.send(body, UNSIGNED) == 401
    assert await world.deliver(mallory, forged) != "done"
    assert await world.rows(sa.select(objects)) == []
    assert world.handled == []


async def test_029_what_a_forward_points_at_is_fetched_from_its_origin(world: World, peer: Peer, other: Peer) -> None:
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.follow(victim)
    note = victim.note("what victim said")
    peer.serve(note)
    lie = note | {"content": "what mallory says that victim said", "to": [world.alice]}
    forged = victim.activity("Create", lie, tag=[{"type": "Mention", "href": world.alice}])
    assert await world.deliver(mallory, forged | {"signature": {"type": "RsaSignature2017"}}) == "done"
    (received,) = world.handled
    assert received.object is not None
    assert "what victim said" in received.object["content"]
    assert "tag" not in received.document
    assert received.audience.to == tuple(note["to"])


async def test_031_rotation_costs_one_fetch_and_ends_the_old_key(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    old, bob.rsa = bob.rsa, generate_rsa()
    bob.publish()
    peer.asked.clear()
    assert await world.post(bob, bob.activity("Create", bob.note())) == 202
    assert peer.asked == ["GET /users/bob"]
    body = create(bob)
    async with world.nothing_happens(key_of=bob):
        assert await world.send(body, rfc9421(bob, inbox(world), body, key=old)) == 401


async def test_031_failing_signatures_do_not_make_us_ask_again_and_again(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.know(bob)
    peer.asked.clear()
    for _ in range(20):
        body = create(bob)
        assert await world.send(body, rfc9421(bob, inbox(world), body, key=rsa("attacker"))) == 401
    assert len(peer.asked) <= 5


EDGES = [
    (timedelta(hours=-1, minutes=-4), 202),
    (timedelta(hours=-1, minutes=-6), 401),
    (timedelta(minutes=59), 202),
    (timedelta(hours=1, minutes=2), 401),
    (timedelta(days=-365 * 40), 401),
]


@SQLITE
@BOTH
@pytest.mark.parametrize(("age", "status"), EDGES)
async def test_036_the_window(world: World, peer: Peer, sign: Sign, age: timedelta, status: int) -> None:
    bob = peer.actor()
    body = create(bob)
    assert await world.send(body, sign(bob, inbox(world), body, at=world.clock.now() + age)) == status
    assert len(await world.rows(sa.select(inbox_messages))) == (status == 202)


async def test_036_a_date_that_is_not_signed_or_not_there(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = create(bob)
    without = [name for name in CAVAGE if name != "date"]
    await refused(world, bob, body, cavage(bob, inbox(world), body, covered=without))
    await refused(world, bob, body, rfc9421(bob, inbox(world), body, parameters={"created": None}))
    for odd in ("", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT", "0"):
        await refused(world, bob, body, cavage(bob, inbox(world), body, values={"date": odd}) | {"date": odd})
    for strange in ("-1", "99999999999999999999", '"now"', "1.5"):
        await refused(world, bob, body, rfc9421(bob, inbox(world), body, parameters={"created": strange}))


async def test_036_an_expiry_is_honoured(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = create(bob)
    now = int(world.clock.now().timestamp())
    await refused(world, bob, body, rfc9421(bob, inbox(world), body, parameters={"expires": now - 1}))
    assert await world.send(body, rfc9421(bob, inbox(world), body, parameters={"expires": now + 60})) == 202


async def test_037_replayed_inside_the_window(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    body = create(bob)
    headers = bob.signed_headers(inbox(world), body)
    assert await world.send(body, headers) == 202
    await world.worker.drain()
    async with world.nothing_happens():
        assert await world.send(body, headers) == 202
    assert len(world.handled) == 1


@SQLITE
@pytest.mark.parametrize("algorithm", ["hmac-sha256", "none", "ed25519", "rsa-sha1", "rsa-sha512", "x" * 5_000])
async def test_038_an_algorithm_that_lies(world: World, peer: Peer, algorithm: str) -> None:
    bob = peer.actor()
    body = create(bob)
    await refused(world, bob, body, cavage(bob, inbox(world), body, parameters={"algorithm": algorithm}))
    await refused(world, bob, body, rfc9421(bob, inbox(world), body, parameters={"alg": f'"{algorithm}"'}))


async def test_038_the_public_key_as_a_secret(world: World, peer: Peer) -> None:
    """An HMAC keyed with the public key, under a name that suggests HMAC: the key's kind decides, not the header."""
    import base64
    import hmac

    bob = peer.actor()
    body = create(bob)
    headers = cavage(bob, inbox(world), body, parameters={"algorithm": "hmac-sha256"})
    mac = base64.b64encode(hmac.digest(bob.rsa.public.pem.encode(), b"x", "sha256")).decode()
    stated = f'keyId="{bob.key_id}",algorithm="hmac-sha256",headers="{" ".join(CAVAGE)}",signature="{mac}"'
    await refused(world, bob, body, headers | {"signature": stated})


async def test_038_an_ed25519_key_where_rsa_is_claimed(world: World, peer: Peer) -> None:
    bob = peer.actor()
    body = create(bob)
    parameters = {"keyid": f'"{bob.proof_key_id}"'}
    await refused(world, bob, body, rfc9421(bob, inbox(world), body, key=bob.ed25519, parameters=parameters))


MALFORMED = [
    {"signature": ""},
    {"signature": "x"},
    {"signature": 'keyId="x"'},
    {"signature": 'keyId="https://peer.example/a",signature="!!!"'},
    {"signature": 'keyId="a",keyId="b",algorithm="rsa-sha256",headers="date",signature="AA=="'},
    {"signature": 'keyId="not a url",headers="(request-target) host date digest",signature="AA=="'},
    {"signature": 'keyId="javascript:alert(1)",headers="(request-target) host date digest",signature="AA=="'},
    {"signature": 'keyId="' + "x" * 5_000 + '",signature="AA=="'},
    {"signature": 'headers="(request-target) host date digest",signature="AA=="'},
    {"signature": "sig1=:AA==:"},
    {"signature-input": "sig1=("},
    {"signature-input": 'sig1=("@method");created=1;keyid="x"'},
    {"signature-input": "sig1=();created=1", "signature": "sig1=:AA==:"},
    {"signature-input": 'a=("@method");keyid="x", b=("@method");keyid="x"', "signature": "a=:AA==:, b=:AA==:"},
    {"signature-input": 'sig1=("@method" "@method" "@target-uri" "content-digest");created=1;keyid="x"',
     "signature": "sig1=:AA==:"},
    {"signature-input": 'sig1=("@query-param";name="x" "@status");created=1;keyid="x"', "signature": "sig1=:AA==:"},
    {"signature-input": "\u00e9=", "signature": "\u00e9"},
]  # fmt: skip


@SQLITE
@pytest.mark.parametrize("headers", MALFORMED)
async def test_049_malformed_signature_headers(world: World, peer: Peer, headers: dict[str, str]) -> None:
    bob = peer.actor()
    body = create(bob)
    date = {name: value for name, value in cavage(bob, inbox(world), body).items() if name != "signature"}
    field = {"content-digest": f"sha-256=:{digest(body)}:"}
    async with world.nothing_happens():
        assert await world.send(body, date | field | headers) == 401


@pytest.mark.parametrize("covered", [RFC9421, CAVAGE])
async def test_049_two_labels(world: World, peer: Peer, covered: tuple[str, ...]) -> None:
    """Two signatures in one request, the first good: which of them is meant must not be guessed."""
    bob = peer.actor()
    body = create(bob)
    good = rfc9421(bob, inbox(world), body)
    two = {
        "signature-input": f'{good["signature-input"]}, sig2=("@method");created=1;keyid="{bob.key_id}"',
        "signature": f"{good['signature']}, sig2=:AAAA:",
    }
    await refused(world, bob, body, good | two)


async def test_048_a_weak_key_is_no_key(world: World, peer: Peer) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa as weak

    def pem(key: Any) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    bob = peer.actor()
    for bits, exponent in ((1024, 65537), (2048, 3)):
        key = weak.generate_private_key(exponent, bits)
        bob.publish(publicKey={"id": bob.key_id, "owner": bob.id, "publicKeyPem": pem(key)})
        body = create(bob)
        await refused(world, bob, body, rfc9421(bob, inbox(world), body))


async def test_048_a_small_order_point_signs_nothing(world: World, peer: Peer) -> None:
    """Under the neutral point one signature fits every message."""
    from keys import multibase

    bob = peer.actor()
    neutral = multibase.encode(b"\xed\x01" + b"\x01" + b"\x00" * 31)
    method = {"id": bob.proof_key_id, "type": "Multikey", "controller": bob.id, "publicKeyMultibase": neutral}
    bob.publish(assertionMethod=[method])
    proven = bob.prove(bob.activity("Create", bob.note()))
    proven["proof"]["proofValue"] = multibase.encode(b"\x01" + b"\x00" * 63)
    await refused(world, bob, json.dumps(proven).encode(), UNSIGNED)


async def test_a_proof_by_a_key_that_the_actor_does_not_list(world: World, peer: Peer) -> None:
    bob = peer.actor()
    bob.ed25519 = generate_ed25519()  # not published
    await refused(
        world, bob, json.dumps(bob.prove(bob.activity("Create", bob.note()))).encode(),
        UNSIGNED,
    )  # fmt: skip
