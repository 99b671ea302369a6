"""Followers that two servers agree upon: the digest, the header, and whose word about them counts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from federation import synchronise
from federation.errors import Unacceptable
from federation.tables import follower_checks
from keys.errors import BadSignature
from keys.requests import Request, read, sign
from schemas.strict_json import dumps
from tests.federation.world import Peer, RemoteActor, World, rsa

NOBODY = "0" * 64


def header(actor: RemoteActor, *, url: str | None = None, collection: str | None = None, digest: str = NOBODY) -> str:
    url = url or f"{actor.id}/followers_synchronization"
    return f'collectionId="{collection or actor.followers}", url="{url}", digest="{digest}"'


async def checks(world: World) -> list[str]:
    return [row.actor for row in await world.rows(sa.select(follower_checks))]


async def tell(world: World, actor: RemoteActor, value: str, *, covered: bool = True, scheme: Any = "rfc9421") -> None:
    """An activity for followers, with the header beside it; covered: whether the signature says so too."""
    activity = actor.activity("Create", actor.note(to=[actor.followers]))
    body, url = dumps(activity), f"{world.ids.origin}/inbox"
    headers = {"Content-Type": "application/activity+json"}
    beside = {synchronise.HEADER: value}
    signed = headers | (beside if covered else {})
    request = Request("POST", url, tuple((name.lower(), text) for name, text in signed.items()), body)
    carried = headers | beside | sign(request, actor.key_id, actor.rsa, scheme, world.clock.now())
    assert await world.send(body, carried) == 202
    await world.settle()


def test_the_digest_is_the_exclusive_or_of_the_hashes() -> None:
    one, other = "https://a.example/users/a", "https://a.example/users/b"
    each = [int(hashlib.sha256(who.encode()).hexdigest(), 16) for who in (one, other)]
    assert synchronise.digest([one, other]) == synchronise.digest([other, one]) == f"{each[0] ^ each[1]:064x}"
    assert synchronise.digest([]) == NOBODY


def test_the_digest_of_the_proposal() -> None:
    """The example of FEP-8fcf."""
    people = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"]
    assert synchronise.digest(people) == "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "collectionId",
        f'collectionId="x", url="y", digest="{NOBODY[1:]}"',
        f'collectionId="x", collectionId="x", url="y", digest="{NOBODY}"',
        f'url="y", digest="{NOBODY}"',
        "x" * 5_000,
    ],
)
def test_a_header_that_cannot_be_read(text: str) -> None:
    with pytest.raises(Unacceptable):
        synchronise.read_header(text)


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
async def test_what_differs_is_compared_once_an_hour(world: World, peer: Peer, scheme: Any) -> None:
    bob = peer.actor()
    await world.follow(bob)
    agreed = synchronise.digest([world.alice])
    await tell(world, bob, header(bob, digest=agreed), scheme=scheme)
    assert await checks(world) == []
    await tell(world, bob, header(bob), scheme=scheme)
    assert await checks(world) == [bob.id]


async def test_142_only_what_the_signature_covers_counts_and_only_of_oneself(world: World, peer: Peer) -> None:
    bob, mallory = peer.actor(), peer.actor("mallory")
    await world.follow(bob)
    await world.follow(mallory)
    await tell(world, bob, header(bob), covered=False)
    await tell(world, bob, header(bob, url="https://elsewhere.example/list"))
    await tell(world, mallory, header(bob))
    await tell(world, bob, "not a header at all")
    assert await checks(world) == []


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_the_header_is_signed_under_both_schemes(scheme: Any) -> None:
    now = datetime(2026, 12, 1, tzinfo=UTC)
    name, value = synchronise.HEADER.lower(), f'collectionId="x", url="y", digest="{NOBODY}"'
    headers = (("content-type", "application/activity+json"), (name, value))
    request = Request("POST", "https://b.example/inbox", headers, b"{}")
    added = sign(request, "https://a.example/users/a#main-key", rsa("a"), scheme, now)
    carried = headers + tuple((key.lower(), text) for key, text in added.items())
    claim = read(request._replace(headers=carried), now)
    assert claim is not None
    assert name in claim.covered
    claim.verify(rsa("a").public)
    changed = tuple((key, text.replace(NOBODY, "1" * 64)) for key, text in carried)
    forged = read(request._replace(headers=changed), now)
    assert forged is not None
    with pytest.raises(BadSignature):
        forged.verify(rsa("a").public)
