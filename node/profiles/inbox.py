"""What others say of themselves beside their actor's document."""

from __future__ import annotations

from federation.authors import Authors
from federation.errors import Unacceptable
from federation.objects import store_object
from federation.storage import Tx
from federation.types import Received
from node.profiles.cards import KIND
from schemas.errors import SchemaError
from schemas.profiles import parse_card


def on_card(tx: Tx, received: Received, authors: Authors) -> None:
    """Create or Update of a Profile: kept, and shown to those whom it is for. Unacceptable for one that is broken."""
    assert received.object is not None
    try:
        card = parse_card(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the profile: {error}") from error
    store_object(tx, received, KIND, published=card.published, updated=card.updated)
