"""kill -9 under load, again and again: what was promised is there, once and whole (SECURITY 155, 156, 166, 171).

`make faults` does hundreds of such rounds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests import postgres
from tests.faults import checks
from tests.faults.rounds import Arena, arena
from tests.faults.upgrades import Upgrades
from tests.processes import place

CHANGES = ("update", "delete")


@pytest.mark.timeout(300)
async def test_155_156_166_ten_rounds_of_load_and_kill(tmp_path: Path) -> None:
    async with arena(place(tmp_path / "a", "127.0.0.7"), 155) as made:
        report = await made.rounds(10)
        assert report.wrong == [], str(report)
        assert report.rounds == 10
        assert report.said > 50
        assert report.published > 5
        assert report.arrived > 50
        await everything_that_is_lost_is_noticed(made)


async def everything_that_is_lost_is_noticed(made: Arena) -> None:
    """The checks themselves: whatever is taken away from what stands there, they say so."""
    now = await checks.kept(made.place, made.local)
    assert made.wrong(now) == []
    created = {row.object_id: row.id for row in now.activities.values() if row.type == "Create"}
    post = next(post for post in now.sources if post in created)
    create = created[post]
    answered = {row.object_id: row.id for row in now.activities.values() if row.type == "Accept"}
    follow = next(said for said in made.crowd.ledger.taken.values() if said.kind == "follow" and said.id in answered)
    ledger = made.crowd.ledger
    changed = {said.about for said in (*ledger.taken.values(), *ledger.waiting.values()) if said.kind in CHANGES}
    brought = (said for said in ledger.taken.values() if said.kind in ("create", "proved"))
    note = next(said for said in brought if said.about in now.timeline and said.about not in changed)
    accept = answered[follow.id]

    def without(name: str, *gone: str) -> checks.Kept:
        return replace(now, **{name: {key: value for key, value in getattr(now, name).items() if key not in gone}})

    lost = [
        without("messages", note.id),
        without("objects", note.about),
        replace(now, timeline=now.timeline - {note.about}),
        replace(now, timeline=now.timeline - {post}),
        without("follows", follow.sender.id),
        without("activities", create),
        without("activities", accept),
        without("sources", post),
        replace(now, told=now.told - Counter({("follow", follow.sender.id): 1})),
        replace(now, deliveries=[row for row in now.deliveries if row.activity_id != accept]),
        replace(now, deliveries=[row for row in now.deliveries if row.activity_id != create]),
        replace(now, found=now.found - {post}),
    ]
    for number, kept in enumerate(lost):
        assert made.wrong(kept), f"nobody noticed loss {number}"
    made.base[0].bodies.pop(create)
    assert any(create in line for line in made.wrong(now)), "what never arrived"


@pytest.mark.timeout(300)
async def test_155_156_166_three_rounds_on_postgresql(tmp_path: Path, postgres_server: postgres.Server) -> None:
    name = postgres_server.lend()
    try:
        async with arena(
            place(tmp_path / "a", "127.0.0.7", FREEHOLD_DATABASE_URL=postgres_server.url(name)), 156
        ) as made:
            report = await made.rounds(3)
    finally:
        postgres_server.take_back(name)
    assert report.wrong == [], str(report)
    assert report.rounds == 3
    assert report.said > 10


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_171_an_upgrade_that_is_killed_is_done_by_the_next_start(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    upgrades = await Upgrades.ready(tmp_path / "upgrades", 171, server)
    for _ in range(2):
        assert await upgrades.one() == []
