"""What an actor once published elsewhere, put back as its own history: nobody is told, and its dates stay."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from federation import outbox
from federation.authors import Author
from federation.errors import Refused
from federation.storage import Tx
from federation.tables import activities, objects
from federation.types import OPEN
from schemas.base import audience_of


def restore(
    tx: Tx, author: Author, document: dict[str, Any], *, kind: outbox.Kind, published: datetime, updated: datetime
) -> None:
    """Store an object with a new id under the author, signed anew, and the Create that stands in the outbox for it.

    published, updated: never in the future. Raises Forbidden when it is not the author's, Refused when something
    stands at its id.
    """
    outbox.check_own(author, document)
    audience = audience_of(document)
    seen_by = audience.visibility(author.followers)
    public = seen_by in OPEN
    published, updated = min(published, tx.now), min(max(published, updated), tx.now)
    body = outbox.written(tx, author, document, public=public)
    values = {
        "id": document["id"],
        "kind": kind,
        "owner": author.actor_id,
        "local": True,
        "published": published,
        "updated": updated,
        "received_at": tx.now,
    }
    if not tx.execute(tx.insert_new(objects, "id"), values | outbox.view(document, body, seen_by)).rowcount:
        raise Refused(f"{document['id']} was used before")
    outbox.set_recipients(tx, document["id"], audience, seen_by)
    tx.notify("documents", document["id"])
    said = outbox.bringing(author, "Create", body, audience, published, long=True)
    tx.execute(
        sa.insert(activities).values(
            id=said["id"],
            actor_id=author.actor_id,
            type="Create",
            object_id=document["id"],
            public=public,
            body=outbox.written(tx, author, said, public=public),
            published=published,
        )
    )
