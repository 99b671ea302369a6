"""What actor documents say of identities: read within bounds, written without touching anything else."""

from __future__ import annotations

import pytest

from schemas.actors import parse_actor
from schemas.identities import MAX_SUCCESSION, statements_of, successions_of, with_identity
from schemas.jsonld import normalise
from schemas.strict_json import dumps, loads_object
from tests.vectors import load

STATEMENT = {"type": "VerifiableIdentityStatement", "subject": "did:key:z6Mk", "alsoKnownAs": "https://a.example/a"}
ROW = {"type": "PropertyValue", "name": "Rate", "value": "EUR 85"}


def test_statements_are_listed_beside_everything_else():
    bare = {"attachment": [ROW, "https://a.example/x", 5], "proof": {}, "name": "Alice"}
    said = with_identity(bare, [STATEMENT], ["{}"])
    assert said["attachment"] == [ROW, "https://a.example/x", 5, STATEMENT]
    assert (said["succession"], said["name"], "proof" in said) == (["{}"], "Alice", False)
    other = STATEMENT | {"subject": "did:key:z6Mm"}
    again = with_identity(said, [other], [])
    assert again["attachment"] == [ROW, "https://a.example/x", 5, other]
    assert "succession" not in again
    assert with_identity(said, [], [str(number) for number in range(9)])["succession"] == ["4", "5", "6", "7", "8"]


def test_an_actor_has_no_more_of_them_than_are_read():
    document = load("examples/actor.json")
    assert len(parse_actor(document).statements) == 1
    many = document | {"attachment": [STATEMENT] * 50 + [ROW], "succession": ["{}"] * 50}
    actor = parse_actor(many)
    assert (len(actor.statements), len(actor.successions)) == (5, 5)
    assert actor.attachments == (("Rate", "EUR 85"),)


OTHER_WORDS = {
    "of the FEP's own example": load("fep-c390.json")["actor"]["@context"],
    "of a program that has its own": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v1",
        {"VerifiableIdentityStatement": "https://mitra.example/ns#VIS", "subject": "https://mitra.example/ns#subject"},
    ],
    "of a document that we do not know": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/fep/c390"],
}


@pytest.mark.parametrize("whose", OTHER_WORDS)
def test_a_statement_stays_as_it_was_signed_under_any_context(whose):
    document = load("fep-c390.json")["actor"] | {"@context": OTHER_WORDS[whose], "preferredUsername": "alice"}
    once = normalise(document)
    actor = parse_actor(normalise(loads_object(dumps(once))))
    assert actor.statements == (load("fep-c390.json")["proof"],)


@pytest.mark.parametrize("value", [None, 5, "x", {}, [5, None, {}], ["x" * (MAX_SUCCESSION + 1)], [["{}"]]])
def test_whatever_else_stands_there_is_passed_over(value):
    texts = successions_of({"succession": value})
    assert all(isinstance(text, str) and len(text) <= MAX_SUCCESSION for text in texts)
    assert statements_of({"attachment": value}) == []
    odd = {"type": ["VerifiableIdentityStatement"]}
    assert statements_of({"attachment": [odd, STATEMENT | {"type": None}]}) == []
