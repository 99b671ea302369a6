"""Who is meant by what somebody typed: a handle or an address -> an actor, or a sentence that says why none."""

from __future__ import annotations

import sqlalchemy as sa

from federation.errors import Busy, FederationError, Gone, NotFound, Refused, Unreachable, Unsafe
from federation.storage import Tx
from federation.tables import actors, follows
from node.context import Node
from node.errors import Invalid
from node.errors import NotFound as NothingHere
from schemas.actors import Actor, parse_actor
from schemas.strict_json import loads_object


async def find(node: Node, text: str, field: str) -> Actor:
    """Who is meant by a handle or an address; Invalid, with a sentence for `field`, when nobody is to be had."""
    text = text.strip()
    try:
        actor = await node.resolver.locate(text)
    except (FederationError, NothingHere) as error:
        raise Invalid({field: _sentence(text, error)}) from error
    if actor.type == "Application":
        raise Invalid({field: f"{_short(text)} is a server, not a person."})
    return actor


def _sentence(text: str, error: Exception) -> str:
    if not text:
        return "Write a handle such as @name@server, or the address of a profile."
    if isinstance(error, Busy):
        return "This server is asking others as fast as it may. Try again in a minute."
    if isinstance(error, Unreachable):
        return f"{_short(text)} cannot be asked for now. Look whether the name is right, or try again later."
    if isinstance(error, NotFound | Gone):
        return f"Nobody is to be found at {_short(text)}. Look whether it is written as they write it."
    if isinstance(error, Unsafe):
        return f"{_short(text)} is not an address that this server may ask."
    if isinstance(error, Refused) and "@" not in text and not text.startswith("http"):
        return f"{_short(text)} is not a handle. Write it as @name@server, or give the address of a profile."
    return f"{_short(text)} is not somebody who can be followed. Give the address of a profile, or @name@server."


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def followed(tx: Tx, follower: str, text: str) -> Actor | None:
    """Somebody whom a local actor follows or has asked, by id, page or handle; needs nobody else to answer."""
    text = text.strip()
    handle = text.removeprefix("acct:").removeprefix("@")
    statement = (
        sa.select(actors.c.document)
        .join(follows, follows.c.followee == actors.c.id)
        .where(follows.c.follower == follower)
        .where(
            sa.or_(
                actors.c.id == text,
                actors.c.url == text,
                actors.c.acct == handle,
                actors.c.username + "@" + actors.c.host == handle,
            )
        )
    )
    document = tx.scalar(statement)
    return None if document is None else parse_actor(loads_object(document))
