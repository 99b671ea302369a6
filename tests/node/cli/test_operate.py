"""What an operator turns, from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.processes import place


async def test_the_queue_with_and_without_a_verb(tmp_path: Path):
    """An option before the verb would be for another node than the verb's: it is refused, and nothing is paused."""
    a = place(tmp_path / "a", "127.0.0.7")
    await a.set_up("alice")
    assert await a.json("queue") == await a.json("queue", "list") == []
    before = await a.json("state")
    misplaced = await a.run("queue", "--data", str(a.data), "pause", "b.example")
    assert misplaced.code == 2
    assert await a.json("state") == before
    assert await a.json("queue", "pause", "b.example") == {"host": "b.example", "paused": True}
