"""Plain JSON where a document says nothing unusual, JSON-LD where it does, and never anything from the network."""

from __future__ import annotations

import json
import socket
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import contexts, jsonld
from schemas.actors import parse_actor
from schemas.base import envelope_of
from schemas.errors import Malformed, SchemaError, UnknownContext
from schemas.jsonld import MAX_CONTEXTS, normalise
from schemas.market import is_gig
from schemas.notes import parse_note
from schemas.terms import (
    ACTOR_CONTEXT,
    AS,
    AS_CONTEXT,
    DATA_INTEGRITY_V1,
    GIG_TERMS,
    MODULE_TERMS,
    MULTIKEY_V1,
    SECURITY_V1,
)
from tests.schemas.shapes import anything, documents
from tests.vectors import FOLDER, load

EVIL = "https://evil.example/context"


def activity(*inline, **more):
    return {
        "@context": [AS_CONTEXT, *inline],
        "id": "https://a.example/activities/1",
        "type": "Create",
        "actor": "https://a.example/u",
        "object": {
            "id": "https://a.example/notes/1",
            "type": "Note",
            "attributedTo": "https://a.example/u",
            "content": "hello",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
        },
        **more,
    }


def bodies():
    found = []
    for path in sorted((FOLDER / "captures").glob("*.json")):
        seen = load(f"captures/{path.name}")
        body = seen["body"] if path.name.startswith("doc-") else seen["request"]["body"]
        if body:
            found.append(pytest.param(body, id=path.stem))
    return found


@pytest.mark.parametrize("body", bodies())
def test_what_real_servers_send_is_plain(body):
    document = json.loads(body)
    assert normalise(document) is document


@pytest.mark.parametrize(
    "context",
    [
        AS_CONTEXT,
        [AS_CONTEXT, SECURITY_V1, DATA_INTEGRITY_V1],
        ACTOR_CONTEXT,
        [AS_CONTEXT, DATA_INTEGRITY_V1, GIG_TERMS],
        [AS_CONTEXT, DATA_INTEGRITY_V1, MODULE_TERMS],
    ],
)
def test_what_we_write_is_plain(context):
    document = activity() | {"@context": context}
    assert normalise(document) is document
    document["object"]["@context"] = context
    assert normalise(document) is document


IN_THE_WILD = {
    "Mastodon": {
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "toot": "http://joinmastodon.org/ns#",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
        "ostatus": "http://ostatus.org#",
        "conversation": "ostatus:conversation",
    },
    "Lemmy": {
        "lemmy": "https://join-lemmy.org/ns#",
        "litepub": "http://litepub.social/ns#",
        "pt": "https://joinpeertube.org/ns#",
        "sc": "http://schema.org/",
        "sensitive": "as:sensitive",
        "expires": "as:endTime",
        "moderators": {"@type": "@id", "@id": "lemmy:moderators"},
        "language": "sc:inLanguage",
    },
    "Misskey": {
        "Key": "sec:Key",
        "sec": "https://w3id.org/security#",
        "quoteUrl": "as:quoteUrl",
        "misskey": "https://misskey-hub.net/ns#",
        "_misskey_content": "misskey:_misskey_content",
        "isCat": "misskey:isCat",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
    },
    "Mitra": {
        "subject": {"@id": "https://w3id.org/fep/c390#subject", "@type": "@id"},
        "MitraJcsRsaSignature2022": "mitra:MitraJcsRsaSignature2022",
        "mitra": "http://jsonld.mitra.social#",
        "proofValue": "sec:proofValue",
        "proofPurpose": "sec:proofPurpose",
    },
    "others": {
        "@language": "und",
        "@version": 1.1,
        "ldp": "http://www.w3.org/ns/ldp#",
        "inbox": {"@id": "ldp:inbox", "@type": "@id"},
        "published": {"@id": "as:published", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
        "contentMap": {"@id": "as:content", "@container": "@language"},
        "q": "https://www.w3.org/ns/activitystreams#",
        "actor": {"@id": "q:actor", "@type": "@id"},
        "id": "@id",
        "type": "@type",
    },
}


@pytest.mark.parametrize("name", IN_THE_WILD)
def test_inline_contexts_that_say_nothing_new_are_plain(name):
    document = activity(IN_THE_WILD[name])
    assert normalise(document) is document


# SECURITY 28: contexts are never fetched.


@pytest.fixture
def no_network(monkeypatch):
    """Whoever opens a socket, or asks for an address, fails the test."""

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("context", [EVIL, [AS_CONTEXT, EVIL], [EVIL, AS_CONTEXT], [EVIL]])
def test_028_a_remote_context_means_nothing(no_network, context):
    document = activity() | {"@context": context}
    assert normalise(document) is document
    assert envelope_of(jsonld.compact(document)) == envelope_of(document)


@pytest.mark.parametrize("where", ["top", "object", "proof", "term"])
def test_028_a_remote_context_is_not_fetched_when_json_ld_is_read(no_network, where):
    document = activity({"wer": {"@id": "as:actor", "@type": "@id"}, "x": "@id"}, x="https://a.example/1")
    del document["id"]
    if where == "top":
        document["@context"].append(EVIL)
    elif where == "object":
        document["object"]["@context"] = [AS_CONTEXT, EVIL]
    elif where == "proof":
        document["proof"] = {"@context": EVIL, "proofValue": "z1"}
    else:
        document["@context"].append({"y": {"@id": "https://a.example/ns#y", "@context": EVIL}})
        document["y"] = {"z": 1}
        with pytest.raises(Malformed):
            normalise(document)
        return
    assert envelope_of(normalise(document)).id == "https://a.example/1"


def test_028_an_import_is_not_fetched(no_network):
    with pytest.raises(Malformed):
        normalise(activity({"@version": 1.1, "@import": EVIL}))


# SECURITY 30: what hides things.


@pytest.mark.parametrize("name", ["@graph", "@included", "@reverse"])
@pytest.mark.parametrize(
    "inside", [lambda part: part, lambda part: {"object": part}, lambda part: {"tag": [{"x": [part]}]}]
)
def test_030_what_hides_objects_is_refused_at_any_depth(name, inside):
    with pytest.raises(Malformed):
        normalise(activity() | inside({name: []}))
    with pytest.raises(Malformed):  # also where the document is rewritten
        normalise(activity({"wer": "as:actor", "@vocab": "https://x.example/"}) | inside({name: []}))


@pytest.mark.parametrize("name", ["@graph", "@included", "@reverse"])
def test_030_another_name_for_it_is_refused(name):
    with pytest.raises(Malformed):
        normalise(activity({"innocent": name}, innocent=[{"id": "https://b.example/2", "type": "Note"}]))


def test_030_a_reversed_term_is_refused_or_means_nothing():
    document = activity({"made": {"@reverse": "as:actor"}}, made={"id": "https://b.example/2", "type": "Create"})
    try:
        view = normalise(document)
    except Malformed:
        return
    assert "made" not in view
    assert envelope_of(view) == envelope_of(activity())


# Another meaning for a term that we read is never overlooked.

REMAPPED = [
    {"actor": "as:attributedTo"},
    {"actor": "https://evil.example/actor"},
    {"actor": {"@id": "as:object", "@type": "@id"}},
    {"actor": {"@id": "as:actor", "@type": "@json"}},
    {"actor": {"@id": "as:actor", "@type": "@none"}},
    {"actor": {"@id": "as:actor", "@container": "@graph"}},
    {"actor": {"@id": "as:actor", "@container": ["@graph", "@id"]}},
    {"actor": {"@id": "as:actor", "@container": "@index"}},
    {"actor": {"@id": "as:actor", "@nest": "x"}},
    {"actor": {"@id": "as:actor", "@context": {"id": "@type"}}},
    {"actor": {"@reverse": "as:actor"}},
    {"actor": None},
    {"actor": 7},
    {"actor": {"@id": None}},
    {"actor": "@id"},
    {"actor": "@type"},
    {"object": "as:actor"},
    {"Create": "as:Delete"},
    {"Note": "as:Article"},
    {"Public": "https://evil.example/"},
    {"to": "as:bto"},
    {"content": "as:summary"},
    {"sensitive": "as:content"},
    {"publicKeyPem": "https://evil.example/"},
    {"publicKeyMultibase": "sec:publicKeyPem"},
    {"assertionMethod": "sec:authentication"},
    {"purpose": "vf:name"},
    {"id": "@type"},
    {"id": "as:id"},
    {"type": "@id"},
    {"type": {"@id": "@type", "@container": "@set"}},
    {"as": "https://evil.example/"},
    {"sec": "https://evil.example/"},
    {"vf": "https://evil.example/"},
    {"q": "https://www.w3.org/ns/activitystreams#act", "actor": "q:or"},  # no prefix may end like this
    {"q": {"@id": "as:", "@prefix": False}, "actor": "q:actor"},
    {"wer": "@id"},
    {"@vocab": "https://evil.example/"},
    {"@base": "https://evil.example/"},
    {"@propagate": False},
    {"@protected": True},
]


@pytest.mark.parametrize("inline", REMAPPED, ids=repr)
def test_another_meaning_is_not_read_as_plain_json(inline):
    assert not jsonld._usual([AS_CONTEXT, inline])
    assert not jsonld._is_plain({"id": "https://a.example/1", "object": {"@context": inline, "content": "x"}})
    assert not jsonld._is_plain({"@context": AS_CONTEXT, "tag": [{"x": [{"@context": [AS_CONTEXT, inline]}]}]})


@pytest.mark.parametrize("context", [None, 7, True, [None], [7], [[AS_CONTEXT]], [AS_CONTEXT, None]], ids=repr)
def test_a_context_of_another_shape_is_not_plain(context):
    assert not jsonld._usual(context)
    assert not jsonld._is_plain({"object": {"@context": context}})
    try:
        view = normalise(activity() | {"@context": context})
    except SchemaError:
        return
    with pytest.raises(Malformed):  # it says that no word means anything
        envelope_of(view)


def test_a_remapped_actor_is_whom_json_ld_says_it_is():
    """A reader of plain JSON would see the victim; a reader of JSON-LD sees the attacker. So do we."""
    inline = {"actor": "https://evil.example/decoy", "wer": {"@id": "as:actor", "@type": "@id"}}
    document = activity(inline, actor="https://victim.example/u", wer="https://evil.example/u")
    assert envelope_of(normalise(document)).actor == "https://evil.example/u"


def test_a_remapped_object_inside_is_read_as_json_ld_says():
    document = activity()
    document["object"]["@context"] = [AS_CONTEXT, {"content": "as:summary"}]
    note = parse_note(normalise(document)["object"])
    assert (note.content, note.summary) == ("", "hello")


@pytest.mark.parametrize("name", ["as:actor", AS + "actor"])
def test_a_term_written_in_full_counts_like_the_short_one(name):
    document = activity()
    document[name] = {"id": document.pop("actor")}
    assert envelope_of(normalise(document)).actor == "https://a.example/u"


@pytest.mark.parametrize("name", ["as:actor", AS + "actor"])
def test_two_spellings_of_one_term_are_two_values(name):
    with pytest.raises(Malformed):
        envelope_of(normalise(activity() | {name: {"id": "https://evil.example/u"}}))


@pytest.mark.parametrize("pair", [("@id", "id"), ("@type", "type")])
def test_an_object_has_one_id_and_one_type(pair):
    keyword, name = pair
    document = activity()
    document["object"][keyword] = "https://evil.example/x"
    assert name in document["object"]
    with pytest.raises(Malformed):
        normalise(document)


def test_keywords_at_the_top_are_read_as_json_ld():
    document = activity()
    document["@id"], document["@type"] = document.pop("id"), document.pop("type")
    assert envelope_of(normalise(document)) == envelope_of(activity())


def test_a_value_object_is_read_as_its_value():
    document = activity()
    document["object"]["content"] = {"@value": "hello"}
    assert parse_note(normalise(document)["object"]).content == "hello"


# Rewriting.


def test_rewriting_leaves_proofs_out():
    document = activity({"wer": "as:actor", "@vocab": "https://x.example/"})
    document |= {"proof": {"type": "DataIntegrityProof"}, "signature": {"type": "RsaSignature2017"}}
    document["object"]["proof"] = {"type": "DataIntegrityProof"}
    view = normalise(document)
    assert view is not document
    assert "proof" not in json.dumps(view | {"@context": None})
    assert "signature" not in view
    assert "proof" in document
    assert "proof" in document["object"]


def test_an_actor_of_another_dialect_keeps_its_keys():
    document = load("examples/actor.json")
    view = normalise(document)
    assert view is not document  # its `fh` is not ours
    assert parse_actor(view).public_keys == parse_actor(document).public_keys
    assert len(parse_actor(view).public_keys) == 2


def test_a_gig_in_other_words_is_a_gig():
    document = load("examples/gig-note.json")
    assert normalise(document) is document
    document["@context"].append(
        {"veroeffentlicht": {"@id": "vf:publishes", "@type": "@id"}, "@vocab": "https://x.example/"}
    )
    document["veroeffentlicht"] = document.pop("publishes")
    assert is_gig(normalise(document))


def test_a_context_that_is_missing_is_that_of_activitystreams():
    document = activity()
    del document["@context"]
    assert normalise(document) is document
    document["as:actor"] = {"id": document.pop("actor")}
    assert envelope_of(normalise(document)).actor == "https://a.example/u"


# Bounds.


def test_081_contexts_are_few():
    with pytest.raises(Malformed):
        normalise(activity(*[EVIL] * MAX_CONTEXTS))
    with pytest.raises(Malformed):
        normalise(activity({"wer": "as:actor", "@vocab": "x:"}, tag=[{"@context": {"a": "x:a"}}] * MAX_CONTEXTS))


@pytest.mark.parametrize(
    "more",
    [
        {"content": "x" * 30_000},
        {"tag": ["a"] * 2_000},
        {"tag": [{"type": "Link"}] * 100},
        {f"k{number}": number for number in range(1_000)},
    ],
)
def test_081_a_large_document_is_not_rewritten(more):
    with pytest.raises(Malformed):
        normalise(activity({"@vocab": "https://x.example/"}, **more))


@pytest.mark.parametrize(
    "inline",
    [
        {"a": {"@id": "https://x.example/a", "@context": [SECURITY_V1] * 10}},
        {"T": {"@id": "https://x.example/T", "@context": {"b": {"@id": "https://x.example/b", "@context": {}}}}},
        [[SECURITY_V1] * 10, {"@vocab": "https://x.example/"}],
    ],
)
def test_081_contexts_inside_of_contexts_are_refused(inline):
    """They are processed at each use: 4 s for 20 KB."""
    with pytest.raises(Malformed):
        normalise(activity(inline))


def test_081_plain_documents_may_be_large_and_deep():
    document = activity(tag=[{"type": "Mention", "href": "https://a.example/"}] * 20_000)
    assert normalise(document) is document
    deep: dict = {}
    for _ in range(100_000):
        deep = {"object": deep}
    assert normalise(deep) is deep


def test_a_cycle_of_contexts_ends():
    with pytest.raises(Malformed):
        normalise(activity({"a": "b:x", "b": "a:y"}, **{"a:z": 1}) | {"@id": "https://a.example/1"})


context_parts = st.dictionaries(
    st.sampled_from(["actor", "object", "id", "type", "as", "q", "content", "@vocab", "@base", "@import", "@language"]),
    st.sampled_from(["as:actor", "as:content", "@id", "@type", "@graph", "q:x", "as:", EVIL, "", "_:b", ":"])
    | st.dictionaries(
        st.sampled_from(["@id", "@type", "@container", "@reverse", "@context", "@nest"]), anything, max_size=3
    )
    | anything,
    max_size=4,
)


@given(documents, context_parts | st.lists(context_parts | st.just(AS_CONTEXT), max_size=3))
@example({"object": {"@context": {"actor": {}}}}, {})
@settings(max_examples=300, deadline=None)
def test_174_normalise_returns_an_object_or_refuses(document, context):
    for value in (document, document | {"@context": context}, {"object": document | {"@context": context}}):
        try:
            view = normalise(value)
        except SchemaError:
            continue
        assert isinstance(view, dict)
        assert "@graph" not in view


# The bundled documents.


@pytest.mark.parametrize("url", contexts.INDEX)
def test_bundled_contexts_are_as_they_were_bundled(url):
    assert "@context" in contexts.load(url)


def test_028_an_unknown_context_is_said_to_be_unknown():
    with pytest.raises(UnknownContext):
        contexts.load(EVIL)


def test_a_bundled_context_that_was_changed_is_refused(monkeypatch):
    monkeypatch.setitem(contexts.INDEX, MULTIKEY_V1, (contexts.INDEX[MULTIKEY_V1][0], "0" * 64))
    contexts.load.cache_clear()
    with pytest.raises(ValueError, match="was changed"):
        contexts.load(MULTIKEY_V1)
    contexts.load.cache_clear()


def test_the_usual_prefixes_are_read_under_a_context_that_is_not_bundled():
    """Fedify 1.5.9 answers a Follow so: the Follow inside, its actors inside that, in terms of identity/v1."""
    actor = {"id": "https://a.example/users/alice", "type": "Person", "sec:assertionMethod": {"type": "sec:Multikey"}}
    accept = {
        "@context": ["https://w3id.org/identity/v1", AS_CONTEXT, DATA_INTEGRITY_V1],
        "id": "https://b.example/accepts/1",
        "type": "Accept",
        "actor": "https://b.example/users/bob",
        "object": {"id": "https://a.example/follows/1", "type": "Follow", "actor": actor, "as:summary": "x"},
    }
    read = normalise(accept)
    assert (read["type"], read["object"]["id"]) == ("Accept", "https://a.example/follows/1")
    assert read["object"]["actor"]["assertionMethod"] == [{"type": "Multikey"}]


@pytest.mark.parametrize(
    ("count", "context"),
    [
        (256, lambda number: {f"{number:04d}{'q' * 3_900}": AS}),
        (256, lambda number: {f"{number}q{place}": AS for place in range(18)}),
        (1, lambda number: {"q" * 900_000: AS}),
    ],
    ids=["long names", "many names", "one name of a megabyte"],
)
def test_081_what_a_stranger_calls_things_takes_no_memory_to_speak_of(count, context):
    """Names of one's own for what we read are remembered by context, and anybody may write such contexts."""
    jsonld._known.cache_clear()
    tracemalloc.start()
    try:
        for number in range(count):
            with suppress(SchemaError):
                normalise({"@context": [AS_CONTEXT, context(number)], "id": "https://a.example/1", "type": "Note"})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 40_000_000
