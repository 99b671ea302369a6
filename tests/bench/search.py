"""Search over what a node has come to know: words as people use them, a few of them everywhere and most of them rare.

The floor is the newest page of all things, by an index. The words that are looked for are drawn from the same text as
everything else, so the common ones come as often as people would type them.
"""

from __future__ import annotations

import itertools
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from federation.clock import Clock
from federation.storage import Database, Tx
from federation.tables import actors
from node import migrate
from node.search import engine, queries
from node.search.rules import KINDS, Kind, distinct, parse_query
from node.search.tables import search_index
from tests.bench.harness import Row, Size, say

AT_MOST_MS = 50.0
BATCH = 5_000
WORDS = 60_000  # of the language
LENGTH = 40  # of a text
PEOPLE = 2_000
QUERIES = 600
READER = "https://a.example/users/alice"
SHARES: dict[Kind, float] = {"post": 0.9, "gig": 0.06, "module": 0.02, "people": 0.02}


class Language:
    """Words with the frequencies of a natural language (Zipf): the n-th is 1/n times as common as the first."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(WORDS)))
        self._words = [self._word(rank) for rank in range(WORDS)]

    def _word(self, rank: int) -> str:
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        word = ""
        while True:
            word, rank = word + letters[rank % 26], rank // 26 - 1
            if rank < 0:
                return f"w{word}"

    def text(self, length: int) -> str:
        """So many words."""
        return " ".join(self.random.choices(self._words, cum_weights=self._weights, k=length))


async def rows(size: Size, folder: Path) -> list[Row]:
    """One reader, one thing after the other."""
    url = f"sqlite:///{folder / 'search.db'}"
    await migrate.ensure(url)
    db = await Database.open(url, Clock())
    try:
        language = Language(7)
        say(f"search: {size.found} things")
        seconds = await _fill(db, language, size.found)
        looked = [language.text(length) for length in (1, 1, 2, 3) for _ in range(QUERIES // 4)]
        took = [await _timed(db, text) for text in looked]
        cpu, times = [one[0] for one in took], [one[1] for one in took]
        floor = [await _floor(db) for _ in range(QUERIES)]
        return [
            Row(
                "search",
                "CPU ms at p99",
                _at(cpu, 0.99),
                _at(floor, 0.99),
                AT_MOST_MS,
                {
                    "p50": statistics.median(cpu),
                    "p90": _at(cpu, 0.9),
                    "by the clock p50": statistics.median(times),
                    "by the clock p99": _at(times, 0.99),
                    "things": float(size.found),
                    "us to write one": seconds / size.found * 1e6,
                },
            )
        ]
    finally:
        await db.close()


def _at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


async def _fill(db: Database, language: Language, count: int) -> float:
    await db.write(_people)
    start = time.perf_counter()
    for first in range(0, count, BATCH):
        await db.write(_things, language, first, min(BATCH, count - first))
    return time.perf_counter() - start


def _people(tx: Tx) -> None:
    rows = [
        {
            "id": _owner(number),
            "type": "Person",
            "local": False,
            "username": f"p{number}",
            "host": "p.example",
            "inbox": f"{_owner(number)}/inbox",
            "document": b"{}",
            "verification": "delivered",
            "first_seen": tx.now,
            "fetched_at": tx.now,
            "updated_at": tx.now,
        }
        for number in range(PEOPLE)
    ]
    tx.execute(sa.insert(actors), rows)


def _owner(number: int) -> str:
    return f"https://p.example/users/p{number}"


def _things(tx: Tx, language: Language, first: int, count: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    kinds = language.random.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    entries: list[dict[str, Any]] = []
    terms: list[tuple[int, list[str]]] = []
    for number, kind in zip(range(first, first + count), kinds, strict=True):
        title = language.text(4) if kind != "post" else ""
        words = distinct([title, language.text(LENGTH)])
        entries.append(
            {
                "id": number + 1,
                "subject": f"https://p.example/things/{number}",
                "kind": kind,
                "owner": _owner(number % PEOPLE),
                "open": True,
                "title": title,
                "at": start + timedelta(minutes=number),
            }
        )
        marked = [f"{engine.KIND}{kind}", *(f"{engine.TITLE}{word}" for word in title.split())]
        terms.append((number + 1, [*marked, *words]))
    tx.execute(sa.insert(search_index), entries)
    engine.put(tx, terms)


async def _timed(db: Database, text: str) -> tuple[float, float]:
    """Milliseconds of CPU in the thread that reads, and by the clock with the way there and back."""
    query = parse_query(text)

    def look(tx: Tx) -> float:
        begin = time.thread_time()
        found = queries.search(tx, query, READER, lambda owner: True)
        assert set(found.counts) == set(KINDS)
        return time.thread_time() - begin

    start = time.perf_counter()
    cpu = await db.read(look)
    return cpu * 1_000, (time.perf_counter() - start) * 1_000


async def _floor(db: Database) -> float:
    newest = sa.select(search_index.c.subject).order_by(search_index.c.id.desc()).limit(queries.PAGE_SIZE)

    def look(tx: Tx) -> float:
        begin = time.thread_time()
        tx.rows(newest)
        return (time.thread_time() - begin) * 1_000

    return await db.read(look)
