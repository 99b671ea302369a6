"""Provisional."""

from __future__ import annotations

from typing import Any

from federation.errors import Unreachable


class Canonicaliser:
    """Provisional."""

    async def quads(self, document: dict[str, Any]) -> bytes:
        """Provisional."""
        raise Unreachable("no canonicaliser")

    async def close(self) -> None:
        """Provisional."""
