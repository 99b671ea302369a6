"""The loops behind the pages: apply what came in, send what goes out, tidy up.

They share nothing with the web side but the database, so a process may run only these (`--role worker`) or none
(`--role web`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from federation import endings, rotating
from federation.blocks import forget_mutes
from federation.delivery import DeliveryWorker
from federation.errors import FederationError
from federation.inbox import InboxWorker
from federation.known_actors import forget_strangers
from federation.moves import forget_moves
from federation.relays import forget_relayed
from federation.storage import Tx
from federation.synchronise import forget_checks
from node import retention
from node.accounts import sessions
from node.accounts.once import forget_forms
from node.backup import nightly
from node.context import Node
from node.credentials import commands as credentials
from node.credentials import working as shelf
from node.doctor import examining as doctor
from node.inboxes import deleted, effects
from node.mail import commands as mails
from node.mail.sender import MailWorker
from node.media import attachments as pictures
from node.media import cache as remote_pictures
from node.media.attachments import TOPIC as MEDIA
from node.media.sweep import sweep
from node.messages import commands as messages
from node.moderation import commands as reports
from node.notifications import commands as notifications
from node.notifications.letters import write_letters
from node.packs import commands as packs
from node.portability import working as archives
from node.profiles import asking, links
from node.profiles.checking import LinkChecker
from node.relations import lists
from node.relations.worker import RelationsWorker
from node.search.indexing import Indexer
from node.social import lookups
from node.social.seeking import Seeker

HOUSEKEEPING_SECONDS = 600.0
LETTERS_SECONDS = 60.0
RESTART_SECONDS = 10.0

_log = structlog.get_logger()


def workers(node: Node) -> tuple[InboxWorker, DeliveryWorker, Seeker, Indexer]:
    """What takes in, what sends, what looks things up, and what lets people be found."""
    inbox = InboxWorker(node.db, node.resolver, node.ids, node.policy, effects(node))
    delivery = DeliveryWorker(node.db, node.client, node.authors, node.ids, node.clock)
    return inbox, delivery, Seeker(node), Indexer(node.db)


def mail_worker(node: Node) -> MailWorker:
    """What hands mails to the mail server."""
    host = node.ids.host
    sender = node.settings.mail.sender or f"Freehold <freehold@{host.partition(':')[0]}>"
    url, ca_file = node.settings.mail.smtp_url.value, node.settings.network.ca_file
    return MailWorker(node.db, node.clock, url, sender, host, ca_file=ca_file)


async def work(node: Node) -> None:
    """Run all loops until cancelled. What is under way when that happens is still a row, and is taken up again."""
    inbox, delivery, seeker, indexer = workers(node)
    running: dict[str, Callable[[], Awaitable[None]]] = {
        "inbox": inbox.run,
        "delivery": delivery.run,
        "lookups": seeker.run,
        "links": LinkChecker(node).run,
        "search": indexer.run,
        "relations": RelationsWorker(node).run,
        "mail": mail_worker(node).run,
        "letters": partial(_again, node, write_letters, node.ids.origin, every=LETTERS_SECONDS),
        "media": partial(_sweep_media, node),
        "archives": partial(archives.run, node),
        "credentials": partial(shelf.run, node),
        "retention": partial(retention.run, node),
        "backups": partial(nightly.run, node),
        "doctor": partial(doctor.run, node),
        "housekeeping": partial(_again, node, tidy, every=HOUSEKEEPING_SECONDS),
    }
    async with asyncio.TaskGroup() as loops:
        for name, run in running.items():
            loops.create_task(_kept_up(name, run), name=name)


async def _kept_up(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A loop for which a fault of ours is no reason to take the node down: it is logged, and the loop begins again."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - the workers' loop: one fault never stops the rest
            _log.error("worker.failed", loop=name, exc_info=error)
            await asyncio.sleep(RESTART_SECONDS)


async def _sweep_media(node: Node) -> None:
    """Remove files as soon as their rows say that nobody shows them, and what a crash has left now and then."""
    wake = asyncio.Event()
    node.db.subscribe(MEDIA, lambda payload: wake.set())
    while True:
        wake.clear()
        try:
            await sweep(node.db, node.settings)
        except (FederationError, OSError) as error:
            _log.warning("media.not_swept", error=str(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(HOUSEKEEPING_SECONDS):
                await wake.wait()


async def _again(node: Node, fn: Callable[..., object], *arguments: object, every: float) -> None:
    """One scope after another, for ever."""
    while True:
        try:
            await node.db.write(fn, *arguments)
        except FederationError as error:  # a locked or full database: the next round will do
            _log.warning("housekeeping.failed", what=fn.__name__, error=str(error))
        await asyncio.sleep(every)


def tidy(tx: Tx) -> None:
    """Forget what has a lifetime: sessions that are over, strangers; `node.retention` forgets what comes in masses."""
    sessions.forget_old(tx)
    forget_forms(tx)
    endings.note_reached(tx)
    endings.forget_keys(tx)
    rotating.forget_old_halves(tx)
    forget_strangers(tx)
    lookups.tidy(tx)
    packs.tidy(tx)
    credentials.tidy(tx)
    asking.ask_again(tx)
    lists.tidy(tx)
    forget_checks(tx)
    forget_mutes(tx)
    forget_moves(tx)
    deleted(tx, forget_relayed(tx))
    reports.tidy(tx)
    notifications.tidy(tx)
    messages.tidy(tx)
    pictures.expire(tx)
    remote_pictures.tidy(tx)
    mails.tidy(tx)
    links.tidy(tx)
