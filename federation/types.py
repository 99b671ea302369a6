"""The values that travel between the rooms of this package and up to the product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from schemas.base import Audience, Envelope

Verification = Literal["signed", "delivered", "unchecked", "revoked"]
"""What we know of a document's author: `signed`, its proof holds under a key learned from the author's origin;
`delivered`, the author's own server gave it to us; `unchecked`, it has a proof that could not be checked for now;
`revoked`, it was signed, and its author has said since that the key was in other hands by then."""

Visibility = Literal["public", "unlisted", "followers", "direct"]

OPEN: tuple[Visibility, ...] = ("public", "unlisted")
"""What anybody may read, and so pass on."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is proven to have sent a request. Only `federation.authenticate` makes one.

    actor_id: the actor, learned from its own origin. key_id: the key that held. how: by what it was proven; `origin`
    is nobody's request: we asked, and the actor's own origin answered (no key then).
    """

    actor_id: str
    key_id: str
    how: Literal["proof", "rfc9421", "cavage", "origin"]


@dataclass(frozen=True, slots=True)
class Received:
    """An authenticated activity on its way to a handler.

    document: the activity as JSON. object: its object, as a JSON document that its owner vouches for (embedded by
    its owner, proven by its proof, or fetched from its origin), or None where the activity names only an id.
    object_id: the id of the object. verification: how far the object's author is known.
    """

    signer: Signer
    envelope: Envelope
    body: bytes
    document: dict[str, Any]
    object_id: str | None
    object: dict[str, Any] | None
    audience: Audience
    verification: Verification

    @property
    def is_news(self) -> bool:
        """Whether somebody sent it, and it is not what we looked for ourselves: nobody need be told of that."""
        return self.signer.how != "origin"
