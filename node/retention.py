"""What this node forgets, and when: `federation.retention` with the days of the settings, and with what the product
keeps because somebody here has to do with it. The table of lifetimes stands in the README.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import sqlalchemy as sa
import structlog

from federation import endings, retention
from federation.errors import FederationError
from federation.storage import Tx
from federation.tables import objects
from node.context import Node
from node.inboxes import deleted
from node.messages.tables import messages
from node.settings import Settings
from node.social.tables import timeline, votes

EVERY_SECONDS = 600.0
ROUNDS = 200  # in a row: then whatever else waits has its turn

_log = structlog.get_logger()


def kept_here() -> list[sa.ColumnElement[bool]]:
    """What of others stays: it names somebody here, stands in a conversation, or somebody here took part in it."""
    return [
        sa.exists().where(timeline.c.object_id == objects.c.id, timeline.c.reason == "addressed"),
        sa.exists().where(messages.c.object_id == objects.c.id),
        sa.exists().where(votes.c.object_id == objects.c.id),
    ]


def forget(tx: Tx, settings: Settings) -> int:
    """One batch of each kind; returns how many rows that were, 0 when nothing is left to forget."""
    days = settings.storage
    remote, words, made = (
        timedelta(days=number) for number in (days.keep_remote_days, days.keep_messages_days, days.keep_deliveries_days)
    )
    endings.note_reached(tx)
    return (
        retention.forget_objects(tx, remote, kept_here(), deleted)
        + retention.compact_messages(tx, words)
        + retention.compact_deliveries(tx, made)
        + retention.forget_activities(tx, made)
        + retention.forget_told(tx, made)
    )


async def forget_all(node: Node) -> int:
    """Batch after batch until nothing is left, each in a scope of its own; returns how many rows went."""
    total = 0
    for _round in range(ROUNDS):
        gone = await node.db.write(forget, node.settings)
        total += gone
        if not gone:
            break
    return total


async def run(node: Node) -> None:
    """The loop."""
    while True:
        try:
            if total := await forget_all(node):
                _log.info("retention.forgot", rows=total)
        except FederationError as error:  # a locked or full database: the next round will do
            _log.warning("retention.failed", error=str(error)[:500])
        await asyncio.sleep(EVERY_SECONDS)
