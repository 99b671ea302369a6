"""The same world as the federation's own tests."""

from __future__ import annotations

from tests.federation.conftest import other, peer, world

__all__ = ["other", "peer", "world"]
