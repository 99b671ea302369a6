"""From what fails to the least that fails in the same way."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
MAX_TEXT = 20


async def fewest(items: Sequence[T], fails: Callable[[Sequence[T]], Awaitable[bool]], tries: int) -> list[T]:
    """Leave out ever smaller parts as long as it fails (delta debugging), and at most so many times."""
    kept, part = list(items), max(1, len(items) // 2)
    while tries > 0:
        before = len(kept)
        for start in range(0, len(kept), part):
            fewer = kept[:start] + kept[start + part :]
            if fewer and tries > 0:
                tries -= 1
                if await fails(fewer):
                    kept = fewer
                    break
        if len(kept) == before:
            if part == 1:
                break
            part = max(1, part // 2)
    return kept


async def smallest(document: T, fails: Callable[[T], Awaitable[bool]], tries: int) -> T:
    """Take members and items away, and shorten texts, as long as it fails."""
    again = True
    while again and tries > 0:
        again = False
        for smaller in _smaller(document):
            tries -= 1
            if await fails(smaller):
                document, again = smaller, True
                break
            if tries <= 0:
                break
    return document


def _smaller(document: Any) -> Iterator[Any]:
    for path in sorted(_paths(document), key=len):
        copied = copy.deepcopy(document)
        holder = copied
        for step in path[:-1]:
            holder = holder[step]
        value = holder[path[-1]]
        if isinstance(value, str) and len(value) > MAX_TEXT:
            holder[path[-1]] = value[: len(value) // 2]
            yield copy.deepcopy(copied)
        del holder[path[-1]]
        yield copied


def _paths(value: Any) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield (name,)
        for rest in _paths(inner):
            yield (name, *rest)
