"""Credentials: what we write reads back whole; what others write is read within bounds, or refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.credential_drafts import Issuer
from schemas.credentials import Evidence, Skill, Status, is_credential, parse_credential
from schemas.errors import Malformed, SchemaError
from schemas.rdf import canonical_quads
from schemas.status_lists import bit, decode
from schemas.terms import CREDENTIALS_V2, OPEN_BADGES_V3
from tests.schemas.credentials import (
    ACHIEVEMENT,
    ALICE,
    ESCO,
    EVIDENCE,
    KEY,
    STATUS,
    SUBJECT,
    badge,
    endorsement,
    status_list,
)
from tests.schemas.shapes import anything
from tests.vectors import load


def test_a_badge_reads_back_whole():
    read = parse_credential(badge())
    assert (read.kind, read.id) == ("badge", f"{ALICE}/credentials/1")
    assert (read.issuer_id, read.issuer_name) == (ALICE, "Alice")
    assert (read.issuer_key, read.issuer_identity) == (KEY, f"did:key:{KEY}")
    assert read.subject_id == SUBJECT
    assert read.achievement == ACHIEVEMENT
    assert read.evidence == (EVIDENCE,)
    assert read.status == STATUS
    assert read.title == "Python for people"
    assert read.valid_from == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert read.valid_until == datetime(2027, 1, 5, 10, tzinfo=UTC)


def test_an_endorsement_reads_back_whole():
    read = parse_credential(endorsement())
    assert read.kind == "endorsement"
    assert (read.comment, read.relation) == ("She is good at it.", "have worked together")
    assert read.skill == Skill("Python", ESCO)
    assert read.title == "Python"


def test_a_status_list_reads_back_whole():
    read = parse_credential(status_list(revoked=(77, 100_000)))
    assert (read.kind, read.list_purpose) == ("status list", "revocation")
    bits = decode(read.list_bits)
    assert [index for index in (76, 77, 78, 100_000) if bit(bits, index)] == [77, 100_000]


def test_a_list_names_the_one_that_it_carries_on():
    former = "https://old.example/users/alice/status/1"
    document = status_list(formerly=former)
    assert list(document["@context"][-1]) == ["formerly"]
    assert b"<https://w3id.org/freehold/ns#formerly> <https://old.example/" in canonical_quads(document)
    assert parse_credential(document).list_formerly == former
    assert parse_credential(status_list()).list_formerly is None
    for inline in ([], [{"formerly": "https://evil.example/ns#formerly"}]):
        other = document | {"@context": [CREDENTIALS_V2, OPEN_BADGES_V3, *inline]}
        assert parse_credential(other).list_formerly is None
    odd = document["credentialSubject"] | {"formerly": ["javascript:alert(1)"]}
    assert parse_credential(document | {"credentialSubject": odd}).list_formerly is None


def test_terms_of_our_own_stand_only_where_they_are_used():
    published = [CREDENTIALS_V2, OPEN_BADGES_V3]
    assert badge()["@context"] == published
    assert status_list()["@context"] == published
    assert endorsement(skill=None, relation="")["@context"] == published
    assert list(endorsement(skill=None)["@context"][-1]) == ["relation"]


def test_what_we_write_can_be_signed_whatever_somebody_typed():
    odd = 'Bell \x07, tab \t, line \n, \x00 nothing \x7f, "quotes" \\ and _: Grüße 日本 🎓'
    issuer = Issuer(ALICE, odd, KEY)
    written = badge(issuer, description=odd, evidence=(Evidence(odd, odd, odd, "https://a.example/ü"),))
    assert canonical_quads(written)
    assert canonical_quads(endorsement(issuer, skill=Skill(odd), relation=odd))
    clean = 'Bell , tab \t, line \n,  nothing , "quotes" \\ and _: Grüße 日本 🎓'
    read = parse_credential(written)
    assert (read.issuer_name, read.description, read.evidence[0].narrative) == (clean, clean, clean)


def test_an_issuer_without_an_identity_names_its_key_alone():
    read = parse_credential(badge(Issuer(ALICE, "Alice", KEY)))
    assert (read.issuer_key, read.issuer_identity) == (KEY, None)


def test_a_credential_without_a_status_says_so():
    read = parse_credential(badge(status=None))
    assert (read.statuses, read.status_unread) == ((), False)


def test_the_standards_credential_is_read():
    read = parse_credential(load("vc-di-eddsa.json")["signedDocument"])
    assert (read.kind, read.name) == ("other", "Alumni Credential")
    assert (read.issuer_id, read.subject_id) == ("https://vc.example/issuers/5678", "did:example:abcdefgh")
    assert read.issuer_key is None


def changed(**members):
    return badge() | members


@pytest.mark.parametrize(
    "status",
    [
        "https://x.example/status",
        {"id": "urn:a:1", "type": "SomethingElse"},
        {"type": "BitstringStatusListEntry", "statusListIndex": "7", "statusPurpose": "revocation"},
        badge()["credentialStatus"] | {"statusListIndex": -1},
        badge()["credentialStatus"] | {"statusListIndex": "-1"},
        badge()["credentialStatus"] | {"statusListIndex": "٣"},
        badge()["credentialStatus"] | {"statusListIndex": "9" * 30},
        badge()["credentialStatus"] | {"statusListCredential": "javascript:alert(1)"},
        badge()["credentialStatus"] | {"statusPurpose": None},
        badge()["credentialStatus"] | {"statusSize": 2},
    ],
)
def test_a_status_that_cannot_be_read_is_not_taken_for_none(status):
    read = parse_credential(changed(credentialStatus=status))
    assert (read.status, read.status_unread) == (None, True)


def test_several_statuses_are_read():
    other = badge()["credentialStatus"] | {"statusPurpose": "suspension", "statusListIndex": "8"}
    read = parse_credential(changed(credentialStatus=[other, badge()["credentialStatus"]]))
    assert read.statuses == (Status(STATUS.list_url, 8, "suspension"), STATUS)
    assert read.status == STATUS


def test_a_text_in_a_language_is_read():
    german, english = {"@value": "Gut", "@language": "de"}, {"@value": "Good", "@language": "en"}
    for name in (german, [german], [german, english], [english, german], [7, {"@value": 8}, german], ["Gut"]):
        assert parse_credential(changed(name=name)).name == "Gut"


@pytest.mark.parametrize(
    "context",
    [
        CREDENTIALS_V2,
        [CREDENTIALS_V2],
        [CREDENTIALS_V2, "https://evil.example/context"],
        [CREDENTIALS_V2, {"achievement": "https://evil.example/ns#achievement"}],
    ],
)
def test_words_of_open_badges_without_its_context_mean_nothing(context):
    read = parse_credential(changed(**{"@context": context}))
    assert (read.kind, read.achievement, read.title) == ("other", None, "Python for people")
    read = parse_credential(endorsement() | {"@context": context})
    assert (read.kind, read.comment, read.skill, read.relation) == ("other", "", None, "")


@pytest.mark.parametrize(
    "inline",
    [
        [],
        [{"skill": "https://evil.example/ns#skill", "relation": "https://evil.example/ns#relation"}],
        [endorsement()["@context"][-1], {"skill": "https://evil.example/#", "relation": None}],
    ],
)
def test_words_of_ours_that_mean_something_else_are_not_read(inline):
    read = parse_credential(endorsement() | {"@context": [CREDENTIALS_V2, OPEN_BADGES_V3, *inline]})
    assert (read.kind, read.comment) == ("endorsement", "She is good at it.")
    assert (read.skill, read.relation) == (None, "")


def test_keys_that_contradict_each_other_are_none():
    entry = {"type": "IdentifierEntry", "identifierType": "ext:signingKey"}
    for order in (1, -1):
        entries = [entry | {"identifier": KEY}, entry | {"identifier": "z6Mkother"}][::order]
        issuer = {"id": ALICE, "type": ["Profile"], "otherIdentifier": entries}
        assert parse_credential(changed(issuer=issuer)).issuer_key is None


@pytest.mark.parametrize(
    "members",
    [
        {"@context": "https://www.w3.org/2018/credentials/v1"},
        {"@context": [OPEN_BADGES_V3, CREDENTIALS_V2]},
        {"@context": []},
        {"type": "OpenBadgeCredential"},
        {"type": None},
        {"type": ["VerifiableCredential", *(f"x{number}" for number in range(30))]},
        {"type": ["VerifiableCredential", {}]},
        {"issuer": None},
        {"issuer": []},
        {"issuer": {}},
        {"issuer": "a b"},
        {"issuer": "x" * 3_000},
        {"issuer": ["https://a.example/1", "https://b.example/2"]},
        {"id": 7},
        {"id": ""},
        {"id": "a\u202eb"},
        {"credentialSubject": None},
        {"credentialSubject": []},
        {"credentialSubject": "https://a.example/"},
        {"credentialSubject": [{"id": "urn:a:1"}, {"id": "urn:a:2"}]},
        {"credentialSubject": {"id": 7}},
        {"credentialSubject": {"achievement": [{"name": "a"}, {"name": "b"}]}},
        {"validFrom": "yesterday"},
        {"validUntil": "never"},
        {"validUntil": 7},
        {"credentialStatus": [f"urn:a:{number}" for number in range(100)]},
    ],
)
def test_what_is_no_credential_is_refused(members):
    with pytest.raises(Malformed):
        parse_credential(changed(**members))


def test_long_texts_are_cut_and_long_lists_too():
    many = [{"type": "Evidence", "name": "x" * 9_999}] * 900
    read = parse_credential(changed(evidence=many, name="x" * 99_999))
    assert (len(read.evidence), len(read.name), len(read.evidence[0].name)) == (50, 300, 300)


members = st.sampled_from([*badge(), *status_list()["credentialSubject"], "achievement", "skill"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(members, anything, max_size=5), st.dictionaries(members, anything, max_size=5))
def test_174_any_document_is_read_or_refused(top, subject):
    for document in (top, badge() | top, badge() | {"credentialSubject": subject}, status_list() | top):
        try:
            parse_credential(document)
        except SchemaError:
            continue
        assert is_credential(document)
