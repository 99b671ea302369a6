"""`freehold state`, `queue`, `migrate`: what an operator looks at, and the few things to turn."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.engine import Row

from federation import operate
from node import migrate as migration
from node.cli.common import Options, common_options, opened, run, show


@click.command(help="Counts and a digest per table.")
@common_options
def state(options: Options) -> None:
    """The digest changes when, and only when, a row does: two equal states are the same state."""
    run(_state, options)


async def _state(options: Options) -> None:
    async with opened(options) as node:
        tables = await node.db.read(operate.state)
    words = "\n".join(f"{row.table:<20} {row.rows:>9}  {row.digest[:16]}" for row in tables)
    show(options, [row._asdict() for row in tables], words)


@click.group(invoke_without_command=True, help="What waits to be delivered, per host.")
@common_options
@click.pass_context
def queue(context: click.Context, options: Options) -> None:
    """Without a verb: list."""
    if context.invoked_subcommand is None:
        run(_queue_list, options)
    elif any(context.params.values()):
        raise click.UsageError("Write options behind the verb: they belong to it.")


@queue.command("list")
@common_options
def queue_list(options: Options) -> None:
    """Every host with waiting or given up deliveries."""
    run(_queue_list, options)


async def _queue_list(options: Options) -> None:
    async with opened(options) as node:
        rows = await node.db.read(operate.queue)
    words = "\n".join(_queue_words(row) for row in rows) or "Nothing waits: everything has been delivered."
    show(options, [row._asdict() for row in rows], words)


def _queue_words(row: Row[tuple[object, ...]]) -> str:
    paused = "  paused" if row.paused else ""
    return f"{row.host:<40} {row.pending:>6} wait {row.given_up:>6} given up{paused}  {row.last_error or ''}".rstrip()


@queue.command()
@click.argument("host")
@common_options
def pause(options: Options, host: str) -> None:
    """Keep what is meant for a host, and send nothing there."""
    run(_pause, options, host, "yes")


@queue.command()
@click.argument("host")
@common_options
def resume(options: Options, host: str) -> None:
    """Send to a host again."""
    run(_pause, options, host, "no")


async def _pause(options: Options, host: str, paused: str) -> None:
    async with opened(options) as node:
        await node.db.write(operate.pause if paused == "yes" else operate.resume, host.lower())
    show(options, {"host": host, "paused": paused == "yes"}, f"{host}: {'paused' if paused == 'yes' else 'resumed'}.")


@queue.command()
@click.argument("host", required=False)
@common_options
def retry(options: Options, host: str | None) -> None:
    """Try what waits, or was given up, again now."""
    run(_retry, options, host)


async def _retry(options: Options, host: str | None) -> None:
    async with opened(options) as node:
        count = await node.db.write(operate.retry, host)
    show(options, {"retried": count}, f"{count} deliveries will be tried now.")


@click.command(help="Bring the database to this version.")
@click.option("--without-backup", is_flag=True, help="Keep no copy of the database first.")
@common_options
def migrate(options: Options, without_backup: bool) -> None:
    """`serve` does this by itself; here it can be done, and seen, beforehand."""
    run(_migrate, options, None if without_backup else options.data)


async def _migrate(options: Options, folder: Path | None) -> None:
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    await migration.ensure(options.settings.database_url, folder)
    show(options, {"version": migration.HEAD}, f"The database is at version {migration.HEAD}.")
