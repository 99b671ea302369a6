"""What others say of themselves beside their actor's document."""

from __future__ import annotations

import sqlalchemy as sa

from federation.authors import Authors
from federation.errors import Forbidden, Unacceptable
from federation.objects import UNKNOWN, store_object
from federation.storage import Tx
from federation.tables import objects
from federation.types import Received
from node.profiles.cards import KIND
from schemas.errors import SchemaError
from schemas.profiles import parse_card


def on_card(tx: Tx, received: Received, authors: Authors) -> None:
    """Create or Update of a Profile: kept, and shown to those whom it is for.

    Unacceptable for one that is broken; Forbidden where something else stands, which lists would go on to show.
    """
    assert received.object is not None
    try:
        card = parse_card(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the profile: {error}") from error
    held = tx.scalar(sa.select(objects.c.kind).where(objects.c.id == card.id))
    if held not in (None, KIND, UNKNOWN):
        raise Forbidden(f"{card.id} is a {held}, and becomes no profile")
    store_object(tx, received, KIND, published=card.published, updated=card.updated)
