"""Whom an endorsement is about is found first; and what somebody says of one is checked before it is shown."""

from __future__ import annotations

from node.context import Node
from node.credentials.working import look_after
from node.endorsements import commands
from node.endorsements.queries import offer
from node.endorsements.rules import EndorseDraft
from node.social.finding import find


async def endorse(node: Node, actor_id: str, draft: EndorseDraft) -> str:
    """Find whom it is about, wherever they are, and endorse; returns the last part of its address. Invalid."""
    person = await find(node, draft.to, "to")
    return await node.db.write(commands.endorse, await node.author(actor_id), person, draft)


async def accept(node: Node, actor_id: str, name: str) -> None:
    """Check it now, and let it be shown if it holds. NotFound, Invalid."""
    await node.db.read(offer, actor_id, name)
    await look_after(node, name)
    await node.db.write(commands.accept, await node.author(actor_id), name)
