"""The identity key: FEP-c390 statements, successions, and the seal that only a code opens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keys.errors import Damaged, Expired, KeysError, UnsupportedScheme, WrongPhrase
from keys.identity import (
    MAX_DOCUMENT,
    IdentityKey,
    new_identity,
    open_identity,
    read_statement,
    read_succession,
    seal_identity,
    write_statement,
    write_succession,
)
from keys.phrases import new_phrase, parse_phrase
from keys.proofs import add_proof
from tests.keys.made import NOW, ed25519_from_multibase, rsa
from tests.vectors import load

C390 = load("fep-c390.json")
FEP = load("fep-c390-with-fragment.json")
ACTOR = "https://server.example/users/alice"
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> IdentityKey:
    return IdentityKey(ed25519_from_multibase(FEP["secret_multibase"]))


def test_fep_c390_is_verified_and_made_byte_for_byte(key):
    known = FEP["statement"]
    assert read_statement(known, ACTOR) == known["subject"] == key.did
    method = known["proof"]["verificationMethod"]
    bare = {name: value for name, value in known.items() if name != "proof"}
    assert add_proof(bare, key.key, method, CREATED) == known
    ours = write_statement(key, ACTOR, CREATED)
    assert ours == C390["proof"] == C390["actor"]["attachment"][0]  # as the text of the FEP has it
    assert read_statement(ours, ACTOR) == key.did


def test_what_another_program_has_said_of_our_example_holds():
    actor = load("examples/actor.json")
    [statement] = [item for item in actor["attachment"] if item["type"] == "VerifiableIdentityStatement"]
    assert read_statement(statement, actor["id"]) == statement["subject"]


def changed(document, **members):
    return document | members


def proven(document, **options):
    return document | {"proof": document["proof"] | options}


HOSTILE = {
    "of another actor": lambda it: changed(it, alsoKnownAs="https://server.example/users/mallory"),
    "of two actors": lambda it: changed(it, alsoKnownAs=[ACTOR, "https://server.example/users/mallory"]),
    "another type": lambda it: changed(it, type="Note"),
    "several types": lambda it: changed(it, type=["VerifiableIdentityStatement"]),
    "another subject": lambda it: changed(it, subject=new_identity()[0].did),
    "no subject": lambda it: changed(it, subject=None),
    "a subject that is no key": lambda it: changed(it, subject="did:key:zzz"),
    "a subject of another method": lambda it: changed(it, subject="did:web:server.example"),
    "a subject with a fragment": lambda it: changed(it, subject=it["proof"]["verificationMethod"]),
    "an RSA key": lambda it: changed(it, subject=f"did:key:{rsa().public.multibase}"),
    "more said": lambda it: changed(it, name="Mallory"),
    "no proof": lambda it: changed(it, proof=None),
    "a proof that is none": lambda it: changed(it, proof="yes"),
    "two proofs": lambda it: changed(it, proof=[it["proof"], it["proof"]]),
    "eleven proofs": lambda it: changed(it, proof=[{}] * 10 + [it["proof"]]),
    "the proof's method is another key": lambda it: proven(it, verificationMethod=new_identity()[0].did),
    "the proof's method is an address": lambda it: proven(it, verificationMethod=f"{ACTOR}#key"),
    "for another purpose": lambda it: proven(it, proofPurpose="authentication"),
    "another suite": lambda it: proven(it, cryptosuite="eddsa-rdfc-2022"),
    "another signature": lambda it: proven(it, proofValue="z" + "1" * 64),
    "no signature": lambda it: proven(it, proofValue=5),
    "too long": lambda it: changed(it, padding="x" * MAX_DOCUMENT),
    "no canonical form": lambda it: changed(it, more=10**400),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_statement_that_does_not_hold_is_refused(name):
    known = FEP["statement"]
    with pytest.raises(KeysError):
        read_statement(HOSTILE[name](known), ACTOR)


def test_a_statement_counts_until_it_expires(key):
    said = {"type": "VerifiableIdentityStatement", "subject": key.did, "alsoKnownAs": ACTOR}
    options = add_proof(said, key.key, key.did, NOW)
    assert read_statement(options, ACTOR, now=NOW) == key.did
    with pytest.raises(KeysError):  # an end that was not signed
        read_statement(proven(options, expires="2999-01-01T00:00:00Z"), ACTOR, now=NOW)
    with pytest.raises(Expired):
        read_statement(proven(options, expires="2000-01-01T00:00:00Z"), ACTOR, now=NOW)


def test_a_succession_is_the_word_of_both_keys(key):
    new, _code = new_identity()
    said = write_succession(key, new, NOW)
    assert read_succession(said) == (key.did, new.did)
    mallory, _code = new_identity()
    alone = {"type": "IdentitySuccession", "subject": key.did, "successor": mallory.did}
    forged = write_succession(mallory, new, NOW)
    by_itself = add_proof(alone, mallory.key, mallory.did, NOW)["proof"]
    for wrong in (
        add_proof(alone | {"named": said["named"]}, mallory.key, mallory.did, NOW),  # the old key named another
        add_proof(alone | {"named": by_itself}, mallory.key, mallory.did, NOW),
        said | {"named": forged["named"]},
        said | {"proof": said["named"]},
        said | {"subject": mallory.did},
        said | {"successor": mallory.did},
        said | {"type": "VerifiableIdentityStatement"},
        {name: value for name, value in said.items() if name != "named"},
        {name: value for name, value in said.items() if name != "proof"},
        write_succession(key, key, NOW),
    ):
        with pytest.raises(KeysError):
            read_succession(wrong)


def test_only_its_code_opens_a_sealed_key(key):
    _other, code = new_identity()
    assert parse_phrase(code) == code
    sealed = seal_identity(key, code)
    assert open_identity(sealed, code).did == key.did
    assert seal_identity(key, code) != sealed
    assert key.key.der not in sealed
    with pytest.raises(WrongPhrase):
        open_identity(sealed, new_phrase())
    with pytest.raises(WrongPhrase):
        open_identity(sealed[:-1] + bytes([sealed[-1] ^ 1]), code)
    with pytest.raises(UnsupportedScheme):
        open_identity(b"\x02" + sealed[1:], code)
    for damaged in (b"", b"\x01", sealed[:20], b"\x01" * 2_000):
        with pytest.raises((Damaged, WrongPhrase)):
            open_identity(damaged, code)
    assert "der" not in repr(key)
