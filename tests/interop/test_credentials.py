"""Credentials with two libraries that we did not write: they believe ours, and refuse a changed copy; we theirs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openbadgeslib.ob3.credential import Achievement, OpenBadgeCredential
from openbadgeslib.ob3.credential import Issuer as TheirIssuer
from openbadgeslib.ob3.ldp import OB3LdpSigner, OB3LdpVerifier, verify_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError

from keys import multibase
from keys.encoding import did_key, public_from_did_key, public_from_multibase
from keys.errors import BadSignature
from keys.material import PrivateKey
from keys.proofs import add_proof, add_proofs, read_proofs
from schemas.actors import ActorDraft, ActorKeys, write_actor, write_multikey
from schemas.credential_drafts import Issuer
from schemas.credentials import Evidence, parse_credential
from schemas.rdf import canonical_quads
from schemas.terms import CREDENTIALS_V2, MULTIKEY_V1, OPEN_BADGES_V3
from tests.interop.verifier import Verifier
from tests.keys.made import NOW, ed25519, ed25519_from_seed, rsa
from tests.schemas.credentials import ALICE, STATUS, SUBJECT, badge, endorsement, status_list

METHOD = f"{ALICE}#ed25519-key"
SEED = bytes(range(32))


def issuer(key: PrivateKey) -> Issuer:
    return Issuer(ALICE, "Alice", key.public.multibase, did_key(ed25519("identity").public))


def proven(document: dict[str, Any], key: PrivateKey | None = None, method: str = METHOD) -> dict[str, Any]:
    return add_proofs(document, key or ed25519(), method, NOW, canonical_quads)


def actor() -> dict[str, Any]:
    """The document at the issuer's id, proof and all, as a node serves it."""
    multikey = write_multikey(METHOD, ALICE, ed25519().public.multibase)
    draft = ActorDraft(
        id=ALICE, type="Person", username="alice", name="Alice", summary="", url=ALICE, inbox=f"{ALICE}/inbox",
        shared_inbox="https://a.example/inbox", published="2026-11-25T10:00:00Z", acct="alice@a.example",
        keys=ActorKeys((f"{ALICE}#main-key", rsa().public.pem), (multikey,)),
        rows=(("Rate", "85 EUR"),),
    )  # fmt: skip
    return add_proof(write_actor(draft), ed25519(), METHOD, NOW)


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    made = Verifier()
    document = actor()
    made.documents[ALICE] = document
    (key,) = document["assertionMethod"]
    made.documents[METHOD] = {"@context": MULTIKEY_V1, **key}
    made.documents[STATUS.list_url] = proven(status_list(issuer(ed25519()), revoked=(5,)))
    yield made
    made.close()


def made(kind: str, **more: Any) -> dict[str, Any]:
    """In force for ever: neither library can be told the time."""
    if kind == "list that carries another on":
        more |= {"formerly": "https://old.example/users/alice/status/1"}
    write = {"badge": badge, "endorsement": endorsement}.get(kind, status_list)
    return proven(write(issuer(ed25519()), valid_until=None, **more))


@pytest.mark.parametrize("kind", ["badge", "endorsement", "list", "list that carries another on"])
def test_digitalbazaar_believes_ours_and_refuses_a_changed_copy(verifier: Verifier, kind: str) -> None:
    credential = made(kind)
    verified, why = verifier.verify(credential)
    assert verified, why
    for changed in ({"validFrom": "2026-01-05T10:00:01Z"}, {"id": f"{ALICE}/credentials/9"}):
        verified, why = verifier.verify(credential | changed)
        assert not verified
        assert "Invalid signature" in why


ODD = 'Grüße\t"日本" \\ 🎓\r\n<b> _:b0 . \u2028 e\u0301'


def test_all_three_take_odd_texts_for_the_same(verifier: Verifier) -> None:
    evidence = (Evidence(ODD, ODD, ODD, "https://a.example/ü/日本?q=é#ß"),)
    badge = made("badge", description=ODD, evidence=evidence)
    verified, why = verifier.verify(badge)
    assert verified, why
    assert checked(badge).evidence[0].narrative == ODD


def test_digitalbazaar_refuses_a_key_that_the_issuer_does_not_name(verifier: Verifier) -> None:
    forged = proven(badge(issuer(ed25519("mallory")), valid_until=None), ed25519("mallory"))
    assert not verifier.verify(forged)[0]
    other = proven(badge(Issuer("https://b.example/users/bob", "Bob", ed25519().public.multibase), valid_until=None))
    verified, why = verifier.verify(other)
    assert not verified
    assert "issuer must match" in why


def test_digitalbazaar_sees_that_one_was_revoked(verifier: Verifier) -> None:
    credential = made("badge")
    before = verifier.documents[STATUS.list_url]
    verifier.documents[STATUS.list_url] = proven(status_list(issuer(ed25519()), revoked=(STATUS.index,)))
    verified, why = verifier.verify(credential)
    verifier.documents[STATUS.list_url] = before
    assert not verified
    assert "revoked" in why


def issued_there(verifier: Verifier) -> tuple[dict[str, Any], PrivateKey]:
    key = ed25519_from_seed(SEED)
    owner = did_key(key.public)
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": owner, "type": ["Profile"], "name": "A school"},
        "validFrom": "2026-01-05T10:00:00Z",
        "name": 'Ein Abzeichen für Grüße\n"Zeile"\tzwei',
        "credentialSubject": badge()["credentialSubject"],
    }
    multikey = {
        "@context": MULTIKEY_V1,
        "type": "Multikey",
        "id": f"{owner}#{key.public.multibase}",
        "controller": owner,
        "publicKeyMultibase": key.public.multibase,
        "secretKeyMultibase": multibase.encode(b"\x80\x26" + SEED),
    }
    answer = verifier.tell("issue", credential=document, key=multikey)
    assert "error" not in answer, answer
    return answer["credential"], key


def test_we_believe_digitalbazaars_and_refuse_a_changed_copy(verifier: Verifier) -> None:
    credential, key = issued_there(verifier)
    (claim,) = read_proofs(credential, canonical_quads)
    claim.verify(key.public)
    assert public_from_did_key(claim.verification_method) == key.public
    read = parse_credential(credential)
    assert (read.issuer_name, read.subject_id, read.kind) == ("A school", SUBJECT, "badge")
    (claim,) = read_proofs(credential | {"name": "Another"}, canonical_quads)
    with pytest.raises(BadSignature):
        claim.verify(public_from_multibase(key.public.multibase))


# openbadgeslib: its verifier of badges takes no context that is written out, so our badges have none.


def checked(credential: dict[str, Any], **lists: dict[str, Any]) -> OpenBadgeCredential:
    """What it makes of a credential and of its status list; the proof of a list it only knows as a JWT."""
    lists = {STATUS.list_url: lists.get("status") or made("list", revoked=(5,))}
    verifier = OB3LdpVerifier(pubkey_pem=ed25519().public.pem)
    options: dict[str, Any] = {"check_status": True, "verify_status_list": False}
    return verifier.verify(credential, SUBJECT, download=lambda url: json.dumps(lists[url]).encode(), **options)


def test_openbadgeslib_believes_ours() -> None:
    read = checked(made("badge"))
    assert (read.issuer.id, read.recipient_id) == (ALICE, SUBJECT)
    assert read.achievement.name == "Python for people"
    assert read.evidence[0].narrative == "All by herself"


def test_openbadgeslib_believes_our_endorsements() -> None:
    """It has a verifier for badges; of endorsements it checks the proof alone."""
    verify_data_integrity_proof(made("endorsement", skill=None, relation=""), ed25519().public.pem)
    verify_data_integrity_proof(made("endorsement"), ed25519().public.pem)


@pytest.mark.parametrize(
    "changed",
    [{"name": "Rust"}, {"validUntil": "2099-01-05T10:00:00Z"}, {"credentialStatus": None}, {"remark": "not signed"}],
    ids=str,
)
def test_openbadgeslib_refuses_a_changed_copy(changed: dict[str, Any]) -> None:
    with pytest.raises(OB3VerificationError):
        checked(made("badge") | changed)


def test_openbadgeslib_sees_that_one_was_revoked() -> None:
    with pytest.raises(OB3VerificationError, match="revo"):
        checked(made("badge"), status=made("list", revoked=(STATUS.index,)))


def _pem(key: PrivateKey) -> bytes:
    return b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(key.der) + b"-----END PRIVATE KEY-----\n"


def test_we_believe_openbadgeslibs_and_refuse_a_changed_copy() -> None:
    achievement = Achievement("https://b.example/a/1", "Sums", "Adding", "All right", achievement_type="Course")
    theirs = OpenBadgeCredential(
        TheirIssuer("https://b.example/school", "A school"), SUBJECT, achievement, evidence_url="https://b.example/e/1"
    )
    credential = OB3LdpSigner(_pem(ed25519("school"))).sign(theirs)
    (claim,) = read_proofs(credential, canonical_quads)
    claim.verify(public_from_did_key(claim.verification_method))
    read = parse_credential(credential)
    assert read.achievement is not None
    assert (read.kind, read.achievement.name, read.issuer_name) == ("badge", "Sums", "A school")
    (claim,) = read_proofs(credential | {"name": "Other sums"}, canonical_quads)
    with pytest.raises(BadSignature):
        claim.verify(ed25519("school").public)
