"""Block: an actor elsewhere wants nothing of a local one (ActivityPub §6.9; servers do send it to each other)."""

from __future__ import annotations

from federation.authors import Authors
from federation.blocks import add_block
from federation.errors import Refused
from federation.storage import Tx
from federation.types import Received


def on_block(tx: Tx, received: Received, authors: Authors) -> None:
    """Remember it, and end what each followed of the other."""
    blocker, target = received.envelope.actor, received.object_id
    if target is None or authors.ids.username(target) is None:
        raise Refused(f"{target} is nobody here")
    add_block(tx, blocker, target)
