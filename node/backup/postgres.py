"""PostgreSQL's own programs, `pg_dump` and `pg_restore`, found on the PATH.

Where the database is, and its password, goes to them in their environment: a command line can be read by everybody on
the machine.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from sqlalchemy.engine import make_url

from node.backup.rules import BackupError
from node.settings import without_settings

MAX_WORDS = 300


def program(name: str) -> str:
    """Where it is; BackupError when it is nowhere."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not on the PATH. Install PostgreSQL's client programs, of the server's version or a newer one."
        )
    return found


def environment(url: str) -> dict[str, str]:
    """What libpq reads of its environment, for the database of FREEHOLD_DATABASE_URL."""
    parsed = make_url(url)
    query = {name: value for name, value in parsed.query.items() if isinstance(value, str)}
    told = {
        "PGHOST": parsed.host or query.get("host"),
        "PGPORT": str(parsed.port or query.get("port") or ""),
        "PGUSER": parsed.username or query.get("user"),
        "PGPASSWORD": str(parsed.password or query.get("password") or ""),
        "PGDATABASE": parsed.database,
        "PGSSLMODE": query.get("sslmode") or query.get("ssl"),
    }
    return without_settings() | {name: value for name, value in told.items() if value}


async def run(name: str, url: str, *arguments: str) -> None:
    """Run one of them to its end; BackupError with its own words when it fails."""
    process = await asyncio.create_subprocess_exec(
        program(name),
        "--no-password",
        *arguments,
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _out, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        words = " ".join(said.decode(errors="replace").split())[:MAX_WORDS]
        raise BackupError(f"{name} failed: {words}")


async def dump(url: str, target: Path, snapshot: str | None = None) -> None:
    """Everything that one snapshot shows, in pg_dump's own format."""
    target.touch(0o600)  # noqa: ASYNC240 - one file
    shown = [f"--snapshot={snapshot}"] if snapshot else []
    await run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", *shown, f"--file={target}")


async def check(url: str, dumped: Path) -> None:
    """BackupError unless pg_restore can read all of it."""
    await run("pg_restore", url, "--list", str(dumped))


async def restore(url: str, dumped: Path) -> None:
    """Into a database without our tables, in one transaction: all or nothing."""
    await run("pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
              f"--dbname={make_url(url).database}", str(dumped))  # fmt: skip
