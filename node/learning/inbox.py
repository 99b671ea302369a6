"""Modules of others: they come, they change, they go."""

from __future__ import annotations

from federation.authors import Authors
from federation.errors import Unacceptable
from federation.objects import Stored, store_object
from federation.storage import Tx
from federation.types import Received
from node.learning.commands import doubt as doubt
from node.learning.commands import forget as forget
from node.learning.commands import keep_known
from node.social import commands as social
from schemas.errors import SchemaError
from schemas.learning import parse_module


def on_module(tx: Tx, received: Received, authors: Authors) -> Stored:
    """Create, Update or Announce of an Article that teaches. Unacceptable for one that is broken."""
    assert received.object is not None
    try:
        module = parse_module(received.object)
    except SchemaError as error:
        raise Unacceptable(f"the module: {error}") from error
    stored = store_object(tx, received, "module", published=module.published, updated=module.updated, url=module.url)
    if stored == "same":
        return stored
    keep_known(tx, module)
    if stored == "new" and received.is_news:
        at = module.published or tx.now
        social.into_timelines(tx, authors.ids, module.id, module.owner, at, document=received.object)
    return stored
