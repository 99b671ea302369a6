"""What others ask for: an actor, an object, WebFinger."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench.harness import Row, Size, drive, floor_server, get, measured, new_place, node, say

AT_MOST = 0.08
AT_MOST_WEBFINGER = 0.06
UNIT = "CPU s per 1,000"
ACTIVITY = {"Accept": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}


async def rows(size: Size, folder: Path) -> list[Row]:
    """Each beside aiohttp answering the same number of bytes, with nothing to look up."""
    async with floor_server("get", folder) as (origin, pid):
        floor, _ = await _cost(pid, size, "the floor", origin + "/users/alice", ACTIVITY)
    place = new_place(folder / "serving")
    note = json.loads(place.run("post", "A line of words about work.", "--json"))["id"]
    webfinger = f"{place.origin}/.well-known/webfinger?resource=acct:alice@{place.address}"
    async with node(place) as pid:
        actor, actor_notes = await _cost(pid, size, "an actor", place.alice, ACTIVITY)
        document, document_notes = await _cost(pid, size, "an object", note, ACTIVITY)
        found, found_notes = await _cost(pid, size, "WebFinger", webfinger, {})
    return [
        Row("GET actor", UNIT, actor, floor, AT_MOST, actor_notes),
        Row("GET object", UNIT, document, floor, AT_MOST, document_notes),
        Row("WebFinger", UNIT, found, floor, AT_MOST_WEBFINGER, found_notes),
    ]


async def _cost(pid: int, size: Size, what: str, url: str, headers: dict[str, str]) -> tuple[float, dict[str, float]]:
    say(f"serving: {what}")
    request = get(url, headers)
    await drive([request] * min(500, size.gets))
    with measured(pid) as cost:
        load = await drive([request] * size.gets)
    return cost.per_thousand(size.gets), {"requests/s": load.rate, "p99 ms": load.p99_ms}
