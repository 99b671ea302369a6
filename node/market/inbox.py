"""Gigs of others: they come, they change, they go."""

from __future__ import annotations

from federation.authors import Authors
from federation.errors import Unacceptable
from federation.objects import Stored, store_object
from federation.storage import Tx
from federation.types import Received
from node.market.commands import doubt as doubt
from node.market.commands import forget as forget
from node.market.commands import keep_known
from node.social import commands as social
from schemas.errors import SchemaError
from schemas.market import parse_gig


def on_gig(tx: Tx, received: Received, authors: Authors) -> Stored:
    """Create, Update or Announce of a Note that `schemas.market.is_gig` knows. Unacceptable for one that is broken."""
    assert received.object is not None
    try:
        gig = parse_gig(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the gig: {error}") from error
    stored = store_object(tx, received, "gig", published=gig.published, updated=gig.updated, url=gig.url)
    if stored == "same":
        return stored
    keep_known(tx, gig)
    if stored == "new" and received.is_news:
        at = gig.published or tx.now
        social.into_timelines(tx, authors.ids, gig.id, gig.owner, at, document=received.object)
    return stored
