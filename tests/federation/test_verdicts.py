"""Three questions about a signed document, each with its own answer; the origin is a function that a test holds."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from federation.clock import iso
from federation.errors import FederationError, Gone, NotFound, Unreachable, Unsafe
from federation.verdicts import NO_PINS, Fetch, Pins, Verdicts, check
from keys.errors import KeysError
from keys.material import generate_ed25519
from keys.proofs import add_proof
from schemas.errors import SchemaError
from schemas.terms import ACTOR_CONTEXT, AS_CONTEXT, DATA_INTEGRITY_V1, PUBLIC

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BO, EVE = "https://bo.example/users/bo", "https://eve.example/users/eve"
KEYS = {BO: generate_ed25519(), EVE: generate_ed25519()}


def key_id(actor_id: str = BO) -> str:
    return f"{actor_id}#ed25519-key"


def actor(actor_id: str = BO, **changes: Any) -> dict[str, Any]:
    multikey = {
        "id": key_id(actor_id),
        "type": "Multikey",
        "controller": actor_id,
        "publicKeyMultibase": KEYS[actor_id].public.multibase,
    }
    return {
        "@context": ACTOR_CONTEXT,
        "id": actor_id,
        "type": "Person",
        "preferredUsername": actor_id.rpartition("/")[2],
        "inbox": f"{actor_id}/inbox",
        "assertionMethod": [multikey],
    } | changes


def note(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [AS_CONTEXT, DATA_INTEGRITY_V1],
        "id": f"{BO}/notes/1",
        "type": "Note",
        "attributedTo": BO,
        "content": "<p>Free from Monday</p>",
        "to": [PUBLIC],
    } | changes


def signed(document: dict[str, Any], *, by: str = BO, method: str | None = None) -> dict[str, Any]:
    return add_proof(document, KEYS[by], method or key_id(by), NOW - timedelta(days=1))


def origin(*documents: dict[str, Any] | tuple[str, FederationError]) -> Fetch:
    """Serves documents at their ids, or raises what is given for an id; knows nothing else."""
    answers: dict[str, Any] = {}
    for served in documents:
        if isinstance(served, tuple):
            answers[served[0]] = served[1]
        else:
            answers[served["id"]] = served

    async def fetch(url: str) -> dict[str, Any]:
        found = answers.get(url, NotFound(url))
        if isinstance(found, FederationError):
            raise found
        return deepcopy(found)

    return fetch


async def ask(document: dict[str, Any], fetch: Fetch | None, pins: Pins = NO_PINS) -> Verdicts:
    return await check(document, fetch, pins, NOW)


def outcomes(found: Verdicts) -> tuple[str, str, str, str]:
    return found.signature.outcome, found.key.outcome, found.force.outcome, found.overall


async def test_what_stands_at_its_origin_holds():
    document = signed(note())
    found = await ask(document, origin(actor(), document))
    assert outcomes(found) == ("holds", "holds", "holds", "holds")
    assert (found.author, found.key_id, found.document_id) == (BO, key_id(), document["id"])
    assert found.signed_at == NOW - timedelta(days=1)
    assert iso(NOW) in found.force.sentence


@pytest.mark.parametrize("change", [{"content": "<p>Busy</p>"}, {"more": 1}, {"to": []}])
async def test_any_change_breaks_the_signature_and_then_nothing_is_in_force(change):
    document = signed(note())
    found = await ask(document | change, origin(actor(), document))
    assert outcomes(found) == ("fails", "holds", "unknown", "fails")


async def test_a_document_without_a_proof_has_nothing_to_check():
    found = await ask(note(), origin(actor(), note()))
    assert outcomes(found) == ("fails", "unknown", "unknown", "fails")
    assert "no signature" in found.signature.sentence


async def test_a_proof_that_cannot_be_read_is_said_to_be_that():
    found = await ask(note(proof={"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"}), origin(actor()))
    assert found.overall == "fails"
    assert "cannot be read" in found.signature.sentence


async def test_a_good_signature_by_somebody_else_is_not_the_authors():
    document = signed(note(), by=EVE)
    found = await ask(document, origin(actor(), actor(EVE), document))
    assert (found.key.outcome, found.overall) == ("fails", "fails")
    assert "does not list this key" in found.key.sentence


async def test_a_key_counts_only_from_the_authors_own_document():
    stolen = actor() | {"assertionMethod": actor(EVE)["assertionMethod"]}  # Eve's key, with Eve as its controller
    document = signed(note(), by=EVE)
    found = await ask(document, origin(stolen, document))
    assert found.overall == "fails"


async def test_an_origin_that_answers_as_somebody_else_vouches_for_nobody():
    document = signed(note())

    async def fetch(url: str) -> dict[str, Any]:
        return document if url == document["id"] else actor(EVE)

    found = await ask(document, fetch)
    assert (found.signature.outcome, found.key.outcome) == ("unknown", "fails")


@pytest.mark.parametrize("error", [Unreachable("timed out"), Unsafe("a private address")])
async def test_nobody_to_ask_is_no_yes_and_no_no(error):
    document = signed(note())
    found = await ask(document, origin((BO, error), document))
    assert outcomes(found) == ("unknown", "unknown", "holds", "unknown")
    assert "https://bo.example" in found.key.sentence


@pytest.mark.parametrize("error", [Gone("410"), NotFound("404")])
async def test_an_author_who_is_gone_is_vouched_for_by_nobody(error):
    document = signed(note())
    assert (await ask(document, origin((BO, error), document))).key.outcome == "fails"


async def test_a_profile_shows_its_own_signature_even_alone_but_not_whose_it_is():
    found = await ask(signed(actor()), None)
    assert outcomes(found) == ("holds", "unknown", "unknown", "unknown")


# ---- pins


async def test_a_pinned_key_needs_no_network():
    found = await ask(signed(note()), None, Pins.of([actor()]))
    assert outcomes(found) == ("holds", "holds", "unknown", "unknown")
    assert "pinned" in found.key.sentence
    assert "Without a network" in found.force.sentence


async def test_a_single_key_can_be_pinned():
    found = await ask(signed(note()), None, Pins.of([actor()["assertionMethod"][0]]))
    assert found.key.outcome == "holds"


async def test_a_pin_stands_in_when_the_origin_is_away():
    document = signed(note())
    found = await ask(document, origin((BO, Unreachable("away")), document), Pins.of([actor()]))
    assert outcomes(found) == ("holds", "holds", "holds", "holds")


async def test_a_pinned_key_of_somebody_else_is_not_the_authors():
    document = signed(note(), by=EVE)
    found = await ask(document, None, Pins.of([actor(EVE)]))
    assert outcomes(found)[:2] == ("holds", "fails")
    assert EVE in found.key.sentence


async def test_a_pinned_key_is_remembered_when_it_is_no_longer_listed():
    document = signed(note())
    found = await ask(document, origin(actor(assertionMethod=[]), document), Pins.of([actor()]))
    assert found.key.outcome == "holds"
    assert "no longer listed" in found.key.sentence


@pytest.mark.parametrize("pin", [{}, {"type": "Multikey"}, {"type": "Multikey", "id": 1}, {"type": "Note"}])
def test_what_is_no_key_cannot_be_pinned(pin):
    with pytest.raises(SchemaError):
        Pins.of([pin])


def test_a_broken_key_cannot_be_pinned():
    broken = actor()["assertionMethod"][0] | {"publicKeyMultibase": "z6Mkbroken"}
    with pytest.raises(KeysError):
        Pins.of([broken])


async def test_a_broken_key_at_the_origin_is_no_key():
    broken = actor()["assertionMethod"][0] | {"publicKeyMultibase": "z6Mkbroken"}
    document = signed(note())
    found = await ask(document, origin(actor(assertionMethod=[broken]), document))
    assert (found.signature.outcome, found.key.outcome) == ("unknown", "fails")


# ---- still in force


@pytest.mark.parametrize(
    ("now_served", "outcome", "words"),
    [
        (note(), "holds", "stands at its origin"),
        (note(content="<p>Busy until May</p>"), "fails", "another version"),
        ({"id": f"{BO}/notes/1", "type": "Tombstone"}, "fails", "withdrawn"),
        ((f"{BO}/notes/1", Gone("410")), "fails", "withdrawn"),
        ((f"{BO}/notes/1", NotFound("404")), "fails", "withdrawn"),
        ((f"{BO}/notes/1", Unreachable("503")), "unknown", "Could not ask"),
        (note(endTime=iso(NOW - timedelta(hours=1))), "fails", "ended"),
    ],
    ids=["stands", "replaced", "tombstone", "gone", "absent", "away", "closed"],
)
async def test_whether_it_still_stands_is_asked_at_its_origin(now_served, outcome, words):
    found = await ask(signed(note()), origin(actor(), now_served))
    assert (found.signature.outcome, found.force.outcome) == ("holds", outcome)
    assert words in found.force.sentence


async def test_what_ended_by_its_own_words_is_over_whatever_its_origin_says():
    document = signed(note(endTime=iso(NOW - timedelta(days=1))))
    found = await ask(document, origin(actor(), document))
    assert outcomes(found) == ("holds", "holds", "fails", "fails")


async def test_another_proof_on_the_same_words_is_not_another_version():
    document = signed(note())
    again = add_proof(note(), KEYS[BO], key_id(), NOW)
    assert (await ask(document, origin(actor(), again))).overall == "holds"


async def test_what_has_no_id_cannot_be_asked_for():
    nameless = {name: value for name, value in note().items() if name != "id"}
    found = await ask(signed(nameless), origin(actor()))
    assert outcomes(found) == ("holds", "holds", "unknown", "unknown")
