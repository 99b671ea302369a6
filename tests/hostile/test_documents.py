"""SECURITY A and D: documents that are to be read in two ways, or in none."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.tables import actors, inbox_messages, object_recipients, objects
from schemas.terms import ACTIVITY_JSON, AS_CONTEXT, PUBLIC
from tests.federation.world import SQLITE, Peer, RemoteActor, World

WRONG_TYPES = [
    "text/html",
    "application/json",
    "image/png",
    "application/ld+json",
    "text/plain",
    "application/jrd+json",
]


@SQLITE
@pytest.mark.parametrize("content_type", WRONG_TYPES)
async def test_009_served_as_something_else_it_is_no_object(
    world: World, peer: Peer, other: Peer, content_type: str
) -> None:
    author, friend = peer.actor("author"), other.actor("friend")
    await world.know(author)
    await world.follow(friend)
    note = author.note()
    peer.serve(note)
    peer.content_type = content_type
    fate = await world.deliver(friend, friend.activity("Announce", note["id"]))
    assert not fate.startswith("done")
    assert await world.rows(sa.select(objects)) == []


@SQLITE
@pytest.mark.parametrize("content_type", WRONG_TYPES)
async def test_009_an_actor_served_as_something_else_has_no_key(world: World, peer: Peer, content_type: str) -> None:
    bob = peer.actor()
    peer.content_type = content_type
    async with world.nothing_happens(key_of=bob):
        assert await world.post(bob, bob.activity("Create", bob.note())) == 401
    assert await world.rows(sa.select(actors.c.id).where(actors.c.id == bob.id)) == []


@SQLITE
@pytest.mark.parametrize("content_type", [*WRONG_TYPES, "", "application/activity+jsonx", "x" * 5_000])
async def test_009_posted_as_something_else_it_is_not_taken(world: World, peer: Peer, content_type: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        activity = bob.activity("Create", bob.note())
        assert await world.post(bob, activity, headers={"content-type": content_type}) == 415


@pytest.mark.parametrize(
    "content_type",
    [
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
        "application/activity+json; charset=utf-8",
    ],
)
async def test_009_both_forms_of_the_media_type_are_taken(world: World, peer: Peer, content_type: str) -> None:
    bob = peer.actor()
    activity = bob.activity("Create", bob.note())
    assert await world.post(bob, activity, scheme="rfc9421", headers={"content-type": content_type}) == 202


def twice(document: dict[str, Any], name: str, value: Any) -> bytes:
    """The document with a member standing twice."""
    return json.dumps(document).encode()[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}".encode()


async def test_026_a_member_stands_twice(world: World, peer: Peer) -> None:
    bob, victim = peer.actor("bob"), peer.actor("victim")
    await world.know(bob, victim)
    activity = bob.activity("Create", bob.note())
    nested = json.dumps(activity).replace('"type": "Note"', '"type": "Note", "type": "Article"').encode()
    escaped = json.dumps(activity).encode()[:-1] + b', "\\u0061ctor": "' + victim.id.encode() + b'"}'
    async with world.nothing_happens():
        for body in (twice(activity, "actor", victim.id), twice(activity, "id", activity["id"]), nested, escaped):
            assert await world.post(bob, body) == 400


CONTEXTS = [
    "http://127.0.0.2:{port}/context",
    [AS_CONTEXT, "http://127.0.0.2:{port}/context"],
    [AS_CONTEXT, {"x": {"@id": "ex:x", "@context": "http://127.0.0.2:{port}/context"}}],
    [AS_CONTEXT, {"actor": "ex:actor"}, "http://127.0.0.2:{port}/context"],
    [AS_CONTEXT, {"@import": "http://127.0.0.2:{port}/context"}],
]


@SQLITE
@pytest.mark.parametrize("context", CONTEXTS)
async def test_028_a_context_is_never_fetched(world: World, peer: Peer, other: Peer, context: Any) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    other.documents["/context"] = {"@context": {"evil": "https://evil.example/"}}
    filled = json.loads(json.dumps(context).replace("127.0.0.2:{port}", other.origin.removeprefix("http://")))
    assert await world.post(bob, bob.activity("Create", bob.note(), **{"@context": filled})) in (202, 400)
    await world.worker.drain()
    assert other.asked == []


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
async def test_030_graph_included_and_reverse_are_not_read(world: World, peer: Peer, keyword: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    note = bob.note()
    value = [{"id": "https://evil.example/", "type": "Note"}]
    escaped = keyword.replace("a", "\\u0061").replace("@", "\\u0040")
    async with world.nothing_happens():
        for activity in (
            bob.activity("Create", note, **{keyword: value}),
            bob.activity("Create", note | {keyword: value}),
            bob.activity("Create", note | {"tag": [{"name": [{keyword: value}]}]}),
        ):
            assert await world.post(bob, activity) == 400
            body = json.dumps(activity).replace(keyword, escaped).encode()
            assert await world.post(bob, body) == 400
    said = bob.activity("Create", bob.note(f"about &quot;{keyword}&quot;", summary=keyword))
    assert await world.post(bob, said) == 202  # to write about it is nobody's harm


@pytest.mark.parametrize("alias", ["@graph", "@included", "@reverse"])
async def test_030_not_under_another_name_either(world: World, peer: Peer, alias: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    context = [AS_CONTEXT, {"hidden": alias}]
    hidden = {"hidden": [{"id": f"{bob.id}/notes/x", "type": "Note", "attributedTo": bob.id, "content": "x"}]}
    for activity in (
        bob.activity("Create", bob.note() | hidden, **{"@context": context}),
        bob.activity("Create", bob.note(), **{"@context": context}, **hidden),
    ):
        assert await world.post(bob, activity) in (202, 400)
    await world.worker.drain()
    bodies = [row.body for row in await world.rows(sa.select(objects.c.body))]
    assert not any(alias.encode() in body for body in bodies)


async def test_an_alias_does_not_hide_another_actor(world: World, peer: Peer, other: Peer) -> None:
    """As plain JSON the actor is mallory, who signs; as JSON-LD it is the victim. Nobody may be both."""
    victim, mallory = peer.actor("victim"), other.actor("mallory")
    await world.know(victim, mallory)
    context = [AS_CONTEXT, {"actor": "https://evil.example/x", "as": "https://www.w3.org/ns/activitystreams#"}]
    activity = mallory.activity("Create", mallory.note(), **{"@context": context, "as:actor": {"id": victim.id}})
    async with world.nothing_happens():
        assert await world.post(mallory, activity) == 400


async def test_unfamiliar_json_ld_is_nothing_for_those_who_sign_nothing(world: World, peer: Peer) -> None:
    bob = peer.actor()
    context = [AS_CONTEXT, {"actor": {"@id": "as:actor", "@context": {}}}]
    body = json.dumps(bob.activity("Create", bob.note(), **{"@context": context})).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schemas.jsonld.compact", lambda document: pytest.fail("compacted for a stranger"))
        assert await world.send(body, {"content-type": ACTIVITY_JSON}) == 401


async def test_046_the_same_id_with_another_body(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    first = bob.activity("Create", bob.note("first"))
    second = bob.activity("Create", bob.note("second"), id=first["id"])
    assert await world.deliver(bob, first) == "done"
    async with world.nothing_happens():
        assert await world.post(bob, second) == 202
    assert [received.object and received.object["content"] for received in world.handled] == ["<p>first</p>"]


async def test_046_at_once(world: World, peer: Peer) -> None:
    import asyncio

    bob = peer.actor()
    await world.follow(bob)
    await world.know(bob)
    first = bob.activity("Create", bob.note("first"))
    others = [bob.activity("Create", bob.note(str(number)), id=first["id"]) for number in range(10)]
    statuses = await asyncio.gather(*(world.post(bob, activity) for activity in [first, *others]))
    assert set(statuses) == {202}
    await world.worker.drain()
    assert len(world.handled) == 1


async def private_note(world: World, bob: RemoteActor, *to: str) -> dict[str, Any]:
    note = bob.note("original", to=to, published="2026-01-01T00:00:00Z", inReplyTo=f"{world.alice}/posts/1")
    assert await world.deliver(bob, bob.activity("Create", note)) == "done"
    return note


@pytest.mark.parametrize(
    "change",
    [
        {"attributedTo": "{other}"},
        {"inReplyTo": "https://elsewhere.example/notes/1"},
        {"inReplyTo": None},
        {"to": [PUBLIC]},
        {"cc": ["as:Public"]},
        {"cc": ["{followers}"]},
        {"cc": ["https://elsewhere.example/users/carol"]},
    ],
)
async def test_050_what_an_update_may_not_change(world: World, peer: Peer, change: dict[str, Any]) -> None:
    bob, third = peer.actor("bob"), peer.actor("other")
    await world.know(bob)
    note = await private_note(world, bob, world.alice)
    filled = json.loads(json.dumps(change).replace("{other}", third.id).replace("{followers}", bob.followers))
    before = await world.state(but=("inbox_messages",))
    fate = await world.deliver(bob, bob.activity("Update", note | {"content": "changed"} | filled, to=[world.alice]))
    assert fate.startswith("refused: Forbidden")
    assert await world.state(but=("inbox_messages",)) == before


async def test_050_published_stays(world: World, peer: Peer) -> None:
    bob = peer.actor()
    note = await private_note(world, bob, world.alice)
    changed = note | {"content": "changed", "published": "2026-03-01T00:00:00Z", "updated": "2026-04-01T00:00:00Z"}
    assert await world.deliver(bob, bob.activity("Update", changed)) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert (row.published.month, row.updated.month) == (1, 4)
    assert b"changed" in row.body


@SQLITE
@pytest.mark.parametrize("depth", [33, 1_000, 400_000])
async def test_079_nested_too_deep(world: World, peer: Peer, depth: int) -> None:
    bob = peer.actor()
    await world.know(bob)
    head = json.dumps(bob.activity("Create", bob.note())).encode()[:-1]
    async with world.nothing_happens():
        for open_, close in ((b"[", b"]"), (b'{"a":', b"}")):
            body = head + b', "x": ' + open_ * depth + b"1" + close * depth + b"}"
            expected = 413 if len(body) > 1_048_576 else 400
            assert await world.post(bob, body) == expected
        assert await world.post(bob, b"[" * depth) == 400
    assert await world.post(bob, bob.activity("Create", bob.note())) == 202


@pytest.mark.parametrize("name", ["to", "cc", "tag", "attachment", "object", "bto", "audience"])
async def test_081_a_list_of_twenty_thousand(world: World, peer: Peer, name: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    many = [f"https://a.example/{number}" for number in range(20_000)]
    async with world.nothing_happens():
        assert await world.post(bob, bob.activity("Create", bob.note(), **{name: many})) == 400
        if name != "object":
            assert await world.post(bob, bob.activity("Create", bob.note(**{name: many}), to=[PUBLIC])) == 400


VALUES: list[Any] = [
    None, 0, -1, 1.5, True, False, "", "x", "http://127.0.0.41/x", [], {}, [[]], [[{}]], [None], ["a", "b"],
    [{"id": "http://127.0.0.41/a"}, {"id": "http://127.0.0.41/b"}], {"id": None}, {"id": "http://127.0.0.41/x"},
    {"type": 5}, {"type": ["Note"]}, {"type": "Note"}, {"@value": "x"}, {"en": "x"},
]  # fmt: skip
ACTIVITY_FIELDS = ["@context", "id", "type", "actor", "object", "to", "cc", "published", "target", "tag", "proof",
                   "signature", "result", "bto"]  # fmt: skip
OBJECT_FIELDS = ["@context", "id", "type", "attributedTo", "content", "published", "updated", "to", "cc", "inReplyTo",
                 "tag", "attachment", "url", "summary", "name", "contentMap", "proof", "icon", "endTime",
                 "preferredUsername", "inbox", "publicKey", "assertionMethod", "endpoints", "alsoKnownAs"]  # fmt: skip


@pytest.mark.parametrize("field", ACTIVITY_FIELDS)
async def test_086_wrong_types_in_an_activity(world: World, peer: Peer, field: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    for value in VALUES:
        for verb in ("Create", "Undo", "Delete", "Follow", "Accept", "Announce", "Update", "Block", "Like"):
            status = await world.post(bob, bob.activity(verb, bob.note(), **{field: value}))
            assert status < 500, (field, value, verb, status)
    await nothing_is_a_fault_of_ours(world)


@SQLITE
@pytest.mark.parametrize("field", OBJECT_FIELDS)
async def test_086_wrong_types_in_an_object(world: World, peer: Peer, field: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    await world.follow(bob)
    for value in VALUES:
        for verb, obj in (
            ("Create", bob.note(**{field: value})),
            ("Update", bob.note(**{field: value})),
            ("Update", bob.document(**{field: value})),
            ("Undo", {"id": f"{bob.id}/x", "type": "Follow", "actor": bob.id, "object": world.alice} | {field: value}),
        ):
            status = await world.post(bob, bob.activity(verb, obj, to=[PUBLIC]))
            assert status < 500, (field, value, verb, status)
    await nothing_is_a_fault_of_ours(world)


async def nothing_is_a_fault_of_ours(world: World) -> None:
    """A message that makes a handler stumble is pending or parked with the error's name; none may be."""
    await world.settle()
    rows = await world.rows(sa.select(inbox_messages.c.state, inbox_messages.c.reason))
    faults = [row.reason for row in rows if row.state in ("pending", "parked") and "Unreachable" not in row.reason]
    assert [reason for reason in faults if not reason.startswith("Busy")] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OBJECT_FIELDS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    verb=st.sampled_from(["Create", "Update", "Delete", "Undo", "Follow", "Accept", "Announce", "Block", "Offer"]),
    members=st.dictionaries(st.sampled_from(ACTIVITY_FIELDS), JSON, max_size=3),
    obj=JSON | st.dictionaries(st.sampled_from(OBJECT_FIELDS), JSON, max_size=6),
)
def test_086_anything_at_all(verb: str, members: dict[str, Any], obj: Any) -> None:
    """The door and the worker's reading are total functions: an answer, or a refusal that says why."""
    from federation import bodies, prepare
    from federation.errors import Refused
    from schemas.errors import SchemaError

    base = {"id": "https://a.example/1", "type": verb, "actor": "https://a.example/u", "object": obj}
    body = json.dumps(base | members).encode()
    try:
        document = bodies.parse(body, bodies.DEFAULT_LIMITS)
        bodies.check_lists(document)
        bodies.envelope(document)
        prepare.read(body, '{"actor_id":"https://a.example/u","key_id":"k","how":"cavage"}')
    except (Refused, SchemaError):
        pass


@SQLITE
@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5_000, "-0", "-0.0", "01", "1.", "+1", "0x1"]
)
async def test_089_numbers_that_are_none(world: World, peer: Peer, number: str) -> None:
    bob = peer.actor()
    await world.know(bob)
    body = json.dumps(bob.activity("Create", bob.note())).encode()[:-1] + f', "x": {number}}}'.encode()
    async with world.nothing_happens():
        assert await world.post(bob, body) == 400


@SQLITE
@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"null", b"[]", b'"x"', b"{", b"{}", b"\xff\xfe{\x00}\x00", b'{"id": "\xff"}', b"\xef\xbb\xbf{}",
     b'{"id": "\\ud800"}', b'{"id": "\\u0000"}', b'{"a": 1} {"b": 2}', b"{'a': 1}", b'{"a": 1,}', b"\x00" * 100],
)  # fmt: skip
async def test_bytes_that_are_no_document(world: World, peer: Peer, body: bytes) -> None:
    bob = peer.actor()
    await world.know(bob)
    async with world.nothing_happens():
        assert await world.post(bob, body) == 400


ODD_TIMES = ["2026-06-30T23:59:60Z", "2026-01-01T00:00:00", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00+14:00",
             "0000-00-00T00:00:00Z", "yesterday", "", "2026-13-01T00:00:00Z", "2026-01-01", "-1", 5, None,
             "2026-01-01T00:00:00.123456789Z", "2199-01-01T00:00:00Z", "2026-01-01T00:00:00-99:99"]  # fmt: skip


@SQLITE
@pytest.mark.parametrize("moment", ODD_TIMES)
async def test_176_odd_times(world: World, peer: Peer, moment: Any) -> None:
    bob = peer.actor()
    await world.follow(bob)
    note = bob.note(published=moment, updated=moment)
    assert await world.deliver(bob, bob.activity("Create", note, published=moment)) == "done"
    (row,) = await world.rows(sa.select(objects))
    assert row.published <= world.clock.now() + timedelta(hours=1)
    assert row.updated <= world.clock.now() + timedelta(hours=1)


async def test_130_whom_a_server_failed_to_hide(world: World, peer: Peer) -> None:
    bob = peer.actor()
    await world.follow(bob)
    hidden = "https://elsewhere.example/users/hidden"
    for proven in (False, True):
        note = bob.note(bto=[hidden], bcc=hidden)
        note = bob.prove(note) if proven else note
        assert await world.deliver(bob, bob.activity("Create", note, bto=[hidden], bcc=[hidden])) == "done"
    for row in await world.rows(sa.select(objects)):
        assert hidden.encode() not in row.body
        assert row.verification == "delivered"
    assert await world.rows(sa.select(object_recipients)) == []
