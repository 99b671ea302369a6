"""The two proofs in a credential: eddsa-jcs-2022 and eddsa-rdfc-2022."""

from __future__ import annotations

import json

import pytest

from keys import multibase
from keys.encoding import public_from_did_key
from keys.errors import BadHeader, BadKey, BadSignature
from keys.proofs import add_proofs, canonicalised, read_proof, read_proofs, to_canonicalise
from schemas import contexts
from schemas.errors import Malformed
from schemas.rdf import canonical_quads
from tests.keys.made import NOW, ed25519, ed25519_from_multibase, rsa
from tests.schemas.credentials import badge
from tests.vectors import load

W3C = load("vc-di-eddsa-rdfc.json")
KNOWN = {url: contexts.load(url) for url in contexts.INDEX} | W3C["contexts"]
METHOD = "https://a.example/users/alice#ed25519-key"


def standard_quads(document):
    return canonical_quads(document, KNOWN)


def proven(**more):
    return add_proofs(badge() | more, ed25519(), METHOD, NOW, canonical_quads)


def check(document, key=None):
    claims = read_proofs(document, canonical_quads)
    for claim in claims:
        claim.verify((key or ed25519()).public)
    return [claim.suite for claim in claims]


def only(document, place, **options):
    return document | {"proof": document["proof"][place] | options}


# The standard's own values.


@pytest.mark.parametrize("name", ["alumni", "employment"])
def test_w3c_eddsa_rdfc_2022_is_verified_step_by_step(name):
    vector = W3C[name]
    (claim,) = read_proofs(vector["signedDocument"], standard_quads)
    assert claim.suite == "eddsa-rdfc-2022"
    assert claim.base.hex() == vector["combinedHash"]
    assert claim.signature.hex() == vector["signature"]
    claim.verify(public_from_did_key(claim.verification_method))


@pytest.mark.parametrize("name", ["alumni", "employment"])
def test_w3c_eddsa_rdfc_2022_is_made_byte_for_byte(name):
    signed = W3C[name]["signedDocument"]
    key = ed25519_from_multibase(W3C["secretKeyMultibase"])
    (claim,) = read_proofs(signed, standard_quads)
    made = add_proofs(signed, key, claim.verification_method, claim.created, standard_quads)
    assert made["proof"][1] == signed["proof"]


def test_the_quads_that_are_needed_are_told_before():
    signed = W3C["alumni"]["signedDocument"]
    document, options = canonicalised(signed)
    assert standard_quads(document).decode() == W3C["alumni"]["canonicalDocument"]
    assert standard_quads(options).decode() == W3C["alumni"]["canonicalOptions"]
    assert canonicalised(badge()) == ()
    asked = []
    add_proofs(badge(), ed25519(), METHOD, NOW, lambda document: asked.append(document) or canonical_quads(document))
    told = to_canonicalise(badge(), METHOD, NOW)
    assert sorted(map(json.dumps, asked)) == sorted(map(json.dumps, told))


# The set.


def test_a_credential_carries_two_proofs_and_each_holds_alone():
    signed = json.loads(json.dumps(proven()))
    assert [proof["cryptosuite"] for proof in signed["proof"]] == ["eddsa-jcs-2022", "eddsa-rdfc-2022"]
    assert check(signed) == ["eddsa-jcs-2022", "eddsa-rdfc-2022"]
    assert check(only(signed, 0)) == ["eddsa-jcs-2022"]
    assert check(only(signed, 1)) == ["eddsa-rdfc-2022"]
    assert list(signed) == [*badge(), "proof"]


def test_without_quads_the_cheap_one_is_read():
    signed = proven()
    assert [claim.suite for claim in read_proofs(signed)] == ["eddsa-jcs-2022"]
    assert read_proof(signed).suite == "eddsa-jcs-2022"
    assert read_proofs(only(signed, 1)) == ()
    assert read_proofs(badge(), canonical_quads) == ()


@pytest.mark.parametrize("place", [0, 1])
def test_021_a_changed_word_breaks_either(place):
    signed = only(proven(), place)
    for changed in ({"name": "Rust"}, {"validUntil": "2036-01-01T00:00:00Z"}, {"id": "https://a.example/2"}):
        with pytest.raises(BadSignature):
            check(signed | changed)
    fewer = {name: value for name, value in signed.items() if name != "credentialStatus"}
    with pytest.raises(BadSignature):
        check(fewer)
    with pytest.raises(BadSignature):
        check(signed, ed25519("mallory"))


@pytest.mark.parametrize(
    "options",
    [
        {"created": "2026-12-07T10:00:01Z"},
        {"expires": "2036-12-07T10:00:00Z"},
        {"verificationMethod": METHOD + "2"},
        {"nonce": "n"},
        {"domain": "b.example"},
        {"id": "urn:uuid:1"},
    ],
)
def test_021_a_changed_option_breaks_the_proof_over_rdf(options):
    with pytest.raises(BadSignature):
        check(only(proven(), 1, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"type": "Ed25519Signature2020"},
        {"proofPurpose": "authentication"},
        {"verificationMethod": None},
        {"proofValue": "z1"},
        {"proofValue": multibase.encode(bytes(range(1, 64)))},
        {"previousProof": "urn:uuid:1"},
        {"@context": "https://evil.example/"},
        {"created": "2026-13-07T10:00:00Z"},
    ],
)
def test_021_a_proof_over_rdf_that_breaks_its_rules_is_refused(options):
    with pytest.raises((BadHeader, Malformed)):
        check(only(proven(), 1, **options))


def test_021_an_option_that_no_context_defines_is_refused():
    """It would not be signed, and might be read."""
    with pytest.raises(Malformed):
        check(only(proven(), 1, remark="not signed"))
    with pytest.raises(Malformed):
        check(only(proven(), 1) | {"remark": "not signed"})


def test_two_proofs_of_one_kind_are_ambiguous():
    signed = proven()
    with pytest.raises(BadHeader):
        read_proofs(signed | {"proof": [signed["proof"][1]] * 2}, canonical_quads)
    with pytest.raises(BadHeader):
        canonicalised(signed | {"proof": [signed["proof"][1]] * 2})


def test_making_proofs_replaces_old_ones_and_needs_ed25519():
    again = add_proofs(proven(), ed25519("bob"), "https://b.example/#key", NOW, canonical_quads)
    assert check(again, ed25519("bob")) == ["eddsa-jcs-2022", "eddsa-rdfc-2022"]
    with pytest.raises(BadKey):
        add_proofs(badge(), rsa(), METHOD, NOW, canonical_quads)
