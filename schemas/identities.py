"""What an actor's document says of the person behind it: FEP-c390 statements, and successions of identity keys.

Nothing of either is checked here; `keys.identity` does that. A succession travels as the text of a JSON document, so
that nothing that reads or compacts the document around it changes what was signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.base import many, objects_of
from schemas.terms import ACTOR_CONTEXT

STATEMENT = "VerifiableIdentityStatement"
MAX_STATEMENTS = 5
MAX_SUCCESSIONS = 5
MAX_SUCCESSION = 8_192  # characters of one


def statements_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What identities say of an actor, in its own document (FEP-c390)."""
    return [item for item in objects_of(document.get("attachment")) if item.get("type") == STATEMENT]


def successions_of(document: dict[str, Any]) -> tuple[str, ...]:
    """The JSON texts by which identity keys name their successors, as many and as long as are read."""
    texts = (item for item in many(document.get("succession"))[:MAX_SUCCESSIONS] if isinstance(item, str))
    return tuple(text for text in texts if len(text) <= MAX_SUCCESSION)


def with_signed(compacted: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A document that was compacted, with its statements as they stood: they are signed byte for byte, as plain JSON.

    Other programs give their words other meanings than we do, or than the FEP does; what makes one count is not that.
    """
    statements = statements_of(document)[:MAX_STATEMENTS]
    if not statements:
        return compacted
    return compacted | {"attachment": [*many(compacted.get("attachment")), *statements]}


def with_identity(
    document: dict[str, Any], statements: Sequence[dict[str, Any]], successions: Sequence[str]
) -> dict[str, Any]:
    """An actor document, without its proof, that lists these statements and successions and no others."""
    former = statements_of(document)
    rest = [item for item in many(document.get("attachment")) if item not in former]
    bare = {name: value for name, value in document.items() if name not in ("succession", "proof")}
    listed = {"succession": list(successions)[-MAX_SUCCESSIONS:]} if successions else {}
    return bare | {"@context": ACTOR_CONTEXT, "attachment": [*rest, *statements]} | listed
