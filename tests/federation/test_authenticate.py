from __future__ import annotations

import json
from typing import Any

import pytest

from federation.authenticate import Authenticator, KeyGone
from federation.errors import Forbidden, Unauthenticated, Unreachable
from federation.types import Signer
from keys.requests import Request
from schemas.base import envelope_of
from schemas.terms import ACTIVITY_JSON
from tests.federation.world import Peer, RemoteActor, World


@pytest.fixture
def authenticator(world: World) -> Authenticator:
    return Authenticator(world.ids, world.resolver, world.policy, world.clock)


def request(world: World, actor: RemoteActor, document: dict[str, Any], **how: Any) -> Request:
    body = json.dumps(document).encode()
    headers = actor.signed_headers(world.ids.shared_inbox, body, **how)
    return Request("POST", world.ids.shared_inbox, tuple(headers.items()), body)


def bare(world: World, document: dict[str, Any]) -> Request:
    headers = (("content-type", ACTIVITY_JSON),)
    return Request("POST", world.ids.shared_inbox, headers, json.dumps(document).encode())


async def test_who_signed(world: World, peer: Peer, authenticator: Authenticator) -> None:
    bob = peer.actor()
    document = bob.activity("Like", "https://a.example/1")
    envelope = envelope_of(document)
    for scheme in ("cavage", "rfc9421"):
        signer = await authenticator.signer_of(request(world, bob, document, scheme=scheme), document, envelope)
        assert signer == Signer(bob.id, bob.key_id, scheme)
    proven = bob.prove(document)
    assert await authenticator.signer_of(bare(world, proven), proven, envelope) == Signer(
        bob.id, bob.proof_key_id, "proof"
    )


async def test_a_proof_goes_before_a_signature(
    world: World, peer: Peer, other: Peer, authenticator: Authenticator
) -> None:
    bob, relay = peer.actor(), other.actor("relay")
    proven = bob.prove(bob.activity("Like", "https://a.example/1"))
    signer = await authenticator.signer_of(request(world, relay, proven), proven, envelope_of(proven))
    assert (signer.actor_id, signer.how) == (bob.id, "proof")


async def test_nothing_is_asked_of_a_blocked_host(world: World, peer: Peer, authenticator: Authenticator) -> None:
    bob = peer.actor()
    await world.block("127.0.0.2")
    document = bob.activity("Like", "https://a.example/1")
    for signed, said in (
        (request(world, bob, document), document),
        (bare(world, bob.prove(document)), bob.prove(document)),
    ):
        with pytest.raises(Forbidden):
            await authenticator.signer_of(signed, said, envelope_of(said))
    assert peer.asked == []


async def test_what_is_gone_and_what_is_away(world: World, peer: Peer, authenticator: Authenticator) -> None:
    bob, carol = peer.actor("bob"), peer.actor("carol")
    peer.documents |= {"/users/bob": 410, "/users/carol": 500}
    document = bob.activity("Like", "https://a.example/1")
    with pytest.raises(KeyGone) as gone:
        await authenticator.signer_of(request(world, bob, document), document, envelope_of(document))
    assert gone.value.key_id == bob.key_id
    with pytest.raises(Unreachable):
        await authenticator.signer_of(request(world, carol, document), document, envelope_of(document))


async def test_an_object_s_own_proof(world: World, peer: Peer, authenticator: Authenticator) -> None:
    bob, mallory = peer.actor("bob"), peer.actor("mallory")
    assert not await authenticator.proves(bob.note(), bob.id)
    assert not await authenticator.proves(bob.note(proof={"cryptosuite": "other"}), bob.id)
    assert await authenticator.proves(bob.prove(bob.note()), bob.id)
    for broken in (mallory.prove(bob.note()), bob.prove(bob.note()) | {"content": "changed"}):
        with pytest.raises(Unauthenticated):
            await authenticator.proves(broken, bob.id)


async def test_a_get_is_signed_by_its_reader(world: World, peer: Peer, authenticator: Authenticator) -> None:
    bob = peer.actor()
    headers = bob.signed_headers(world.alice, None, method="GET", scheme="cavage")
    reader = await authenticator.requester(Request("GET", world.alice, tuple(headers.items()), None))
    assert reader.actor_id == bob.id
    elsewhere = Request("GET", f"{world.alice}/outbox", tuple(headers.items()), None)
    with pytest.raises(Unauthenticated):
        await authenticator.requester(elsewhere)
