"""Credentials as canonical RDF: the standard's bytes, and nothing that is read is left unsigned or takes long."""

from __future__ import annotations

import copy
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.canonical import sha256
from schemas import contexts, rdf
from schemas.errors import Malformed, SchemaError, UnknownContext
from schemas.rdf import MAX_CONTEXTS, canonical_quads
from schemas.terms import CREDENTIALS_V2, FREEHOLD, OPEN_BADGES_V3
from tests.schemas.credentials import badge, endorsement, status_list
from tests.schemas.shapes import anything
from tests.vectors import load

W3C = load("vc-di-eddsa-rdfc.json")
KNOWN = {url: contexts.load(url) for url in contexts.INDEX} | W3C["contexts"]
TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
EVIL = "https://evil.example/context"


def document(**more):
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": "https://a.example/credentials/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": "https://a.example/users/alice",
        "credentialSubject": {"id": "did:key:z6Mk", "type": ["AchievementSubject"]},
        **more,
    }


def with_terms(inline, **more):
    return document(**more) | {"@context": [CREDENTIALS_V2, OPEN_BADGES_V3, inline]}


@pytest.mark.parametrize("name", ["alumni", "employment"])
def test_w3c_documents_are_canonical_byte_for_byte(name):
    vector = W3C[name]
    signed = vector["signedDocument"]
    unsigned = {name: value for name, value in signed.items() if name != "proof"}
    options = {name: value for name, value in signed["proof"].items() if name != "proofValue"}
    options["@context"] = signed["@context"]
    assert canonical_quads(unsigned, KNOWN).decode() == vector["canonicalDocument"]
    assert canonical_quads(options, KNOWN).decode() == vector["canonicalOptions"]
    assert sha256(canonical_quads(unsigned, KNOWN)).hex() == vector["documentHash"]
    assert sha256(canonical_quads(options, KNOWN)).hex() == vector["optionsHash"]


@pytest.mark.parametrize("made", [badge(), endorsement(), status_list()], ids=["badge", "endorsement", "list"])
def test_what_we_write_is_read_and_every_word_of_it_is_signed(made):
    before = copy.deepcopy(made)
    quads = canonical_quads(made).decode()
    assert made == before
    for word in ("Alice", "ext:signingKey", made["id"], made["validFrom"]):
        assert word in quads


def test_order_and_lists_of_one_say_nothing():
    one = document(evidence={"type": "Evidence", "name": "a", "id": "https://a.example/1"})
    other = dict(
        reversed(document(evidence=[{"id": "https://a.example/1", "name": "a", "type": ["Evidence"]}]).items())
    )
    assert canonical_quads(one) == canonical_quads(other)


def test_a_changed_word_is_another_document():
    assert canonical_quads(document(name="a")) != canonical_quads(document(name="b"))


def test_a_language_and_a_line_are_kept():
    quads = canonical_quads(document(name={"@value": 'ein\n\t"Wort\\', "@language": "de"})).decode()
    assert '"ein\\n\\t\\"Wort\\\\"@de' in quads


# What a proof over RDF would not cover, or a reader of JSON not find.


@pytest.mark.parametrize(
    "changed",
    [
        document(salary="much"),
        document(credentialSubject={"id": "did:key:z6Mk", "type": ["AchievementSubject"], "salary": "much"}),
        document(credentialSubject={"id": "did:key:z6Mk", "achievement": {"id": "urn:a:1"}}),  # no type, so no term
        document(type=["VerifiableCredential", "SomethingElse"]),
        {
            **document(),
            "https://www.w3.org/2018/credentials#validUntil": {"@value": "2020-01-01T00:00:00Z", "@type": TIME},
        },
        {**document(), "https://schema.org/name": "spelt out"},
        document(name={"@value": "a"}),
        document(issuer="/users/alice"),
        document(issuer="alice"),
        document(id="https://a.example/a b"),
        document(id='https://a.example/> <urn:a:b> "x'),
        document(id="_:b0"),
        document(credentialStatus=[[{"id": "urn:a:1"}]]),
        document(evidence=[["https://a.example/1"]]),
        document(name=["a", 7.5, {"@value": "x", "@language": "not a language"}]),
        document(name={"@value": "x", "@type": "no type"}),
        document(evidence={"id": "_:a", "name": "x"}),
        document(evidence=["_:a"]),
        document(evidence={"@id": "https://a.example/1"}),
        document(evidence={"id": "https://a.example/1", "@graph": []}),
        document(evidence={"@context": {"name": "https://x.example/"}, "id": "https://a.example/1", "name": "x"}),
        document(evidence={"@reverse": {"issuer": "https://a.example/1"}}),
        {**document(), "@included": [{"id": "https://a.example/1", "name": "x"}]},
        document(name="bell \x07"),
        document(name="delete \x7f"),
        document(proof={"type": "DataIntegrityProof", "cryptosuite": "x"}),
    ],
)
def test_what_the_contexts_do_not_say_is_refused(changed):
    with pytest.raises(Malformed):
        canonical_quads(changed)


@pytest.mark.parametrize(
    "inline",
    [
        {"until": "https://www.w3.org/2018/credentials#validUntil"},
        {"until": {"@id": "https://www.w3.org/2018/credentials#validUntil", "@type": "@id"}},
        {"title": "https://schema.org/name"},
        {"@vocab": "https://x.example/"},
        {"@base": "https://x.example/"},
        {"@language": "de"},
        {"x": "@id"},
        {"x": None},
        {"x": {"@id": None}},
        {"x": {"@reverse": "https://x.example/x"}},
        {"x": {"@id": "https://x.example/x", "@context": {"y": "https://x.example/y"}}},
        {"name": "https://x.example/name"},
        {"@import": CREDENTIALS_V2},
        {"x": "y:z z"},
        {f"x{number}": "https://x.example/" for number in range(100)},
        "not a context",
        None,
        7,
    ],
    ids=repr,
)
def test_a_context_that_is_written_out_only_adds_terms(inline):
    with pytest.raises(SchemaError):
        canonical_quads(with_terms(inline, x={"id": "https://a.example/1"}, until="2020-01-01T00:00:00Z"))


def test_what_is_said_of_a_credential_stands_at_its_top():
    """The same RDF again: `validUntil` is gone from where it is read."""
    pointing = document(evidence={"id": "https://a.example/credentials/1"})
    assert canonical_quads(pointing)
    inside = {
        "id": "https://a.example/credentials/1",
        "type": "VerifiableCredential",
        "validUntil": "2020-01-01T00:00:00Z",
    }
    with pytest.raises(Malformed):
        canonical_quads(document(evidence=inside))


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ("https://schema.org/name", "x"),
        ({"@id": "https://www.w3.org/2018/credentials#validUntil", "@type": TIME}, "2020-01-01T00:00:00Z"),
        ({"@id": "https://www.w3.org/2018/credentials#credentialStatus", "@type": "@id"}, "https://a.example/1"),
    ],
)
def test_a_shorter_name_for_a_published_term_is_refused(definition, value):
    """JSON-LD itself would write it so: of two names it takes the shorter."""
    with pytest.raises(Malformed, match="another name"):
        canonical_quads(with_terms({"a": definition}, a=value))


def test_a_term_of_its_own_is_signed():
    quads = canonical_quads(with_terms({"level": FREEHOLD + "level"}, level="high")).decode()
    assert f'<{FREEHOLD}level> "high"' in quads


def test_moving_a_member_to_another_name_is_noticed():
    """The end of a credential, hidden behind a name of the holder's: the same RDF, so the proof would hold."""
    inline = {"c": "https://www.w3.org/2018/credentials#"}
    moved = with_terms(inline, **{"c:validUntil": {"@value": "2020-01-01T00:00:00Z"}})
    with pytest.raises(Malformed):
        canonical_quads(moved)


@pytest.mark.parametrize("context", [EVIL, [EVIL], [CREDENTIALS_V2, EVIL]])
def test_028_a_context_that_is_not_bundled_is_not_fetched(context):
    with pytest.raises(UnknownContext):
        canonical_quads(document() | {"@context": context})


@pytest.mark.parametrize(
    "context",
    [
        [],
        None,
        [CREDENTIALS_V2, OPEN_BADGES_V3, CREDENTIALS_V2],
        [{}, CREDENTIALS_V2, OPEN_BADGES_V3],
        [CREDENTIALS_V2, *[{}] * MAX_CONTEXTS],
    ],
)
def test_contexts_are_few_and_in_order(context):
    with pytest.raises(Malformed):
        canonical_quads(document() | {"@context": context})


# What takes long.


PART = {"part": {"@id": "https://x.example/part", "@type": "@id"}}


def linked(count):
    """Things without an id that all point at each other, and look the same from every side."""
    names = [f"_:n{number}" for number in range(count)]
    return with_terms(PART, part=[{"id": name, "part": [other for other in names if other != name]} for name in names])


def alike(count):
    """The same without any name for them: two things with the same many parts."""
    return with_terms(PART, part=[{"part": [{"part": {"name": "leaf"}}] * count}] * 2)


@pytest.mark.parametrize("poison", [linked(8), linked(40), alike(8), alike(40)], ids=["8", "40", "8 alike", "40 alike"])
def test_081_things_that_point_at_each_other_are_given_up_soon(poison):
    started = time.process_time()
    with pytest.raises(Malformed):
        canonical_quads(poison)
    assert time.process_time() - started < 1


def test_081_the_algorithm_itself_gives_up(monkeypatch):
    monkeypatch.setattr(rdf, "_check_expanded", lambda expanded: None)
    started = time.process_time()
    with pytest.raises(Malformed, match="point at each other"):
        canonical_quads(linked(8))
    assert time.process_time() - started < 1


def test_many_things_that_look_alike_are_no_danger():
    alike = [{"type": ["Evidence"], "genre": "photo"} for _ in range(60)]
    assert canonical_quads(document(evidence=alike)).count(b"Evidence") == 60


def _deep(levels):
    value = {"id": "https://a.example/1"}
    for _ in range(levels):
        value = {"id": "https://a.example/1", "evidence": value}
    return value


@pytest.mark.parametrize(
    "more",
    [
        {"name": "x" * 400_000},
        {"evidence": [f"https://a.example/{number}" for number in range(3_000)]},
        {"evidence": [{"id": f"https://a.example/{number}"} for number in range(400)]},
        {"evidence": [{"type": ["Evidence"], "name": str(number)} for number in range(200)]},
        {"evidence": _deep(20)},
        {"type": ["VerifiableCredential"] * 50},
    ],
)
def test_081_a_large_document_is_refused_at_once(more):
    started = time.process_time()
    with pytest.raises(Malformed):
        canonical_quads(document(**more))
    assert time.process_time() - started < 1


names = st.sampled_from(["@context", "id", "type", "issuer", "credentialSubject", "name", "evidence", "x", "@value"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(names, anything, max_size=4))
def test_174_any_document_is_read_or_refused(changed):
    for value in (document(**changed), changed):
        try:
            canonical_quads(value)
        except SchemaError:
            continue
