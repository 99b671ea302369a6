"""People of a node that is nothing but a database: for commands and queries, which need no more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from federation.authors import Author, Authors, create_local_actor
from federation.clock import Clock
from federation.ids import Ids
from federation.storage import Database, Tx
from keys.vault import Vault, new_master_key
from node.accounts.tables import accounts
from node.profiles.commands import first_profile
from tests.node.neighbours import keys

ORIGIN = "https://alice.example"


@dataclass(frozen=True)
class Lodging:
    """What of a node a command may want."""

    db: Database
    clock: Clock
    ids: Ids
    authors: Authors

    async def moves_in(self, username: str) -> Author:
        """One more person."""

        def write(tx: Tx) -> Author:
            author = create_local_actor(tx, self.authors, username, keys(), first_profile(tx, username, "person"))
            values = {"username": username, "actor_id": author.actor_id, "password": "", "created_at": tx.now}
            tx.execute(sa.insert(accounts).values(values))
            return author

        return await self.db.write(write)


@cache
def authors() -> Authors:
    """Under one master key for the whole session."""
    return Authors(Vault(new_master_key()), Ids(ORIGIN, "alice.example"))


def lodging(db: Database, clock: Clock) -> Lodging:
    """Nobody lives there yet."""
    return Lodging(db, clock, authors().ids, authors())
