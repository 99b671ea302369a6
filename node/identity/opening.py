"""Identity keys while they are open: made, sealed and opened in a thread, used, and let go of again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from federation.authors import Author
from federation.storage import Tx
from keys.errors import KeysError, WrongPhrase
from keys.identity import (
    IdentityKey,
    new_identity,
    open_identity,
    seal_identity,
    write_statement,
    write_succession,
)
from node.context import Node
from node.errors import Invalid
from node.identity import commands
from node.identity.commands import Made
from node.identity.queries import Identity, identities_here
from node.identity.rules import ANOTHER_CODE, NOT_SEALED, NOTHING_TO_TRY
from schemas.strict_json import dumps


class Succeeded(NamedTuple):
    """A new key and what the old one says of it (JSON)."""

    made: Made
    succession: bytes


def _made(identity: IdentityKey, sealed: bytes, actor_id: str, now: datetime) -> Made:
    return Made(identity.did, sealed, dumps(write_statement(identity, actor_id, now)))


def _new(actor_id: str, code: str, now: datetime) -> Made:
    identity, _other_code = new_identity()
    return _made(identity, seal_identity(identity, code), actor_id, now)


def _opened(sealed: bytes, code: str, field: str) -> IdentityKey:
    try:
        return open_identity(sealed, code)
    except WrongPhrase as error:
        raise Invalid({field: ANOTHER_CODE}) from error
    except KeysError as error:
        raise Invalid({field: NOT_SEALED}) from error


def _again(sealed: bytes, code: str, actor_id: str, now: datetime, field: str = "code") -> Made:
    return _made(_opened(sealed, code, field), sealed, actor_id, now)


def _succeeded(sealed: bytes, old_code: str, actor_id: str, new_code: str, now: datetime) -> Succeeded:
    old = _opened(sealed, old_code, "code")
    new, _other_code = new_identity()
    made = _made(new, seal_identity(new, new_code), actor_id, now)
    return Succeeded(made, dumps(write_succession(old, new, now)))


async def make(node: Node, author: Author, code: str) -> str:
    """A new identity, sealed with a code that its owner has seen; returns its did:key. It waits to be tried."""
    made = await asyncio.to_thread(_new, author.actor_id, code, node.clock.now())
    await node.db.write(commands.make, author, made)
    return made.did


async def try_code(node: Node, author: Author, code: str) -> Identity:
    """Open the identity that waits, else the one that counts, with its code, and claim it; returns it as it stands.

    That is said anew each time: for others it is a proof that whoever runs this server speaks for them still.

    Invalid for `code` when it does not open it, or there is none.
    """
    found = await node.db.read(identities_here, author.actor_id)
    held = found.untried or found.claimed
    if held is None:
        raise Invalid({"code": NOTHING_TO_TRY})
    made = await asyncio.to_thread(_again, held.sealed, code, author.actor_id, node.clock.now())
    if made.did != held.did:
        raise Invalid({"code": ANOTHER_CODE})
    await node.db.write(commands.claim, author, made)
    found = await node.db.read(identities_here, author.actor_id)
    assert found.claimed is not None
    return found.claimed


async def claim(node: Node, author: Author, sealed: bytes, code: str) -> str:
    """Claim for this actor an identity that was made elsewhere; returns its did:key. Invalid where that may not be."""
    made = await asyncio.to_thread(_again, sealed, code, author.actor_id, node.clock.now())
    await node.db.write(_bring_and_claim, author, made)
    return made.did


def _bring_and_claim(tx: Tx, author: Author, made: Made) -> None:
    commands.bring(tx, author, made.did, made.sealed)
    commands.claim(tx, author, made)


async def succeed(node: Node, author: Author, old_code: str, new_code: str) -> str:
    """Put a new key in the place of the identity that counts; returns its did:key. Invalid for `code` as `try_code`."""
    found = await node.db.read(identities_here, author.actor_id)
    if found.claimed is None:
        raise Invalid({"code": NOTHING_TO_TRY})
    sealed = found.claimed.sealed
    done = await asyncio.to_thread(_succeeded, sealed, old_code, author.actor_id, new_code, node.clock.now())
    await node.db.write(commands.succeed, author, done.made, done.succession)
    return done.made.did
