"""A PostgreSQL server of the tests' own: one for a test session, a fresh database for each test.

Whichever test first needs it starts it, under a file lock, in a temporary folder, on a Unix socket, as a user without
rights (`initdb` refuses root). A guard process stops it and removes the folder when the session's first process ends,
however it ends. Run as a program, this module is that guard: `python tests/postgres.py BIN FOLDER USER PID`.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

SUPERUSER = "freehold"
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=300")
HOW_TO_INSTALL = "`make test` installs it when run as root; otherwise install your system's `postgresql` package"


class NoPostgres(Exception):
    """There is no PostgreSQL server program on this machine."""


@dataclass(frozen=True)
class Server:
    """A running server; `folder` holds its socket."""

    folder: str

    def url(self, database: str) -> str:
        """What `federation.storage.Database.open` takes."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?host={self.folder}"

    def execute(self, script: str, database: str = "postgres") -> None:
        """Run SQL statements as the superuser, each in a transaction of its own."""
        subprocess.run(
            [_programs() / "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", SUPERUSER, database],
            input=script.encode(),
            check=True,
            cwd="/",
        )

    def make_template(self, metadata: sa.MetaData) -> None:
        """The database `template_freehold` with every table of `metadata`."""
        self.execute("CREATE DATABASE template_freehold")
        self.execute(_schema(metadata), "template_freehold")

    def create(self, *, template: str = "template_freehold") -> str:
        """A fresh database, by its name."""
        name = f"test_{secrets.token_hex(8)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _schema(metadata: sa.MetaData) -> str:
    import sqlalchemy as sa

    statements: list[str] = []

    def collect(ddl: sa.ExecutableDDLElement, *_: object) -> None:
        statements.append(str(ddl.compile(dialect=engine.dialect)))

    engine = sa.create_mock_engine("postgresql+asyncpg://", collect)
    metadata.create_all(engine, checkfirst=False)
    return ";\n".join(statements) + ";"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process of the test session at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def session_server(shared: Path, controller: int, tables: Callable[[], sa.MetaData]) -> Server:
    """The session's server, with the template of fresh databases; started by the first that asks.

    `shared` is the session's folder, `controller` the process with whose end the server ends.
    """
    known = shared / "postgres.json"
    with locked(shared / "postgres.lock"):
        if known.exists():
            return Server(**json.loads(known.read_text()))
        server = _start(controller)
        server.make_template(tables())
        known.write_text(json.dumps(asdict(server)))
        return server


def _start(controller: int) -> Server:
    programs = _programs()
    user = _unprivileged()
    folder = tempfile.mkdtemp(prefix="freehold-pg-", dir="/tmp")  # short: a socket's path has at most 107 bytes
    os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    guard = subprocess.Popen(
        [sys.executable, __file__, str(programs), folder, user, str(controller)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdout is not None
    if guard.stdout.readline() != b"ready\n":
        raise RuntimeError(f"PostgreSQL did not start: {guard.stdout.read().decode()}")
    return Server(folder)


def _programs() -> Path:
    """The folder of `initdb` and `postgres`, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        raise NoPostgres(f"these tests need a PostgreSQL server (initdb): {HOW_TO_INSTALL}")
    return Path(elsewhere).resolve().parent


def _unprivileged() -> str:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def guard(programs: Path, folder: Path, user: str, controller: int) -> None:
    """Make and run the server until `controller` has ended."""
    who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        **who,
    )
    settings = [argument for option in OPTIONS for argument in ("-c", option)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, *settings],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **who,
        )
    try:
        _wait_until_ready(programs, folder, server)
        _say("ready")
        while _alive(controller) and server.poll() is None:
            time.sleep(0.3)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    asking = [programs / "pg_isready", "-q", "-h", folder, "-d", "postgres"]
    while subprocess.run(asking, check=False, cwd="/").returncode != 0:
        if server.poll() is not None:
            _say((folder / "log").read_text())
            raise SystemExit(1)
        time.sleep(0.05)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    guard(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
