"""What can be looked at on this machine: database, keys, files, disk, backups, queues, the mail server."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from federation.errors import FederationError
from federation.tables import actors
from keys.errors import KeysError
from node.backup import queries as backups
from node.backup.databases import in_thread
from node.context import Node
from node.doctor import queries
from node.doctor.rules import Finding, attend, broken, judge_backup, judge_disk, judge_queue, ok
from node.identity.queries import without_identity
from node.language import _, _n

OTHERS = stat.S_IRWXG | stat.S_IRWXO
LOOK_EVERY = 100_000  # of SQLite's instructions


async def look_inside(node: Node) -> list[Finding]:
    """Everything that needs no other machine, but for the mail server."""
    found = [await _database(node), await _keys(node)]
    found += await asyncio.to_thread(_files, node)
    found.append(judge_disk(await asyncio.to_thread(lambda: shutil.disk_usage(node.settings.data).free)))
    found += await _backup(node)
    found.append(await _identities(node))
    found += judge_queue(await node.db.read(queries.queue))
    found.append(await _mail(node))
    return found


async def _database(node: Node) -> Finding:
    """SECURITY 181."""
    if not node.db.is_sqlite:
        return ok("database", _("PostgreSQL answers."))
    path = node.settings.data / "freehold.db"
    try:
        verdict = await in_thread(lambda stop: _quick_check(path, stop))
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict == "ok":
        return ok("database", _("The database is whole."))
    return broken(
        "database",
        _("The database is damaged: {what}", what=verdict[:200]),
        _("Stop the node, and restore the newest backup into an empty data folder."),
    )


def _quick_check(path: Path, stop: threading.Event) -> str:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.set_progress_handler(stop.is_set, LOOK_EVERY)
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        return str(verdict)


async def _keys(node: Node) -> Finding:
    """Whether the private key of everybody who lives here can be opened."""
    here = sa.select(actors.c.id).where(actors.c.local, actors.c.gone_at.is_(None))
    people = [row.id for row in await node.db.read(lambda tx: tx.rows(here))]
    for actor_id in people:
        try:
            await node.author(actor_id)
        except (KeysError, FederationError) as error:
            return broken("keys", _("The keys of {who} cannot be opened: {why}", who=actor_id, why=str(error)[:200]),
                          _("Restore master.key, or FREEHOLD_MASTER_KEY, from your backup."))  # fmt: skip
    count = len(people)
    words = _n(
        "The master key opens the key of {count} actor.", "The master key opens the keys of {count} actors.", count
    )
    return ok("keys", words)


def _files(node: Node) -> list[Finding]:
    """What others on this machine may read (SECURITY 124)."""
    data = node.settings.data
    private = [data, *(data / name for name in ("master.key", "freehold.db", "freehold.toml"))]
    open_to_others = [path for path in private if path.exists() and path.stat().st_mode & OTHERS]
    if data in open_to_others or (data.stat().st_mode & OTHERS and open_to_others):
        names = ", ".join(str(path) for path in open_to_others)
        return [
            attend(
                "files",
                _("Others on this machine may read {names}.", names=names),
                _("Take that away: chmod -R go-rwx {data}", data=str(data)),
            )
        ]
    return [ok("files", _("Only the node may read its keys and its database."))]


async def _backup(node: Node) -> list[Finding]:
    phrase = await node.db.read(backups.phrase)
    if phrase is None:
        return [
            attend(
                "backup",
                _("There is no recovery phrase, so there can be no backup."),
                _("Make one on the page /setup/keys, or with freehold backup --new-phrase."),
            )
        ]
    history = await node.db.read(backups.history)
    whole = await node.db.read(backups.last_whole)
    ended = next((backup for backup in history if backup.finished_at is not None), None)
    failure = ended.error if ended is not None else None
    return [judge_backup(whole.started_at if whole else None, failure, node.clock.now())]


async def _identities(node: Node) -> Finding:
    without = await node.db.read(without_identity)
    if not without:
        return ok("identity", _("Everybody here has an identity key of their own."))
    return attend(
        "identity",
        _n("{count} person here has no identity key.", "{count} people here have no identity key.", len(without)),
        _("Make one on the page /setup/identity, or with freehold identity make, and try its code."),
    )


async def _mail(node: Node) -> Finding:
    if not node.settings.mail.smtp_url:
        return ok("mail", _("No mail server is set, so no mail is sent."))
    from node.worker import mail_worker  # which also runs the doctor

    why = await mail_worker(node).check()
    if not why:
        return ok("mail", _("The mail server takes mail."))
    return broken("mail", _("The mail server refuses us: {why}", why=why), _("Mend FREEHOLD_SMTP_URL."))
