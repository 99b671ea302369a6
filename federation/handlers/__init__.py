"""The verbs that every node shares, one file a verb. The product's own handlers are tried before these.

A handler is a plain function of one write scope: it writes the effect, or raises `errors.Refused` with a reason and
leaves nothing. It asks for no network; what it needs was fetched before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from federation.authors import Authors
from federation.handlers.accept import on_accept, on_reject
from federation.handlers.actors import on_actor_update
from federation.handlers.block import on_block
from federation.handlers.delete import on_delete
from federation.handlers.featured import on_add, on_remove
from federation.handlers.follow import on_follow
from federation.handlers.undo import on_undo
from federation.objects import ObjectsDeleted
from federation.storage import Tx
from federation.types import Received
from schemas.terms import ACTOR_TYPES

Handler = Callable[[Tx, Received, Authors], object]
Table = Mapping[tuple[str, str | None], Handler]
"""(activity type, object type) -> handler. The object type is "*" for any, a missing one included."""


def shared(deleted: ObjectsDeleted | None = None) -> Table:
    """The table of this package; `deleted` hears of every tombstone."""
    table: dict[tuple[str, str | None], Handler] = {
        ("Follow", "*"): on_follow,
        ("Accept", "*"): on_accept,
        ("Reject", "*"): on_reject,
        ("Undo", "*"): on_undo,
        ("Block", "*"): on_block,
        ("Add", "*"): on_add,
        ("Remove", "*"): on_remove,
        ("Delete", "*"): partial(on_delete, deleted=deleted),
    }
    table |= {("Update", actor_type): on_actor_update for actor_type in ACTOR_TYPES}
    return table


HANDLERS: Table = shared()


def find(table: Table, verb: str, object_type: str | None) -> Handler | None:
    """The handler for this verb on this type, else on any."""
    return table.get((verb, object_type)) or table.get((verb, "*"))
