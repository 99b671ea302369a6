"""Whom a credential is about is found first, wherever they are; then it is issued."""

from __future__ import annotations

from datetime import UTC, datetime, time

from node.context import Node
from node.credentials import commands
from node.credentials.rules import GiveDraft
from node.credentials.signing import Statement
from node.errors import Invalid
from node.language import _
from node.social.finding import find

ONESELF = _("Nobody gives credentials to themselves. Name somebody else.")


async def give_to(node: Node, actor_id: str, draft: GiveDraft) -> str:
    """Find whom it is about, and issue it; returns the last part of its address. Invalid."""
    person = await find(node, draft.to, "to")
    if person.id == actor_id:
        raise Invalid({"to": ONESELF})
    until = None if draft.until is None else datetime.combine(draft.until, time(23, 59, 59), UTC)
    statement = Statement("badge", draft.name, draft.description, draft.criteria, until)
    return await node.db.write(commands.issue, await node.author(actor_id), person, statement)
