"""Archives are made and taken in behind the pages, one at a time; every step is a row, so a restart begins it anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from federation.authors import Author
from federation.errors import FederationError
from federation.storage import Tx
from federation.tables import activities, actors, follows
from node.accounts import queries
from node.context import Node
from node.errors import Invalid, NodeError
from node.media import attachments
from node.media.names import NAME, path_of, small_name
from node.media.pictures import MAX_BYTES, Pictures
from node.media.tables import media
from node.portability import commands, container
from node.portability.archive import MAX_PICTURE, WORDS, Reader, Writer
from node.portability.bringing import (
    HERE,
    NOT_HERE,
    RESTORE,
    UNREACHABLE,
    UNREADABLE,
    Section,
    bring,
    map_of,
    plain,
)
from node.portability.collecting import SLICES, Slice
from node.portability.commands import TOPIC, Archive, folder
from node.portability.moving import Map
from node.portability.rows import Entry, Whose
from node.portability.tables import restored
from node.profiles import commands as profiles
from node.profiles.queries import picture_name
from node.profiles.rules import parse_profile
from node.social import commands as social
from node.web import words
from schemas.errors import SchemaError

IDLE_SECONDS = 60.0
MAX_FOLLOWS = 5_000

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many steps of how many are done."""

_log = structlog.get_logger()


async def no_progress(step: int, steps: int) -> None:
    """For whoever waits for the end."""


async def run(node: Node) -> None:
    """The loop: make and take in what is asked for, forget what is over."""
    changed = asyncio.Event()
    node.db.subscribe(TOPIC, lambda payload: changed.set())
    if not node.settings.storage.database_url:
        await node.db.write(commands.release)
    while True:
        changed.clear()
        try:
            await drain(node)
            await tidy(node)
        except (FederationError, OSError) as error:  # a locked or full database or disk: the next round will do
            _log.warning("archives.failed", error=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), IDLE_SECONDS)


async def drain(node: Node) -> int:
    """Everything that waits; returns how many."""
    done = 0
    while (archive := await node.db.write(commands.take)) is not None:
        await _work(node, archive)
        done += 1
    return done


async def tidy(node: Node) -> None:
    """Rows that are over, and files without a row."""
    kept = {f"{archive_id}.zip" for archive_id in await node.db.write(commands.expired)}
    place = folder(node.settings.data)
    for path in await asyncio.to_thread(lambda: sorted(place.glob("*")) if place.exists() else []):
        if path.name not in kept and path.name.removesuffix(".part") not in kept:
            await asyncio.to_thread(path.unlink, missing_ok=True)


async def _work(node: Node, archive: Archive) -> None:
    path = folder(node.settings.data) / archive.file

    async def progress(step: int, steps: int) -> None:
        await node.db.write(commands.progress, archive.id, step, steps)

    try:
        if archive.kind == "out":
            await write_archive(node, archive.actor_id, path, progress)
            report: list[dict[str, Any]] = []
        else:
            report = await read_archive(node, archive.actor_id, path, progress)
            await asyncio.to_thread(path.unlink, missing_ok=True)
    except (NodeError, FederationError, SchemaError, OSError) as error:
        _log.warning("archive.failed", archive=archive.id, kind=archive.kind, error=str(error))
        await asyncio.to_thread(path.unlink, missing_ok=True)
        await node.db.write(lambda tx: commands.finish(tx, archive.id, "failed", size=None, report=[]))
        return
    size = path.stat().st_size if path.exists() else None
    await node.db.write(lambda tx: commands.finish(tx, archive.id, "ready", size=size, report=report))


# ---- out


async def write_archive(node: Node, actor_id: str, path: Path, progress: Progress = no_progress) -> dict[str, int]:
    """Everything of somebody, in a file that only the node's own user may read; returns how many of each."""
    account = await node.db.read(queries.account_of, actor_id)
    whose = Whose(node.ids, actor_id, account.id, account.username)
    await asyncio.to_thread(path.parent.mkdir, 0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    await asyncio.to_thread(draft.touch, 0o600)
    writer = Writer(draft)
    try:
        for number, part in enumerate(SLICES):
            await progress(number, len(SLICES) + 1)
            await node.db.read(_collect, whose, part, writer)
        await asyncio.to_thread(_pictures, writer, node.settings.media, await node.db.read(_picture_names, actor_id))
        await node.db.read(_as_others_look_for_it, whose, writer)
        now = node.clock.now()
        about = {"origin": node.ids.origin, "actor": actor_id, "username": account.username}
        about["exported"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        writer.file(container.OUTLINE, container.outline(writer.names, actor_id, about["exported"]))
        host = node.ids.handle_domain
        await asyncio.to_thread(writer.finish, about, WORDS.format(host=host, day=words.day(now.date())))
    finally:
        await asyncio.to_thread(writer.close)
    await asyncio.to_thread(draft.replace, path)
    return writer.counts


def _collect(tx: Tx, whose: Whose, part: Slice, writer: Writer) -> None:
    writer.lines(part.name, part.collect(tx, whose))


def _as_others_look_for_it(tx: Tx, whose: Whose, writer: Writer) -> None:
    """The actor and its outbox, as any ActivityPub program reads them."""
    document = tx.scalar(sa.select(actors.c.document).where(actors.c.id == whose.actor_id))
    writer.file(container.ACTOR, bytes(document))
    mine = (activities.c.actor_id == whose.actor_id, activities.c.public)
    newest = sa.select(activities.c.body).where(*mine).order_by(activities.c.published.desc(), activities.c.id.desc())
    rows = tx.execute(newest.execution_options(yield_per=200))
    writer.stream(container.OUTBOX, container.outbox(whose.actor_id, (bytes(row.body) for row in rows)))


def _picture_names(tx: Tx, actor_id: str) -> list[str]:
    names = [row.name for row in tx.rows(sa.select(media.c.name).where(media.c.owner == actor_id, media.c.width > 0))]
    portrait = picture_name(tx, actor_id)
    large = [*names, *([portrait] if portrait else [])]
    return list(dict.fromkeys([*large, *(small_name(name) for name in names)]))


def _pictures(writer: Writer, place: Path, names: list[str]) -> None:
    for name in names:
        path = path_of(place, name)
        if path is not None and path.exists():
            writer.file(f"media/{name}", path.read_bytes())


# ---- in


async def read_archive(node: Node, actor_id: str, path: Path, progress: Progress = no_progress) -> list[dict[str, Any]]:
    """Take an archive in; returns what came of each section. Invalid: it is none, or holds too much."""
    author = await node.author(actor_id)
    with Reader(path) as reader:
        steps = len(RESTORE) + 3
        moved = await node.db.read(map_of, author, reader)
        with suppress(FederationError, SchemaError):  # met while it answers: its keys are known when it does no more
            await node.resolver.actor(moved.former.actor_id)
        sections = []
        for number, name in enumerate(RESTORE):
            await progress(number, steps)
            sections.append(await node.db.write(bring, author, reader, moved, name))
            if number == 0:  # pictures belong to lines of a CV and to posts, and posts show them
                sections.append(await _bring_media(node, author, reader, moved))
        sections.append(await _bring_profile(node, author, reader))
        await progress(steps - 1, steps)
        sections.append(await _bring_following(node, author, reader))
    return plain(sections)


async def _bring_media(node: Node, author: Author, reader: Reader, moved: Map) -> Section:
    """Pictures are made anew from what the archive holds, as from any upload; their names change with that."""
    section, pictures = Section("media"), Pictures(node.settings.media)
    for entry in reader.lines("media"):
        try:
            reason = await _bring_picture(node, author, reader, moved, pictures, entry)
        except (NodeError, KeyError, TypeError, ValueError):
            reason = UNREADABLE
        if reason is None:
            section.restored += 1
        else:
            section.skip(reason)
    return section


async def _bring_picture(
    node: Node, author: Author, reader: Reader, moved: Map, pictures: Pictures, entry: Entry
) -> str | None:
    name, target = str(entry["name"]), moved.objects.get(str(entry.get("object_id")))
    if not NAME.match(name) or target is None:
        return NOT_HERE
    source = f"media {entry['id']}"
    known = await node.db.read(_came_before, author.actor_id, source)
    if known is not None:
        moved.pictures[name] = known
        return HERE
    body = reader.file(f"media/{name}", MAX_PICTURE)
    if body is None:
        return NOT_HERE
    made = await pictures.prepare(body)
    await pictures.keep(made.files)
    moved.pictures |= {name: made.name, small_name(name): small_name(made.name)}

    def keep(tx: Tx) -> None:
        added = attachments.add(tx, author.actor_id, made, str(entry.get("alt", "")))
        place = {"object_id": target, "position": int(entry.get("position", 0))}
        tx.execute(sa.update(media).where(media.c.id == added.id).values(place))
        known = {"actor_id": author.actor_id, "source": source, "target": made.name}
        tx.execute(tx.insert_new(restored, "actor_id", "source"), known)

    await node.db.write(keep)
    return None


def _came_before(tx: Tx, actor_id: str, source: str) -> str | None:
    mine = (restored.c.actor_id == actor_id, restored.c.source == source)
    target: str | None = tx.scalar(sa.select(restored.c.target).where(*mine))
    return target


async def _bring_profile(node: Node, author: Author, reader: Reader) -> Section:
    """The form as it was filled in last, checked as when somebody sends it."""
    section = Section("profile")
    for entry in reader.lines("profile"):
        try:
            form = msgspec.convert(entry["form"], dict[str, str])
            draft = parse_profile(form, node.clock.now().date())
            picture = await _portrait(node, reader, str(entry.get("picture", "")))
            await node.db.write(profiles.save_profile, author, draft, picture=picture)
            section.restored += 1
        except (NodeError, KeyError, msgspec.ValidationError):
            section.skip(UNREADABLE)
    return section


async def _portrait(node: Node, reader: Reader, name: str) -> str | None:
    body = reader.file(f"media/{name}", MAX_BYTES) if NAME.match(name) else None
    if body is None:
        return None
    try:
        return await Pictures(node.settings.media).take_in(body)
    except Invalid:
        return None


async def _bring_following(node: Node, author: Author, reader: Reader) -> Section:
    """Each is looked up and asked again; who cannot be reached now is named in the report's count."""
    section = Section("following")
    for number, entry in enumerate(reader.lines("following")):
        who = entry.get("actor")
        if number >= MAX_FOLLOWS or not isinstance(who, str):
            section.skip(UNREADABLE)
            continue
        if await node.db.read(_follows, author.actor_id, who):
            section.skip(HERE)
            continue
        try:
            target = await node.resolver.locate(who)
            await node.db.write(social.follow, author, target)
            section.restored += 1
        except (FederationError, SchemaError):
            section.skip(UNREACHABLE)
        except NodeError:
            section.skip(NOT_HERE)
    return section


def _follows(tx: Tx, actor_id: str, who: str) -> bool:
    pair = (follows.c.follower == actor_id, follows.c.followee == who)
    return tx.scalar(sa.select(follows.c.state).where(*pair)) in ("requested", "accepted")
