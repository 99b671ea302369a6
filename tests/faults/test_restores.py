"""An old copy of the database is put back: what is published then has ids that nobody has ever seen.

The others remember what came after the copy. Were an id used twice, they would take the new thing for the old one, for
ever. So ids owe nothing to the database, and little to the clock.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from federation.ids import new_id
from tests.faults.rounds import POSTS, Arena, arena
from tests.faults.waiting import until
from tests.processes import place


async def test_169_after_an_old_backup_no_id_is_used_twice(tmp_path: Path) -> None:
    """Also when the clock is put back to live through the same moments again, and when it is days ahead."""
    async with arena(place(tmp_path / "a", "127.0.0.7"), 169) as made:
        data, old = made.place.data, tmp_path / "old"
        await publish(made, "0", times=1)
        shutil.copytree(data, old)
        await publish(made, "0", times=2)
        for times, offset in enumerate(("-20", "86400"), start=3):
            shutil.rmtree(data)
            shutil.copytree(old, data)
            await publish(made, offset, times=times)
        for neighbour in made.base:
            assert neighbour.odd == [], "the same id with other words"
            said = [json.loads(body) for body in neighbour.bodies.values()]
            objects = [one["object"]["id"] for one in said if one["type"] == "Create"]
            assert len(set(objects)) == len(objects) == 4 * POSTS


async def publish(made: Arena, offset: str, *, times: int) -> None:
    """Some posts, and a wait until everybody has them and the node has written that down."""
    async with made.place.serving(FREEHOLD_CLOCK_OFFSET=offset) as server:
        token = await made.visitor_token()
        for number in range(POSTS):
            await made.crowd.publish(token, f"Time {times}, {number}.", lambda: None)

        async def arrived() -> list[int]:
            return [len(neighbour.bodies) for neighbour in made.base]

        await until(arrived, [times * POSTS] * len(made.base))
        assert await server.stop() == 0


def test_ids_of_one_moment_are_different_and_sort_by_their_time() -> None:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    assert len({new_id(moment) for _ in range(20_000)}) == 20_000
    assert new_id(moment) < new_id(moment.replace(microsecond=1_000)) < new_id(moment.replace(year=2027))
