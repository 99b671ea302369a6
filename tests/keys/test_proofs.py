"""Object proofs: FEP-8b32 with eddsa-jcs-2022."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import multibase, proofs
from keys.canonical import jcs, sha256
from keys.encoding import public_from_did_key, public_from_multibase
from keys.errors import BadHeader, BadKey, BadSignature, Expired, KeysError
from keys.proofs import add_proof, read_proof
from tests.keys.made import NOW, ed25519, ed25519_from_multibase, rsa
from tests.vectors import load

FEP = load("fep-8b32.json")
C390 = load("fep-c390.json")
W3C = load("vc-di-eddsa.json")
METHOD = "https://a.example/users/alice#ed25519-key"
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]


def note(**more):
    return {"@context": CONTEXT, "id": "https://a.example/notes/1", "type": "Note", "content": "Grüße", **more}


def proven(**more):
    return add_proof(note(**more), ed25519(), METHOD, NOW)


def with_option(document, **options):
    return {**document, "proof": {**document["proof"], **options}}


def check(document, key=None, now=None):
    claim = read_proof(document, now=now)
    assert claim is not None
    claim.verify((key or ed25519()).public)
    return claim


# The standards' own values.


def test_fep_8b32_is_made_byte_for_byte():
    key = ed25519_from_multibase(FEP["secretKeyMultibase"])
    assert key.public.multibase == FEP["publicKeyMultibase"]
    signed = add_proof(FEP["document"], key, FEP["verificationMethod"], datetime.fromisoformat(FEP["created"]))
    assert signed == {**FEP["document"], "proof": FEP["proof"]}


def test_fep_8b32_is_verified():
    claim = read_proof({**FEP["document"], "proof": FEP["proof"]})
    claim.verify(public_from_multibase(FEP["publicKeyMultibase"]))
    assert claim.verification_method == FEP["verificationMethod"]
    assert claim.created == datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)


def test_w3c_eddsa_jcs_2022_is_verified_step_by_step():
    signed = W3C["signedDocument"]
    options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    document = {name: value for name, value in signed.items() if name != "proof"}
    assert jcs(document).decode() == W3C["canonicalDocument"]
    assert jcs(options).decode() == W3C["canonicalOptions"]
    assert sha256(jcs(document)).hex() == W3C["documentHash"]
    assert sha256(jcs(options)).hex() == W3C["optionsHash"]
    claim = read_proof(signed)
    assert claim.base.hex() == W3C["combinedHash"]
    assert claim.signature.hex() == W3C["signature"]
    claim.verify(public_from_did_key(claim.verification_method))


def test_w3c_eddsa_jcs_2022_is_made():
    key = ed25519_from_multibase(W3C["secretKeyMultibase"])
    assert key.public.multibase == W3C["publicKeyMultibase"]
    assert key.sign(bytes.fromhex(W3C["combinedHash"])).hex() == W3C["signature"]


def test_fep_c390_is_made_byte_for_byte_and_verified():
    """A statement without a context, by a did:key without a fragment."""
    key = ed25519_from_multibase(C390["secretKeyMultibase"])
    subject = C390["claim"]["subject"]
    assert add_proof(C390["claim"], key, subject, datetime.fromisoformat(C390["created"])) == C390["proof"]
    (statement,) = C390["actor"]["attachment"]
    claim = read_proof(statement)
    claim.verify(public_from_did_key(claim.verification_method))
    assert claim.verification_method == subject


# What is made.


def test_a_proof_stands_last_and_has_the_documents_context():
    signed = proven()
    assert list(signed) == [*note(), "proof"]
    assert signed["proof"]["@context"] == CONTEXT
    assert list(signed["proof"])[-1] == "proofValue"
    assert signed["proof"]["created"] == "2026-12-07T10:00:00Z"
    check(signed)


def test_making_a_proof_leaves_the_document_alone_and_replaces_an_old_one():
    document = proven()
    before = copy.deepcopy(document)
    again = add_proof(document, ed25519("bob"), "https://b.example/#key", NOW + timedelta(days=1))
    assert document == before
    check(again, ed25519("bob"))


def test_a_document_without_a_context_can_be_proven():
    signed = add_proof({"id": "https://a.example/1"}, ed25519(), METHOD, NOW)
    assert "@context" not in signed["proof"]
    check(signed)


def test_an_rsa_key_makes_no_proof_and_verifies_none():
    with pytest.raises(BadKey):
        add_proof(note(), rsa(), METHOD, NOW)
    with pytest.raises(BadSignature):
        check(proven(), rsa())


def test_a_proof_survives_a_journey_as_bytes():
    check(json.loads(json.dumps(proven(endTime=None, ratio=0.5, tag=[{"a": {"b": []}}]), indent=3)))


# What is read.


def test_a_document_without_a_proof_claims_nothing():
    assert read_proof(note()) is None


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "https://a.example/proof",
        [],
        {},
        {"type": "JcsEd25519Signature2022", "proofValue": "z1"},
        {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "z1"},
        {"type": "DataIntegrityProof", "cryptosuite": ["eddsa-jcs-2022"]},
        [{"type": "MitraJcsRsaSignature2022"}, "x", 7],
    ],
)
def test_proofs_of_another_kind_are_not_read(proof):
    assert read_proof(note(proof=proof)) is None


def test_of_a_set_of_proofs_the_one_of_our_kind_is_taken():
    signed = proven()
    other = {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-jcs-2019", "proofValue": "z1"}
    check({**signed, "proof": [other, signed["proof"]]})
    check({**signed, "proof": [signed["proof"]]})


def test_two_proofs_of_our_kind_are_ambiguous():
    signed = proven()
    with pytest.raises(BadHeader):
        read_proof({**signed, "proof": [signed["proof"], signed["proof"]]})
    with pytest.raises(BadHeader):
        read_proof({**signed, "proof": [{}] * 1_000 + [signed["proof"]]})


def test_029_a_foreign_linked_data_signature_is_neither_signed_nor_verified():
    check({**proven(), "signature": {"type": "RsaSignature2017", "signatureValue": "nonsense"}})


def test_created_is_kept_as_it_came():
    options = {
        "@context": CONTEXT,
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-23T14:05:12.993712961Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "nonce": "an option that we do not know",
    }
    value = multibase.encode(ed25519().sign(proofs._base(note(), options)))
    claim = check(note(proof={**options, "proofValue": value}))
    assert claim.created == datetime(2026, 11, 23, 14, 5, 12, 993712, UTC)


def _expiring(expires):
    options = {**proven()["proof"], "expires": expires}
    del options["proofValue"]
    return note(proof={**options, "proofValue": multibase.encode(ed25519().sign(proofs._base(note(), options)))})


def test_expires_is_told_and_honoured():
    document = _expiring("2026-12-07T11:00:00Z")
    assert check(document).expires == NOW + timedelta(hours=1)
    check(document, now=NOW + timedelta(minutes=59))
    with pytest.raises(Expired):
        read_proof(document, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "options",
    [
        {"type": "DataIntegrity"},
        {"type": ["DataIntegrityProof"]},
        {"proofPurpose": "authentication"},
        {"proofPurpose": None},
        {"verificationMethod": None},
        {"verificationMethod": ""},
        {"verificationMethod": {"id": METHOD}},
        {"verificationMethod": "x" * 5_000},
        {"proofValue": None},
        {"proofValue": ""},
        {"proofValue": "z"},
        {"proofValue": "z0OIl"},
        {"proofValue": "u" + "A" * 86},
        {"proofValue": multibase.encode(bytes(range(1, 64)))},
        {"proofValue": "z" + "1" * 3_000},
        {"created": "yesterday"},
        {"created": 7},
        {"expires": None},
        {"previousProof": "urn:uuid:1"},
        {"@context": "https://evil.example/"},
        {"@context": [*CONTEXT, "https://evil.example/"]},
        {"@context": CONTEXT[::-1]},
        {"@context": {}},
        {"nonce": 2**60},
        {"nonce": float("nan")},
        {"nonce": "\ud800"},
    ],
)
def test_021_a_proof_of_our_kind_that_breaks_its_rules_is_refused(options):
    with pytest.raises(BadHeader):
        read_proof(with_option(proven(), **options))


@pytest.mark.parametrize(
    "options",
    [
        {"created": "2026-12-07T10:00:00.0Z"},
        {"created": "2026-12-07T10:00:01Z"},
        {"expires": "2036-12-07T10:00:00Z"},
        {"nonce": "n"},
        {"domain": "b.example"},
        {"id": "urn:uuid:1"},
        {"verificationMethod": METHOD + "2"},
        {"@context": CONTEXT[:1]},
        {"@context": CONTEXT[0]},
        {"@context": []},
    ],
)
def test_021_a_changed_option_breaks_the_signature(options):
    with pytest.raises(BadSignature):
        check(with_option(proven(), **options))


@pytest.mark.parametrize("name", ["@context", "created", "proofPurpose", "verificationMethod", "type", "proofValue"])
def test_021_an_option_taken_away_is_noticed(name):
    signed = proven()
    del signed["proof"][name]
    with pytest.raises(KeysError):
        check(signed)


def test_a_proof_without_its_cryptosuite_is_of_no_kind():
    signed = proven()
    del signed["proof"]["cryptosuite"]
    assert read_proof(signed) is None


@pytest.mark.parametrize(
    "change",
    [
        {"content": "Grüsse"},
        {"extra": None},
        {"id": "https://a.example/notes/2"},
        {"@context": [*CONTEXT, {"content": "https://evil.example/#"}]},
        {"@context": [*CONTEXT, "https://evil.example/context"]},
    ],
)
def test_021_a_changed_document_breaks_the_signature(change):
    with pytest.raises(BadSignature):
        check({**proven(), **change})


def test_021_a_context_must_begin_with_that_of_the_proof():
    with pytest.raises(BadHeader):
        read_proof({**proven(), "@context": CONTEXT[::-1]})
    with pytest.raises(BadHeader):
        read_proof({**proven(), "@context": CONTEXT[0]})
    signed = proven()
    del signed["@context"]
    with pytest.raises(BadHeader):
        read_proof(signed)


def test_another_key_is_refused():
    with pytest.raises(BadSignature):
        check(proven(), ed25519("mallory"))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
members = st.sampled_from(["@context", "proof", "signature", "id", "type"])
options = st.sampled_from(
    ["@context", "type", "created", "expires", "proofValue", "proofPurpose", "verificationMethod"]
)


@given(st.dictionaries(members, anything), st.dictionaries(options, anything))
def test_174_the_reader_returns_or_refuses(document, changed):
    for value in (document, with_option(proven(), **changed), {**proven(), **document}):
        try:
            read_proof(value)
        except KeysError:
            continue


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=6), json_values, max_size=5))
def test_any_document_can_be_proven(document):
    check(add_proof(document, ed25519(), METHOD, NOW))


def test_the_example_of_a_signed_actor_is_verified_with_its_own_key():
    actor = load("examples/actor.json")
    claim = read_proof(actor)
    (key,) = actor["assertionMethod"]
    assert claim.verification_method == key["id"]
    claim.verify(public_from_multibase(key["publicKeyMultibase"]))
