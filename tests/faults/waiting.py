"""Waiting for another process, which has no way to call us."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

WAIT_SECONDS = 30.0
ASK_SECONDS = 0.05


async def until(ask: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask until the answer is the wanted one."""
    ends = asyncio.get_running_loop().time() + WAIT_SECONDS
    while (answer := await ask()) != wanted:
        assert asyncio.get_running_loop().time() < ends, f"{_apart(answer, wanted)}"
        await asyncio.sleep(ASK_SECONDS)


def _apart(answer: Any, wanted: Any) -> Any:
    if isinstance(answer, dict) and isinstance(wanted, dict):
        return {key: answer.get(key) for key in wanted if answer.get(key) != wanted[key]}
    return answer
