"""`freehold key`: what the node signs with, new keys in its place, and the keys of others asked for anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy.engine import Row

from federation import known_actors, operate
from federation.authors import Author, make_keys
from federation.clock import iso
from node.cli.common import REFUSED, Options, acting, common_options, fail, opened, run, show
from node.context import Node
from node.credentials.renewing import rotate
from schemas.base import datetime_of


@click.group(help="The keys that your node signs with, and those of others that it knows.")
def key() -> None:
    """Keys are made with their actor; nothing here ever prints a private one."""


@key.command("list")
@common_options
def key_list(options: Options) -> None:
    """Public keys of the local actors, the newest first, with their state."""
    run(_list, options)


async def _list(options: Options) -> None:
    async with opened(options) as node:
        rows = await node.db.read(operate.local_keys)
    show(options, [row._asdict() for row in rows], "\n".join(map(_words, rows)))


def _words(row: Row[Any]) -> str:
    dates = f"since {row.first_seen:%Y-%m-%d}"
    if row.revoked_at is not None:
        dates += f", in other hands since {iso(row.revoked_at)}"
    elif row.retired_at is not None:
        dates += f", until {row.retired_at:%Y-%m-%d}"
    return f"{row.algorithm:<8} {row.state:<8} {row.id}  {dates}"


@key.command("rotate")
@click.option(
    "--compromised", is_flag=True, help="Somebody may have had the old keys: from now on they count for nothing."
)
@click.option(
    "--since", metavar="TIME", help="With --compromised: since when, such as 2026-11-23T14:00:00Z; now, if left out."
)
@click.option(
    "--instance", is_flag=True, help="The keys with which the node itself asks others, instead of a person's."
)
@common_options
def key_rotate(options: Options, compromised: bool, since: str | None, instance: bool) -> None:
    """New keys; every server that knows the old ones is told."""
    if since is not None and not compromised:
        raise click.UsageError("--since belongs to --compromised.")
    run(_rotate, options, _moment(since) if since else None, compromised, instance)


def _moment(text: str) -> datetime:
    moment = datetime_of(text) or datetime_of(f"{text}T00:00:00Z")
    if moment is None:
        fail(f"--since: {text!r} is no time. Write it as 2026-11-23 or 2026-11-23T14:00:00Z.", REFUSED)
    return moment.astimezone(UTC)


async def _rotate(options: Options, since: datetime | None, compromised: bool, instance: bool) -> None:
    keys = await asyncio.to_thread(make_keys)
    async with _whose(options, instance=instance) as (node, author):
        moment = (since or node.clock.now()) if compromised else None
        done = await node.db.write(rotate, node.authors, author, keys, compromised=moment)
    words = (
        f"{author.actor_id} signs with {done.author.ed25519_key_id.partition('#')[2]} now. Servers told: {done.told}."
    )
    if compromised:
        words += f" Things signed anew: {done.signed_anew}."
        if not instance:
            words += " Who could read the files of this server has its own keys too: change them with --instance."
    value = {"actor": author.actor_id, "rsa": done.author.rsa_key_id, "ed25519": done.author.ed25519_key_id}
    show(options, value | {"told": done.told, "signed_anew": done.signed_anew}, words)


@asynccontextmanager
async def _whose(options: Options, *, instance: bool) -> AsyncIterator[tuple[Node, Author]]:
    if not instance:
        async with acting(options) as found:
            yield found
        return
    async with opened(options) as node:
        yield node, await node.author(node.ids.instance_actor)


@key.command("expire")
@click.argument("host")
@common_options
def key_expire(options: Options, host: str) -> None:
    """Ask for every key of another server anew before it is used again."""
    run(_expire, options, host)


async def _expire(options: Options, host: str) -> None:
    async with opened(options) as node:
        count = await node.db.write(known_actors.expire_keys, host.lower())
    if not count:
        fail(
            f"no key of {host} is known here. Write it as in the addresses of its people, with its port if it has one.",
            REFUSED,
        )
    show(options, {"host": host.lower(), "expired": count}, f"{count} keys of {host} will be asked for anew.")
