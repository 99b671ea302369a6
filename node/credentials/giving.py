"""Whom a credential is about is found first, wherever they are; then it is issued."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time

from federation.authors import Author
from federation.storage import Tx
from node.context import Node
from node.credentials import commands
from node.credentials.commands import Prepared
from node.credentials.rules import GiveDraft
from node.credentials.signing import Statement
from node.errors import Invalid
from node.language import _
from node.social.finding import find
from schemas.actors import Actor
from schemas.strict_json import dumps

ONESELF = _("Nobody gives credentials to themselves. Name somebody else.")


AT_ONCE = 10
"""Of many that are given at once: what stands in one scope, so that whatever comes in has its turn in between."""

Progress = Callable[[int, int], None]
"""Called with how many are done, and how many there are."""


def untold(done: int, of: int) -> None:
    """For who does not want to know."""


async def give_to(node: Node, actor_id: str, draft: GiveDraft) -> str:
    """Find whom it is about, and issue it; returns the last part of its address. Invalid."""
    person = await _somebody(node, actor_id, draft.to)
    return await node.db.write(commands.issue, await node.author(actor_id), person, statement_of(draft))


async def _somebody(node: Node, actor_id: str, text: str) -> Actor:
    person = await find(node, text, "to")
    if person.id == actor_id:
        raise Invalid({"to": ONESELF})
    return person


def statement_of(draft: GiveDraft) -> Statement:
    """What a form says; the last day counts to its end."""
    until = None if draft.until is None else datetime.combine(draft.until, time(23, 59, 59), UTC)
    return Statement("badge", draft.name, draft.description, draft.criteria, until)


async def give_to_all(
    node: Node,
    actor_id: str,
    people: Sequence[Actor],
    statement: Statement,
    progress: Progress = lambda _done, _all: None,
) -> list[str]:
    """The same for many people, in a process of its own where it costs most; returns the names, in their order.

    What was done stays done when it is broken off. Raises Busy when the author's keys are changed meanwhile.
    """
    names: list[str] = []
    for start in range(0, len(people), AT_ONCE):
        author = await node.author(actor_id)
        prepared = await node.db.write(_prepare_all, author, people[start : start + AT_ONCE], statement)
        signed = [await _signed(node, author, one) for one in prepared]
        names += await node.db.write(_send_all, author, prepared, signed)
        progress(len(names), len(people))
    return names


def _prepare_all(tx: Tx, author: Author, people: Sequence[Actor], statement: Statement) -> list[Prepared]:
    return [commands.prepare(tx, author, person, statement) for person in people]


async def _signed(node: Node, author: Author, prepared: Prepared) -> bytes:
    key_id, now = author.ed25519_key_id, node.clock.now()
    return dumps(await node.canonicaliser.add_proofs(prepared.document, author.ed25519, key_id, now))


def _send_all(tx: Tx, author: Author, prepared: Sequence[Prepared], signed: Sequence[bytes]) -> list[str]:
    return [commands.send(tx, author, one, body) for one, body in zip(prepared, signed, strict=True)]


async def find_all(node: Node, actor_id: str, handles: Sequence[str]) -> list[Actor]:
    """Everybody who is meant, each once; Invalid, field `to`, for the first behind whom nobody is."""
    found = [await _somebody(node, actor_id, handle) for handle in handles]
    return list({person.id: person for person in found}.values())
