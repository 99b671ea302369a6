"""A proof over RDF holds for every JSON that says the same: all of that is read in the same way, or not at all."""

from __future__ import annotations

import copy
import random

import pytest

from schemas.credentials import parse_credential
from schemas.errors import SchemaError
from schemas.rdf import canonical_quads
from tests.schemas.credentials import badge, endorsement, status_list

ROUNDS = 150
LONG = {
    "name": "https://schema.org/name",
    "description": "https://schema.org/description",
    "issuer": "https://www.w3.org/2018/credentials#issuer",
    "validUntil": "https://www.w3.org/2018/credentials#validUntil",
    "validFrom": "https://www.w3.org/2018/credentials#validFrom",
    "credentialStatus": "https://www.w3.org/2018/credentials#credentialStatus",
    "credentialSubject": "https://www.w3.org/2018/credentials#credentialSubject",
    "achievement": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#achievement",
    "otherIdentifier": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#otherIdentifier",
    "statusListIndex": "https://www.w3.org/ns/credentials/status#statusListIndex",
    "encodedList": "https://www.w3.org/ns/credentials/status#encodedList",
}
TIME = {"@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
LINK = {"@type": "@id"}
TYPES = {
    "validFrom": TIME, "validUntil": TIME, "issuer": LINK, "credentialStatus": LINK, "credentialSubject": LINK
}  # fmt: skip


def nodes(value, found=None):
    """Every object in a document, the outermost first."""
    found = [] if found is None else found
    if isinstance(value, dict):
        found.append(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        nodes(inner, found)
    return found


def change(document, chance):
    """Say the same, or nearly, in another way."""
    node = chance.choice([node for node in nodes(document) if set(node) - {"@context"}])
    name = chance.choice(sorted(set(node) - {"@context"}))
    value = node[name]
    match chance.randrange(11):
        case 0:
            node[name] = value if isinstance(value, list) else [value]
        case 1:
            node[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
        case 2:
            node[name] = [*value, *value] if isinstance(value, list) else [value, value]
        case 3:
            node[name] = value[::-1] if isinstance(value, list) else [value]
        case 4 if name in LONG:
            node[LONG[name]] = node.pop(name)
        case 5 if name in LONG:
            document["@context"] = [*document["@context"], {"a": {"@id": LONG[name]} | TYPES.get(name, {})}]
            node["a"] = node.pop(name)
        case 6 if isinstance(value, str):
            node[name] = {"@value": value}
        case 7:
            node["@nest" if chance.random() < 0.5 else "@included"] = {name: node.pop(name)}
        case 8:
            document.setdefault("evidence", []).append({"id": node.get("id"), name: node.pop(name)})
        case 9:
            context = document["@context"]
            document["@context"] = chance.choice(
                [context[:1], context[::-1], [*context, {"@vocab": "https://schema.org/"}]]
            )
        case _:
            node["@" + name if name in ("id", "type") else name] = node.pop(name)


def said(document):
    """All that is read, in no order."""
    read = parse_credential(document)
    types, statuses, evidence = frozenset(read.types), frozenset(read.statuses), frozenset(read.evidence)
    names = set(read.__struct_fields__) - {"types", "statuses", "evidence"}
    return types, statuses, evidence, {name: getattr(read, name) for name in names}


@pytest.mark.parametrize("original", [badge(), endorsement(), status_list()], ids=["badge", "endorsement", "list"])
def test_174_what_says_the_same_rdf_is_read_in_the_same_way(original):
    quads, reading = canonical_quads(original), said(original)
    same = 0
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        changed = copy.deepcopy(original)
        for _ in range(chance.randrange(1, 4)):
            change(changed, chance)
        try:
            if canonical_quads(changed) != quads:
                continue
            read = said(changed)
        except SchemaError:
            continue
        same += changed != original
        assert read == reading, seed
    assert same > ROUNDS / 20, "nothing was tried"
