"""Whoever has not confirmed for a while whether they are free is asked, once for each answer."""

from __future__ import annotations

import sqlalchemy as sa

from federation.storage import Tx
from node.notifications.commands import notify
from node.notifications.tables import notifications
from node.profiles.answers import LATELY, answer
from node.profiles.sources import own_person
from node.profiles.tables import profiles

AT_ONCE = 100


def ask_again(tx: Tx) -> int:
    """Ask some of those whose answer has grown old and whom nobody has asked yet; returns how many.

    The question goes as soon as it is answered (`commands.save_profile`), so a later answer is asked for anew.
    """
    question = sa.exists().where(notifications.c.reader == profiles.c.actor_id, notifications.c.kind == "availability")
    old = sa.select(profiles.c.actor_id).where(profiles.c.answered_at < tx.now - LATELY, ~question)
    rows = tx.rows(old.order_by(profiles.c.answered_at).limit(AT_ONCE))
    for row in rows:
        said = answer(own_person(tx, row.actor_id).availability, tx.now.date())
        notify(tx, row.actor_id, "availability", words=str(said.sentence))
    return len(rows)
