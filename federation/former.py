"""What was said of one of our things, and is said anew: only the last word stands.

An old profile must not go on saying, in the outbox or to a server that was away, what its owner has taken back since.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.authors import Author
from federation.documents import TOPIC
from federation.storage import Tx
from federation.tables import activities, deliveries

REASON = "said anew since"


def forget_former(tx: Tx, author: Author, object_id: str, *, keep: int = 1) -> int:
    """Drop the activities that brought a thing as it was before, sent or not; returns how many.

    A server that has not got them gets the last one, which says all. keep: 0 for a thing that is gone.
    """
    mine = (
        activities.c.actor_id == author.actor_id,
        activities.c.object_id == object_id,
        activities.c.type.in_(("Create", "Update")),
    )
    ids = [row.id for row in tx.rows(sa.select(activities.c.id).where(*mine).order_by(activities.c.id))]
    former_ids = ids[: len(ids) - keep]
    for former in former_ids:
        waiting = (deliveries.c.activity_id == former, deliveries.c.state == "pending")
        over = {"state": "done", "finished_at": tx.now, "last_error": REASON, "leased_until": None}
        tx.execute(sa.update(deliveries).where(*waiting).values(over))
        tx.execute(sa.delete(activities).where(activities.c.id == former))
        tx.notify(TOPIC, former)
    return len(former_ids)
