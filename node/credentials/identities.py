"""Who is who: the did:key that an actor has claimed, and the actors that have claimed one."""

from __future__ import annotations

from federation.storage import Tx


def identity_of(tx: Tx, actor_id: str) -> str | None:
    """The did:key that an actor has claimed, both ways; None where none is known."""
    return None


def actors_of(tx: Tx, did: str) -> list[str]:
    """The ids of actors that have claimed a did:key, both ways."""
    return []
