"""What actors do, and how lists of things are served."""

from __future__ import annotations

import pytest

from schemas.activities import activity, answer, embedding, follow, tombstone, undo
from schemas.base import Audience, audience_of, envelope_of
from schemas.collections import ordered_collection, ordered_page
from schemas.jsonld import normalise
from schemas.terms import AS_CONTEXT, DATA_INTEGRITY_V1, PUBLIC

ID = "https://a.example/activities/1"
ALICE, BOB = "https://a.example/alice", "https://b.example/bob"
AT = "2026-12-07T10:00:00Z"
FOLLOW = follow(ID, ALICE, BOB, AT)


def made():
    note = {"@context": [AS_CONTEXT, DATA_INTEGRITY_V1, {"Hashtag": "as:Hashtag"}], "id": f"{ALICE}/1", "type": "Note"}
    yield activity("Like", ID, ALICE, f"{BOB}/1", audience=Audience((BOB,)), published=AT)
    yield embedding("Create", ID, ALICE, note, audience=Audience((PUBLIC,)), published=AT)
    yield FOLLOW
    yield answer("Accept", ID, BOB, FOLLOW, AT)
    yield undo(ID, ALICE, FOLLOW, Audience((BOB,)), AT)


@pytest.mark.parametrize("document", list(made()), ids=lambda document: document["type"])
def test_what_we_do_is_read_as_plain_json(document):
    assert normalise(document) is document
    assert envelope_of(document).id == ID
    assert audience_of(document).to
    assert document["published"] == AT


def test_an_embedded_object_keeps_its_context_and_the_activity_repeats_it():
    note = {"@context": [AS_CONTEXT, {"Hashtag": "as:Hashtag"}], "id": f"{ALICE}/1", "type": "Note"}
    document = embedding("Create", ID, ALICE, note, audience=Audience((PUBLIC,)), published=AT)
    assert document["object"] is note
    assert document["@context"] == note["@context"]


def test_an_answer_goes_to_whoever_asked_and_repeats_what_was_asked():
    document = answer("Accept", ID, BOB, FOLLOW | {"secret": 1, "proof": {}}, AT)
    assert document["to"] == [ALICE]
    assert document["object"] == {"id": ID, "type": "Follow", "actor": ALICE, "object": BOB}


def test_what_is_taken_back_is_named():
    assert undo(ID, ALICE, FOLLOW, Audience((BOB,)), AT)["object"]["type"] == "Follow"


def test_a_tombstone_says_what_stood_there():
    assert tombstone(ID, "Note", AT) == {"type": "Tombstone", "id": ID, "formerType": "Note", "deleted": AT}


def test_a_collection_has_pages_or_is_empty():
    paged = ordered_collection(f"{ALICE}/outbox", 3, f"{ALICE}/outbox?page=1")
    assert (paged["first"], paged["totalItems"]) == (f"{ALICE}/outbox?page=1", 3)
    assert "orderedItems" not in paged
    assert ordered_collection(f"{ALICE}/outbox", 0, None)["orderedItems"] == []
    page = ordered_page(f"{ALICE}/outbox?page=1", f"{ALICE}/outbox", [ID], None, 3)
    assert (page["partOf"], page["orderedItems"]) == (f"{ALICE}/outbox", [ID])
    assert "next" not in page
    assert ordered_page("p", "c", [], "n", 0)["next"] == "n"
