"""What people here hold is looked after: checked again and again, with the newest list of its issuer kept beside it.

The day will come on which an issuer does not answer any more. What was kept until then says how things stood.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Row

from federation.credential_verdicts import CredentialVerdicts
from federation.errors import FederationError
from federation.storage import Tx
from federation.verdicts import Verdicts
from node.context import Node
from node.credentials import holding, lists, queries, showing
from node.credentials.checking import bytes_at, judge, list_of
from node.credentials.renewing import sign_some_anew
from node.credentials.report import found_of
from node.credentials.rules import next_check
from node.credentials.tables import credentials
from node.errors import Invalid
from node.language import _
from schemas.credentials import parse_credential
from schemas.errors import SchemaError
from schemas.strict_json import dumps, loads_object

EVERY_SECONDS = 300.0
AT_ONCE = 20
SECONDS = 30.0
PATIENCE = 8.0  # seconds for which somebody waits for a page
DOES_NOT_HOLD = _("The signature of this credential does not hold: it was changed, or somebody else made it.")

_log = structlog.get_logger()


async def run(node: Node) -> None:
    """The loop."""
    while True:
        try:
            await one_round(node)
        except FederationError as error:  # a locked or full database: the next round will do
            _log.warning("credentials.failed", error=str(error)[:500])
        await asyncio.sleep(EVERY_SECONDS)


async def one_round(node: Node) -> None:
    """Until nothing is due."""
    more = True
    while more:
        renewed = await node.db.write(lists.renew, node.authors) + await node.db.write(sign_some_anew, node.authors)
        more = bool(await look_after_some(node)) or bool(renewed)


async def look_after_some(node: Node) -> int:
    """Check those that are due, one after the other; returns how many were."""
    rows = await node.db.read(queries.due, AT_ONCE)
    for row in rows:
        await _look_after(node, row)
    return len(rows)


async def bring_in(node: Node, actor_id: str, body: bytes) -> str:
    """Keep what somebody has brought, unless its signature does not hold, and check it; returns its name. Invalid."""
    body = holding.alone(body)
    verdicts = await judge(node, loads_object(body), body)
    if isinstance(verdicts, CredentialVerdicts) and verdicts.signature.outcome == "fails":
        raise Invalid({"file": DOES_NOT_HOLD})
    name = await node.db.write(holding.hold, actor_id, body)
    await look_after(node, name, within=PATIENCE)
    return name


async def look_after(node: Node, name: str, *, within: float | None = None) -> None:
    """Check one of what people here hold, at once. within: seconds, after which it is left to the loop."""
    row = await node.db.read(_row, name)
    if row is None:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await _look_after(node, row)


def _row(tx: Tx, name: str) -> Row[Any] | None:
    return tx.row(sa.select(credentials).where(credentials.c.id == name, credentials.c.side != "issued"))


async def _look_after(node: Node, row: Row[Any]) -> None:
    if row.side == "seen" and not await node.db.read(showing.is_listed, row.owner, row.note):
        await node.db.write(showing.forget, row.id)
        return
    document, body = loads_object(row.body), bytes(row.body)
    await _note(node, row, await judge(node, document, body, shown_by=row.owner))


async def _note(node: Node, row: Row[Any], verdicts: Verdicts) -> None:
    """Keep what a check has said; and say to others what stands on the profile, when that has changed."""
    await _keep_list(node, row, list_of(verdicts), verdicts)
    if isinstance(verdicts, CredentialVerdicts) and verdicts.anew is not None:
        await node.db.write(holding.put_anew, row.id, dumps(verdicts.anew))
    failures = row.failures + 1 if verdicts.overall == "unknown" else 0
    due_at = next_check(node.clock.now(), verdicts.overall, row.failures)
    await node.db.write(holding.note_check, row.id, found_of(verdicts), due_at, failures)
    if row.side == "held" and row.audience == "profile":
        await node.db.write(showing.publish, await node.author(row.owner))


async def look_at_shown(node: Node, actor_id: str) -> None:
    """Fetch what somebody elsewhere shows on their profile and is not here yet; what does not hold is not kept."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            for address in (await node.db.read(showing.missing, actor_id))[:AT_ONCE]:
                await _look_at(node, actor_id, address)


async def _look_at(node: Node, actor_id: str, address: str) -> None:
    try:
        raw = await bytes_at(node, address)
        verdicts = await judge(node, loads_object(raw), raw, shown_by=actor_id)
        if verdicts.overall != "fails":
            name = await node.db.write(showing.keep_seen, actor_id, address, holding.alone(raw))
            row = await node.db.read(_row, name)
            if row is not None:
                await _note(node, row, verdicts)
    except (FederationError, SchemaError, Invalid) as error:
        _log.info("credentials.not_kept", address=address, reason=str(error)[:500])


async def _keep_list(node: Node, row: Row[Any], url: str | None, verdicts: object) -> None:
    """Staple the list that was just believed; one that proves nothing is not kept.

    One that carries another on is kept for this credential alone, and one that came with it is already.
    """
    newest = verdicts.newest_list if isinstance(verdicts, CredentialVerdicts) else None
    if url is None or newest is None or node.ids.is_local(url) or newest in queries.stapled(row):
        return
    try:
        found = parse_credential(newest)
    except SchemaError:
        return
    if found.id != url:
        await node.db.write(holding.staple, row.id, newest)
    elif found.valid_from is not None:
        await node.db.write(holding.keep_list, url, dumps(newest), found.valid_from)
