"""Whoever has not confirmed for a while whether they are free is asked, once for each answer."""

from __future__ import annotations

import sqlalchemy as sa

from federation.clock import iso
from federation.storage import Tx
from federation.tables import actors
from node.accounts.tables import accounts
from node.notifications.commands import notify
from node.profiles.answers import answer
from node.profiles.sources import own_person


def ask_again(tx: Tx) -> int:
    """Ask everybody here whose answer has grown old; returns how many were asked now or before.

    The question is about the answer of that day: it is put once, and again only when a later one has grown old too.
    """
    here = sa.select(accounts.c.actor_id).join(actors, actors.c.id == accounts.c.actor_id)
    asked = 0
    for row in tx.rows(here.where(actors.c.gone_at.is_(None))):
        said = answer(own_person(tx, row.actor_id).availability, tx.now.date())
        if said.is_stale(tx.now):
            about = iso(said.updated) if said.updated else ""
            notify(tx, row.actor_id, "availability", words=str(said.sentence), object_id=about)
            asked += 1
    return asked
