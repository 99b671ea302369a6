"""What the fuzzer found (`make fuzz`), each by its cause, with the activity that did it made small."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from federation.tables import inbox_messages
from node.messages.tables import conversations
from node.social.tables import timeline
from schemas.terms import AS_CONTEXT, PUBLIC
from tests.fuzz.arena import Arena, arena
from tests.fuzz.cast import ALICE, BOB, CAROL, ZOE, Actor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MINE = conversations.c.who == BOB.id


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Arena]:
    """A node among others, on SQLite: what was found is no matter of the database."""
    async with arena(tmp_path / "data") as made:
        yield made


async def says(node: Arena, actor: Actor, activity: dict[str, Any]) -> None:
    """It is taken, and has its effect."""
    assert await node.send(actor, json.dumps(activity).encode()) == 202
    await node.settle()


def brings(actor: Actor, verb: str, number: int, **note: Any) -> dict[str, Any]:
    """Create or Update of a note."""
    thing = {
        "@context": AS_CONTEXT,
        "id": f"{actor.id}/notes/1",
        "type": "Note",
        "attributedTo": actor.id,
        "content": "<p>found</p>",
        "published": "2026-11-24T09:00:00Z",
    } | note
    named = {"id": f"{actor.id}/activities/{number}", "type": verb, "actor": actor.id, "object": thing}
    return {"@context": AS_CONTEXT} | named | {name: thing[name] for name in ("to", "cc") if name in thing}


async def test_a_list_of_what_was_found_shows_people_with_pictures(node: Arena) -> None:
    """The page's own `shown` stood in the place of the function that every page has under that name."""
    icon = {"icon": {"type": "Image", "url": f"{BOB.origin}/me.png", "mediaType": "image/png"}}
    update = {"id": f"{BOB.id}/activities/1", "type": "Update", "actor": BOB.id, "object": BOB.document(**icon)}
    await says(node, BOB, update | {"to": [PUBLIC]})
    tag = [{"type": "Hashtag", "name": "#work", "href": f"{BOB.origin}/tags/work"}]
    await says(node, BOB, brings(BOB, "Create", 2, content="<p>a report</p>", to=[PUBLIC], tag=tag))
    for viewer, path in (("alice", "/search?q=report"), ("alice", "/tags/work"), ("nobody", "/tags/work")):
        page = await node.get(viewer, path)
        assert page.status == 200, (viewer, path)
        assert "a report" in page.text
        assert "/media/remote/" in page.text


async def test_a_message_that_was_taken_back_unread_is_new_no_more(node: Arena) -> None:
    for number in (1, 2, 3):
        await says(node, BOB, brings(BOB, "Create", number, id=f"{BOB.id}/notes/{number}", to=[ALICE]))
    gone = {"type": "Delete", "actor": BOB.id, "object": f"{BOB.id}/notes/2", "to": [ALICE]}
    await says(node, BOB, {"id": f"{BOB.id}/activities/4"} | gone)
    (row,) = await node.rows(sa.select(conversations.c.unread).where(conversations.c.reader == ALICE, MINE))
    assert row.unread == 2


async def test_128_a_tag_lets_nobody_read_what_is_not_addressed_to_them(node: Arena) -> None:
    mention = [{"type": "Mention", "name": "@carol", "href": CAROL}]
    await says(node, BOB, brings(BOB, "Create", 1, to=[BOB.followers], tag=mention))
    assert "found" in (await node.get("alice", "/home")).text
    for path in ("/home", "/messages", "/notifications"):
        assert "found" not in (await node.get("carol", path)).text


async def test_131_a_tag_in_a_message_to_others_lets_nobody_read_it(node: Arena) -> None:
    mention = [{"type": "Mention", "name": "@carol", "href": CAROL}]
    await says(node, BOB, brings(BOB, "Create", 1, to=[ALICE], tag=mention))
    assert await node.rows(sa.select(conversations).where(conversations.c.reader == CAROL)) == []


GIG = {"purpose": "offer", "publishes": {"type": "Intent", "action": "deliverService"}}


@pytest.mark.parametrize("kind", [{"type": "Note"}, GIG, {"type": "Article", "teaches": "https://a.example/skill"}])
async def test_128_what_becomes_for_fewer_people_is_seen_by_those_alone(node: Arena, kind: dict[str, Any]) -> None:
    note = {"to": [BOB.followers], "cc": [CAROL], **kind, "name": "found"}
    await says(node, BOB, brings(BOB, "Create", 1, **note))
    assert "found" in (await node.get("carol", "/home")).text
    await says(node, BOB, brings(BOB, "Update", 2, **note | {"cc": [], "name": "found again"}))
    assert "found" in (await node.get("alice", "/home")).text
    assert "found" not in (await node.get("carol", "/home")).text


async def test_128_who_passes_something_on_does_not_say_who_may_read_it(node: Arena) -> None:
    """What its origin serves addresses nobody; the audience of the Announce is that of the Announce."""
    thing = brings(ZOE, "Create", 1)["object"]
    node.world.documents[thing["id"]] = json.dumps(thing).encode()
    announce = {
        "id": f"{BOB.id}/activities/1",
        "type": "Announce",
        "actor": BOB.id,
        "object": thing["id"],
        "to": [PUBLIC],
    }
    await says(node, BOB, announce)
    for viewer in ("nobody", "alice"):
        assert (await node.get(viewer, f"/seen?id={thing['id']}")).status == 404
    assert "found" not in (await node.get("alice", "/home")).text


async def test_128_what_stands_in_a_list_becomes_no_profile(node: Arena) -> None:
    """A Profile has no place in lists, so nobody looked whether it still stood in one that was for other people."""
    await says(node, BOB, brings(BOB, "Create", 1, to=[BOB.followers], cc=[CAROL], **GIG))
    profile = {"type": "Profile", "describes": BOB.id, "to": [ALICE]}
    await says(node, BOB, brings(BOB, "Update", 2, **profile))
    (row,) = await node.rows(sa.select(inbox_messages.c.reason).where(inbox_messages.c.activity_id.like("%bob%/2")))
    assert row.reason.startswith("Forbidden")
    assert await node.rows(sa.select(timeline.c.reader).where(timeline.c.object_id == f"{BOB.id}/notes/1")) != []
    assert (await node.get("carol", f"/seen?id={BOB.id}/notes/1")).status == 200


async def test_128_an_audience_that_cannot_be_read_is_not_that_of_the_activity(node: Arena) -> None:
    activity = brings(BOB, "Create", 1, to=[[[ALICE]]]) | {"to": [PUBLIC]}
    await says(node, BOB, activity)
    for viewer in ("nobody", "carol"):
        assert (await node.get(viewer, f"/seen?id={BOB.id}/notes/1")).status == 404
