"""Three questions about a signed document, each with its own answer; the origin is a function that a test holds."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from federation.clock import iso
from federation.errors import FederationError, Gone, NotFound, Unreachable, Unsafe
from federation.verdicts import NO_PINS, Fetch, Memory, Pins, Verdict, Verdicts, check
from keys import multibase, proofs, rotation
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


def until(document: dict[str, Any], expires: datetime) -> dict[str, Any]:
    """Signed like `signed`, but only until a time."""
    options = signed(document)["proof"] | {"expires": iso(expires)}
    del options["proofValue"]
    value = multibase.encode(KEYS[BO].sign(proofs._base(document, options)))
    return document | {"proof": options | {"proofValue": value}}


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
    document = signed(note(), by=EVE)

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


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(seconds=1), ("holds", "holds", "holds", "holds")),
        (timedelta(), ("holds", "holds", "fails", "fails")),
        (timedelta(days=-1), ("holds", "holds", "fails", "fails")),
    ],
)
async def test_a_signature_that_was_given_for_a_time_is_in_force_only_for_that(left, expected):
    document = until(note(), NOW + left)
    found = await ask(document, origin(actor(), document))
    assert outcomes(found) == expected
    assert ("held only until" in found.force.sentence) is (expected[2] == "fails")


async def test_a_time_that_was_prolonged_is_a_change():
    document = until(note(), NOW - timedelta(days=1))
    document["proof"] |= {"expires": iso(NOW + timedelta(days=1))}
    assert (await ask(document, origin(actor(), document))).signature.outcome == "fails"


async def test_a_tombstone_counts_with_whatever_it_says():
    document = signed(note())
    buried = note(type="Tombstone")
    assert outcomes(await ask(document, origin(actor(), buried))) == ("holds", "holds", "fails", "fails")


async def test_an_end_that_is_to_come_is_no_end_and_one_that_is_no_time_neither():
    for end in (iso(NOW + timedelta(seconds=1)), "soon", 7, None, "9999-12-31T23:59:59Z"):
        document = signed(note(endTime=end))
        assert (await ask(document, origin(actor(), document))).overall == "holds", end


async def test_what_is_not_signed_is_not_asked_for():
    asked: list[str] = []

    async def fetch(url: str) -> dict[str, Any]:
        asked.append(url)
        return actor()

    await ask(note(), fetch)
    assert asked == []


# ---- documents that are hard to ask about


async def test_a_document_that_names_no_author_is_nobodys():
    nobodys = {name: value for name, value in note().items() if name != "attributedTo"}
    found = await ask(signed(nobodys), origin(actor(), nobodys))
    assert (found.signature.outcome, found.key.outcome, found.overall) == ("unknown", "fails", "fails")
    assert found.author is None
    assert "no author" in found.key.sentence


async def test_what_two_people_say_is_nobodys():
    found = await ask(signed(note(attributedTo=[BO, EVE])), origin(actor(), actor(EVE)))
    assert found.overall == "fails"


@pytest.mark.parametrize(
    "proof",
    [
        {},
        None,
        "proof",
        [],
        [signed(note())["proof"]] * 2,
        signed(note())["proof"] | {"proofValue": "z"},
        signed(note())["proof"] | {"proofValue": 7},
        signed(note())["proof"] | {"proofPurpose": "authentication"},
        signed(note())["proof"] | {"created": "yesterday"},
        signed(note())["proof"] | {"verificationMethod": None},
        signed(note())["proof"] | {"cryptosuite": "eddsa-rdfc-2022"},
        [{}] * 11,
    ],
    ids=lambda proof: type(proof).__name__,  # keys are new each time, and every process must name a test alike
)
async def test_no_broken_proof_is_a_proof_or_a_fault(proof):
    document = note(proof=proof)
    found = await ask(document, origin(actor(), document))
    assert outcomes(found) == ("fails", "unknown", "unknown", "fails")
    assert found.document_id == note()["id"]


@pytest.mark.parametrize("away", [Unreachable("timed out"), None], ids=["away", "no network"])
async def test_a_profile_proves_its_own_words_while_its_origin_is_away_and_not_whose_they_are(away):
    fetch = None if away is None else origin((BO, away))
    assert outcomes(await ask(signed(actor()), fetch)) == ("holds", "unknown", "unknown", "unknown")
    changed = signed(actor()) | {"name": "Somebody else"}
    assert outcomes(await ask(changed, fetch)) == ("fails", "unknown", "unknown", "fails")


async def test_a_profile_with_a_key_that_it_does_not_list_proves_nothing():
    found = await ask(signed(actor(), by=EVE, method=key_id(EVE)), origin((BO, Unreachable("timed out"))))
    assert outcomes(found)[:2] == ("unknown", "unknown")


async def test_a_profile_that_is_none_while_its_origin_is_away_proves_nothing():
    document = signed({name: value for name, value in actor().items() if name != "inbox"})
    assert (await ask(document, origin((BO, Unreachable("timed out"))))).signature.outcome == "unknown"


async def test_a_profile_at_its_origin_holds():
    document = signed(actor())
    assert outcomes(await ask(document, origin(document))) == ("holds",) * 4


async def test_a_profile_with_a_strangers_key_in_it_is_not_the_one_at_its_origin():
    """Eve copies Bo's profile, puts her key in, and signs: it holds together, and is not Bo's."""
    hers = actor()["assertionMethod"][0] | {"publicKeyMultibase": KEYS[EVE].public.multibase}
    forged = signed(actor(assertionMethod=[hers]), by=EVE, method=key_id(BO))
    found = await ask(forged, origin(signed(actor())))
    assert (found.signature.outcome, found.overall) == ("fails", "fails")
    alone = await ask(forged, None)
    assert (alone.signature.outcome, alone.key.outcome, alone.overall) == ("holds", "unknown", "unknown")
    pinned = await ask(forged, None, Pins.of([actor()]))
    assert pinned.signature.outcome == "fails"


async def test_an_activity_is_its_actors():
    activity = {"@context": [AS_CONTEXT, DATA_INTEGRITY_V1], "id": f"{BO}/activities/1", "type": "Create"}
    document = signed(activity | {"actor": BO, "object": note(attributedTo=EVE)})
    found = await ask(document, origin(actor(), document))
    assert (found.author, found.overall) == (BO, "holds")


async def test_an_author_who_writes_in_another_form_is_read_as_by_the_rest_of_the_node():
    spelt_out = {("@type" if name == "type" else name): value for name, value in actor().items()}
    document = signed(note())
    assert (await ask(document, origin(spelt_out, document))).overall == "holds"
    assert (await ask(document, None, Pins.of([spelt_out]))).key.outcome == "holds"


@pytest.mark.parametrize("served", [{"id": BO}, {"id": BO, "type": "Note"}, {"id": BO, "@graph": []}])
async def test_what_is_no_actor_vouches_for_nobody(served):
    document = signed(note())
    assert outcomes(await ask(document, origin(served, document)))[:2] == ("unknown", "fails")


# ---- pins, and an origin that says otherwise


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(Gone("410"), "fails"), (NotFound("404"), "fails"), (Unreachable("503"), "holds"), (Unsafe("private"), "holds")],
)
async def test_a_pin_does_not_outweigh_an_origin_that_says_no(said, outcome):
    document = signed(note())
    found = await ask(document, origin((BO, said), document), Pins.of([actor()]))
    assert (found.signature.outcome, found.key.outcome) == ("holds", outcome)


async def test_a_tampered_document_fails_under_a_pinned_key_too():
    found = await ask(signed(note()) | {"content": "<p>Busy</p>"}, None, Pins.of([actor()]))
    assert outcomes(found) == ("fails", "holds", "unknown", "fails")


async def test_without_network_an_unpinned_key_is_not_the_authors():
    found = await ask(signed(note()), None, Pins.of([actor(EVE)]))
    assert outcomes(found) == ("unknown", "unknown", "unknown", "unknown")


@pytest.mark.parametrize("fails", ["signature", "key", "force"])
@pytest.mark.parametrize("others", ["holds", "unknown"])
def test_one_no_is_a_no_and_one_doubt_is_never_a_yes(fails, others):
    answers = dict.fromkeys(("signature", "key", "force"), Verdict(others, ""))
    assert Verdicts(**answers).overall == others
    assert Verdicts(**answers | {fails: Verdict("fails", "")}).overall == "fails"
    assert Verdicts(**answers | {fails: Verdict("unknown", "")}).overall == "unknown"


# ---- keys that were replaced, and keys that were stolen (SECURITY 183, 184)

NEXT = generate_ed25519()
DAY = timedelta(days=1)


def listed(*keys: dict[str, Any], **more: Any) -> dict[str, Any]:
    return actor(assertionMethod=list(keys), **more)


def old_key(**more: Any) -> dict[str, Any]:
    return {**actor()["assertionMethod"][0]} | more


def new_key(*, named: bool = True) -> dict[str, Any]:
    key = {
        "id": f"{BO}#next",
        "type": "Multikey",
        "controller": BO,
        "publicKeyMultibase": NEXT.public.multibase,
    }
    return key | ({"proof": rotation.confirm(key, KEYS[BO], key_id(), NOW)} if named else {})


def signed_anew(document: dict[str, Any]) -> dict[str, Any]:
    return add_proof(document, NEXT, f"{BO}#next", NOW)


@pytest.mark.parametrize(
    ("ends", "outcome", "words"),
    [
        ({"expires": iso(NOW)}, "holds", "What it signs counts until"),
        ({"expires": iso(NOW + DAY)}, "holds", "What it signs counts until"),
        ({"expires": iso(NOW - 2 * DAY)}, "fails", "signs nothing with this key since"),
        ({"revoked": iso(NOW)}, "unknown", "whoever has the key can write any date"),
        ({"revoked": iso(NOW - 2 * DAY)}, "fails", "and this was signed later"),
        ({"expires": iso(NOW), "revoked": iso(NOW - 2 * DAY)}, "fails", "in other hands"),
        ({"revoked": "some day"}, "fails", "does not list this key"),
    ],
)
async def test_183_184_a_key_counts_for_the_time_in_which_it_was_its_owners(ends, outcome, words):
    document = signed(note())
    served = listed(new_key(), old_key(**ends))
    found = await check(document, origin(served, (document["id"], Gone("gone"))), NO_PINS, NOW)
    assert (found.key.outcome, words in found.key.sentence) == (outcome, True), found.key
    assert found.signature.outcome == ("unknown" if "does not list" in words else "holds")


async def test_184_a_key_that_is_named_as_revoked_elsewhere_in_the_document_is_revoked():
    served = listed(new_key(), old_key(), verificationMethod=[old_key(revoked=iso(NOW - 2 * DAY))])
    found = await check(signed(note()), origin(served), NO_PINS, NOW)
    assert found.key.outcome == "fails"


async def test_184_the_same_words_signed_anew_make_the_old_copy_good():
    document = signed(note())
    served = listed(new_key(named=False), verificationMethod=[old_key(revoked=iso(NOW))])
    same = await check(document, origin(served, signed_anew(note())), NO_PINS, NOW)
    assert (same.overall, "signed the same words anew" in same.key.sentence) == ("holds", True)
    for other in (signed_anew(note(content="<p>Never</p>")), signed(note()), note()):
        assert (await check(document, origin(served, other), NO_PINS, NOW)).key.outcome == "unknown"


async def test_184_what_a_node_has_had_since_before_stands():
    served = listed(new_key(named=False), verificationMethod=[old_key(revoked=iso(NOW))])
    seen = {
        NOW - timedelta(hours=1): ("holds", "this was here before that"),
        NOW: ("unknown", "whoever has the key"),
    }
    for moment, (outcome, words) in seen.items():
        found = await check(signed(note()), origin(served), NO_PINS, NOW, Memory(seen=moment))
        assert (found.key.outcome, words in found.key.sentence) == (outcome, True)


@pytest.mark.parametrize(
    ("named", "outcome", "words"),
    [(True, "holds", "named by one that was pinned"), (False, "unknown", "No key that was pinned has named it")],
)
async def test_022_a_new_key_is_measured_by_those_that_were_pinned(named, outcome, words):
    document = signed_anew(note())
    served = listed(new_key(named=named), old_key(expires=iso(NOW + DAY)))
    found = await check(document, origin(served, document), Pins.of([actor()]), NOW)
    assert (found.key.outcome, words in found.key.sentence) == (outcome, True)


async def test_022_a_key_that_only_its_server_names_is_said_to_be_that():
    document = signed_anew(note())
    served = listed(new_key(named=False))
    found = await check(document, origin(served, document), NO_PINS, NOW, Memory(unconfirmed=NOW - DAY))
    assert found.overall == "holds"
    assert "the server says so, the old key did not confirm it" in found.key.sentence
