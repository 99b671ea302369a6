"""All of it together, and the loop that does it every night."""

from __future__ import annotations

import asyncio

import structlog

from federation.errors import FederationError
from node.context import Node
from node.doctor import commands
from node.doctor.inside import look_inside
from node.doctor.outside import look_from_outside
from node.doctor.rules import Finding, worst

EVERY_SECONDS = 6 * 3600.0
FIRST_SECONDS = 60.0  # after the start: the proxy in front may still be starting too

_log = structlog.get_logger()


async def examine(node: Node) -> list[Finding]:
    """Look at everything, and keep the report."""
    inside, outside = await asyncio.gather(look_inside(node), look_from_outside(node))
    findings = [*outside, *inside]
    await node.db.write(commands.keep, findings)
    return findings


async def run(node: Node) -> None:
    """Every six hours, until cancelled."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        try:
            findings = await examine(node)
            _log.info("doctor.examined", health=worst(findings))
        except (FederationError, OSError) as error:  # a locked or full database: the next round will do
            _log.warning("doctor.failed", error=str(error)[:500])
        await asyncio.sleep(EVERY_SECONDS)
