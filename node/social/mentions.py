"""The people whom a text names: found before the write scope, within a budget; who cannot be found stays a text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from federation.errors import FederationError
from federation.storage import Tx
from federation.tables import actors
from node.context import Node
from node.linking import handles_in
from schemas.actors import Actor, parse_actor
from schemas.strict_json import loads_object

MAX_NAMED = 20  # of one text
SECONDS = 6.0  # for all who are not known yet, together


@dataclass(frozen=True, slots=True)
class Named:
    """people: by `name@host`. unknown: the names behind which nobody was found in time."""

    people: Mapping[str, Actor]
    unknown: tuple[str, ...] = ()


NOBODY = Named({})


async def find_named(node: Node, text: str) -> Named:
    """Who is meant by each `@name@host` of a text. Nobody's absence is an error."""
    handles = handles_in(text, MAX_NAMED)
    if not handles:
        return NOBODY
    people = await node.db.read(known, handles, node.ids.handle_domain)
    missing = [handle for handle in handles if handle not in people]
    if missing:
        people |= await _looked_up(node, missing)
    return Named(people, tuple(handle for handle in handles if handle not in people))


async def _looked_up(node: Node, handles: Sequence[str]) -> dict[str, Actor]:
    """Ask for all at once; what has not answered when the time is over is not waited for."""
    asking = {asyncio.create_task(_ask(node, handle)): handle for handle in handles}
    done, late = await asyncio.wait(asking, timeout=SECONDS)
    for task in late:
        task.cancel()
    return {asking[task]: found for task in done if (found := task.result()) is not None}


async def _ask(node: Node, handle: str) -> Actor | None:
    try:
        actor = await node.resolver.locate(f"@{handle}")
    except FederationError:
        return None
    return None if actor.type == "Application" else actor


def known(tx: Tx, handles: Sequence[str], here: str) -> dict[str, Actor]:
    """Those of the names that this node knows already; `here`: where its own handles live."""
    own = {handle.rpartition("@")[0] for handle in handles if handle.rpartition("@")[2] == here}
    statement = sa.select(actors.c.acct, actors.c.username, actors.c.local, actors.c.document).where(
        actors.c.gone_at.is_(None),
        actors.c.type != "Application",
        sa.or_(actors.c.acct.in_(handles), sa.and_(actors.c.local, actors.c.username.in_(own))),
    )
    found = {}
    for row in tx.rows(statement):
        handle = f"{row.username}@{here}" if row.local else row.acct
        found[handle.lower()] = parse_actor(loads_object(row.document))
    return found
