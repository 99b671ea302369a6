"""SECURITY 174: a thousand changed activities through the door, and what must be true of the node still is.

`make fuzz` tries a hundred times as many; what it found stands in `test_found.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from federation.tables import actor_keys, actors, objects, reactions
from node.social.tables import timeline
from tests.fuzz.arena import arena
from tests.fuzz.cases import case
from tests.fuzz.cast import ALICE, BOB, CAROL, NODE, NOW, VERA
from tests.fuzz.invariants import Broken, Watch
from tests.fuzz.run import Report, attack
from tests.fuzz.shrink import fewest, smallest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEED, COUNT = 174, 1_000
OURS = {"post": f"{ALICE}/posts/1"}
OPEN, SECRET = f"{VERA.id}/notes/0", f"{VERA.id}/notes/1"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for the node, as its URL; empty for SQLite in its own folder."""
    if request.param == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres_server")
    name = server.lend()
    yield server.url(name)
    server.take_back(name)


async def test_174_whatever_others_say_the_node_stays_whole(url: str, tmp_path: Path) -> None:
    report = Report()
    async with arena(tmp_path / "data", url) as node:
        finding = await attack(node, SEED, range(COUNT), report, batch=COUNT)
    assert finding is None, str(finding)
    assert report.count == COUNT
    assert report.statuses[202] > COUNT / 2, "most of it has to come further than the door"
    assert report.outcomes["done"] > COUNT / 3


def test_the_same_seed_says_the_same() -> None:
    for index in range(100):
        assert case(7, index, OURS) == case(7, index, OURS)
    assert case(7, 1, OURS).body != case(8, 1, OURS).body


ENTRY = {"object_id": SECRET, "reader": CAROL, "kind": "gig", "reason": "addressed", "at": NOW}
REACTION = {"object_id": OPEN, "kind": "like", "actor": f"{BOB.id}/x", "activity_id": f"{BOB.id}/1", "at": NOW}
THING = {"type": "Note", "kind": "post", "owner": BOB.id, "local": False, "visibility": "direct", "body": b"{}"}
THING |= {"verification": "signed", "published": NOW, "updated": NOW, "received_at": NOW}
HARMS: list[tuple[str, sa.Executable]] = [
    ("what is vera's is not what it was", sa.update(objects).where(objects.c.id == OPEN).values(body=b"{}")),
    ("what they said is not what it was", sa.delete(objects).where(objects.c.local)),
    ("vera herself is not", sa.update(actors).where(actors.c.id == VERA.id).values(name="Mallory")),
    ("the key of anybody is not", sa.update(actor_keys).where(actor_keys.c.actor_id == BOB.id).values(public="x")),
    ("what vera likes is not", sa.delete(reactions).where(reactions.c.actor == VERA.id)),
    ("never said that they like", sa.insert(reactions).values(REACTION)),
    (
        "reads \"vera's secret\"|reads 'vera",
        sa.update(objects).where(objects.c.id == SECRET).values(visibility="public"),
    ),
    ("carol reads", sa.insert(timeline).values(ENTRY | {"kind": "post"})),
    ("stands in the timeline of", sa.insert(timeline).values(ENTRY | {"object_id": f"{VERA.id}/cards/0"})),
    ("stands under our own origin", sa.insert(objects).values(THING | {"id": f"{NODE}/x"})),
    ("who never said it", sa.insert(objects).values(THING | {"id": f"{BOB.id}/x"})),
    ("stands here as", sa.insert(objects).values(THING | {"id": f"{VERA.id}/x"})),
]
"""What a hole would leave behind, and how that is said."""


@pytest.mark.parametrize(("words", "harm"), HARMS, ids=[words for words, _ in HARMS])
async def test_what_is_wrong_is_seen(tmp_path: Path, words: str, harm: sa.Executable) -> None:
    """A watch that never barks guards nothing."""
    async with arena(tmp_path / "data") as node:
        watch = Watch(node)
        await watch.begin()
        await watch.check([], [await node.get("alice", "/home")])
        await node.node.db.write(lambda tx: tx.execute(harm))
        pages = [
            await node.get(viewer, path) for viewer in ("carol", "nobody") for path in ("/home", f"/seen?id={SECRET}")
        ]
        with pytest.raises(Broken, match=words):
            await watch.check([], pages)


async def test_a_finding_is_made_small() -> None:
    async def odd(numbers: Sequence[int]) -> bool:
        return {3, 7} <= set(numbers)

    async def holds(document: dict[str, Any]) -> bool:
        return "x" in str(document.get("a", ""))

    assert await fewest(range(100), odd, 200) == [3, 7]
    assert await smallest({"a": {"b": ["x" + "y" * 500]}, "c": {"d": [1, 2]}}, holds, 100) == {
        "a": {"b": ["x" + "y" * 14]}
    }


def test_enough_is_private_to_be_worth_looking_for() -> None:
    assert 30 < sum(not case(1, index, OURS).is_public for index in range(300)) < 200
