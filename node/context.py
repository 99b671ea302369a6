"""What a running node is made of: built once in `node.app`, handed to pages, workers and commands."""

from __future__ import annotations

from dataclasses import dataclass

from federation.authors import Author, Authors
from federation.client import Client
from federation.clock import Clock
from federation.ids import Ids
from federation.policy import Policy
from federation.rdf_process import Canonicaliser
from federation.resolve import Resolver
from federation.storage import Database
from keys.vault import Vault
from node.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """What exists before the node knows its address: enough to set it up."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault


@dataclass(frozen=True, slots=True)
class Node(Ground):
    """A node that has an address: everything that a page, a worker or a command may need."""

    ids: Ids
    authors: Authors
    policy: Policy
    client: Client
    resolver: Resolver
    canonicaliser: Canonicaliser

    async def author(self, actor_id: str) -> Author:
        """The local actor who acts, with their keys opened; NotFound when there is none."""
        return await self.db.read(self.authors.load, actor_id)

    async def close(self) -> None:
        """Let go of the network and of the database."""
        await self.client.close()
        await self.canonicaliser.close()
        await self.db.close()
