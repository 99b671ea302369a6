"""SECURITY, rule 5: a context of the document's own that changes what we read is never overlooked."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation.tables import inbox_messages, objects
from schemas import notes
from schemas.errors import Malformed
from schemas.jsonld import NOT_READ, normalise
from schemas.terms import AS, AS_CONTEXT, PUBLIC
from tests.federation.world import SQLITE, Peer, RemoteActor, World

ELSEWHERE = "https://evil.example/ns#other"
OF_WEBFINGER = {"aliases", "links", "subject"}
"""Read of a JRD, which is no JSON-LD."""
OF_CREDENTIALS = {"credentials.py", "credential_values.py"}
"""Read of credentials, which are never embedded: `schemas/test_credentials` and `schemas/test_what_is_signed`."""


def read_names() -> set[str]:
    """Every member that a reader of `schemas` takes out of a document, by its name in the source."""
    found: set[str] = set(notes.QUOTES)
    for path in (path for path in Path("schemas").glob("*.py") if path.name not in OF_CREDENTIALS):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if called in ("get", "localised", "_either", "_line"):
                found |= {item.value for item in call.args if isinstance(item, ast.Constant) and item.value != ""}
    return {name for name in found if isinstance(name, str) and not name.startswith("@")} - OF_WEBFINGER


def test_the_names_are_found() -> None:
    assert {"actor", "schema:price", "hasUnit", "quote", "votersCount", "schema:roleName"} <= read_names()


@pytest.mark.parametrize("name", sorted(read_names() - set(NOT_READ)))
def test_nothing_that_is_read_gets_another_meaning(name: str) -> None:
    keyword = "@type" if name == "id" else "@id"
    for definition in (ELSEWHERE, {"@id": ELSEWHERE}, None, {"@id": ELSEWHERE, "@type": "@id"}, keyword, {"@id": None}):
        for holder in (lambda context: {"@context": [AS_CONTEXT, context]}, nested, in_a_tag):
            document = {"id": "https://a.example/1", "type": "Note"} | holder({name: definition})
            try:
                assert normalise(document) is not document, definition
            except Malformed:
                pass


def nested(context: Any) -> dict[str, Any]:
    return {"@context": AS_CONTEXT, "object": {"@context": context, "content": "x"}}


def in_a_tag(context: Any) -> dict[str, Any]:
    return {"object": {"tag": [{"@context": [AS_CONTEXT, context], "type": "Mention"}]}}


def test_081_contexts_everywhere_are_no_work_without_end() -> None:
    tags = [{"@context": {f"q{number}": AS}} for number in range(20_000)]
    with pytest.raises(Malformed):
        normalise({"@context": AS_CONTEXT, "id": "https://a.example/1", "type": "Note", "tag": tags})


# ---- through the door


async def fate(world: World, bob: RemoteActor, activity: dict[str, Any]) -> str:
    """What became of it: the status of a refusal at the door, or of the message."""
    status = await world.post(bob, activity)
    if status != 202:
        return str(status)
    await world.settle()
    return await world.fate(activity["id"])


@SQLITE
@pytest.mark.parametrize(
    ("inline", "more"),
    [
        ({"actor": ELSEWHERE}, {}),
        ({"actor": "as:object"}, {}),
        ({"actor": None}, {}),
        ({"type": ELSEWHERE}, {}),
        ({"id": "@type"}, {}),
        ({"wer": "@id"}, {"wer": "{victim}/activities/1"}),
        ({"was": "@type"}, {"was": "Delete"}),
        ({"boss": {"@id": "as:actor", "@type": "@id"}}, {"boss": "{victim}"}),
        ({"boss": AS + "actor"}, {"boss": {"id": "{victim}"}}),
        ({"q": AS}, {"q:actor": {"id": "{victim}"}}),
        ({"q": "https://www.w3.org/ns/"}, {"q:activitystreams#actor": {"id": "{victim}"}}),
        ({"hidden": "@graph"}, {"hidden": [{"id": "{victim}/activities/2", "type": "Delete"}]}),
        ({"@base": "https://evil.example/"}, {"@id": "relative"}),
        ({"schema:name": ELSEWHERE}, {}),
    ],
)
async def test_030_two_meanings_at_the_top_are_no_activity(
    world: World, peer: Peer, other: Peer, inline: dict[str, Any], more: dict[str, Any]
) -> None:
    """A reader of JSON-LD would see another actor, id or type than a reader of JSON: nobody gets to choose."""
    bob, victim = peer.actor("bob"), other.actor("victim")
    await world.know(bob, victim)
    await world.follow(bob)
    filled = {name: replaced(value, victim.id) for name, value in more.items()}
    activity = bob.activity("Create", bob.note(), **{"@context": [AS_CONTEXT, inline]}, **filled)
    async with world.nothing_happens():
        assert await fate(world, bob, activity) == "400"


def replaced(value: Any, victim: str) -> Any:
    if isinstance(value, str):
        return value.replace("{victim}", victim)
    if isinstance(value, list):
        return [replaced(item, victim) for item in value]
    return {name: replaced(item, victim) for name, item in value.items()}


@SQLITE
@pytest.mark.parametrize("where", ["top", "object"])
@pytest.mark.parametrize(
    ("inline", "more", "wanted"),
    [
        ({"content": "as:summary"}, {}, {"content": None, "summary": "<p>hello</p>"}),
        ({"content": ELSEWHERE}, {}, {"content": None}),
        ({"@vocab": "https://evil.example/"}, {"word": "x"}, {"content": "<p>hello</p>"}),
        ({"inhalt": "as:content"}, {"inhalt": "<p>second</p>"}, {"content": ["<p>hello</p>", "<p>second</p>"]}),
        ({"q": AS}, {"q:summary": "seen"}, {"content": "<p>hello</p>", "summary": "seen"}),
    ],
)
async def test_what_is_renamed_is_read_as_json_ld_says(
    world: World, peer: Peer, where: str, inline: dict[str, Any], more: dict[str, Any], wanted: dict[str, Any]
) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note(**more)
    context = {"@context": [AS_CONTEXT, inline]}
    activity = bob.activity("Create", note | context) if where == "object" else bob.activity("Create", note, **context)
    if where == "top":
        del activity["object"]["@context"]
    assert await fate(world, bob, activity) == "done"
    (received,) = world.handled
    assert received.object is not None
    assert {name: received.object.get(name) for name in wanted} == wanted


@SQLITE
@pytest.mark.parametrize(
    ("inline", "more"),
    [
        ({"attributedTo": ELSEWHERE}, {}),
        ({"author": {"@id": "as:attributedTo", "@type": "@id"}}, {"author": "{victim}"}),
        ({"q": AS}, {"q:attributedTo": {"id": "{victim}"}}),
        ({"wer": "@id"}, {"wer": "{victim}/notes/1"}),
    ],
)
async def test_013_an_author_under_another_name_is_an_author(
    world: World, peer: Peer, other: Peer, inline: dict[str, Any], more: dict[str, Any]
) -> None:
    bob, victim = peer.actor("bob"), other.actor("victim")
    await world.know(bob, victim)
    await world.follow(bob)
    note = bob.note(**replaced(more, victim.id)) | {"@context": [AS_CONTEXT, inline]}
    before = await world.state(but=("inbox_messages",))
    assert not (await fate(world, bob, bob.activity("Create", note))).startswith("done")
    assert await world.state(but=("inbox_messages",)) == before
    assert world.handled == []


@SQLITE
@pytest.mark.parametrize("inline", [{"to": "as:bto"}, {"to": ELSEWHERE}, {"to": None}])
async def test_128_who_may_read_is_said_by_the_strict_meaning(world: World, peer: Peer, inline: dict[str, Any]) -> None:
    """As plain JSON it would be for everybody."""
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note(to=[PUBLIC]) | {"@context": [AS_CONTEXT, inline]}
    assert await fate(world, bob, bob.activity("Create", note, to=[world.alice])) == "done"
    (stored,) = await world.rows(sa.select(objects.c.visibility))
    assert stored.visibility == "direct"


@SQLITE
async def test_a_proof_does_not_carry_another_meaning(world: World, peer: Peer) -> None:
    """JCS covers the bytes and not what they mean: what had to be rewritten is not called signed."""
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note() | {"@context": [AS_CONTEXT, {"content": "as:summary"}]}
    assert await fate(world, bob, bob.activity("Create", bob.prove(note))) == "done"
    (received,) = world.handled
    assert received.verification == "delivered"
    rows = await world.rows(sa.select(inbox_messages.c.state))
    assert [row.state for row in rows] == ["done"]
